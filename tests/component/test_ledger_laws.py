"""What must hold for every life of a few links: changes, heartbeats, crashes, in any order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon.judge.availability import Period, Reading
from netmon.judge.tally import tally
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.model import STATES, State
from tests.ledger_traces import CALENDAR, KEYS, SECOND, START, Step, World, steps

if TYPE_CHECKING:
    from pathlib import Path

law = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Live = Callable[[list[Step]], World]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    worlds: list[World] = []
    numbers = itertools.count()

    def run(trace: list[Step]) -> World:
        world = World(tmp_path / f"{next(numbers)}.sqlite")
        worlds.append(world)
        world.run(trace)
        world.close()
        return world

    yield run
    for world in worlds:
        world.close()


@law
@given(trace=steps, cut=st.tuples(st.integers(0, 200), st.integers(0, 200)))
def test_classes_add_up_to_any_period_and_are_those_of_the_plain_list(
    live: Live, trace: list[Step], cut: tuple[int, int]
) -> None:
    world = live(trace)
    reader = LedgerReader.open(world.path)
    start_us = START + cut[0] * 1800 * SECOND - SECOND
    end_us = start_us + cut[1] * 1800 * SECOND + 1
    end_us = max(start_us, min(end_us, world.ledger.last_us()))
    for key in KEYS:
        spans = reader.spans(key, start_us, end_us)
        assert sum(span.end_us - span.start_us for span in spans) == end_us - start_us
        assert all(a.end_us == b.start_us for a, b in itertools.pairwise(spans))
        figures = tally(spans, CALENDAR)
        assert figures.total() == end_us - start_us
        expected = world.true_us(key, start_us, end_us)
        assert {state: figures.of(state) for state in STATES} == expected
    reader.close()


@law
@given(trace=steps)
def test_counters_never_go_back_not_even_over_a_crash(live: Live, trace: list[Step]) -> None:
    world = live(trace)
    for earlier, later in itertools.pairwise(world.shown):
        assert (later >= earlier).all()


@law
@given(trace=steps)
def test_counters_end_where_the_plain_list_ends(live: Live, trace: list[Step]) -> None:
    world = live(trace)
    for row, key in enumerate(KEYS):
        if not world.truth[key]:
            assert not world.shown[-1][row].any()
            continue
        first_us = world.truth[key][0][0]
        until_us = min(world.settled[key], world.ledger.last_us())
        until_us = max(until_us, world.truth[key][-1][0])
        expected = world.true_us(key, first_us, until_us)
        seconds = world.shown[-1][row].sum(axis=1)
        assert np.allclose(seconds, [expected[state] / SECOND for state in STATES], atol=1e-6)


@law
@given(trace=steps)
def test_the_journal_verifies_and_tells_every_outage_once(live: Live, trace: list[Step]) -> None:
    world = live(trace)
    reader = LedgerReader.open(world.path)
    assert reader.verify() == []
    told = {(o.key, o.start_us): o.end_us for o in reader.outages(OutageFilter())}
    lived = {
        (key, outage[0]): outage[1] if len(outage) > 1 else None
        for key, outages in world.outages.items()
        for outage in outages
    }
    assert told == lived
    reader.close()


@law
@given(trace=steps)
def test_restoring_twice_at_one_instant_changes_nothing_the_second_time(
    live: Live, trace: list[Step]
) -> None:
    world = live(trace)
    ledger = Ledger.open(world.path, calendar=CALENDAR, ballast_bytes=0)
    first = ledger.restore(world.now_us + SECOND)
    head = ledger.head()
    second = ledger.restore(world.now_us + SECOND)
    assert ledger.head() == head
    assert first.links.keys() == second.links.keys()
    for key, link in first.links.items():
        assert link.state is State.UNOBSERVED
        assert (link.us == second.links[key].us).all()
        assert (link.outages == second.links[key].outages).all()
        assert link.outage == second.links[key].outage
    assert ledger.verify() == []
    ledger.close()


@law
@given(trace=steps, moments=st.lists(st.integers(0, 250 * 3600), min_size=3, max_size=3))
def test_counters_and_totals_stay_when_details_are_forgotten(
    live: Live, trace: list[Step], moments: list[int]
) -> None:
    world = live(trace)
    ledger = Ledger.open(world.path, calendar=CALENDAR, ballast_bytes=0)
    before = ledger.restored()
    days_us = 86_400 * SECOND
    for moment in sorted(moments):
        ledger.retain(START + moment * SECOND + days_us, 1)
        assert ledger.verify() == []
    after = ledger.restored()
    assert before.links.keys() == after.links.keys()
    for key, link in before.links.items():
        assert (link.us == after.links[key].us).all()
        assert (link.outages == after.links[key].outages).all()
        assert (link.state, link.since_us, link.outage) == (
            after.links[key].state, after.links[key].since_us, after.links[key].outage,
        )  # fmt: skip
    ledger.close()
    reader = LedgerReader.open(world.path)
    horizon_us = reader.horizon_us()
    end_us = world.ledger.last_us()
    if horizon_us < end_us:
        period = Period(max(horizon_us, START), end_us)
        for key in KEYS:
            spans = reader.spans(key, period.start_us, period.end_us, Reading.AGREED)
            figures = tally(spans, CALENDAR)
            expected = world.true_us(key, period.start_us, period.end_us)
            assert {state: figures.of(state) for state in STATES} == expected
    reader.close()
