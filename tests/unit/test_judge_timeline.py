"""How a timeline is computed and how a correction of it is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.judge.timeline import (
    Change,
    Correction,
    Overlays,
    Piece,
    Told,
    amend,
    compose,
    covers,
    state_at,
)
from netmon.judge.upstream import FOREVER_US, Cut, OutageRecord, cuts, upstream_spans
from netmon.model import Health, State

UP, DOWN, GONE, DARK = State.UP, State.DOWN, State.UNREACHABLE, State.UNOBSERVED
PLANNED = State.MAINTENANCE


def test_precedence_is_unobserved_maintenance_unreachable_health() -> None:
    overlays = Overlays(unobserved=[(30, 40)], maintenance=[(20, 50)], upstream=[(10, 60)])
    assert compose([(0, Health.DOWN)], overlays, 100) == [
        (0, DOWN), (10, GONE), (20, PLANNED), (30, DARK), (40, PLANNED), (50, GONE), (60, DOWN),
    ]  # fmt: skip


def test_the_future_is_not_told() -> None:
    overlays = Overlays(maintenance=[(20, 50)])
    assert compose([(0, Health.UP)], overlays, 30) == [(0, UP), (20, PLANNED)]


@pytest.mark.parametrize(
    ("account", "last_us", "wanted", "floor_us", "corrections", "changes"),
    [
        pytest.param(
            [(0, UP)], 0, [(0, UP), (10, DOWN)], 0, [], [(10, UP, DOWN)],
            id="a change after what was told is dated back",
        ),
        pytest.param(
            [(0, UP), (10, DOWN)], 10, [(0, UP), (10, GONE)], 0,
            [(10, 90, DOWN, GONE)], [(90, DOWN, GONE)],
            id="a state that was wrong from its first second is corrected up to now",
        ),
        pytest.param(
            [(0, UP), (10, PLANNED)], 10, [(0, UP), (8, DOWN), (10, PLANNED)], 0,
            [(8, 10, UP, DOWN)], [],
            id="seconds before the last transition are corrected by an entry",
        ),
        pytest.param(
            [(0, UP), (10, DOWN)], 10, [(0, UP), (10, GONE), (40, DOWN)], 0,
            [(10, 40, DOWN, GONE)], [],
            id="nothing more where the told state is right again",
        ),
        pytest.param(
            [(0, UP)], 0, [(0, UP), (10, DOWN)], 12, [], [(12, UP, DOWN)],
            id="what is certain is not touched",
        ),
        pytest.param([(0, UP)], 0, [(0, UP)], 0, [], [], id="no change, no word"),
    ],
)  # fmt: skip
def test_amend(  # a table has the columns that it has
    account: list[Piece],
    last_us: int,
    wanted: list[Piece],
    floor_us: int,
    corrections: list[tuple[int, int, State, State]],
    changes: list[tuple[int, State, State]],
) -> None:
    found = amend(Told(account, last_us), wanted, floor_us, 90)
    assert found[0] == [Correction(*item) for item in corrections]
    assert found[1] == [Change(*item) for item in changes]


states = st.sampled_from([UP, DOWN, GONE, DARK])
timelines = st.lists(st.tuples(st.integers(1, 99), states), max_size=6).map(
    lambda drawn: [(0, UP), *((at, s) for at, s in sorted(dict(drawn).items()))]
)


@settings(max_examples=200, deadline=None)
@given(timelines, timelines, st.integers(0, 60))
def test_told_and_corrected_is_what_is_wanted_from_the_floor_on(
    account: list[Piece], wanted: list[Piece], floor_us: int
) -> None:
    last_us = account[-1][0]
    corrections, changes, _ = amend(Told(account, last_us), wanted, floor_us, 120)
    replayed = [*account, *((change.at_us, change.after) for change in changes)]
    for at_us in range(121):
        told = next((s for from_us, s in reversed(replayed) if from_us <= at_us), UP)
        for correction in corrections:
            if correction.start_us <= at_us < correction.end_us:
                assert told is correction.before
                told = correction.after
        expected = wanted if at_us >= floor_us else account
        assert told is state_at(expected, at_us), at_us
    assert all(change.at_us >= max(last_us, floor_us) for change in changes)


def test_all_links_of_an_agency_must_be_down_at_once() -> None:
    primary = [OutageRecord(9, 10, 50), OutageRecord(69, 70)]
    backup = [OutageRecord(29, 30, 40), OutageRecord(74, 75)]
    assert cuts([primary, backup]) == [Cut(29, 30, 40), Cut(74, 75, FOREVER_US)]
    assert cuts([primary, []]) == []
    assert cuts([]) == []


@pytest.mark.parametrize(
    ("outage", "cut", "silent_us", "expected"),
    [
        pytest.param((8, 12, 50), (9, 10, 50), 0, [(12, 50)], id="both together"),
        pytest.param((8, 10, 50), (9, 11, 50), 0, [(10, 50)], id="the child is noticed first"),
        pytest.param((4, 5, 50), (9, 10, 40), 0, [(10, 40)], id="the child went long before"),
        pytest.param((9, 11, 43), (9, 10, 40), 0, [(11, 43)], id="back within the grace"),
        pytest.param((9, 11, 46), (9, 10, 40), 0, [(11, 40)], id="back after it"),
        pytest.param((9, 11, None), (9, 10, 40), 44, [(11, None)], id="the grace runs"),
        pytest.param((9, 11, None), (9, 10, 40), 46, [(11, 40)], id="silent through it"),
        pytest.param((40, 41, 60), (9, 10, 40), 0, [], id="gone after the parent's return"),
        pytest.param((9, 10, 12), (9, 14, 40), 0, [], id="answered before the parent's first loss"),
    ],
)
def test_what_a_parents_cut_explains(
    outage: tuple[int, int, int | None],
    cut: tuple[int, int, int],
    silent_us: int,
    expected: list[tuple[int, int | None]],
) -> None:
    assert upstream_spans([OutageRecord(*outage)], [Cut(*cut)], silent_us, 5) == expected


def test_spans_cover_only_without_a_gap() -> None:
    assert covers([(0, 5), (5, 9)], 1, 9)
    assert not covers([(0, 5), (6, 9)], 1, 9)
    assert covers([(0, None)], 3, 99)
