"""The law of the whole house: judge, time line and ledger together, over deaths and clock steps.

Hypothesis draws what happens to echoes, which work is planned, when netmon dies, for how long, and
how the wall clock is set meanwhile. Whatever it draws, every second has one owner.
"""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netmon.clock import Timeline
from netmon.judge.availability import Period, Reading
from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.judge.restored import Restored
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.model import LinkKey, MaintenanceWindow, Outcome, Role, State
from tests.ledger_traces import CALENDAR
from tests.support.judge_world import SECOND, START, Fate, World, inventory, link

if TYPE_CHECKING:
    from netmon.ledger.restoration import RestoredLink

LINKS = [link("d"), link("d", "b", role=Role.BACKUP), link("c"), link("x")]
KEYS = [each.key for each in LINKS]
PARENTS = {"d": None, "c": "d", "x": None}
_BEAT_US = SECOND

Trouble: TypeAlias = tuple[LinkKey, int, int, Outcome]
Life: TypeAlias = tuple[int, int, int, bool]
"""Seconds alive, seconds dead after it, by how much the wall clock is set then, and if killed."""

troubles = st.lists(
    st.tuples(
        st.sampled_from(KEYS), st.integers(0, 60), st.integers(1, 30),
        st.sampled_from([Outcome.SILENT, Outcome.SILENT, Outcome.FAULT]),
    ),
    max_size=5,
)  # fmt: skip
lives = st.lists(
    st.tuples(
        st.integers(3, 15), st.integers(0, 40), st.sampled_from([0, 0, 3600, -3600, -7]),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
windows = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=2)


@dataclass
class Hands:
    """A wall clock that is set, and a monotonic one that is not."""

    wall: int = START
    monotonic: int = 9 * SECOND

    def monotonic_us(self) -> int:
        """Return the one that nobody sets."""
        return self.monotonic

    def wall_us(self) -> int:
        """Return the one that people read."""
        return self.wall

    def go(self, length_us: int) -> None:
        """Let time pass."""
        self.wall += length_us
        self.monotonic += length_us


def fate_of(drawn: list[Trouble]) -> Fate:
    def fate(key: LinkKey, at_us: int) -> Outcome:
        seconds = (at_us - START) / SECOND
        for name, begin, length, outcome in drawn:
            if name == key and begin <= seconds < begin + length:
                return outcome
        return Outcome.REPLIED

    return fate


def live(path: Path, world: World, lived: list[Life]) -> None:
    """Live one life after the other, each with a daemon of its own in small."""
    clock = Hands()
    for alive, dead, step, killed in lived:
        with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
            timeline = Timeline(clock, ledger.last_us())
            _begin(world, ledger, timeline.now_us())
            known = beat_us = 0
            for _ in range(alive * SECOND // world.tick_us):
                clock.go(world.tick_us)
                world.step()
                assert world.now_us == timeline.now_us()
                ledger.record(world.events[known:])
                known = len(world.events)
                if world.now_us - beat_us >= _BEAT_US:
                    beat_us = world.now_us
                    ledger.beat(beat_us, timeline.wall_offset_us())
            if not killed:
                ledger.beat(world.now_us, timeline.wall_offset_us())
        clock.go(dead * SECOND)
        clock.wall += step * SECOND


def _begin(world: World, ledger: Ledger, now_us: int) -> None:
    restored = ledger.restore(now_us, KEYS).links
    world.judge = Judge(Policy(new_links=NewLinks.SWIFT))
    world.now_us, world.events, world.settled = now_us, [], {}
    world._flying.clear()
    world._next = {key: now_us + 100_000 * slot for key, slot in world.slots.items()}
    known = {key: _judged(each) for key, each in restored.items() if each.since_us}
    world.take(world.judge.set_links(world.inventory, world.slots, len(KEYS), now_us, known))


def _judged(each: RestoredLink) -> Restored:
    outage_us = None if each.outage is None else each.outage.start_us
    return Restored(each.state, each.health, each.since_us, outage_us, each.learnt)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # A life takes a quarter of a second: a failing one is not made smaller for minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(drawn=troubles, planned=windows, lived=lives)
def test_every_second_has_one_owner_over_deaths_and_clock_steps(
    drawn: list[Trouble], planned: list[tuple[int, int]], lived: list[Life]
) -> None:
    work = [
        MaintenanceWindow(str(n), START + a * SECOND, START + (a + length) * SECOND, "planned")
        for n, (a, length) in enumerate(planned)
    ]
    world = World(inventory(PARENTS, LINKS, work), fate_of(drawn))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        live(path, world, lived)
        with closing(LedgerReader.open(path)) as reader:
            assert reader.verify() == []
            end_us = reader.status().beat_us
            length_us = end_us - START
            for key in KEYS:
                spans = reader.spans(key, START, end_us)
                assert spans[0].start_us == START
                assert spans[-1].end_us == end_us
                assert all(a.end_us == b.start_us for a, b in itertools.pairwise(spans))
                _is_told_apart(reader, key, end_us)
            report = reader.availability(world.inventory, Period(START, end_us), CALENDAR)
            for row in report.rows:
                for reading in Reading:
                    assert row.tally(reading).total() % length_us == 0
            _dead_time_is_unobserved(reader, lived, length_us)


def _is_told_apart(reader: LedgerReader, key: LinkKey, end_us: int) -> None:
    """No outage lies within another, none ends before it begins, at most the last is open."""
    told = reader.outages(OutageFilter(agency=key.agency, link=key.link))
    ends = [end_us if each.end_us is None else each.end_us for each in told]
    assert all(each.end_us is not None for each in told[:-1])
    assert all(each.start_us <= end for each, end in zip(told, ends, strict=True))
    assert all(end <= each.start_us for end, each in zip(ends, told[1:], strict=False))


def _dead_time_is_unobserved(reader: LedgerReader, lived: list[Life], length_us: int) -> None:
    if any(step < 0 for _, _, step, _ in lived):
        # The line goes on where it ended, and catches up with the wall clock at some later start.
        return
    dead_us = sum((dead + step) * SECOND for _, dead, step, _ in lived[:-1])
    spans = reader.spans(KEYS[-1], START, START + length_us)
    unobserved = [each for each in spans if each.state is State.UNOBSERVED]
    assert sum(each.end_us - each.start_us for each in unobserved) >= dead_us
