"""The rows of an availability report: links, agencies, providers, kinds, and the whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from netmon.judge.availability import History, Period, Reading, Span, best_of, read
from netmon.judge.tally import Tally, tally
from netmon.model import Inventory, LinkKey, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netmon.judge.calendar import Calendar


class Group(StrEnum):
    """What a row is about."""

    LINK = "link"
    AGENCY = "agency"
    """By the best of its links at every instant: was the agency connected?"""
    PROVIDER = "provider"
    """Its links' time, added up."""
    KIND = "kind"
    """The time of the links of the agencies of this kind, added up."""
    TOTAL = "total"
    """All links' time, added up."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report in both readings."""

    group: Group
    id: str
    name: str
    links: int
    outages: int
    """Outages that touch the period."""
    measured: Tally
    agreed: Tally
    target: Target | None = None

    def tally(self, reading: Reading) -> Tally:
        """Return the figures of one reading."""
        return self.measured if reading is Reading.MEASURED else self.agreed


@dataclass(frozen=True, slots=True)
class _Read:
    """One link's spans and figures in both readings."""

    spans: tuple[list[Span], list[Span]]
    row: Row


def rows(
    inventory: Inventory,
    histories: Mapping[LinkKey, History],
    period: Period,
    calendar: Calendar,
) -> list[Row]:
    """Return every row: links in the inventory's order, then those that left it, then the sums.

    A link without a history was never judged: its whole period is unobserved.
    """
    keys = [*inventory.links, *sorted(histories.keys() - inventory.links.keys())]
    links = {
        key: _link(inventory, key, histories.get(key, History(())), period, calendar)
        for key in keys
    }
    return [
        *(each.row for each in links.values()),
        *_agencies(inventory, links, calendar),
        *_sums(Group.PROVIDER, links, {key: _provider(inventory, key) for key in keys}, inventory),
        *_sums(Group.KIND, links, {key: _kind(inventory, key) for key in keys}, inventory),
        *_sums(Group.TOTAL, links, dict.fromkeys(keys, ""), inventory),
    ]


def _link(
    inventory: Inventory, key: LinkKey, history: History, period: Period, calendar: Calendar
) -> _Read:
    measured, agreed = (read(history, period, reading) for reading in Reading)
    link = inventory.links.get(key)
    touching = [
        outage
        for outage in history.outages
        if outage.start_us < period.end_us
        and (outage.end_us is None or outage.end_us > period.start_us)
    ]
    row = Row(
        Group.LINK,
        str(key),
        _agency_name(inventory, key.agency),
        1,
        len(touching),
        tally(measured, calendar),
        tally(agreed, calendar),
        None if link is None else link.target,
    )
    return _Read((measured, agreed), row)


def _agencies(
    inventory: Inventory, links: Mapping[LinkKey, _Read], calendar: Calendar
) -> list[Row]:
    members: dict[str, list[_Read]] = defaultdict(list)
    for key, each in links.items():
        members[key.agency].append(each)
    return [
        _agency(agency, _agency_name(inventory, agency), reads, calendar)
        for agency, reads in members.items()
    ]


def _agency(agency: str, name: str, reads: Sequence[_Read], calendar: Calendar) -> Row:
    measured, agreed = (
        tally(best_of([each.spans[reading] for each in reads]), calendar) for reading in (0, 1)
    )
    outages = sum(each.row.outages for each in reads)
    return Row(Group.AGENCY, agency, name, len(reads), outages, measured, agreed)


def _sums(
    group: Group,
    links: Mapping[LinkKey, _Read],
    member_of: Mapping[LinkKey, str],
    inventory: Inventory,
) -> list[Row]:
    members: dict[str, list[Row]] = defaultdict(list)
    for key, each in links.items():
        members[member_of[key]].append(each.row)
    return [
        Row(
            group,
            identity,
            _name(inventory, group, identity),
            len(each),
            sum(row.outages for row in each),
            sum((row.measured for row in each), Tally()),
            sum((row.agreed for row in each), Tally()),
        )
        for identity, each in members.items()
    ]


def _provider(inventory: Inventory, key: LinkKey) -> str:
    link = inventory.links.get(key)
    return (link.provider or "") if link is not None else ""


def _kind(inventory: Inventory, key: LinkKey) -> str:
    agency = inventory.agencies.get(key.agency)
    return agency.kind if agency is not None else ""


def _agency_name(inventory: Inventory, agency_id: str) -> str:
    agency = inventory.agencies.get(agency_id)
    return agency.name if agency is not None else agency_id


def _name(inventory: Inventory, group: Group, identity: str) -> str:
    if group is Group.PROVIDER and identity in inventory.providers:
        return inventory.providers[identity].name
    if group is Group.KIND and identity in inventory.kinds:
        return inventory.kinds[identity].name
    if group is Group.TOTAL:
        return inventory.province.name
    return identity
