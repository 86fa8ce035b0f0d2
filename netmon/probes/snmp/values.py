"""What SNMP carries, as values, and the session that a poller talks to.

An OID is a tuple of integers. The value of a variable is `int` for INTEGER, Counter32, Gauge32,
TimeTicks and Counter64, `bytes` for OCTET STRING and Opaque, `Oid` for OBJECT IDENTIFIER,
`IPv4Address` for IpAddress, and a member of `Missing` where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from netmon.errors import NetmonError
from netmon.model import SnmpStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

Oid: TypeAlias = tuple[int, ...]


class Tag(IntEnum):
    """BER tags of the values of a variable (RFC 2578, RFC 3416)."""

    INTEGER = 0x02
    OCTET_STRING = 0x04
    NULL = 0x05
    OBJECT_IDENTIFIER = 0x06
    IP_ADDRESS = 0x40
    COUNTER32 = 0x41
    GAUGE32 = 0x42
    """Also Unsigned32."""
    TIME_TICKS = 0x43
    OPAQUE = 0x44
    COUNTER64 = 0x46
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


class Missing(StrEnum):
    """Why a variable has no value."""

    NO_SUCH_OBJECT = "noSuchObject"
    """The agent does not know the object; of v1 agents also: the object has no such instance."""
    NO_SUCH_INSTANCE = "noSuchInstance"
    END_OF_MIB_VIEW = "endOfMibView"
    NULL = "null"
    """The agent left the variable without a value, or failed to read it (genErr)."""


Value: TypeAlias = int | bytes | Oid | IPv4Address | Missing


class VarBind(NamedTuple):
    """A variable: its name, its syntax (a `Tag`) and its value."""

    oid: Oid
    tag: int
    value: Value


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk has read, in the order in which the agent told it.

    `complete`: the subtree was read to its end. `trouble` says in words what was wrong, also where
    the end was reached (rows out of order); empty if nothing was. `status` is OK for a complete
    walk and otherwise says how it ended; the rows read before stay good.
    """

    rows: list[VarBind]
    complete: bool
    trouble: str = ""
    status: SnmpStatus = SnmpStatus.OK


WALK_LIMIT_ROWS: Final = 20_000


class Session(Protocol):
    """One router, asked by one credential. Calls wait for each other: one request in flight."""

    async def get(self, oids: Sequence[Oid]) -> list[VarBind]:
        """Return one variable for each OID asked, in the order asked.

        What the agent does not have or cannot read holds a `Missing`; the others have their
        values all the same, whatever error status the agent answers with.

        Raises:
            SnmpError: no answer that could be used; `status` and the words say why, `received`
                holds what had come before.
        """
        ...

    async def walk(self, root: Oid, *, limit_rows: int = WALK_LIMIT_ROWS) -> Walk:
        """Read the subtree below `root`.

        Raises:
            SnmpError: nothing at all could be read. Trouble after the first row is told by the
                walk, together with the rows.
        """
        ...

    @property
    def engine_boots(self) -> int | None:
        """How often the agent's SNMPv3 engine has started; None: not told, or not SNMPv3."""
        ...


class SnmpError(NetmonError):
    """A router that could not be read. The message is for people, `status` for metrics."""

    def __init__(
        self, status: SnmpStatus, message: str, received: tuple[VarBind, ...] = ()
    ) -> None:
        self.status = status
        self.received = received
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class SnmpSecrets:
    """The secrets of a credential, read. They never show in a repr."""

    community: str = field(default="", repr=False)
    auth_password: str = field(default="", repr=False)
    priv_password: str = field(default="", repr=False)


def oid_from_text(text: str) -> Oid:
    """Return the OID that "1.3.6.1" or ".1.3.6.1" names.

    Raises:
        ValueError: the text is not a dotted list of numbers.
    """
    try:
        arcs = tuple(int(arc) for arc in text.strip().lstrip(".").split("."))
    except ValueError:
        arcs = (-1,)
    if len(arcs) == 1 or min(arcs) < 0:
        message = f"{text!r} is not an OID: write numbers and dots, for example 1.3.6.1.2.1.1"
        raise ValueError(message)
    return arcs


def oid_text(oid: Oid) -> str:
    """Return an OID as "1.3.6.1"."""
    return ".".join(map(str, oid))
