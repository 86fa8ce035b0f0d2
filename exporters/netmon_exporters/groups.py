"""Agencies in the groups in which people look for them, and how far each kind has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from netmon.model import Agency, Inventory, State
from netmon_exporters.status import AgencyStatus, Status


@dataclass(frozen=True, slots=True)
class Group:
    """An area with everything in it, or the agencies of one kind that lie in no area."""

    id: str
    area: Agency | None
    agencies: tuple[AgencyStatus, ...]
    counts: Mapping[State, int]
    """Links by state; only those there are."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many agencies of a kind have what. `…_known`: of how many it is known at all."""

    kind: str
    agencies: int
    lan: int
    lan_known: int
    staff: int
    mailboxes: int
    document_system: int
    document_system_known: int

    @property
    def mailbox_ratio(self) -> float | None:
        """Mailboxes per official, over the agencies of which both are known."""
        return self.mailboxes / self.staff if self.staff else None


def groups(status: Status) -> tuple[Group, ...]:
    """Return kinds first, then areas, both in the order of the inventory."""
    kinds: dict[str, list[AgencyStatus]] = {}
    areas: dict[str, list[AgencyStatus]] = {}
    for each in status.agencies.values():
        district = each.agency.district
        place = kinds.setdefault(each.agency.kind, []) if district is None else None
        (areas.setdefault(district or "", []) if place is None else place).append(each)
    agencies = status.snapshot.inventory.agencies
    return (
        *(_group(kind, None, members) for kind, members in kinds.items()),
        *(_group(area, agencies.get(area), members) for area, members in areas.items()),
    )


def coverage(inventory: Inventory) -> tuple[Coverage, ...]:
    """Return what is known of each kind of agency, kinds as in the inventory."""
    members: dict[str, list[Agency]] = {kind: [] for kind in inventory.kinds}
    for agency in inventory.agencies.values():
        members.setdefault(agency.kind, []).append(agency)
    return tuple(_coverage(kind, agencies) for kind, agencies in members.items() if agencies)


def _group(group: str, area: Agency | None, members: Sequence[AgencyStatus]) -> Group:
    counts = Counter(link.state for each in members for link in each.links)
    return Group(group, area, tuple(members), counts)


def _coverage(kind: str, agencies: Sequence[Agency]) -> Coverage:
    both = [a for a in agencies if a.staff is not None and a.mailboxes is not None]
    lan, systems = _known(a.lan for a in agencies), _known(a.document_system for a in agencies)
    return Coverage(
        kind,
        len(agencies),
        sum(lan),
        len(lan),
        sum(a.staff or 0 for a in both),
        sum(a.mailboxes or 0 for a in both),
        sum(systems),
        len(systems),
    )


def _known(facts: Iterable[bool | None]) -> list[bool]:
    return [fact for fact in facts if fact is not None]
