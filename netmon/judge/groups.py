"""Outages that belong together: several links of one provider in one area, gone within a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.model import Cause, Inventory, LinkKey, Outage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WITHIN_US = 60_000_000
FEWEST_LINKS = 2
FEWEST_WITHOUT_AREA = 3
"""Two links that stand in no area have only their carrier in common, which many have."""


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
        return tuple(dict.fromkeys(outage.key for outage in self.outages))


def together(outages: Iterable[Outage], inventory: Inventory) -> dict[tuple[LinkKey, int], Group]:
    """Return the group of every outage that has one, by link and start of the outage."""
    return {
        (outage.key, outage.start_us): group
        for group in groups(outages, inventory)
        for outage in group.outages
    }


def groups(outages: Iterable[Outage], inventory: Inventory) -> list[Group]:
    """Return the groups among outages, earliest first.

    A group's outages all began within a minute of its first. An outage that a parent explains, or
    the power of a router, belongs to none: it is not this link's provider that failed. Links of
    which the inventory knows nothing, or no provider, are left out.
    """
    by_place: dict[tuple[str, str | None], list[Outage]] = {}
    every = sorted(outages, key=lambda outage: (outage.start_us, outage.key))
    of_link: dict[LinkKey, list[Outage]] = {}
    for outage in every:
        of_link.setdefault(outage.key, []).append(outage)
    for outage in every:
        link = inventory.links.get(outage.key)
        if link is None or link.provider is None or outage.cause is Cause.POWER:
            continue
        if _is_upstream(outage, of_link, inventory):
            continue
        area = inventory.agencies[outage.key.agency].district
        by_place.setdefault((link.provider, area), []).append(outage)
    found = [
        Group(provider, area, together[0].start_us, tuple(together))
        for (provider, area), placed in by_place.items()
        for together in _together(placed)
        if len({outage.key for outage in together})
        >= (FEWEST_WITHOUT_AREA if area is None else FEWEST_LINKS)
    ]
    return sorted(found, key=lambda group: (group.start_us, group.provider, group.area or ""))


def _is_upstream(
    outage: Outage, of_link: Mapping[LinkKey, Sequence[Outage]], inventory: Inventory
) -> bool:
    """Tell whether a parent explains an outage; of one that goes on, the cause is not told yet."""
    if outage.cause is Cause.UPSTREAM or outage.end_us is not None:
        return outage.cause is Cause.UPSTREAM
    parent = inventory.agencies[outage.key.agency].parent
    while parent is not None:
        links = inventory.agencies[parent].links
        if links and all(_goes_on(of_link.get(link.key, ())) for link in links):
            return True
        parent = inventory.agencies[parent].parent
    return False


def _goes_on(outages: Sequence[Outage]) -> bool:
    return any(outage.end_us is None for outage in outages)


def _together(outages: Iterable[Outage]) -> list[list[Outage]]:
    runs: list[list[Outage]] = []
    for outage in outages:
        if runs and outage.start_us - runs[-1][0].start_us < WITHIN_US:
            runs[-1].append(outage)
        else:
            runs.append([outage])
    return runs
