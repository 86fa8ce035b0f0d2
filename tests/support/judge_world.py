"""A toy world for the judge: links that are cut and restored in virtual time, and an account.

The world sends echoes, loses them while a link is cut, settles them late, asks the judge for
suspects as the daemon does, and keeps the events. `Account` is a second, naive book-keeper: it
replays the events of one link and refuses a chain that does not close.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from netmon.judge.columns import EchoBatch, JudgementColumns
from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.model import (
    NO_ERROR,
    STATES,
    Agency,
    Canary,
    Event,
    Inventory,
    Kind,
    Limits,
    Link,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageStart,
    Outcome,
    Province,
    Reclassification,
    Role,
    State,
    Transition,
)

SECOND = 1_000_000
START = 1_000 * SECOND
RTT = 20_000
TIMEOUT = 1 * SECOND


def link(agency: str, name: str = "a", **fields: object) -> Link:
    """Return a link of an agency."""
    base: dict[str, object] = {"role": Role.PRIMARY, "addresses": (), "echo_module": "default"}
    return Link(key=LinkKey(agency, name), **(base | fields))  # type: ignore[arg-type]  # free-form


def inventory(
    parents: Mapping[str, str | None],
    links: Sequence[Link] | None = None,
    maintenance: Sequence[MaintenanceWindow] = (),
    canaries: Sequence[Canary] = (),
) -> Inventory:
    """Return an inventory; every agency has one link `a` unless `links` are given."""
    links = [link(agency) for agency in parents] if links is None else links
    agencies = {
        name: Agency(
            id=name,
            name=name,
            kind="office",
            parent=parent,
            links=tuple(item for item in links if item.key.agency == name),
        )
        for name, parent in parents.items()
    }
    return Inventory(
        province=Province("p", "P", "P", "Asia/Ho_Chi_Minh", "C"),
        kinds={"office": Kind("office", "Office", "Office")},
        providers={},
        agencies=agencies,
        maintenance=tuple(maintenance),
        canaries=tuple(canaries),
    )


def limits(loss: float = 0.1, rtt: float = 0.5) -> Limits:
    """Return limits of a link."""
    return Limits(loss, rtt)


@dataclass(frozen=True)
class Echo:
    """One echo of one slot, as it will be settled."""

    slot: int
    outcome: Outcome
    sent_us: int
    settled_us: int
    rtt_seconds: float = float("nan")
    family: int = 4


def batch(echoes: Sequence[Echo]) -> EchoBatch:
    """Return echoes as columns."""
    return EchoBatch(
        slot=np.array([e.slot for e in echoes], np.int32),
        outcome=np.array([e.outcome for e in echoes], np.int8),
        sent_us=np.array([e.sent_us for e in echoes], np.int64),
        settled_us=np.array([e.settled_us for e in echoes], np.int64),
        rtt_seconds=np.array([e.rtt_seconds for e in echoes], np.float64),
        error=np.full(len(echoes), NO_ERROR, np.int8),
        offender=np.zeros(len(echoes), np.uint64),
        family=np.array([e.family for e in echoes], np.int8),
    )


Fate = Callable[[LinkKey, int], Outcome]
"""What becomes of an echo of a link that is sent at an instant."""


def cut_between(spans: Mapping[str, Sequence[tuple[float, float]]]) -> Fate:
    """Return the fate of links that are cut during spans, in seconds after START, by name."""

    def fate(key: LinkKey, at_us: int) -> Outcome:
        seconds = (at_us - START) / SECOND
        dead = any(a <= seconds < b for a, b in spans.get(str(key), ()))
        return Outcome.SILENT if dead else Outcome.REPLIED

    return fate


@dataclass
class World:
    """Drives a judge through virtual time as the daemon would."""

    inventory: Inventory
    fate: Fate
    policy: Policy = field(default=Policy(new_links=NewLinks.SWIFT))
    tick_us: int = 200_000
    interval_us: int = SECOND
    canary_fate: Callable[[str, int], Outcome] | None = None
    watch: bool = True
    shuffle: np.random.Generator | None = None
    """Shuffles what is simultaneous, which must make no difference."""

    def __post_init__(self) -> None:
        self.judge = Judge(self.policy)
        self.now_us = START
        self.slots = {key: slot for slot, key in enumerate(self.inventory.links)}
        self.events: list[Event] = []
        self.settled: dict[LinkKey, int] = {}
        self.burst_packets = 0
        self._flying: list[tuple[int, int, Echo]] = []
        self._number = 0
        self._next = {
            key: START + (slot * 137_000) % self.interval_us for key, slot in self.slots.items()
        }
        self._next_canary = START
        self.take(self.judge.set_links(self.inventory, self.slots, len(self.slots), START))

    def run(self, until_seconds: float) -> World:
        """Let time pass until so many seconds after START."""
        while self.now_us < START + round(until_seconds * SECOND):
            self.step()
        return self

    def step(self) -> None:
        """Let one tick pass."""
        self.now_us += self.tick_us
        for key, due_us in self._next.items():
            while due_us <= self.now_us:
                self.send(key, due_us)
                due_us += self.interval_us  # noqa: PLW2901  # catches up within the tick
            self._next[key] = due_us
        self._probe_canaries()
        self._settle()
        self.take(self.judge.tick(self.now_us))
        suspects = self.judge.suspects(self.now_us)
        names = list(self.slots)
        for slot in suspects.tolist():
            self.burst_packets += 1
            self.send(names[slot], self.now_us)
        if self.watch:
            self.columns()

    def send(self, key: LinkKey, at_us: int) -> None:
        """Send one echo."""
        outcome = self.fate(key, at_us)
        delay = {Outcome.REPLIED: RTT, Outcome.SILENT: TIMEOUT, Outcome.FAULT: 0}[outcome]
        rtt = RTT / SECOND if outcome is Outcome.REPLIED else float("nan")
        echo = Echo(self.slots[key], outcome, at_us, at_us + delay, rtt)
        self._number += 1
        heappush(self._flying, (echo.settled_us, self._number, echo))

    def columns(self) -> JudgementColumns:
        """Return the judge's columns in the order of the inventory, remembering certainty."""
        columns = self.judge.columns(np.array(list(self.slots.values()), np.int32))
        for index, key in enumerate(self.slots):
            settled_us = int(columns.settled_us[index])
            assert settled_us >= self.settled.get(key, 0), f"{key}: certainty went back"
            self.settled[key] = settled_us
        return columns

    def state(self, name: str) -> State:
        """Return the present state of a link."""
        key = next(key for key in self.slots if str(key) == name)
        return STATES[int(self.columns().state[list(self.slots).index(key)])]

    def of(self, name: str) -> list[Event]:
        """Return the events of a link."""
        return [event for event in self.events if str(event.key) == name]

    def account(self, name: str, until_seconds: float) -> dict[State, int]:
        """Return microseconds by class of a link until so many seconds after START."""
        return Account.of(self.of(name)).by_class(START + round(until_seconds * SECOND))

    def outages(self, name: str) -> list[tuple[float, float | None]]:
        """Return the outages of a link, in seconds after START."""
        found: dict[int, int | None] = {}
        for event in self.of(name):
            if isinstance(event, OutageStart):
                assert event.start_us not in found
                assert None not in found.values(), "an outage began within another"
                found[event.start_us] = None
            elif isinstance(event, OutageEnd):
                assert found[event.start_us] is None
                found[event.start_us] = event.end_us
        return [
            ((a - START) / SECOND, None if b is None else (b - START) / SECOND)
            for a, b in found.items()
        ]

    def take(self, events: Sequence[Event]) -> None:
        """Keep events; none may be dated before what was called certain."""
        for event in events:
            settled_us = self.settled.get(event.key, 0)
            if isinstance(event, Transition):
                assert event.at_us >= settled_us, f"{event} dated before {settled_us}"
            if isinstance(event, Reclassification):
                assert event.start_us >= settled_us, f"{event} dated before {settled_us}"
        self.events += events

    def _probe_canaries(self) -> None:
        if self.canary_fate is None:
            return
        while self._next_canary <= self.now_us:
            for canary in self.inventory.canaries:
                outcome = self.canary_fate(canary.id, self._next_canary)
                self.judge.canary(canary.id, outcome, self._next_canary)
            self._next_canary += SECOND

    def _settle(self) -> None:
        done: list[Echo] = []
        while self._flying and self._flying[0][0] <= self.now_us:
            done.append(heappop(self._flying)[2])
        if self.shuffle is not None:
            links = self.shuffle.permutation(len(self.slots))
            done.sort(key=lambda echo: (int(links[echo.slot]), echo.sent_us))
        else:
            done.sort(key=lambda echo: (echo.sent_us, echo.slot))
        if done:
            self.take(self.judge.observe(batch(done)))


