"""Planned work of every week: where its windows lie, and that no second outside is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import from_datetime, utc
from netmon.config import check, load_inventory
from netmon.inventory.recurring import coming, occurrences
from netmon.model import Inventory, RecurringMaintenance
from tests.support.judge_world import inventory

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SUNDAY_NIGHT = RecurringMaintenance("vnpt", frozenset({6}), 22 * 60, 240, "R")
_PROVINCE = (
    "province: {id: p, name: P, name_en: P}\ncentre: {name: C}\n"
    "kinds: {commune: {name: X, name_en: X}}\n"
    "agencies: [{id: a, name: A, kind: commune, router: 10.0.0.2}]\n"
)


def local(work: RecurringMaintenance, first: str, last: str) -> list[tuple[str, str]]:
    """Return begin and end of the windows, in local time."""
    found = occurrences([work], date.fromisoformat(first), date.fromisoformat(last), ZONE)
    return [
        tuple(f"{utc(at).astimezone(ZONE):%m-%d %H:%M}" for at in (each.start_us, each.end_us))  # type: ignore[misc]  # two of them
        for each in found
    ]


@pytest.mark.parametrize(
    ("work", "days", "windows"),
    [
        pytest.param(
            SUNDAY_NIGHT, ("2026-11-01", "2026-11-14"),
            [("11-01 22:00", "11-02 02:00"), ("11-08 22:00", "11-09 02:00")],
            id="over midnight",
        ),
        pytest.param(
            SUNDAY_NIGHT, ("2026-05-31", "2026-06-01"), [("05-31 22:00", "06-01 02:00")],
            id="over the end of a month",
        ),
        pytest.param(
            replace(SUNDAY_NIGHT, weekdays=frozenset({3})), ("2026-12-31", "2026-12-31"),
            [("12-31 22:00", "01-01 02:00")],
            id="over the end of a year",
        ),
        pytest.param(
            replace(SUNDAY_NIGHT, weekdays=frozenset({5})), ("2028-02-26", "2028-03-04"),
            [("02-26 22:00", "02-27 02:00"), ("03-04 22:00", "03-05 02:00")],
            id="in a leap year",
        ),
        pytest.param(
            replace(SUNDAY_NIGHT, since=date(2026, 11, 8), until=date(2026, 11, 15)),
            ("2026-11-01", "2026-11-30"),
            [("11-08 22:00", "11-09 02:00"), ("11-15 22:00", "11-16 02:00")],
            id="from its first day to its last, both included",
        ),
        pytest.param(
            replace(SUNDAY_NIGHT, start_minute=0, length_minutes=1440),
            ("2026-11-01", "2026-11-01"), [("11-01 00:00", "11-02 00:00")], id="a whole day",
        ),
        pytest.param(SUNDAY_NIGHT, ("2026-11-02", "2026-11-07"), [], id="no such weekday"),
    ],
)  # fmt: skip
def test_where_windows_lie(
    work: RecurringMaintenance, days: tuple[str, str], windows: list[tuple[str, str]]
) -> None:
    assert local(work, *days) == windows


def province(*work: RecurringMaintenance) -> Inventory:
    return replace(inventory({"a": None}), recurring=work)


def test_each_window_has_a_name_of_its_own() -> None:
    at_us = from_datetime(datetime(2026, 11, 1, 12, tzinfo=ZONE))
    names = [window.id for window in coming(province(SUNDAY_NIGHT), at_us)]
    assert names == ["vnpt@2026-11-01", "vnpt@2026-11-08"]


works = st.builds(
    RecurringMaintenance,
    id=st.just("w"),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    start_minute=st.integers(0, 1439),
    length_minutes=st.integers(1, 1440),
    reason=st.just("R"),
)
# Plain numbers: datetimes are slow to draw. The years 2024 to 2027.
instants = st.integers(1_704_067_200, 1_830_297_599).map(lambda at: utc(at * 1_000_000))


@given(works, instants)
@settings(max_examples=200)
def test_an_instant_is_planned_exactly_if_its_weekday_and_time_say_so(
    work: RecurringMaintenance, at: datetime
) -> None:
    at_us = from_datetime(at)
    covered = any(w.start_us <= at_us < w.end_us for w in coming(province(work), at_us))
    here = at.astimezone(ZONE)
    minute = here.hour * 60 + here.minute
    today = here.weekday() in work.weekdays
    yesterday = (here - timedelta(days=1)).weekday() in work.weekdays
    end = work.start_minute + work.length_minutes
    right = (today and work.start_minute <= minute < end) or (yesterday and minute + 1440 < end)
    assert covered is right


@given(works, instants, st.integers(0, 20))
@settings(max_examples=50)
def test_what_is_laid_out_on_different_days_never_disagrees(
    work: RecurringMaintenance, at: datetime, later: int
) -> None:
    one = {w.id: w for w in coming(province(work), from_datetime(at))}
    other = {w.id: w for w in coming(province(work), from_datetime(at + timedelta(days=later)))}
    assert {key: one[key] for key in one.keys() & other.keys()} == {
        key: other[key] for key in one.keys() & other.keys()
    }


def test_it_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "agencies.yaml"
    path.write_text(
        f"{_PROVINCE}recurring_maintenance:\n"
        '  - {id: w, weekdays: [sunday, monday], hours: "22:00-02:00", since: 2026-11-01, '
        "until: 2026-12-31, reason: Nâng cấp, agencies: [a], subtree: true}\n",
        encoding="utf-8",
    )
    (read,) = load_inventory(path).inventory.recurring
    assert read == RecurringMaintenance(
        "w", frozenset({0, 6}), 1320, 240, "Nâng cấp", date(2026, 11, 1), date(2026, 12, 31),
        agencies=frozenset({"a"}), subtree=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('weekdays: [sun], hours: "22:00-02:00"', "'sun' is not a weekday: write it in full"),
        ('weekdays: [], hours: "22:00-02:00"', "nothing in this list: write a list of weekdays"),
        ('weekdays: [sunday], hours: "22:00-22:00"', "is empty or no time of a day"),
        ('weekdays: [sunday], hours: "22h-2h"', 'write the times as "22:00-02:00"'),
        ("weekdays: [sunday], from: x", "key 'from' is not read here: write the times as hours"),
        (
            'weekdays: [sunday], hours: "22:00-02:00", since: 2026-12-01, until: 2026-11-01',
            "the work ends before it begins",
        ),
        ('weekdays: [sunday], hours: "22:00-02:00", agencies: [b]', "'b'"),
        ('weekdays: [sunday], hours: "22:00-02:00", subtree: true', "subtree stands without"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, entry: str, says: str) -> None:
    path = tmp_path / "agencies.yaml"
    text = f"{_PROVINCE}recurring_maintenance:\n  - {{id: w, reason: R, {entry}}}\n"
    path.write_text(text, encoding="utf-8")
    findings = [str(finding) for finding in check([path])]
    assert any(says in finding and ":6:" in finding for finding in findings), findings
