"""What the judge learns about links: what it may learn from, and what outlives a restart."""

from __future__ import annotations

import pytest

from netmon.judge.judge import Judge
from netmon.judge.learnt import Learnt
from netmon.judge.policy import Policy
from netmon.judge.restored import Restored
from netmon.judge.sequential import LONGEST_SECONDS
from netmon.model import (
    Cause,
    Health,
    InterfaceReading,
    LinkKey,
    OutageNote,
    OutageStart,
    Outcome,
    RouterReading,
    SnmpStatus,
    State,
)
from tests.support.judge_world import SECOND, START, World, cut_between, inventory

DAY = 86_400 * SECOND
X = LinkKey("x", "a")


def decision_seconds(world: World, name: str) -> list[float]:
    """Return how long after its first lost echo each outage was decided."""
    starts = [event for event in world.of(name) if isinstance(event, OutageStart)]
    return [(event.decided_us - event.start_us) / SECOND for event in starts]


def test_a_district_that_is_cut_six_times_in_two_minutes_is_judged_each_time_as_fast() -> None:
    cuts = [(20.0 * number + 5, 20.0 * number + 5 + 4 + 2 * number) for number in range(6)]
    world = World(inventory({"d": None, "c": "d"}), cut_between({"d/a": cuts, "c/a": cuts}))
    world.run(130)
    for name in ("d/a", "c/a"):
        waits = decision_seconds(world, name)
        assert len(waits) == len(cuts)
        assert max(waits) <= min(waits) + 0.6
        assert max(waits) <= 3


def test_a_new_link_is_judged_carefully_and_a_link_that_is_known_is_not_after_a_restart() -> None:
    inv, fate = inventory({"x": None}), cut_between({"x/a": [(20, 80)]})
    new = World(inv, fate, policy=Policy()).run(90)
    (slow,) = decision_seconds(new, "x/a")
    assert 15 < slow < LONGEST_SECONDS
    known = World(inv, fate, policy=Policy())
    clean = Learnt(START, 0.0, 2048.0, 0.0, 0.0, 0.0, -20.0)
    restored = Restored(State.UNOBSERVED, Health.UP, START, learnt=clean)
    known.judge = Judge(Policy())
    known.events = []
    slots = known.slots
    known.take(known.judge.set_links(inv, slots, len(slots), START, {X: restored}))
    (fast,) = decision_seconds(known.run(90), "x/a")
    assert fast <= 3


def test_what_was_learnt_is_told_once_and_taken_up_where_it_was_left() -> None:
    def spark(_: LinkKey, at_us: int) -> Outcome:
        return Outcome.SILENT if (at_us - START) // SECOND % 20 == 7 else Outcome.REPLIED

    inv = inventory({"x": None, "y": None})
    world = World(
        inv, lambda key, at_us: spark(key, at_us) if key.agency == "x" else Outcome.REPLIED
    )
    told = world.run(120).judge.learnt()
    assert world.judge.learnt() == {}
    learnt = told[X]
    assert learnt.trials > 0
    again = Judge(Policy())
    restored = {X: Restored(State.UNOBSERVED, Health.UP, START, learnt=learnt)}
    again.set_links(inv, world.slots, len(world.slots), learnt.at_us + 7 * DAY, restored)
    assert again.learnt() == {}, "what the ledger knows already is no news"
    half = again._links.trials[world.slots[X]]  # it is shown nowhere
    assert half == pytest.approx(learnt.trials / 2)
    again.tick(learnt.at_us + 7 * DAY + 120 * SECOND)
    later = again._links.trials[world.slots[X]]
    assert later == pytest.approx(half, rel=0.01), "it fades by half in a week, not at the start"


def test_what_we_lost_while_we_were_blind_is_not_learnt() -> None:
    cuts = cut_between({"x/a": [(20, 40), (50, 51)]})
    world = World(inventory({"x": None}), cuts).run(21.6)
    assert world.judge._links.losses[0] > 1, "some are lost before we know that we are blind"
    world.judge.set_blind("stalled", START + 20 * SECOND)
    world.run(40).judge.clear_blind(world.now_us)
    world.run(60)
    assert world.outages("x/a") == []
    assert world.judge._links.trials[0] == 0


def poll(at: float, uptime: float, received: int) -> RouterReading:
    """Return a good poll of x so many seconds after START."""
    wan = InterfaceReading(2, "wan", receive_bytes=received, last_change_seconds=3.0, links=("a",))
    at_us = START + round(at * SECOND)
    return RouterReading("x", at_us, SnmpStatus.OK, uptime_seconds=uptime, interfaces=(wan,))


@pytest.mark.parametrize(
    ("before", "received", "cause"),
    [
        pytest.param(poll(-90, 5000, 10**6), 900, Cause.POWER, id="its counters began anew"),
        pytest.param(poll(-90, 5000, 10**6), 10**7, Cause.UNKNOWN, id="only its agent did"),
        pytest.param(None, 900, Cause.UNKNOWN, id="nobody knows what they were before"),
        pytest.param(
            poll(-10, 5, 10**6), 900, Cause.UNKNOWN, id="the poll is of the outage itself"
        ),
    ],
)
def test_what_a_router_said_before_netmon_was_restarted_tells_the_cause_of_an_outage(
    before: RouterReading | None, received: int, cause: Cause
) -> None:
    earlier = Judge(Policy())
    earlier.set_links(inventory({"x": None}), {X: 0}, 1, START - 100 * SECOND)
    for reading in (before,) if before else ():
        earlier.reading(reading, None)
    world = World(inventory({"x": None}), cut_between({"x/a": [(0, 30)]}))
    judge = world.judge = Judge(Policy())
    judge.recall(earlier.readings(1))
    restored = Restored(State.UNOBSERVED, Health.DOWN, START, START - 60 * SECOND)
    world.events = list(judge.set_links(world.inventory, world.slots, 1, START, {X: restored}))
    world.run(40)
    (note,) = judge.reading(poll(40, 20.0, received), None)
    assert isinstance(note, OutageNote)
    assert note.cause is cause


def test_a_poll_is_news_once_and_again_only_when_it_is_much_newer() -> None:
    judge = Judge(Policy())
    judge.set_links(inventory({"x": None}), {X: 0}, 1, START)
    judge.reading(poll(1, 100, 1), None)
    assert set(judge.readings(60 * SECOND)) == {"x"}
    judge.reading(poll(31, 130, 1), None)
    assert judge.readings(60 * SECOND) == {}
    judge.reading(poll(61, 160, 1), None)
    assert judge.readings(60 * SECOND)["x"].at_us == START + 61 * SECOND
    judge.set_links(inventory({}), {}, 1, START + 70 * SECOND)
    judge.recall({})
    assert judge.readings(0) == {}, "a router that is gone leaves nothing"
