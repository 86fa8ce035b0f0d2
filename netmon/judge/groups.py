"""Outages that belong together: several links of one provider in one area, gone within a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.model import Cause, Inventory, LinkKey, Outage

if TYPE_CHECKING:
    from collections.abc import Iterable

WITHIN_US = 60_000_000
FEWEST_LINKS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Outages of several links that one fault of one provider explains best."""

    provider: str
    area: str | None
    """The district, or None: the links stand in no area."""
    start_us: int
    outages: tuple[Outage, ...]

    @property
    def keys(self) -> tuple[LinkKey, ...]:
        """The links, in the order in which they went."""
        return tuple(outage.key for outage in self.outages)


def groups(outages: Iterable[Outage], inventory: Inventory) -> list[Group]:
    """Return the groups among outages, earliest first.

    A group's outages all began within a minute of its first. An outage that a parent explains
    belongs to none: it is not this link's provider that failed. Links of which the inventory
    knows nothing, or no provider, are left out.
    """
    by_place: dict[tuple[str, str | None], list[Outage]] = {}
    for outage in sorted(outages, key=lambda outage: (outage.start_us, outage.key)):
        link = inventory.links.get(outage.key)
        if link is None or link.provider is None or outage.cause is Cause.UPSTREAM:
            continue
        area = inventory.agencies[outage.key.agency].district
        by_place.setdefault((link.provider, area), []).append(outage)
    found = [
        Group(provider, area, together[0].start_us, tuple(together))
        for (provider, area), placed in by_place.items()
        for together in _together(placed)
        if len({outage.key for outage in together}) >= FEWEST_LINKS
    ]
    return sorted(found, key=lambda group: (group.start_us, group.provider, group.area or ""))


def _together(outages: Iterable[Outage]) -> list[list[Outage]]:
    runs: list[list[Outage]] = []
    for outage in outages:
        if runs and outage.start_us - runs[-1][0].start_us < WITHIN_US:
            runs[-1].append(outage)
        else:
            runs.append([outage])
    return runs
