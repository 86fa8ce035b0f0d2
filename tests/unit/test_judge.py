"""What the judge decides, told as short stories in virtual time."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import numpy as np
import pytest

from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.judge.restored import Restored
from netmon.model import (
    STATES,
    Canary,
    Cause,
    Health,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageNote,
    OutageStart,
    Outcome,
    Reclassification,
    Role,
    State,
    Transition,
)
from tests.support.judge_world import (
    RTT,
    SECOND,
    START,
    Account,
    Echo,
    World,
    batch,
    cut_between,
    inventory,
    limits,
    link,
)

if TYPE_CHECKING:
    from collections.abc import Callable

X = LinkKey("x", "a")
R, S, F = Outcome.REPLIED, Outcome.SILENT, Outcome.FAULT


def fed(outcomes: str, interval_seconds: float = 1.0) -> tuple[Judge, list[object]]:
    """Return a judge of one link that was fed outcomes R, S and F, and its events."""
    judge = Judge(Policy(new_links=NewLinks.SWIFT))
    events: list[object] = list(judge.set_links(inventory({"x": None}), {X: 0}, 1, START))
    letters = {"R": R, "S": S, "F": F}
    for number, letter in enumerate(outcomes):
        sent_us = START + round(number * interval_seconds * SECOND)
        echo = Echo(0, letters[letter], sent_us, sent_us + RTT, 0.02 if letter == "R" else np.nan)
        events += judge.observe(batch([echo]))
        events += judge.tick(sent_us + RTT)
    return judge, events


def state_of(judge: Judge) -> State:
    return STATES[int(judge.columns(np.array([0], np.int32)).state[0])]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param("", State.UNKNOWN, id="a link is unknown until its first echo is settled"),
        pytest.param("R", State.UP, id="one reply makes an unknown link up"),
        pytest.param("SS", State.UNKNOWN, id="a little silence decides nothing"),
        pytest.param("S" * 9, State.DOWN, id="a link that never answered goes down too"),
        pytest.param("RSSS", State.UP, id="three misses are no outage"),
        pytest.param("RSSSSSS", State.DOWN, id="a run of losses is"),
        pytest.param("RSSSRSSS", State.UP, id="a reply starts the test anew"),
        pytest.param("RSSFSSFSS", State.DOWN, id="a fault does not reset the count"),
        pytest.param("RSSSFF", State.UP, id="two faults are not counted as losses"),
        pytest.param("R" + "F" * 3, State.UNOBSERVED, id="three faults in a row are"),
        pytest.param("R" + "F" * 50, State.UNOBSERVED, id="faults alone never mean down"),
        pytest.param("RFFFR", State.UP, id="the first answer ends the darkness"),
        pytest.param("RFFRFFRFF", State.UP, id="faults that are not in a row say nothing"),
        pytest.param("RSSSSSSRR", State.DOWN, id="two replies are no recovery yet"),
        pytest.param("RSSSSSSRRR", State.UP, id="three are"),
        pytest.param("RSSSSSSRSSRR", State.DOWN, id="a stray reply is no recovery"),
    ],
)
def test_outcomes_become_states(outcomes: str, expected: State) -> None:
    judge, _ = fed(outcomes)
    assert state_of(judge) is expected


def test_an_outage_is_from_the_first_lost_echo_to_the_first_reply() -> None:
    world = World(inventory({"x": None}), cut_between({"x/a": [(30.3, 60.7)]})).run(80)
    assert world.outages("x/a") == [(31.0, 61.0)]
    decided = next(e for e in world.of("x/a") if isinstance(e, OutageStart))
    assert decided.decided_us - decided.start_us <= 2.2 * SECOND
    assert decided.evidence.text == "5 echoes in a row lost"


def test_a_district_cut_makes_its_communes_unreachable_and_nothing_else() -> None:
    names = {"d": None, **{f"c{n}": "d" for n in range(12)}}
    cuts = {f"{name}/a": [(30.3, 90.3)] for name in names}
    world = World(inventory(names), cut_between(cuts)).run(120)
    for name in names:
        seconds = world.account(f"{name}/a", 120)
        kind = State.DOWN if name == "d" else State.UNREACHABLE
        assert set(seconds) - {State.UNKNOWN} == {State.UP, kind}
        assert sum(seconds.values()) == 120 * SECOND
        assert len(world.outages(f"{name}/a")) == 1
    notes = [e for e in world.events if isinstance(e, OutageNote)]
    assert {n.key.agency for n in notes} == set(names) - {"d"}
    assert {n.cause for n in notes} == {Cause.UPSTREAM}


def test_parent_decided_late_reclasses_the_child_by_an_entry_of_its_own() -> None:
    inv = inventory({"d": None, "x": "d"})
    slots = {LinkKey("d", "a"): 0, X: 1}
    judge = Judge(Policy(new_links=NewLinks.SWIFT))
    judge.set_links(inv, slots, 2, START)
    judge.observe(batch([Echo(s, R, START, START + RTT, 0.02) for s in (0, 1)]))
    child = [Echo(1, S, START + (1 + n) * SECOND, START + (2 + n) * SECOND) for n in range(6)]
    told = judge.observe(batch(child))
    assert [e.after for e in told if isinstance(e, Transition)] == [State.DOWN]
    parent = [replace(e, slot=0, settled_us=e.settled_us + 3 * SECOND) for e in child]
    events = [e for e in judge.observe(batch(parent)) if e.key == X]
    correction, transition = events
    now_us = parent[-1].settled_us
    assert isinstance(correction, Reclassification)
    assert (correction.start_us, correction.end_us) == (START + SECOND, now_us)
    assert (correction.before, correction.after) == (State.DOWN, State.UNREACHABLE)
    assert isinstance(transition, Transition)
    assert (transition.at_us, transition.after) == (now_us, State.UNREACHABLE)


def test_a_child_is_reachable_as_long_as_the_backup_of_its_parent_stands() -> None:
    links = [link("d"), link("d", "b", role=Role.BACKUP), link("x")]
    inv = inventory({"d": None, "x": "d"}, links)
    cuts = {"d/a": [(20.0, 90.0)], "d/b": [(40.0, 60.0)], "x/a": [(30.0, 80.0)]}
    world = World(inv, cut_between(cuts)).run(100)
    spans = Account.of(world.of("x/a")).spans(world.now_us)
    assert [state for _, state in spans if state is not State.UNKNOWN] == [
        State.UP, State.DOWN, State.UNREACHABLE, State.DOWN, State.UP,
    ]  # fmt: skip
    assert State.UNREACHABLE not in world.account("d/a", 100)


def test_unreachable_goes_down_the_whole_tree() -> None:
    names = {"d": None, "c": "d", "v": "c"}
    cuts = {f"{name}/a": [(20.0, 50.0)] for name in names}
    world = World(inventory(names), cut_between(cuts)).run(80)
    assert State.DOWN not in world.account("v/a", 80)
    assert State.DOWN not in world.account("c/a", 80)
    assert world.account("d/a", 80)[State.DOWN] == 30 * SECOND


def test_an_agency_without_links_passes_its_childrens_fate_on() -> None:
    inv = inventory({"d": None, "office": "d", "x": "office"}, [link("d"), link("x")])
    cuts = {"d/a": [(20.0, 50.0)], "x/a": [(20.0, 50.0)]}
    world = World(inv, cut_between(cuts)).run(80)
    assert State.DOWN not in world.account("x/a", 80)


def test_a_child_that_answers_is_up_whatever_its_parent_does() -> None:
    world = World(inventory({"d": None, "x": "d"}), cut_between({"d/a": [(20, 50)]})).run(80)
    assert set(world.account("x/a", 80)) <= {State.UNKNOWN, State.UP}


def test_a_child_that_stays_silent_is_down_from_its_parents_return() -> None:
    cuts = {"d/a": [(20.0, 50.0)], "x/a": [(20.0, 90.0)]}
    world = World(inventory({"d": None, "x": "d"}), cut_between(cuts)).run(120)
    spans = Account.of(world.of("x/a")).spans(world.now_us)
    down_from = next(at for at, state in spans if state is State.DOWN)
    assert down_from == pytest.approx(50, abs=1)
    assert not any(isinstance(e, OutageNote) for e in world.of("x/a"))


def test_an_outage_older_than_the_parents_stays_its_own_until_the_parent_went() -> None:
    cuts = {"d/a": [(50.0, 70.0)], "x/a": [(20.0, 90.0)]}
    world = World(inventory({"d": None, "x": "d"}), cut_between(cuts)).run(120)
    seconds = world.account("x/a", 120)
    assert seconds[State.UNREACHABLE] == pytest.approx(20 * SECOND, abs=SECOND)
    assert len(world.outages("x/a")) == 1


@pytest.mark.parametrize("tick_us", [100_000, 700_000, 1_000_000])
def test_maintenance_begins_and_ends_to_the_microsecond(tick_us: int) -> None:
    window = MaintenanceWindow("w", START + 20_000_007, START + 40_000_011, "fibre work")
    inv = inventory({"x": None}, maintenance=[window])
    world = World(inv, cut_between({"x/a": [(25, 35)]}), tick_us=tick_us).run(60)
    seconds = world.account("x/a", 60)
    assert seconds[State.MAINTENANCE] == 20_000_004
    assert State.DOWN not in seconds
    assert len(world.outages("x/a")) == 1, "the outage underneath is entered all the same"


def test_an_outage_that_outlasts_the_window_is_down_outside_it() -> None:
    window = MaintenanceWindow("w", START + 20 * SECOND, START + 40 * SECOND, "fibre work")
    world = World(
        inventory({"x": None}, maintenance=[window]), cut_between({"x/a": [(18.0, 50.0)]})
    ).run(70)
    spans = Account.of(world.of("x/a")).spans(world.now_us)
    assert [(at, s) for at, s in spans if s in (State.DOWN, State.MAINTENANCE)] == [
        (18.0, State.DOWN), (20.0, State.MAINTENANCE), (40.0, State.DOWN),
    ]  # fmt: skip


def test_a_window_added_by_a_reload_counts_from_the_reload_on() -> None:
    world = World(inventory({"x": None}), cut_between({})).run(30)
    late = MaintenanceWindow("w", START, START + 50 * SECOND, "forgotten")
    inv = inventory({"x": None}, maintenance=[late])
    world.take(world.judge.set_links(inv, world.slots, 1, world.now_us))
    world.run(40)
    world.take(world.judge.set_links(inventory({"x": None}), world.slots, 1, world.now_us))
    world.run(60)
    assert world.account("x/a", 60)[State.MAINTENANCE] == 10 * SECOND


def test_a_window_covers_only_the_links_it_selects() -> None:
    window = MaintenanceWindow(
        "w", START + SECOND, START + 9 * SECOND, "", agencies=frozenset({"d"}), subtree=True,
        providers=frozenset({"vn"}),
    )  # fmt: skip
    links = [
        link("d", provider="vn"),
        link("x", provider="vn"),
        link("y"),
        link("z", provider="vn"),
    ]
    inv = inventory({"d": None, "x": "d", "y": "d", "z": None}, links, [window])
    world = World(inv, cut_between({})).run(12)
    covered = {str(k) for k in world.slots if State.MAINTENANCE in world.account(str(k), 12)}
    assert covered == {"d/a", "x/a"}


CANARIES = (
    Canary("gateway", "gateway", IPv4Address("192.0.2.1")),
    Canary("service", "service", IPv4Address("192.0.2.2")),
)


def canaries_silent(start: float, end: float, *ids: str) -> Callable[[str, int], Outcome]:
    def fate(canary_id: str, at_us: int) -> Outcome:
        dead = start <= (at_us - START) / SECOND < end and canary_id in ids
        return S if dead else R

    return fate


def test_a_cut_observer_sees_no_outage_and_every_second_of_it_is_unobserved() -> None:
    names = {f"x{n}": None for n in range(10)}
    cuts = {f"{name}/a": [(30.0, 60.0)] for name in names}
    world = World(
        inventory(names, canaries=CANARIES),
        cut_between(cuts),
        canary_fate=canaries_silent(30, 60, "gateway", "service"),
    )
    world.run(40)
    verdict = world.judge.blind
    assert verdict is not None
    assert verdict.since_us == START + 29 * SECOND
    world.run(90)
    assert world.judge.blind is None
    for name in names:
        seconds = world.account(f"{name}/a", 90)
        assert State.DOWN not in seconds
        assert seconds[State.UNOBSERVED] == pytest.approx(31 * SECOND, abs=SECOND)
        assert world.outages(f"{name}/a") == []


def test_one_silent_canary_of_two_blinds_nobody() -> None:
    world = World(
        inventory({"x": None}, canaries=CANARIES),
        cut_between({"x/a": [(30, 60)]}),
        canary_fate=canaries_silent(30, 60, "gateway"),
    ).run(90)
    assert world.outages("x/a")
    assert State.UNOBSERVED not in world.account("x/a", 90)


def test_links_that_go_on_answering_refute_silent_canaries() -> None:
    names = {f"x{n}": None for n in range(4)}
    world = World(
        inventory(names, canaries=CANARIES),
        cut_between({"x0/a": [(40.0, 60.0)]}),
        canary_fate=canaries_silent(30, 70, "gateway", "service"),
    ).run(90)
    assert State.UNOBSERVED not in world.account("x1/a", 90)
    assert world.outages("x0/a") == [(40.0, 60.0)]


def test_an_outage_that_began_before_the_blindness_stays_one_outage() -> None:
    world = World(
        inventory({"x": None}, canaries=CANARIES),
        cut_between({"x/a": [(20.0, 80.0)]}),
        canary_fate=canaries_silent(30, 60, "gateway", "service"),
    ).run(100)
    assert world.outages("x/a") == [(20.0, 80.0)]
    seconds = world.account("x/a", 100)
    assert seconds[State.UNOBSERVED] == pytest.approx(31 * SECOND, abs=SECOND)
    assert seconds[State.DOWN] + seconds[State.UNOBSERVED] == 60 * SECOND


def test_the_daemons_own_trouble_blinds_too() -> None:
    world = World(inventory({"x": None}), cut_between({})).run(30)
    world.judge.set_blind("event loop stalled", world.now_us - SECOND)
    world.run(35)
    assert world.state("x/a") is State.UNOBSERVED
    world.judge.clear_blind(world.now_us)
    world.run(45)
    assert world.state("x/a") is State.UP
    assert world.account("x/a", 45)[State.UNOBSERVED] == pytest.approx(6 * SECOND, abs=SECOND)


def test_a_link_that_nobody_probes_any_more_is_unobserved() -> None:
    world = World(inventory({"x": None}), cut_between({})).run(20)
    world.send = lambda *_: None  # type: ignore[method-assign]  # the engine stands still
    world.run(70)
    assert world.state("x/a") is State.UNOBSERVED
    del world.send
    world.run(100)
    assert world.account("x/a", 100)[State.UNOBSERVED] == pytest.approx(50 * SECOND, abs=SECOND)


@pytest.mark.parametrize("told", [State.UNOBSERVED, State.DOWN])
@pytest.mark.parametrize("still_down", [True, False])
def test_after_a_restart_the_same_outage_goes_on(told: State, *, still_down: bool) -> None:
    cuts = cut_between({"x/a": [(0, 30.0)] if still_down else []})
    world = World(inventory({"x": None}), cuts)
    opened_us = START - 500 * SECOND
    judge = world.judge = Judge(Policy(new_links=NewLinks.SWIFT))
    restored = {X: Restored(told, Health.DOWN, START - 500 * SECOND, opened_us)}
    world.events = list(judge.set_links(world.inventory, world.slots, 1, START, restored))
    world.run(60)
    assert not any(isinstance(e, OutageStart) for e in world.events)
    ends = [e for e in world.events if isinstance(e, OutageEnd)]
    assert [e.start_us for e in ends] == [opened_us]
    assert ends[0].end_us == START + (30 * SECOND if still_down else 0)
    Account.of(world.events, START, told)


def test_a_reload_leaves_unchanged_links_to_the_last_digit() -> None:
    world = World(inventory({"x": None, "y": None}), cut_between({"x/a": [(20, 99)]})).run(30)
    before = world.columns()
    inv = inventory({"x": None, "y": None, "z": None})
    slots = {**world.slots, LinkKey("z", "a"): 2}
    assert world.judge.set_links(inv, slots, 3, world.now_us) == []
    after = world.columns()
    for name in ("state", "health", "since_us", "settled_us", "loss_ratio", "flapping"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_a_removed_link_leaves_nothing_to_the_next_in_its_slot() -> None:
    world = World(inventory({"x": None}), cut_between({"x/a": [(20, 99)]})).run(30)
    key = LinkKey("y", "a")
    assert world.judge.set_links(inventory({"y": None}), {key: 0}, 1, world.now_us) == []
    late = Echo(0, S, world.now_us - 2 * SECOND, world.now_us + SECOND)
    assert world.judge.observe(batch([late])) == []
    columns = world.judge.columns(np.array([0], np.int32))
    assert STATES[columns.state[0]] is State.UNKNOWN
    assert columns.since_us[0] == 0
    assert np.isnan(columns.loss_ratio[0])


def test_a_child_given_another_parent_keeps_its_past() -> None:
    cuts = cut_between({"d/a": [(20, 999)], "x/a": [(20, 999)]})
    world = World(inventory({"d": None, "e": None, "x": "d"}), cuts).run(60)
    inv = inventory({"d": None, "e": None, "x": "e"})
    world.take(world.judge.set_links(inv, world.slots, 3, world.now_us))
    world.run(80)
    seconds = world.account("x/a", 80)
    assert seconds[State.DOWN] == 20 * SECOND
    assert len(world.outages("x/a")) == 1


def test_loss_makes_a_link_degraded_with_hysteresis() -> None:
    inv = inventory({"x": None}, [link("x", limits=limits(loss=0.1))])
    lossy = lambda _, at: S if (at // SECOND) % 4 == 0 and at < START + 200 * SECOND else R  # noqa: E731  # one line
    world = World(inv, lossy).run(400)
    changes = [e for e in world.of("x/a") if isinstance(e, Transition)]
    assert [e.after for e in changes] == [State.UP, State.DEGRADED, State.UP]
    assert changes[2].at_us > START + 200 * SECOND
    assert changes[1].evidence.lost > 0


def test_a_slow_link_is_degraded_by_rtt() -> None:
    inv = inventory({"x": None}, [link("x", limits=limits(rtt=0.01))])
    world = World(inv, cut_between({})).run(60)
    assert world.state("x/a") is State.DEGRADED


def test_a_link_without_limits_is_never_degraded() -> None:
    world = World(inventory({"x": None}), lambda _, at: S if (at // SECOND) % 2 else R).run(200)
    assert State.DEGRADED not in world.account("x/a", 200)


def test_a_recovered_link_is_not_degraded_by_its_own_outage() -> None:
    inv = inventory({"x": None}, [link("x", limits=limits(loss=0.1))])
    world = World(inv, cut_between({"x/a": [(100, 200)]})).run(300)
    assert State.DEGRADED not in world.account("x/a", 300)


def test_flapping_marks_a_link_and_hides_no_outage() -> None:
    cuts = [(30.0 + 30 * n, 45.0 + 30 * n) for n in range(4)]
    world = World(inventory({"x": None}), cut_between({"x/a": cuts})).run(150)
    assert len(world.outages("x/a")) == 4
    assert world.columns().flapping[0]
    world.tick_us = SECOND
    world.run(2000)
    assert not world.columns().flapping[0]


def test_suspects_stay_within_the_budget_of_a_link() -> None:
    world = World(
        inventory({"x": None}), lambda _, at: S if (at // SECOND) % 2 else R, tick_us=20_000
    ).run(60)
    assert world.burst_packets <= 60 * Policy().burst_packets_per_second + 5


def test_certainty_keeps_up_with_a_quiet_link() -> None:
    world = World(inventory({"x": None}), cut_between({})).run(100)
    assert world.now_us - world.settled[X] < 2 * SECOND
    world = World(inventory({"x": None}), cut_between({"x/a": [(20, 200)]})).run(100)
    assert world.now_us - world.settled[X] < 3 * SECOND


def test_certainty_stops_at_a_window_that_no_tick_has_noticed_yet() -> None:
    window = MaintenanceWindow("w", START + 10 * SECOND, START + 20 * SECOND, "planned")
    judge = Judge(Policy(new_links=NewLinks.SWIFT))
    judge.set_links(inventory({"x": None}, maintenance=[window]), {X: 0}, 1, START)
    judge.observe(batch([Echo(0, R, START, START + RTT, 0.02)]))
    sent_us = START + 11 * SECOND
    judge.observe(batch([Echo(0, R, sent_us, sent_us + RTT, 0.02)]))
    shown_us = judge.columns(np.array([0], np.int32)).settled_us[0]
    events = [e for e in judge.tick(sent_us + SECOND) if isinstance(e, Transition)]
    assert [(e.at_us, e.after) for e in events] == [(window.start_us, State.MAINTENANCE)]
    assert shown_us <= window.start_us


def blinking(judge: Judge, sent_seconds: list[float], outcome: Outcome) -> list[object]:
    """Settle echoes of link 0 that were sent at seconds after START, all at once."""
    delay = RTT if outcome is R else SECOND
    sent = [START + round(seconds * SECOND) for seconds in sent_seconds]
    return list(judge.observe(batch([Echo(0, outcome, at, at + delay, np.nan) for at in sent])))


def test_losses_that_a_later_answer_disproved_are_no_run() -> None:
    judge, _ = fed("RR")
    assert blinking(judge, [8.0], R) == []
    assert blinking(judge, [7.0 + n / 10 for n in range(9)], S) == []
    assert state_of(judge) is State.UP


def test_no_link_falls_while_it_is_open_whether_we_see_at_all() -> None:
    judge, _ = fed("RR")
    judge.canary("gateway", R, START + SECOND)
    assert blinking(judge, [2 + n / 5 for n in range(12)], S) == []
    judge.canary("gateway", R, START + 5 * SECOND)
    (outage, *_) = blinking(judge, [6.0], S)
    assert isinstance(outage, OutageStart)
    assert outage.start_us == START + 2 * SECOND


def test_losses_of_a_blind_time_do_not_count_when_it_is_over() -> None:
    judge, _ = fed("RR")
    blinking(judge, [2.0, 2.2, 2.4, 2.6], S)
    judge.set_blind("clock stepped", START + 3 * SECOND // 2)
    judge.tick(START + 5 * SECOND)
    judge.clear_blind(START + 6 * SECOND)
    assert blinking(judge, [6.5, 6.7, 6.9], S) == []
    assert blinking(judge, [8.0], R) != []
    assert state_of(judge) is State.UP


def test_the_judge_forgets_links_that_had_no_trouble_of_late() -> None:
    names = {f"x{n}": None for n in range(5)}
    world = World(inventory(names), cut_between({"x0/a": [(20, 40)]}), tick_us=SECOND, watch=False)
    world.run(250)
    assert set(world.judge._book.cases) == {0}
    world.run(4000)
    assert set(world.judge._book.cases) == set()
    assert world.outages("x0/a") == [(20.0, 40.0)]
