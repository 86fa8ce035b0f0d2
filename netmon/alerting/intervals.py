"""The working calendar as Alertmanager's time intervals."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netmon.alerting.rules import Tree
    from netmon.judge.calendar import Calendar

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIRST_YEAR, _LAST_YEAR = 1970, 9999
_DECEMBER = 12


def business_hours(calendar: Calendar) -> list[Tree]:
    """Return intervals that hold exactly the calendar's working hours, to the minute.

    Alertmanager cannot take days out of a week. So the years of which the calendar knows holidays
    or extra workdays are written day by day, a month each; around them stand the weekdays.
    """
    years = sorted({day.year for day in calendar.holidays | calendar.extra_workdays})
    if not years:
        return [_weekly(calendar, _FIRST_YEAR, _LAST_YEAR)]
    return [
        _weekly(calendar, _FIRST_YEAR, years[0] - 1),
        *(
            interval
            for year in range(years[0], years[-1] + 1)
            for interval in _months(calendar, year)
        ),
        _weekly(calendar, years[-1] + 1, _LAST_YEAR),
    ]


def _weekly(calendar: Calendar, first: int, last: int) -> Tree:
    weekdays: list[Tree] = [_WEEKDAYS[day] for day in sorted(calendar.weekdays)]
    years: list[Tree] = [f"{first}:{last}"]
    return {**_hours(calendar), "weekdays": weekdays, "years": years}


def _months(calendar: Calendar, year: int) -> Iterator[Tree]:
    for month in range(1, _DECEMBER + 1):
        length = monthrange(year, month)[1]
        worked = [
            day for day in range(1, length + 1) if calendar.is_workday(date(year, month, day))
        ]
        if worked:
            days: list[Tree] = list(_ranges(worked))
            yield {
                **_hours(calendar),
                "days_of_month": days,
                "months": [str(month)],
                "years": [str(year)],
            }


def _hours(calendar: Calendar) -> dict[str, Tree]:
    # The end of the day is 00:00 in the calendar and 24:00 here.
    times: list[Tree] = [
        {"start_time": f"{start:%H:%M}", "end_time": f"{end:%H:%M}" if end > start else "24:00"}
        for start, end in calendar.hours
    ]
    return {"times": times, "location": calendar.zone.key}


def _ranges(days: Sequence[int]) -> Iterator[str]:
    start = days[0]
    for day, following in zip(days, [*days[1:], 0], strict=True):
        if following != day + 1:
            yield str(start) if start == day else f"{start}:{day}"
            start = following
