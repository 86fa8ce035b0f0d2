"""Working time is exactly the time in which the wall clock shows working hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import from_datetime, utc
from netmon.judge.calendar import Calendar

VIETNAM = Calendar(
    ZoneInfo("Asia/Ho_Chi_Minh"),
    holidays=frozenset({date(2025, 5, 1), date(2025, 5, 2)}),
    extra_workdays=frozenset({date(2025, 4, 26)}),
)
NIGHTS = ((time(0), time(1, 15)), (time(1, 30), time(2, 45)), (time(22), time(0)))
CALENDARS = (
    VIETNAM,
    Calendar(ZoneInfo("Europe/Berlin"), hours=NIGHTS, weekdays=frozenset(range(7))),
    Calendar(ZoneInfo("America/Sao_Paulo"), hours=NIGHTS, weekdays=frozenset(range(7))),
    Calendar(ZoneInfo("Australia/Lord_Howe"), hours=NIGHTS, weekdays=frozenset({5, 6})),
)
MICROSECONDS = 1_000_000
instants = st.integers(
    from_datetime(datetime(2014, 12, 30, tzinfo=UTC)),
    from_datetime(datetime(2029, 1, 3, tzinfo=UTC)),
)


def shows_working_hours(calendar: Calendar, at_us: int) -> bool:
    """The definition, asked of the standard library for one instant."""
    local = utc(at_us).astimezone(calendar.zone)
    shown = local.time()
    inside = any(
        start <= shown and (shown < end or end == time(0)) for start, end in calendar.hours
    )
    return inside and calendar.is_workday(local.date())


def day(text: str) -> tuple[int, int]:
    start = datetime.fromisoformat(text).replace(tzinfo=VIETNAM.zone)
    return from_datetime(start), from_datetime(start) + 86_400 * MICROSECONDS


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        pytest.param("2025-04-25", 7.5, id="a Friday, with its break at midday"),
        pytest.param("2025-04-26", 7.5, id="a Saturday that is worked in place of another day"),
        pytest.param("2025-04-27", 0, id="a Sunday"),
        pytest.param("2025-05-01", 0, id="a holiday"),
        pytest.param("2025-05-02", 0, id="the Friday that the Saturday was worked for"),
    ],
)
def test_a_day_has_the_hours_that_are_worked_on_it(text: str, hours: float) -> None:
    assert VIETNAM.business_us(*day(text)) == hours * 3600 * MICROSECONDS


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: str(calendar.zone))
@settings(max_examples=60, deadline=None)
@given(at_us=instants)
def test_an_instant_is_worked_when_the_wall_clock_says_so(calendar: Calendar, at_us: int) -> None:
    assert calendar.is_business(at_us) == shows_working_hours(calendar, at_us)


@pytest.mark.parametrize("calendar", CALENDARS, ids=lambda calendar: str(calendar.zone))
@pytest.mark.parametrize("year", [2017, 2026])
def test_a_year_in_five_minute_steps_agrees_with_the_standard_library(
    calendar: Calendar, year: int
) -> None:
    step_us = 300 * MICROSECONDS
    first_us = from_datetime(datetime(year, 1, 1, tzinfo=UTC))
    at_us = first_us + step_us * np.arange(365 * 288 // 5, dtype=np.int64) * 5
    worked = calendar.cumulative_us(at_us + step_us) - calendar.cumulative_us(at_us)
    expected = [shows_working_hours(calendar, int(each)) for each in at_us]
    assert ((worked == step_us) == np.array(expected)).all()


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(instants, min_size=2, max_size=6).map(sorted))
def test_parts_add_up_to_the_whole_and_one_by_one_equals_all_at_once(cuts: list[int]) -> None:
    for calendar in CALENDARS:
        pairs = pairwise(cuts)
        parts = [calendar.business_us(start, end) for start, end in pairs]
        assert sum(parts) == calendar.business_us(cuts[0], cuts[-1])
        together = calendar.cumulative_us(np.array(cuts, dtype=np.int64))
        assert np.diff(together).tolist() == parts


def test_a_calendar_survives_being_written_down() -> None:
    for calendar in CALENDARS:
        assert Calendar.from_text(calendar.to_text()) == calendar


def test_nothing_is_worked_without_hours_or_without_instants() -> None:
    idle = Calendar(ZoneInfo("UTC"), hours=())
    assert idle.business_us(*day("2025-04-25")) == 0
    assert VIETNAM.cumulative_us(np.array([], dtype=np.int64)).size == 0
