"""The closed sets, and the name of a link: used with the same meaning in every part."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

IPAddress: TypeAlias = IPv4Address | IPv6Address


class Outcome(IntEnum):
    """What became of one echo request; an integer because it fills columns."""

    REPLIED = 0
    SILENT = 1
    FAULT = 2
    """We could not send: evidence about us, never about the target."""


class Health(StrEnum):
    """What the samples of a link say, and nothing else."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Health, or the overlay that covers it. The class of every second of a link."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    """Every way from the agency's parent to the centre is down."""
    MAINTENANCE = "maintenance"
    UNOBSERVED = "unobserved"
    """netmon itself was blind or stopped; never counted as up or down."""


STATES: tuple[State, ...] = tuple(State)
"""States in the order of their codes in columns."""
STATE_CODES: Mapping[State, int] = MappingProxyType({state: i for i, state in enumerate(STATES)})


class Cause(StrEnum):
    """Why a link was down, as far as the evidence goes."""

    CIRCUIT = "circuit"
    """The router ran on and its uplink lost carrier: the carrier's line."""
    POWER = "power"
    """The router restarted within the outage: its power, or the router itself."""
    BEYOND = "beyond"
    """The router ran on and its uplink never moved: something between it and the centre."""
    UPSTREAM = "upstream"
    """Every way from its parent to the centre was down: not this link's fault."""
    UNKNOWN = "unknown"


CAUSES: tuple[Cause, ...] = tuple(Cause)


class Hours(StrEnum):
    """Which part of the working calendar a second falls in."""

    BUSINESS = "business"
    OTHER = "other"


class Role(StrEnum):
    """What a link is to its agency."""

    PRIMARY = "primary"
    BACKUP = "backup"


class EchoError(StrEnum):
    """Why an echo failed, where somebody said so. Bounded: it is a metric label.

    The first group is said by routers (ICMP errors, RFC 792 and RFC 4443); the second is our own
    trouble while sending and always comes with `Outcome.FAULT`.
    """

    NET_UNREACHABLE = "net_unreachable"
    HOST_UNREACHABLE = "host_unreachable"
    PROHIBITED = "prohibited"
    TTL_EXCEEDED = "ttl_exceeded"
    PACKET_TOO_BIG = "packet_too_big"
    OTHER_UNREACHABLE = "other_unreachable"

    NO_PERMISSION = "no_permission"
    """EPERM or EACCES: our own firewall, or a prohibit route here."""
    NO_ROUTE = "no_route"
    """ENETUNREACH or EHOSTUNREACH from our own kernel."""
    NO_BUFFER = "no_buffer"
    """ENOBUFS or ENOMEM."""
    NO_SOCKET = "no_socket"
    """No socket of this address family can be had here."""
    OTHER_FAULT = "other_fault"


ECHO_ERRORS: tuple[EchoError, ...] = tuple(EchoError)
NO_ERROR = -1
"""Code of "nobody said anything" in error columns."""


class SnmpStatus(StrEnum):
    """How the last SNMP poll of a router ended. Bounded: it is a metric label."""

    OK = "ok"
    NOT_CONFIGURED = "not_configured"
    NO_SECRET = "no_secret"  # noqa: S105  # a status, not a secret
    TIMEOUT = "timeout"
    """Silence: a wrong community, a wrong v3 privacy key or no agent all look like this."""
    REFUSED = "refused"
    """ICMP port unreachable: nothing listens there."""
    AUTHENTICATION = "authentication"
    """The agent reported unknown user, wrong digest or too low a security level."""
    MALFORMED = "malformed"
    PARTIAL = "partial"
    """Some of what was asked for came back, some did not."""
    FAULT = "fault"
    """We could not send."""


class LinkKey(NamedTuple):
    """Names one link in every label, row and file: the agency's id and the link's id in it."""

    agency: str
    link: str

    def __str__(self) -> str:
        return f"{self.agency}/{self.link}"