@dataclass
class Account:
    """The account of one link by replaying its events."""

    pieces: list[tuple[int, State]]
    corrections: list[Reclassification]

    @classmethod
    def of(
        cls, events: Sequence[Event], start_us: int = START, state: State = State.UNKNOWN
    ) -> Account:
        """Replay events; the chain must close and never go back."""
        account = cls([(start_us, state)], [])
        for event in events:
            if isinstance(event, Transition):
                last_us, last = account.pieces[-1]
                assert event.before is last, f"{event} does not follow {last}"
                assert event.after is not last, f"{event} changes nothing"
                assert last_us <= event.at_us <= event.decided_us, f"{event} goes back"
                account.pieces.append((event.at_us, event.after))
            elif isinstance(event, Reclassification):
                assert event.start_us < event.end_us
                for at_us in account.steps(event.start_us, event.end_us):
                    held = account.at(at_us)
                    assert held is event.before, f"{event}: {held} held at {at_us}"
                account.corrections.append(event)
        return account

    def at(self, at_us: int) -> State:
        """Return the class of an instant, corrections included."""
        for correction in reversed(self.corrections):
            if correction.start_us <= at_us < correction.end_us:
                return correction.after
        return next((s for from_us, s in reversed(self.pieces) if from_us <= at_us))

    def steps(self, start_us: int, end_us: int) -> list[int]:
        """Return the instants from which the class may differ within a span."""
        found = {start_us}
        found.update(at_us for at_us, _ in self.pieces)
        for correction in self.corrections:
            found |= {correction.start_us, correction.end_us}
        return sorted(at_us for at_us in found if start_us <= at_us < end_us)

    def by_class(self, end_us: int, start_us: int | None = None) -> dict[State, int]:
        """Return microseconds by class; they add up to the period by construction of `at`."""
        start_us = self.pieces[0][0] if start_us is None else start_us
        steps = [*self.steps(start_us, end_us), end_us]
        sums: dict[State, int] = {}
        for at_us, next_us in itertools.pairwise(steps):
            state = self.at(at_us)
            sums[state] = sums.get(state, 0) + next_us - at_us
        return sums

    def spans(self, end_us: int) -> list[tuple[float, State]]:
        """Return the class timeline in seconds after START."""
        steps = self.steps(self.pieces[0][0], end_us)
        found: list[tuple[float, State]] = []
        for at_us in steps:
            state = self.at(at_us)
            if not found or found[-1][1] is not state:
                found.append(((at_us - START) / SECOND, state))
        return found
