"""The inventory: what config/agencies.yaml says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType

from netmon.model.words import IPAddress, LinkKey, Role


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
