"""Every second has one owner; planned work and reclassifications take only what they cover."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.judge.availability import (
    History,
    Period,
    Piece,
    Reading,
    Span,
    best_of,
    clip,
    read,
    reclassify,
    with_causes,
)
from netmon.judge.calendar import Calendar
from netmon.judge.tally import tally
from netmon.model import Cause, Health, Hours, LinkKey, Outage, Reclassification, State

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = LinkKey("so-noi-vu", "main")
CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
U, D, M, X, R = State.UP, State.DOWN, State.MAINTENANCE, State.UNOBSERVED, State.UNREACHABLE

instants = st.integers(0, 100)
states = st.sampled_from(list(State))


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    cuts = sorted(draw(st.sets(instants, min_size=2, max_size=8)))
    return [Span(start, end, draw(states)) for start, end in pairwise(cuts)]


@st.composite
def entries(draw: st.DrawFn) -> list[Reclassification]:
    def entry() -> Reclassification:
        start_us, end_us = sorted((draw(instants), draw(instants)))
        before, after = draw(states), draw(states)
        return Reclassification(KEY, start_us, end_us, before, after, 0, "trưởng ca", "lý do")

    return [entry() for _ in range(draw(st.integers(0, 4)))]


def owners(line: Sequence[Span]) -> list[State]:
    """The owner of every microsecond."""
    return [span.state for span in line for _ in range(span.start_us, span.end_us)]


@given(spans(), instants, instants)
def test_a_period_is_covered_exactly(line: list[Span], one: int, two: int) -> None:
    period = Period(min(one, two), max(one, two))
    clipped = list(clip(line, period))
    assert sum(span.end_us - span.start_us for span in clipped) == period.length_us
    told = dict(zip(range(line[0].start_us, 200), owners(line), strict=False))
    expected = [told.get(at, State.UNOBSERVED) for at in range(period.start_us, period.end_us)]
    assert owners(clipped) == expected


@given(spans(), entries())
def test_a_reclassification_moves_the_seconds_that_it_names_and_no_other(
    line: list[Span], moved: list[Reclassification]
) -> None:
    expected = owners(line)
    first = line[0].start_us
    for entry in moved:
        expected = [
            entry.after if entry.start_us <= at < entry.end_us and state is entry.before else state
            for at, state in enumerate(expected, first)
        ]
    assert owners(list(reclassify(line, moved))) == expected


@given(spans(), instants, instants)
def test_planned_work_changes_no_second_outside_it(line: list[Span], one: int, two: int) -> None:
    window = Period(min(one, two), max(one, two))
    bare = [Piece(s.start_us, s.end_us, s.state, Health.UP) for s in line if s.state is not M]
    covered = [
        Piece(span.start_us, span.end_us, span.state, piece.health)
        for piece in bare
        for span in _overlay(piece, window)
    ]
    period = Period(0, 100)
    without = owners(read(History(bare), period, Reading.AGREED))
    planned = owners(read(History(covered), period, Reading.AGREED))
    watched = {at for piece in bare for at in range(piece.start_us, piece.end_us)}
    for at, (before, after) in enumerate(zip(without, planned, strict=True)):
        inside = window.start_us <= at < window.end_us and at in watched
        assert after is (M if inside else before)


def _overlay(piece: Piece, window: Period) -> list[Span]:
    cuts = sorted({piece.start_us, piece.end_us, window.start_us, window.end_us})
    return [
        Span(start, end, M if window.start_us <= start < window.end_us else piece.state)
        for start, end in pairwise(cuts)
        if piece.start_us <= start and end <= piece.end_us
    ]


@given(st.lists(spans(), min_size=1, max_size=3))
def test_an_agency_has_one_owner_per_second_too_and_its_best_link_is_it(
    lines: list[list[Span]],
) -> None:
    period = Period(0, 100)
    links = [list(clip(line, period)) for line in lines]
    best = list(best_of(links))
    assert sum(span.end_us - span.start_us for span in best) == 100
    for at, state in enumerate(owners(best)):
        mine = {owners(link)[at] for link in links}
        assert state in mine
        if U in mine:
            assert state is U


@settings(deadline=None)  # the first example builds the calendar's year
@given(spans(), st.lists(st.tuples(instants, instants), max_size=3))
def test_figures_add_up_in_both_readings_and_over_causes_and_hours(
    line: list[Span], cuts: list[tuple[int, int]]
) -> None:
    outages = [Outage(KEY, min(c), max(c), Cause.POWER) for c in sorted(cuts)]
    outages = [
        o for i, o in enumerate(outages) if all(o.start_us >= (p.end_us or 0) for p in outages[:i])
    ]
    pieces = [Piece(s.start_us, s.end_us, s.state, Health.DOWN) for s in line]
    for reading in Reading:
        figures = tally(read(History(pieces, outages), Period(0, 100), reading), CALENDAR)
        assert figures.total() == 100
        assert sum(figures.of(state) for state in State) == 100
        assert sum(figures.of(D, cause) for cause in Cause) == figures.of(D)
        assert figures.total(Hours.BUSINESS) + figures.total(Hours.OTHER) == 100


@pytest.mark.parametrize(
    ("outages", "expected"),
    [
        pytest.param([], [(Cause.UNKNOWN, 10)], id="down without an outage has no known cause"),
        pytest.param([Outage(KEY, 0, None, Cause.POWER)], [(Cause.POWER, 10)], id="not over"),
        pytest.param(
            [Outage(KEY, 0, 4, Cause.POWER), Outage(KEY, 6, 20, Cause.CIRCUIT)],
            [(Cause.POWER, 4), (Cause.UNKNOWN, 2), (Cause.CIRCUIT, 4)],
            id="each second has its own outage's cause",
        ),
    ],
)
def test_down_time_has_the_cause_of_its_outage(
    outages: list[Outage], expected: list[tuple[Cause, int]]
) -> None:
    found = [(s.cause, s.end_us - s.start_us) for s in with_causes([Span(0, 10, D)], outages)]
    assert found == expected


def test_planned_work_hides_nothing_from_the_measured_reading() -> None:
    pieces = [Piece(0, 10, U, Health.UP), Piece(10, 50, M, Health.UP), Piece(50, 60, U, Health.UP)]
    history = History(pieces, [Outage(KEY, 20, 30, Cause.CIRCUIT)])
    measured = read(history, Period(0, 60), Reading.MEASURED)
    agreed = read(history, Period(0, 60), Reading.AGREED)
    assert tally(measured, CALENDAR).of(D, Cause.CIRCUIT) == 10
    assert tally(measured, CALENDAR).of(M) == 0
    assert tally(agreed, CALENDAR).of(M) == 40
    assert tally(agreed, CALENDAR).of(D) == 0


@pytest.mark.parametrize(
    ("author", "after", "measured"),
    [
        pytest.param("netmon", R, R, id="a correction by netmon is a measurement"),
        pytest.param("trưởng ca", R, D, id="what a person agrees is not"),
        pytest.param("netmon", M, D, id="planned work is agreed, whoever enters it"),
    ],
)
def test_who_reclassifies_decides_which_reading_moves(
    author: str, after: State, measured: State
) -> None:
    entry = Reclassification(KEY, 0, 10, D, after, 20, author, "vì sao")
    history = History([Piece(0, 10, D, Health.DOWN)], (), [entry])
    assert owners(read(history, Period(0, 10), Reading.AGREED)) == [after] * 10
    assert owners(read(history, Period(0, 10), Reading.MEASURED)) == [measured] * 10


def test_ratios_are_absent_where_nothing_was_seen() -> None:
    unseen = tally([Span(0, 10, X)], CALENDAR)
    assert unseen.availability() is None
    assert unseen.coverage() == 0
    assert tally([], CALENDAR).coverage() is None
    half = tally([Span(0, 10, U), Span(10, 20, D, Cause.UNKNOWN), Span(20, 40, X)], CALENDAR)
    assert (half.availability(), half.coverage()) == (0.5, 0.5)
