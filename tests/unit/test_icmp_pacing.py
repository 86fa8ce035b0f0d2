"""When echoes are due: the wheel, bursts and rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.config.settings import EchoModule
from netmon.model import LinkKey
from netmon.probes.icmp.bursts import Bursts, take_turns
from netmon.probes.icmp.kernel import _spread
from netmon.probes.icmp.lanes import Lane, merge_rounds
from netmon.probes.icmp.wheel import Wheel, splay
from netmon.state import RoundFigures

TICK_US = 40_000


def wheel_of(interval_us: int, count: int) -> Wheel:
    wheel = Wheel(interval_us, TICK_US)
    splays = np.array([splay(LinkKey(f"xa-{n}", "main"), 4) for n in range(count)], np.int64)
    wheel.replace(splays, np.arange(count, dtype=np.int32))
    return wheel


@given(
    st.integers(900_001, 5_000_000),
    st.integers(0, 2**50),
    st.lists(st.integers(20_000, 900_000), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_however_time_is_cut_every_target_is_due_once_per_interval(
    interval_us: int, start_us: int, steps: list[int]
) -> None:
    wheel = wheel_of(interval_us, 30)
    counts = np.zeros(30, np.int64)
    now_us, turns = start_us, 3
    end_us = start_us + turns * interval_us
    step = 0
    while now_us < end_us:
        until_us = min(now_us + steps[step % len(steps)], end_us)
        counts[wheel.due(now_us, until_us)] += 1
        now_us, step = until_us, step + 1
    assert counts.tolist() == [turns] * 30


@given(st.integers(0, 2**50), st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_after_a_stall_no_target_is_due_twice(start_us: int, stall_us: int) -> None:
    due = wheel_of(1_000_000, 30).due(start_us, start_us + stall_us)
    assert len(set(due.tolist())) == len(due)
    if stall_us >= 1_000_000:
        assert len(due) == 30


def test_a_clock_that_stands_still_makes_nothing_due() -> None:
    assert len(wheel_of(1_000_000, 30).due(5_000_000, 5_000_000)) == 0


def test_a_target_keeps_its_phase_whoever_else_is_on_the_wheel() -> None:
    def moments(wheel: Wheel, target: int) -> list[int]:
        ticks = range(0, 2_000_000, TICK_US)
        return [at for at in ticks if target in wheel.due(at, at + TICK_US)]

    alone = Wheel(1_000_000, TICK_US)
    alone.replace(np.array([splay(LinkKey("xa-7", "main"), 4)]), np.array([7], np.int32))
    assert moments(alone, 7) == moments(wheel_of(1_000_000, 500), 7)


def test_targets_are_spread_over_the_interval() -> None:
    wheel = wheel_of(1_000_000, 20_000)
    sizes = [len(wheel.due(at, at + TICK_US)) for at in range(0, 1_000_000, TICK_US)]
    assert sum(sizes) == 20_000
    assert max(sizes) < 1.2 * 800


def test_the_families_of_a_link_have_places_of_their_own() -> None:
    key = LinkKey("so-y-te", "main")
    assert splay(key, 4) != splay(key, 6)
    assert splay(key, 4) == splay(LinkKey("so-y-te", "main"), 4)
    assert splay(LinkKey("a", "b-main"), 4) != splay(LinkKey("a-b", "main"), 4)


def test_a_burst_falls_due_at_its_spacing_and_in_order() -> None:
    bursts = Bursts()
    bursts.add(np.array([[1, 1, 1], [2, 3, 2]], np.int32), 100, 50)
    bursts.add(np.array([[9]], np.int32), 120, 0)
    assert bursts.take(99).tolist() == []
    assert bursts.take(100).tolist() == [1, 2]
    assert bursts.take(160).tolist() == [9, 1, 3]
    bursts.remap(np.array([-1, 5, -1, -1], np.int32))
    assert len(bursts) == 1
    assert bursts.take(10_000).tolist() == [5]


def test_addresses_of_a_link_take_turns_and_unknown_links_get_nothing() -> None:
    slot_of_target = np.array([4, 0, 4, 2], np.int32)
    turns = take_turns(slot_of_target, np.array([4, 7, 0], np.int32), 3)
    assert turns.tolist() == [[0, 2, 0], [1, 1, 1]]


def test_a_target_that_still_waits_is_not_queued_twice() -> None:
    lane = Lane(4, EchoModule("default", 1.0), TICK_US)
    splays = np.arange(10, dtype=np.int64) * 100_000
    lane.wheel.replace(splays, np.arange(10, dtype=np.int32))
    lane.enqueue(0, 950_000)
    assert sorted(lane.take(4).tolist()) == [1, 2, 3, 4]
    lane.enqueue(950_000, 1_950_000)
    assert sorted(lane.take(100).tolist()) == list(range(10))


def test_a_target_that_has_not_begun_is_not_queued() -> None:
    lane = Lane(4, EchoModule("default", 1.0), TICK_US)
    lane.wheel.replace(np.arange(4, dtype=np.int64) * 100_000, np.arange(4, dtype=np.int32))
    lane.enqueue(-50_000, 350_000, np.array([True, False, True, False]))
    assert lane.take(100).tolist() == [0, 2]


def test_a_round_is_one_turn_of_the_wheel() -> None:
    lane = Lane(4, EchoModule("default", 1.0), TICK_US)
    lane.wheel.replace(np.zeros(1, np.int64), np.zeros(1, np.int32))
    assert lane.figures() is None
    lane.count(0.002, 0.01)
    lane.count(0.003, 0.001)
    lane.enqueue(500_000, 1_040_000)
    assert lane.figures() == RoundFigures("echo:default", 1, 1_040_000, 0.005, 0.01)
    lane.enqueue(1_040_000, 4_000_000)
    assert lane.figures() == RoundFigures("echo:default", 4, 4_000_000, 0.0, 0.0)


def test_the_load_of_a_lane_is_what_falls_due_in_a_tick() -> None:
    lane = Lane(4, EchoModule("default", 2.0, 1.0), 40_000)
    lane.wheel.replace(np.arange(1_000, dtype=np.int64), np.arange(1_000, dtype=np.int32))
    assert lane.load == 20.0


def test_the_families_of_a_module_make_one_round() -> None:
    rounds = [RoundFigures("echo:m", 3, 10, 0.5, 0.1), RoundFigures("echo:m", 2, 20, 0.25, 0.3)]
    assert merge_rounds(rounds) == RoundFigures("echo:m", 3, 20, 0.75, 0.3)


def test_packets_of_a_chunk_are_sent_one_after_the_other() -> None:
    sent_us, unsure = _spread(np.array([0, 4, 6]), np.array([1_000, 1_020, 1_030]))
    assert sent_us.tolist() == [1_000, 1_005, 1_010, 1_015, 1_020, 1_025]
    assert not unsure.any()


def test_a_chunk_that_was_interrupted_counts_at_the_usual_pace_and_measures_no_rtt() -> None:
    sent_us, unsure = _spread(np.array([0, 2, 4]), np.array([1_000, 900_000, 900_010]))
    assert sent_us.tolist() == [1_000, 1_025, 900_000, 900_005]
    assert unsure.tolist() == [True, True, False, False]


def test_a_cold_first_packet_is_slow_and_no_interruption() -> None:
    _, unsure = _spread(np.array([0, 1, 2]), np.array([1_000, 1_250, 1_260]))
    assert not unsure.any()


@pytest.mark.parametrize("start", [0, 10**15])
def test_send_times_keep_their_microseconds(start: int) -> None:
    clock = start + np.array([0, 100, 200])
    sent_us, _ = _spread(np.array([0, 16, 32]), clock)
    assert (np.abs(sent_us - (start + np.arange(32) * 6.25)) <= 1).all()
