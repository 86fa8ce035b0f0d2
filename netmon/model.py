"""The words of netmon as values: used with the same meaning in every part.

Pure data. Instants are integer microseconds since the Unix epoch on the account's time line
(`at_us`, see `netmon.clock.Timeline`); durations of measurements are float seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

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


# --- Findings: what is wrong with a file ---------------------------------------------------------


class Severity(StrEnum):
    """How bad a finding is: an error keeps the file out, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong with a file, where, and what to do. Line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        mark = "" if self.severity is Severity.ERROR else "warning: "
        return f"{self.file}:{self.line}:{self.column}: {mark}{self.message}"


# --- The inventory: what config/agencies.yaml says -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of agency; kinds and levels are data of the province, not of the program."""

    id: str
    name: str
    name_en: str
    area: bool = False
    """Agencies of this kind form an area: the `district` of themselves and of all below them."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A carrier of circuits."""

    id: str
    name: str
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What was agreed for a link, and where that is written."""

    availability_ratio: float
    source: str


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a link that still answers is called degraded."""

    loss_ratio: float
    rtt_seconds: float


@dataclass(frozen=True, slots=True)
class Uplink:
    """Which interface of a router is its uplink, where the operator says so. One field is set."""

    name: str | None = None
    alias: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Router:
    """An agency's device. Credentials are names of entries in config/netmon.yaml."""

    address: IPAddress
    snmp: str | None = None
    ssh: str | None = None
    snmp_port: int = 161
    ssh_port: int = 22
    platform: str | None = None
    """netmiko's device type, where it is not to be found out."""
    uplink: Uplink | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One circuit from an agency's router to the centre.

    `addresses` holds one address, or one of each family: both are probed, and a reply of either
    is a sign of life.
    """

    key: LinkKey
    role: Role
    addresses: tuple[IPAddress, ...]
    echo_module: str
    provider: str | None = None
    circuit: str | None = None
    bandwidth_bits_per_second: int | None = None
    target: Target | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation on the network."""

    id: str
    name: str
    kind: str
    parent: str | None = None
    """The agency whose site this one's traffic passes; None: linked to the centre itself."""
    district: str | None = None
    """The nearest agency at or above this one whose kind forms an area."""
    name_en: str | None = None
    former_names: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    lan: bool | None = None
    staff: int | None = None
    mailboxes: int | None = None
    document_system: bool | None = None
    contact: str | None = None
    router: Router | None = None
    snmp_module: str | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Canary:
    """Something near that must answer if we ourselves are well: own gateway, a local service."""

    id: str
    name: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Planned work, one-off. Covers the links it selects from `start_us` to before `end_us`.

    A selector that is empty selects everything; several selectors narrow each other.
    """

    id: str
    start_us: int
    end_us: int
    reason: str
    agencies: frozenset[str] = frozenset()
    """Agencies by id; with `subtree` also everything below them."""
    subtree: bool = False
    links: frozenset[LinkKey] = frozenset()
    providers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecurringMaintenance:
    """Planned work of every week: a span of some weekdays, in the province's local time.

    Selectors mean what they mean in a `MaintenanceWindow`.
    """

    id: str
    weekdays: frozenset[int]
    """The days on which it begins; 0: Monday."""
    start_minute: int
    """Of the day."""
    length_minutes: int
    """At most a day; it may end after midnight."""
    reason: str
    since: date | None = None
    """The first day on which it may begin."""
    until: date | None = None
    """The last."""
    agencies: frozenset[str] = frozenset()
    subtree: bool = False
    links: frozenset[LinkKey] = frozenset()
    providers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Province:
    """The province and its data integration centre."""

    id: str
    name: str
    name_en: str
    timezone: str
    centre_name: str
    centre_latitude: float | None = None
    centre_longitude: float | None = None


@dataclass(frozen=True)
class Inventory:
    """Everything that config/agencies.yaml says, checked. Agencies stand parents first."""

    province: Province
    kinds: Mapping[str, Kind]
    providers: Mapping[str, Provider]
    agencies: Mapping[str, Agency]
    canaries: tuple[Canary, ...] = ()
    maintenance: tuple[MaintenanceWindow, ...] = ()
    recurring: tuple[RecurringMaintenance, ...] = ()
    """The daemon lays out their coming windows in `maintenance`."""

    @cached_property
    def links(self) -> Mapping[LinkKey, Link]:
        """Every link, in the order of the agencies."""
        return MappingProxyType(
            {link.key: link for agency in self.agencies.values() for link in agency.links}
        )

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of the agencies directly behind each agency."""
        below: dict[str, list[str]] = {agency_id: [] for agency_id in self.agencies}
        for agency in self.agencies.values():
            if agency.parent is not None:
                below[agency.parent].append(agency.id)
        return MappingProxyType({parent: tuple(ids) for parent, ids in below.items()})


