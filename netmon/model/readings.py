"""What routers say of themselves over SNMP."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from netmon.model.words import SnmpStatus


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
    host_uptime: bool = False
    """Whether `uptime_seconds` is the clock of the host, which its agent's restart leaves alone."""
    engine_boots: int | None = None
    facts: RouterFacts = field(default=RouterFacts())
    uplink_index: int | None = None
    uplink_reason: str = ""
    interfaces: tuple[InterfaceReading, ...] = ()
    """Those that are watched at every poll: the uplink, and those that hold links' addresses."""
    restart: Restart | None = None
    """Since the last reading that has an uptime; None: there was none, or this one has none."""
    gauges: RouterGauges = field(default=RouterGauges())
