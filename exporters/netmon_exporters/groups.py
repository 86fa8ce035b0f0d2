"""Agencies in the groups in which people look for them, and how far each kind has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netmon.model import Agency, State
from netmon_exporters.status import AgencyStatus, Status


@dataclass(frozen=True, slots=True)
class Group:
    """An area with everything in it, or the agencies of one kind that lie in no area."""

    id: str
    area: Agency | None
    agencies: tuple[AgencyStatus, ...]
    counts: Mapping[State, int]
    """Links by state; only those there are."""


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


def _group(group: str, area: Agency | None, members: Sequence[AgencyStatus]) -> Group:
    counts = Counter(link.state for each in members for link in each.links)
    return Group(group, area, tuple(members), counts)
