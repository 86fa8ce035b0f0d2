"""Planned work of every week, laid out as the windows that lie near."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import from_datetime, utc
from netmon.model import MaintenanceWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from netmon.model import Inventory, RecurringMaintenance

_DAYS_AHEAD = 7


def coming(inventory: Inventory, now_us: int) -> tuple[MaintenanceWindow, ...]:
    """Return the windows that begin from yesterday on, which may not be over, to a week from now.

    The same all day long.
    """
    zone = ZoneInfo(inventory.province.timezone)
    today = utc(now_us).astimezone(zone).date()
    days = (today - timedelta(days=1), today + timedelta(days=_DAYS_AHEAD))
    return tuple(occurrences(inventory.recurring, *days, zone))


def occurrences(
    recurring: Iterable[RecurringMaintenance], first: date, last: date, zone: tzinfo
) -> Iterator[MaintenanceWindow]:
    """Yield the windows that begin on the local days from `first` to `last`, both included."""
    for work in recurring:
        for number in range(first.toordinal(), last.toordinal() + 1):
            day = date.fromordinal(number)
            if day.weekday() in work.weekdays and _is_in_force(work, day):
                yield _occurrence(work, day, zone)


def _is_in_force(work: RecurringMaintenance, day: date) -> bool:
    return (work.since or date.min) <= day <= (work.until or date.max)


def _occurrence(work: RecurringMaintenance, day: date, zone: tzinfo) -> MaintenanceWindow:
    # On the clock on the wall: where there is summer time, work until 02:00 ends at 02:00.
    start = datetime.combine(day, time(), zone) + timedelta(minutes=work.start_minute)
    end = start + timedelta(minutes=work.length_minutes)
    return MaintenanceWindow(
        id=f"{work.id}@{day.isoformat()}",
        start_us=from_datetime(start),
        end_us=from_datetime(end),
        reason=work.reason,
        agencies=work.agencies,
        subtree=work.subtree,
        links=work.links,
        providers=work.providers,
    )
