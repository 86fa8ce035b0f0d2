"""The working calendar: which second of a year is a working hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Calendar:
    """Working hours of one zone, with holidays and working-day swaps by date.

    `hours` are half-open spans of a working day, in order, none over midnight.
    """

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...] = (
        (time(7, 30), time(11, 30)),
        (time(13, 30), time(17, 0)),
    )
    weekdays: frozenset[int] = frozenset(range(5))
    """Working weekdays, Monday is 0."""
    holidays: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()
    """Days worked in place of another: they win over `weekdays` and `holidays`."""
