"""Checked records into the Inventory: defaults of kinds applied, parents first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from netmon.config.inventory_fields import (
    AgencyKeys,
    CanaryKeys,
    CentreKeys,
    DefaultKeys,
    InventoryKeys,
    KindKeys,
    LimitKeys,
    LinkDefaultKeys,
    LinkKeys,
    MaintenanceKeys,
    PlannedKeys,
    ProviderKeys,
    ProvinceKeys,
    RecurringKeys,
    RouterKeys,
    TargetKeys,
    UplinkKeys,
)
from netmon.config.link_addresses import link_addresses
from netmon.config.times import local_instant_us
from netmon.model import (
    Agency,
    Canary,
    Inventory,
    Kind,
    Limits,
    Link,
    LinkKey,
    MaintenanceWindow,
    Provider,
    Province,
    RecurringMaintenance,
    Role,
    Router,
    Target,
    Uplink,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from netmon.config.fields import Field, Record
    from netmon.config.inventory_file import Draft

T = TypeVar("T")

DEFAULT_MODULE = "default"
"""The module of whoever names none."""


def build_inventory(root: Record, draft: Draft) -> Inventory:
    """Return the inventory of a draft without errors, whose first file is `root`."""
    province, centre = root[InventoryKeys.PROVINCE], root[InventoryKeys.CENTRE]
    zone = province[ProvinceKeys.TIMEZONE]
    return Inventory(
        province=_province(province, centre),
        kinds={name: _kind(name, record) for name, record in draft.kinds.items()},
        providers={
            name: Provider(name, record[ProviderKeys.NAME], record.get(ProviderKeys.CONTACT) or "")
            for name, record in draft.providers.items()
        },
        agencies=_agencies(draft),
        canaries=tuple(_canary(record) for record in centre.get(CentreKeys.CANARIES) or ()),
        maintenance=tuple(_window(record, zone) for record in draft.maintenance),
        recurring=tuple(_recurring(record) for record in draft.recurring),
    )


def _province(province: Record, centre: Record) -> Province:
    return Province(
        id=province[ProvinceKeys.ID],
        name=province[ProvinceKeys.NAME],
        name_en=province[ProvinceKeys.NAME_EN],
        timezone=province[ProvinceKeys.TIMEZONE].key,
        centre_name=centre[CentreKeys.NAME],
        centre_latitude=centre.get(CentreKeys.LATITUDE),
        centre_longitude=centre.get(CentreKeys.LONGITUDE),
    )


def _kind(name: str, record: Record) -> Kind:
    return Kind(name, record[KindKeys.NAME], record[KindKeys.NAME_EN], record[KindKeys.AREA])


def _canary(record: Record) -> Canary:
    return Canary(record[CanaryKeys.ID], record[CanaryKeys.NAME], record[CanaryKeys.ADDRESS])


def _window(record: Record, zone: tzinfo) -> MaintenanceWindow:
    return MaintenanceWindow(
        id=record[MaintenanceKeys.ID],
        start_us=local_instant_us(record[MaintenanceKeys.FROM], zone),
        end_us=local_instant_us(record[MaintenanceKeys.TO], zone),
        reason=record[MaintenanceKeys.REASON],
        agencies=frozenset(a.value for a in record.get(MaintenanceKeys.AGENCIES) or ()),
        subtree=record[MaintenanceKeys.SUBTREE],
        links=frozenset(LinkKey(*a.value) for a in record.get(MaintenanceKeys.LINKS) or ()),
        providers=frozenset(a.value for a in record.get(MaintenanceKeys.PROVIDERS) or ()),
    )


def _recurring(record: Record) -> RecurringMaintenance:
    start_minute, length_minutes = record[RecurringKeys.HOURS]
    return RecurringMaintenance(
        id=record[RecurringKeys.ID],
        weekdays=frozenset(record[RecurringKeys.WEEKDAYS]),
        start_minute=start_minute,
        length_minutes=length_minutes,
        reason=record[PlannedKeys.REASON],
        since=record.get(RecurringKeys.SINCE),
        until=record.get(RecurringKeys.UNTIL),
        agencies=frozenset(a.value for a in record.get(PlannedKeys.AGENCIES) or ()),
        subtree=record[PlannedKeys.SUBTREE],
        links=frozenset(LinkKey(*a.value) for a in record.get(PlannedKeys.LINKS) or ()),
        providers=frozenset(a.value for a in record.get(PlannedKeys.PROVIDERS) or ()),
    )


def _agencies(draft: Draft) -> Mapping[str, Agency]:
    areas = {name for name, kind in draft.kinds.items() if kind[KindKeys.AREA]}
    built: dict[str, Agency] = {}
    for record in _parents_first(draft.agencies):
        agency_id = record[AgencyKeys.ID]
        parent = record.get(AgencyKeys.PARENT)
        above = built[parent].district if parent is not None else None
        district = agency_id if record[AgencyKeys.KIND] in areas else above
        defaults = draft.kinds[record[AgencyKeys.KIND]].get(KindKeys.DEFAULTS)
        built[agency_id] = _agency(record, defaults, district)
    return built


def _parents_first(agencies: list[Record]) -> list[Record]:
    """Return the agencies in the order of the file, but none before its parent."""
    by_id = {record[AgencyKeys.ID]: record for record in agencies}
    placed: dict[str, Record] = {}
    for agency_id in by_id:
        way = []
        at: str | None = agency_id
        while at is not None and at not in placed:
            way.append(at)
            at = by_id[at].get(AgencyKeys.PARENT)
        for below in reversed(way):
            placed[below] = by_id[below]
    return list(placed.values())


def _agency(record: Record, defaults: Record | None, district: str | None) -> Agency:
    return Agency(
        id=record[AgencyKeys.ID],
        name=record[AgencyKeys.NAME],
        kind=record[AgencyKeys.KIND],
        parent=record.get(AgencyKeys.PARENT),
        district=district,
        name_en=record.get(AgencyKeys.NAME_EN),
        former_names=record.get(AgencyKeys.FORMER_NAMES) or (),
        latitude=record.get(AgencyKeys.LATITUDE),
        longitude=record.get(AgencyKeys.LONGITUDE),
        lan=record.get(AgencyKeys.LAN),
        staff=record.get(AgencyKeys.STAFF),
        mailboxes=record.get(AgencyKeys.MAILBOXES),
        document_system=record.get(AgencyKeys.DOCUMENT_SYSTEM),
        contact=record.get(AgencyKeys.CONTACT),
        router=_router(record.get(AgencyKeys.ROUTER), defaults),
        snmp_module=_first(DefaultKeys.SNMP_MODULE, record, defaults) or DEFAULT_MODULE,
        links=_links(record, defaults),
    )


def _first(field: Field[T], *records: Record | None) -> T | None:
    """Return the value of the first record that gives one."""
    for record in records:
        value = None if record is None else record.get(field)
        if value is not None:
            return value
    return None


def _router(record: Record | None, defaults: Record | None) -> Router | None:
    if record is None:
        return None
    return Router(
        address=record[RouterKeys.ADDRESS],
        snmp=_first(RouterKeys.SNMP, record, defaults),
        ssh=_first(RouterKeys.SSH, record, defaults),
        snmp_port=record[RouterKeys.SNMP_PORT],
        ssh_port=record[RouterKeys.SSH_PORT],
        platform=_first(RouterKeys.PLATFORM, record, defaults),
        uplink=_uplink(record.get(RouterKeys.UPLINK)),
    )


def _uplink(record: Record | None) -> Uplink | None:
    if record is None:
        return None
    return Uplink(
        record.get(UplinkKeys.NAME), record.get(UplinkKeys.ALIAS), record.get(UplinkKeys.INDEX)
    )


def _links(agency: Record, defaults: Record | None) -> tuple[Link, ...]:
    links = agency.get(AgencyKeys.LINKS)
    if links is not None:
        return tuple(_link(link, agency, defaults) for link in links)
    return (_link(None, agency, defaults),) if AgencyKeys.ROUTER in agency else ()


def _link(link: Record | None, agency: Record, defaults: Record | None) -> Link:
    role = Role.PRIMARY if link is None else Role(link[LinkKeys.ROLE])
    router = agency.get(AgencyKeys.ROUTER)
    own = None if router is None else router[RouterKeys.ADDRESS]
    ways = (link, agency, defaults)
    return Link(
        key=LinkKey(agency[AgencyKeys.ID], (link and link.get(LinkKeys.ID)) or str(role)),
        role=role,
        addresses=link_addresses(link, own),
        echo_module=_first(LinkDefaultKeys.ECHO_MODULE, *ways) or DEFAULT_MODULE,
        provider=_first(LinkDefaultKeys.PROVIDER, *ways),
        circuit=None if link is None else link.get(LinkKeys.CIRCUIT),
        bandwidth_bits_per_second=_first(LinkDefaultKeys.BANDWIDTH, *ways),
        target=_target(_first(LinkDefaultKeys.TARGET, *ways)),
        limits=_limits(_first(LinkDefaultKeys.LIMITS, *ways)),
    )


def _target(record: Record | None) -> Target | None:
    if record is None:
        return None
    return Target(record[TargetKeys.AVAILABILITY], record[TargetKeys.SOURCE])


def _limits(record: Record | None) -> Limits | None:
    if record is None:
        return None
    return Limits(record[LimitKeys.LOSS], record[LimitKeys.RTT])
