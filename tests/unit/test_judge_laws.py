"""Laws of the judge that hold for every trace: hypothesis draws the traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import TypeAlias

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.judge.restored import Restored
from netmon.model import (
    STATES,
    Canary,
    Health,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageStart,
    Outcome,
    Role,
    State,
    Transition,
)
from tests.support.judge_world import (
    SECOND,
    START,
    Account,
    Fate,
    World,
    inventory,
    limits,
    link,
)

LAWS = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PERIOD = 70
NAMES: dict[str, str | None] = {"d": None, "c": "d", "v": "c", "x": None}
LINKS = [
    link("d", limits=limits(loss=0.2)),
    link("d", "b", role=Role.BACKUP),
    link("c", limits=limits()),
    link("v"),
    link("x"),
]
KEYS = [item.key for item in LINKS]
CANARY = Canary("gateway", "gateway", IPv4Address("192.0.2.1"))

Span: TypeAlias = tuple[float, float]
Troubles: TypeAlias = Sequence[tuple[LinkKey, Span, Outcome, float]]
Windows: TypeAlias = Sequence[tuple[Span, str | None]]

instants = st.integers(0, PERIOD * 4).map(lambda quarter: quarter / 4)
spans = st.tuples(instants, instants).map(lambda pair: (min(pair), max(pair)))
outcomes = st.sampled_from([Outcome.SILENT, Outcome.SILENT, Outcome.SILENT, Outcome.FAULT])
troubles = st.lists(
    st.tuples(st.sampled_from(KEYS), spans, outcomes, st.sampled_from([1.0, 1.0, 0.5])), max_size=7
)
windows = st.lists(st.tuples(spans, st.sampled_from([*NAMES, None])), max_size=3)


def fate_of(trouble: Troubles) -> Fate:
    """Return the fate of links in trouble; a share of their echoes is hit, by a fixed pattern."""

    def fate(key: LinkKey, at_us: int) -> Outcome:
        seconds = (at_us - START) / SECOND
        for name, (start, end), outcome, share in trouble:
            hit = (at_us // 1000 * 2_654_435_761 % 1000) / 1000 < share
            if name == key and start <= seconds < end and hit:
                return outcome
        return Outcome.REPLIED

    return fate


def windows_of(drawn: Windows) -> list[MaintenanceWindow]:
    return [
        MaintenanceWindow(
            id=str(number),
            start_us=START + round(start * SECOND) + number,
            end_us=START + round(end * SECOND) + 3,
            reason="planned",
            agencies=frozenset({agency} if agency else ()),
            subtree=True,
        )
        for number, ((start, end), agency) in enumerate(drawn)
    ]


def world_of(trouble: Troubles, drawn: Windows = (), seed: int | None = None) -> World:
    shuffle = None if seed is None else np.random.default_rng(seed)
    return World(inventory(NAMES, LINKS, windows_of(drawn)), fate_of(trouble), shuffle=shuffle)


def timelines(world: World) -> dict[str, list[tuple[float, State]]]:
    end_us = world.now_us - 15 * SECOND
    return {str(key): Account.of(world.of(str(key))).spans(end_us) for key in world.slots}


@LAWS
@given(troubles, windows)
def test_chains_close_and_classes_add_up_to_the_microsecond(
    trouble: Troubles, drawn: Windows
) -> None:
    world = world_of(trouble, drawn).run(PERIOD + 20)
    columns = world.columns()
    for index, key in enumerate(world.slots):
        account = Account.of(world.of(str(key)))
        assert sum(account.by_class(world.now_us).values()) == world.now_us - START
        assert account.at(world.now_us) is STATES[int(columns.state[index])]
        assert account.pieces[-1][1] is STATES[int(columns.state[index])]
        world.outages(str(key))


@LAWS
@given(troubles, windows, st.integers(0, 2**32 - 1))
def test_the_account_does_not_depend_on_the_order_of_simultaneous_events(
    trouble: Troubles, drawn: Windows, seed: int
) -> None:
    world = world_of(trouble, drawn).run(PERIOD + 20)
    other = world_of(trouble, drawn, seed).run(PERIOD + 20)
    assert timelines(world) == timelines(other)


@LAWS
@given(troubles, windows)
def test_a_maintenance_window_changes_no_second_outside_it(
    trouble: Troubles, drawn: Windows
) -> None:
    bare = world_of(trouble).run(PERIOD + 20)
    planned = world_of(trouble, drawn).run(PERIOD + 20)
    end_us = bare.now_us - 15 * SECOND
    for key in bare.slots:
        one, two = Account.of(bare.of(str(key))), Account.of(planned.of(str(key)))
        steps = sorted({*one.steps(START, end_us), *two.steps(START, end_us)})
        for at_us in steps:
            if two.at(at_us) is not State.MAINTENANCE:
                assert one.at(at_us) is two.at(at_us), (key, at_us)
            else:
                assert any(w.start_us <= at_us < w.end_us for w in planned.inventory.maintenance)
        assert bare.outages(str(key)) == planned.outages(str(key))


@LAWS
@given(troubles)
def test_faults_alone_never_mean_down(trouble: Troubles) -> None:
    faulty = [(key, span, Outcome.FAULT, share) for key, span, _, share in trouble]
    world = world_of(faulty).run(PERIOD + 20)
    for key in world.slots:
        assert set(world.account(str(key), PERIOD + 20)) <= {
            State.UNKNOWN, State.UP, State.UNOBSERVED,
        }  # fmt: skip
        assert world.outages(str(key)) == []


@LAWS
@given(trouble=troubles, span=spans, daemon=st.booleans())
def test_blindness_is_unobserved_and_begins_no_outage(
    trouble: Troubles, span: Span, *, daemon: bool
) -> None:
    start, end = span
    everything = [(key, span, Outcome.SILENT, 1.0) for key in KEYS] if not daemon else []
    fate = fate_of([*everything, *trouble])

    def canary_fate(_: str, at_us: int) -> Outcome:
        dead = start <= (at_us - START) / SECOND < end
        return Outcome.SILENT if dead and not daemon else Outcome.REPLIED

    inv = inventory(NAMES, LINKS, (), [CANARY])
    world = World(inv, fate, canary_fate=canary_fate).run(start)
    if daemon:
        world.judge.set_blind("stalled", world.now_us)
    world.run(max(end, start))
    was_blind = world.judge.blind
    if daemon:
        world.judge.clear_blind(world.now_us)
    world.run(PERIOD + 20)
    assert world.judge.blind is None
    for key in world.slots:
        account = Account.of(world.of(str(key)))
        assert sum(account.by_class(world.now_us).values()) == world.now_us - START
        if was_blind is not None:
            middle_us = max(was_blind.since_us, START + round(start * SECOND)) + SECOND
            if middle_us < START + round(end * SECOND) - SECOND:
                assert account.at(middle_us) is State.UNOBSERVED
        for begun, _ in world.outages(str(key)):
            assert was_blind is None or not (
                (was_blind.since_us - START) / SECOND < begun < end - 0.25
            )


@LAWS
@given(troubles, st.integers(10, PERIOD - 10), st.integers(1, 30))
def test_a_restart_reopens_no_outage_and_forgets_none(
    trouble: Troubles, at: int, dead: int
) -> None:
    world = world_of(trouble).run(at)
    ends_us = world.now_us + dead * SECOND
    restored, before = {}, {}
    for key in world.slots:
        account = Account.of(world.of(str(key)))
        opened = [begun for begun, over in world.outages(str(key)) if over is None]
        open_us = START + round(opened[0] * SECOND) if opened else None
        health = Health.DOWN if opened else Health.UP
        restored[key] = Restored(State.UNOBSERVED, health, world.now_us, open_us)
        before[key] = account.pieces[-1][1], open_us
    again = replace_judge(world, ends_us, restored)
    again.run(PERIOD + 60)
    for key in again.slots:
        Account.of(again.of(str(key)), ends_us, State.UNOBSERVED)
        _, open_us = before[key]
        ends = [e for e in again.of(str(key)) if isinstance(e, OutageEnd)]
        starts = [e for e in again.of(str(key)) if isinstance(e, OutageStart)]
        if open_us is not None:
            assert ends[0].start_us == open_us
            assert ends[0].end_us >= ends_us
        assert len(ends) == len(starts) + (open_us is not None)
        assert all(e.at_us >= ends_us for e in again.of(str(key)) if isinstance(e, Transition))


def replace_judge(world: World, now_us: int, restored: dict[LinkKey, Restored]) -> World:
    """Return the world after netmon was dead until an instant."""
    again = replace(world, watch=True)
    again.judge = Judge(Policy(new_links=NewLinks.SWIFT))
    again.now_us, again.events, again.settled = now_us, [], {}
    again._next = {key: now_us + (slot * 137_000) for key, slot in again.slots.items()}
    again.take(again.judge.set_links(again.inventory, again.slots, len(KEYS), now_us, restored))
    return again
