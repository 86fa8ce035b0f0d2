"""Recorded agents, served through the Session Protocol without a socket.

Reads the recordings of snmpsim (`.snmprec`: one `OID|tag|value` a line, tags in decimal as BER has
them, `x` behind the tag for values in hex, `e` for values with Python's escapes).
"""

from __future__ import annotations

from bisect import bisect_left
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from netmon.probes.snmp import mib
from netmon.probes.snmp.values import (
    WALK_LIMIT_ROWS,
    Missing,
    Oid,
    SnmpError,
    Tag,
    Value,
    VarBind,
    Walk,
    oid_from_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_INTEGERS = (Tag.INTEGER, Tag.COUNTER32, Tag.GAUGE32, Tag.TIME_TICKS, Tag.COUNTER64)
_HIGH_CAPACITY = (mib.IF_HC_IN_OCTETS, mib.IF_HC_OUT_OCTETS)


class RecordedSession:
    """An agent that says what its recording says; what it lacks, it has no instance of.

    `trouble` makes everything below an OID fail, as an agent does that hangs there.
    """

    def __init__(self, variables: Iterable[VarBind]) -> None:
        self.variables = {variable.oid: variable for variable in variables}
        self.trouble: dict[Oid, SnmpError] = {}
        self.gets: list[list[Oid]] = []
        self.walks: list[Oid] = []
        self._order = sorted(self.variables)

    @property
    def engine_boots(self) -> int | None:
        return None

    def say(self, values: Mapping[Oid, Value | None]) -> None:
        """Change what the agent says; None takes a variable away."""
        for oid, value in values.items():
            if value is None:
                self.variables.pop(oid, None)
            else:
                self.variables[oid] = VarBind(oid, _tag(oid, value), value)
        self._order = sorted(self.variables)

    async def get(self, oids: Sequence[Oid]) -> list[VarBind]:
        self.gets.append(list(oids))
        for oid in oids:
            self._stumble(oid)
        return [
            self.variables.get(oid) or VarBind(oid, Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE)
            for oid in oids
        ]

    async def walk(self, root: Oid, *, limit_rows: int = WALK_LIMIT_ROWS) -> Walk:
        self.walks.append(root)
        self._stumble(root)
        rows = []
        for oid in self._order[bisect_left(self._order, root) :]:
            if oid[: len(root)] != root:
                break
            if oid != root:
                rows.append(self.variables[oid])
        if len(rows) > limit_rows:
            return Walk(rows[:limit_rows], complete=False, trouble=f"over {limit_rows} rows")
        return Walk(rows, complete=True)

    def _stumble(self, oid: Oid) -> None:
        for root, error in self.trouble.items():
            if oid[: len(root)] == root:
                raise error


def say(*values: tuple[Oid, Value]) -> RecordedSession:
    """Return an agent that says these values."""
    return RecordedSession(VarBind(oid, _tag(oid, value), value) for oid, value in values)


def read_recording(path: Path) -> list[VarBind]:
    """Read a recording. Lines that no agent could have sent are left out."""
    variables = []
    for line in path.read_bytes().splitlines():
        parts = line.split(b"|", 2)
        if len(parts) == 3:
            variable = _variable(parts[0].decode(), parts[1].decode(), parts[2])
            if variable is not None:
                variables.append(variable)
    return variables


def _variable(oid_text: str, tag_text: str, raw: bytes) -> VarBind | None:
    tag_text = tag_text.partition(":")[0]
    hexadecimal = tag_text.endswith("x")
    if tag_text.endswith("e"):
        raw = raw.decode("unicode_escape").encode("latin-1")
    try:
        tag = int(tag_text.rstrip("xe"))
        if hexadecimal:
            raw = bytes.fromhex(raw.decode())
        return VarBind(oid_from_text(oid_text), tag, _value(tag, raw, packed=hexadecimal))
    except ValueError:
        return None


def _value(tag: int, raw: bytes, *, packed: bool) -> Value:
    if tag in _INTEGERS:
        return int(raw or b"0")
    match tag:
        case Tag.OCTET_STRING | Tag.OPAQUE:
            return raw
        case Tag.OBJECT_IDENTIFIER:
            return oid_from_text(raw.decode())
        case Tag.IP_ADDRESS:
            return IPv4Address(raw if packed else raw.decode())
        case Tag.NULL:
            return Missing.NULL
        case _:
            message = f"tag {tag} is none of SNMP's"
            raise ValueError(message)


def _tag(oid: Oid, value: Value) -> Tag:
    match value:
        case Missing():
            return Tag.NO_SUCH_INSTANCE
        case int():
            return Tag.COUNTER64 if oid[:-1] in _HIGH_CAPACITY else Tag.INTEGER
        case bytes():
            return Tag.OCTET_STRING
        case tuple():
            return Tag.OBJECT_IDENTIFIER
        case IPv4Address():
            return Tag.IP_ADDRESS