# --- Rare events: made only when something changed -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a transition; stored with it and shown to people."""

    text: str = ""
    """For example "10.0.3.1 reports host_unreachable"."""
    sent: int = 0
    lost: int = 0
    error: EchoError | None = None
    offender: IPAddress | None = None
    """Who said so."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A link's state changed. `at_us` is when it changed, `decided_us` when we could tell."""

    key: LinkKey
    at_us: int
    decided_us: int
    before: State
    after: State
    health: Health
    """The health underneath `after`, which an overlay may cover."""
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class OutageStart:
    """A link is down since `start_us`, the first lost echo. (key, start_us) names the outage."""

    key: LinkKey
    start_us: int
    decided_us: int
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class OutageEnd:
    """The outage that began at `start_us` is over since `end_us`, the first reply."""

    key: LinkKey
    start_us: int
    end_us: int
    decided_us: int


@dataclass(frozen=True, slots=True)
class OutageNote:
    """Something learnt about an outage later: its cause, or where the path ended."""

    key: LinkKey
    start_us: int
    noted_us: int
    cause: Cause | None = None
    path_end: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reclassification:
    """Seconds already accounted for that belong to another class: an entry, never an edit."""

    key: LinkKey
    start_us: int
    end_us: int
    before: State
    after: State
    decided_us: int
    author: str
    reason: str


Event: TypeAlias = Transition | OutageStart | OutageEnd | OutageNote | Reclassification
"""What the judge decides and the ledger keeps, in the order decided."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage as the ledger tells it: from the first lost echo to the first reply.

    `end_us` None: it is not over.
    """

    key: LinkKey
    start_us: int
    end_us: int | None
    cause: Cause = Cause.UNKNOWN
    evidence: Evidence = field(default=Evidence())
    path_end: str = ""
    """The hop where the traced path ended."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class InterfaceReading:
    """One interface of a router as IF-MIB (RFC 2863) tells it; None: the agent did not say."""

    index: int
    name: str
    description: str = ""
    alias: str = ""
    admin_up: bool | None = None
    oper_up: bool | None = None
    speed_bits_per_second: int | None = None
    receive_bytes: int | None = None
    transmit_bytes: int | None = None
    receive_errors: int | None = None
    transmit_errors: int | None = None
    receive_discards: int | None = None
    transmit_discards: int | None = None
    last_change_seconds: float | None = None
    """When it entered its present state (ifLastChange), on the clock of the reading's
    `uptime_seconds`: their difference is how long ago that was."""
    links: tuple[str, ...] = ()
    """The ids of the agency's links whose addresses it holds."""


@dataclass(frozen=True, slots=True)
class RouterFacts:
    """What a router says it is. Empty text: it did not say."""

    name: str = ""
    description: str = ""
    object_id: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    os: str = ""
    version: str = ""
    location: str = ""


class RestartKind(StrEnum):
    """What the clocks of a router say about the time between two readings."""

    NONE = "none"
    """It ran on."""
    WRAP = "wrap"
    """It ran on, and sysUpTime went past 497 days and began again at 0."""
    ROUTER = "router"
    AGENT = "agent"
    """Only the SNMP agent restarted; the router ran on."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Restart:
    """Whether a router restarted since the reading before, and what says so."""

    kind: RestartKind
    seconds_ago: float | None = None
    """How long ago it came up again; None: it did not restart, or nobody knows."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RouterGauges:
    """How a router feels. None: it does not say."""

    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    temperature_celsius: float | None = None
    sessions: int | None = None


@dataclass(frozen=True, slots=True)
class RouterReading:
    """The result of one SNMP poll of an agency's router."""

    agency: str
    at_us: int
    status: SnmpStatus
    detail: str = ""
    """In words, for people: what went wrong and what to look at."""
    duration_seconds: float | None = None
    uptime_seconds: float | None = None
    engine_boots: int | None = None
    facts: RouterFacts = field(default=RouterFacts())
    uplink_index: int | None = None
    uplink_reason: str = ""
    interfaces: tuple[InterfaceReading, ...] = ()
    """Those that are watched at every poll: the uplink, and those that hold links' addresses."""
    restart: Restart | None = None
    """Since the last reading that has an uptime; None: there was none, or this one has none."""
    gauges: RouterGauges = field(default=RouterGauges())
