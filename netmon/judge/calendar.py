"""The working calendar: which second of a year is a working hour.

A second is a working one when the clock on the wall, in the calendar's zone, shows working hours
of a working day. Where a zone puts its clocks forward or back, that definition is followed to the
letter: an hour that does not exist is not worked, an hour that comes twice is worked twice.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_EPOCH = date(1970, 1, 1)
_ORIGIN_YEAR = 2020
"""Where the running sum of working time is zero; years before it are negative."""


class _Table(NamedTuple):
    """Working spans of a run of years, as a step function that can be searched."""

    bounds_us: NDArray[np.int64]
    """Beginnings and ends in turn: an odd number of bounds passed means "in working hours"."""
    worked_us: NDArray[np.int64]
    """Working time up to each bound; one element longer than the bounds."""


class _Fields(TypedDict):
    zone: str
    hours: list[list[str]]
    weekdays: list[int]
    holidays: list[str]
    extra_workdays: list[str]


@dataclass(frozen=True)
class Calendar:
    """Working hours of one zone, with holidays and working-day swaps by date.

    `hours` are half-open spans of a working day, in order, none over midnight; an end of 00:00
    is the end of the day.
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

    def is_workday(self, day: date) -> bool:
        """Tell whether people work on `day`, a date in the calendar's zone."""
        if day in self.extra_workdays:
            return True
        return day.weekday() in self.weekdays and day not in self.holidays

    def is_business(self, at_us: int) -> bool:
        """Tell whether the instant lies in working hours."""
        return self.business_us(at_us, at_us + 1) == 1

    def business_us(self, start_us: int, end_us: int) -> int:
        """Return the working time from `start_us` to before `end_us`, to the microsecond."""
        bounds_us, worked_us = self._lists(_year(start_us), _year(end_us))
        first, last = bisect_right(bounds_us, start_us), bisect_right(bounds_us, end_us)
        worked = worked_us[last] - worked_us[first]
        if first & 1:
            worked -= start_us - bounds_us[first - 1]
        if last & 1:
            worked += end_us - bounds_us[last - 1]
        return worked

    def cumulative_us(self, at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the working time from a fixed origin to each instant.

        Differences of two results are working time; the origin (2020) means nothing.
        """
        if at_us.size == 0:
            return np.zeros_like(at_us)
        bounds_us, worked_us = self._table(_year(int(at_us.min())), _year(int(at_us.max())))
        passed = np.searchsorted(bounds_us, at_us, side="right")
        inside = (passed & 1).astype(bool)
        result = worked_us[passed]
        result[inside] += at_us[inside] - bounds_us[passed[inside] - 1]
        return result

    def to_text(self) -> str:
        """Return the calendar as one line of JSON, the same for equal calendars."""
        fields: _Fields = {
            "zone": self.zone.key,
            "hours": [[start.isoformat(), end.isoformat()] for start, end in self.hours],
            "weekdays": sorted(self.weekdays),
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "extra_workdays": sorted(day.isoformat() for day in self.extra_workdays),
        }
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Calendar:
        """Return the calendar that `to_text` wrote."""
        fields: _Fields = json.loads(text)
        return cls(
            zone=ZoneInfo(fields["zone"]),
            hours=tuple(
                (time.fromisoformat(start), time.fromisoformat(end))
                for start, end in fields["hours"]
            ),
            weekdays=frozenset(fields["weekdays"]),
            holidays=frozenset(map(date.fromisoformat, fields["holidays"])),
            extra_workdays=frozenset(map(date.fromisoformat, fields["extra_workdays"])),
        )

    @cached_property
    def _tables(self) -> dict[tuple[int, int], _Table]:
        return {}

    @cached_property
    def _years(self) -> dict[int, NDArray[np.int64]]:
        return {}

    @cached_property
    def _hours_us(self) -> tuple[tuple[int, int], ...]:
        return tuple((_of_day_us(start), _of_day_us(end) or _DAY_US) for start, end in self.hours)

    @cached_property
    def _lists_of(self) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
        return {}

    def _lists(self, first: int, last: int) -> tuple[list[int], list[int]]:
        """The table as lists: bisect on them is many times faster for one instant."""
        lists = self._lists_of.get((first, last))
        if lists is None:
            bounds_us, worked_us = self._table(first, last)
            lists = self._lists_of[first, last] = (bounds_us.tolist(), worked_us.tolist())
        return lists

    def _table(self, first: int, last: int) -> _Table:
        table = self._tables.get((first, last))
        if table is None:
            bounds_us = np.concatenate([self._year_bounds(year) for year in range(first, last + 1)])
            spans_us = np.diff(bounds_us, append=0)
            spans_us[1::2] = 0
            worked_us = np.concatenate(([self._worked_before(first)], spans_us)).cumsum()
            # A bound that opens a span has worked nothing of it yet: its length counts from the
            # closing bound on.
            worked_us[1::2] = worked_us[0:-1:2]
            table = self._tables[first, last] = _Table(bounds_us, worked_us)
        return table

    def _worked_before(self, year: int) -> int:
        """Working time from the origin to the beginning of `year`, negative before the origin."""
        low, high = sorted((year, _ORIGIN_YEAR))
        total = 0
        for each in range(low, high):
            bounds_us = self._year_bounds(each)
            total += int((bounds_us[1::2] - bounds_us[::2]).sum())
        return total if year > _ORIGIN_YEAR else -total

    def _year_bounds(self, year: int) -> NDArray[np.int64]:
        """Beginnings and ends of the working spans of one UTC year."""
        bounds = self._years.get(year)
        if bounds is None:
            spans = [
                span
                for start_us, end_us, offset_us in _offsets(self.zone, year)
                for span in self._spans(start_us, end_us, offset_us)
            ]
            bounds = np.array(spans, dtype=np.int64).reshape(-1)
            self._years[year] = bounds
        return bounds

    def _spans(self, start_us: int, end_us: int, offset_us: int) -> list[tuple[int, int]]:
        """Working spans between two instants between which the zone's offset is `offset_us`."""
        spans = []
        for day in range((start_us + offset_us) // _DAY_US, (end_us + offset_us) // _DAY_US + 1):
            if not self.is_workday(_EPOCH + timedelta(days=day)):
                continue
            midnight_us = day * _DAY_US - offset_us
            for opens_us, closes_us in self._hours_us:
                first = max(midnight_us + opens_us, start_us)
                last = min(midnight_us + closes_us, end_us)
                if first < last:
                    spans.append((first, last))
        return spans


def _offsets(zone: ZoneInfo, year: int) -> list[tuple[int, int, int]]:
    """Split one UTC year where the zone's offset changes: (start, end, offset)."""
    start_us, end_us = _year_start_us(year), _year_start_us(year + 1)
    changes = [
        _change_us(zone, day_us)
        for day_us in range(start_us, end_us, _DAY_US)
        if _offset_us(zone, day_us) != _offset_us(zone, day_us + _DAY_US)
    ]
    parts = pairwise([start_us, *changes, end_us])
    return [(start, end, _offset_us(zone, start)) for start, end in parts if start < end]


def _change_us(zone: ZoneInfo, day_us: int) -> int:
    """The second in which the zone's offset changes within the day that begins at `day_us`."""
    before = _offset_us(zone, day_us)
    low, high = day_us // _SECOND_US, (day_us + _DAY_US) // _SECOND_US
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(zone, middle * _SECOND_US) == before:
            low = middle
        else:
            high = middle
    return high * _SECOND_US


def _offset_us(zone: ZoneInfo, at_us: int) -> int:
    offset = datetime.fromtimestamp(at_us // _SECOND_US, zone).utcoffset() or timedelta()
    return round(offset.total_seconds()) * _SECOND_US


def _of_day_us(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND_US + at.microsecond


def _year(at_us: int) -> int:
    return datetime.fromtimestamp(at_us // _SECOND_US, UTC).year


def _year_start_us(year: int) -> int:
    return (date(year, 1, 1) - _EPOCH).days * _DAY_US
