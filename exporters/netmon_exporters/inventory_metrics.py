"""Metrics of what the inventory says: they change with its generation only."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from netmon_exporters.columns import Column, ColumnFamily, column_of_known
from netmon_exporters.exposition import Family, Labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from netmon.model import Agency, Inventory, Link
    from netmon.state import Snapshot

_AGENCY = ("agency",)
_AGENCY_INFO = (
    "agency", "name", "kind", "kind_name", "parent", "district", "district_name", "latitude",
    "longitude",
)  # fmt: skip
_LINK = ("agency", "link")


def agency_rows(snapshot: Snapshot) -> list[Labels]:
    """Return the labels of every agency."""
    inventory = snapshot.inventory
    return [_agency_labels(agency, inventory) for agency in inventory.agencies.values()]


def link_rows(snapshot: Snapshot) -> list[Labels]:
    """Return the labels of every link, in the order of the snapshot's rows."""
    links = snapshot.inventory.links
    return [_link_labels(links[key], snapshot.inventory) for key in snapshot.keys]


def provider_rows(snapshot: Snapshot) -> list[Labels]:
    """Return the labels of every carrier."""
    return [{"provider": provider} for provider in snapshot.inventory.providers]


def area_rows(snapshot: Snapshot) -> list[Labels]:
    """Return the labels of every area."""
    agencies = snapshot.inventory.agencies
    return [{"district": area, "name": agencies[area].name} for area in _areas(snapshot)]


def _agency_labels(agency: Agency, inventory: Inventory) -> Labels:
    kind, district = inventory.kinds.get(agency.kind), inventory.agencies.get(agency.district or "")
    return {
        "agency": agency.id,
        "name": agency.name,
        "kind": agency.kind,
        "kind_name": kind.name if kind else "",
        "parent": agency.parent or "",
        "district": agency.district or "",
        "district_name": district.name if district else "",
        "latitude": "" if agency.latitude is None else str(agency.latitude),
        "longitude": "" if agency.longitude is None else str(agency.longitude),
    }


def _link_labels(link: Link, inventory: Inventory) -> Labels:
    provider = inventory.providers.get(link.provider or "")
    addresses = {isinstance(address, IPv4Address): str(address) for address in link.addresses}
    return {
        "agency": link.key.agency,
        "link": link.key.link,
        "role": link.role.value,
        "provider": link.provider or "",
        "provider_name": provider.name if provider else "",
        "circuit": link.circuit or "",
        "ipv4": addresses.get(True, ""),
        "ipv6": addresses.get(False, ""),
    }


def _agencies(fact: Callable[[Agency], float | None]) -> Callable[[Snapshot], Column]:
    def values(snapshot: Snapshot) -> Column:
        return column_of_known(map(fact, snapshot.inventory.agencies.values()))

    return values


def _links(fact: Callable[[Link], float | None]) -> Callable[[Snapshot], Column]:
    def values(snapshot: Snapshot) -> Column:
        links = snapshot.inventory.links
        return column_of_known(fact(links[key]) for key in snapshot.keys)

    return values


def _areas(snapshot: Snapshot) -> Counter[str]:
    """Count the agencies of every area, the one that names it among them."""
    agencies = snapshot.inventory.agencies.values()
    return Counter(agency.district for agency in agencies if agency.district is not None)


def _links_by_provider(snapshot: Snapshot) -> Column:
    counts = Counter(link.provider for link in snapshot.inventory.links.values())
    return column_of_known(counts[provider] for provider in snapshot.inventory.providers)


# --- The families ---------------------------------------------------------------------------------

AGENCY_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family(
            "netmon_agency_info",
            "info",
            "Names and place of an agency.",
            _AGENCY_INFO,
        ),
        _AGENCY_INFO,
        _agencies(lambda _: 1),
    ),
    ColumnFamily(
        Family(
            "netmon_agency_lan",
            "gauge",
            "Whether the agency has a local network.",
            _AGENCY,
            "not known",
        ),
        _AGENCY,
        _agencies(lambda agency: agency.lan),
    ),
    ColumnFamily(
        Family("netmon_agency_staff", "gauge", "Officials of the agency.", _AGENCY, "not known"),
        _AGENCY,
        _agencies(lambda agency: agency.staff),
    ),
    ColumnFamily(
        Family(
            "netmon_agency_mailboxes",
            "gauge",
            "Mailboxes issued to officials of the agency.",
            _AGENCY,
            "not known",
        ),
        _AGENCY,
        _agencies(lambda agency: agency.mailboxes),
    ),
    ColumnFamily(
        Family(
            "netmon_agency_document_system",
            "gauge",
            "Whether the agency uses the document management system.",
            _AGENCY,
            "not known",
        ),
        _AGENCY,
        _agencies(lambda agency: agency.document_system),
    ),
)

_LINK_INFO = (*_LINK, "role", "provider", "provider_name", "circuit", "ipv4", "ipv6")

LINK_FACT_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family("netmon_link_info", "info", "Role, carrier and addresses of a link.", _LINK_INFO),
        _LINK_INFO,
        _links(lambda _: 1),
    ),
    ColumnFamily(
        Family(
            "netmon_link_bandwidth_bytes_per_second",
            "gauge",
            "Bandwidth that was agreed for a link.",
            _LINK,
            "not agreed",
        ),
        _LINK,
        _links(
            lambda link: (
                None
                if link.bandwidth_bits_per_second is None
                else link.bandwidth_bits_per_second / 8
            )
        ),
    ),
    ColumnFamily(
        Family(
            "netmon_link_target_availability_ratio",
            "gauge",
            "Availability that was agreed for a link.",
            _LINK,
            "not agreed",
        ),
        _LINK,
        _links(lambda link: link.target.availability_ratio if link.target else None),
    ),
    ColumnFamily(
        Family(
            "netmon_link_limit_loss_ratio",
            "gauge",
            "Loss from which on a link is called degraded.",
            _LINK,
            "no limit set",
        ),
        _LINK,
        _links(lambda link: link.limits.loss_ratio if link.limits else None),
    ),
    ColumnFamily(
        Family(
            "netmon_link_limit_rtt_seconds",
            "gauge",
            "Round-trip time from which on a link is called degraded.",
            _LINK,
            "no limit set",
        ),
        _LINK,
        _links(lambda link: link.limits.rtt_seconds if link.limits else None),
    ),
)

PROVIDER_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family("netmon_provider_links", "gauge", "Links of a carrier.", ("provider",)),
        ("provider",),
        _links_by_provider,
    ),
)

AREA_FAMILIES: tuple[ColumnFamily, ...] = (
    ColumnFamily(
        Family("netmon_district_info", "info", "Name of an area.", ("district", "name")),
        ("district", "name"),
        lambda snapshot: column_of_known(1 for _ in _areas(snapshot)),
    ),
    ColumnFamily(
        Family(
            "netmon_district_agencies",
            "gauge",
            "Agencies of an area, the one that names it among them.",
            ("district",),
        ),
        ("district",),
        lambda snapshot: column_of_known(_areas(snapshot).values()),
    ),
)
