"""Reads config/calendar.yaml: working hours, holidays and working-day swaps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from netmon.config.document import read_table
from netmon.config.settings_fields import CALENDAR, CalendarKeys, HolidayKeys, SwapKeys, YearKeys
from netmon.judge.calendar import Calendar

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from netmon.config.fields import Field, Record
    from netmon.config.report import Place, Report


def read_calendar(path: Path, report: Report) -> Calendar | None:
    """Return the calendar in a file; None after reporting why there is none."""
    record = read_table(path, CALENDAR, report)
    if record is None:
        return None
    years = record.get(CalendarKeys.YEARS) or {}
    days = _Days(report)
    for number, year in years.items():
        days.take(int(number), year)
    _check_hours(record, report)
    if report.has_errors:
        return None
    return Calendar(
        zone=record[CalendarKeys.TIMEZONE],
        hours=tuple(span.value for span in record[CalendarKeys.HOURS]),
        weekdays=frozenset(record[CalendarKeys.WEEKDAYS]),
        holidays=frozenset(days.free),
        extra_workdays=frozenset(days.worked),
    )


def _check_hours(record: Record, report: Report) -> None:
    spans = record.get(CalendarKeys.HOURS) or ()
    for before, after in pairwise(spans):
        if after.value[0] < before.value[1]:
            report.error(after.place, "this span begins before the one above ends: put in order")


class _Days:
    """Gathers the days of all years; each may be named once, in its own year."""

    def __init__(self, report: Report) -> None:
        self.free: dict[date, Place] = {}
        self.worked: dict[date, Place] = {}
        self._report = report

    def take(self, number: int, year: Record) -> None:
        """Take the days of one year."""
        if not year[YearKeys.CONFIRMED]:
            place = year.place(YearKeys.CONFIRMED)
            self._report.warn(place, f"the days of {number} are not confirmed: see its notice")
        for holiday in year.get(YearKeys.HOLIDAYS) or ():
            for day in holiday.get(HolidayKeys.DAYS) or ():
                self._note(day.value, day.place, number, self.free)
        for swap in year.get(YearKeys.SWAPS) or ():
            self._note_field(swap, SwapKeys.OFF, number, self.free)
            self._note_field(swap, SwapKeys.WORKED, number, self.worked)

    def _note_field(
        self, swap: Record, field: Field[date], number: int, days: dict[date, Place]
    ) -> None:
        day = swap.get(field)
        if day is not None:
            self._note(day, swap.place(field), number, days)

    def _note(self, day: date, place: Place, number: int, days: dict[date, Place]) -> None:
        if day.year != number:
            self._report.error(place, f"{day} is not in {number}: write it under its own year")
        first = self.free.get(day) or self.worked.get(day)
        if first is not None:
            self._report.error(place, f"{day} is named twice; the first is at {first}")
        days.setdefault(day, place)
