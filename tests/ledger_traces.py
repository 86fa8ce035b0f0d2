"""Random lives of a few links, told to a ledger, and kept beside it in the plainest way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from netmon.judge.calendar import Calendar
from netmon.ledger.account import Account
from netmon.ledger.ledger import Ledger
from netmon.model import (
    STATE_CODES,
    STATES,
    Cause,
    Event,
    Health,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
    Transition,
)

SECOND = 1_000_000
START = 1_792_000_000 * SECOND
"""2026-10-14 20:26:40 in Vietnam, a Wednesday."""
CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
KEYS = tuple(LinkKey(f"xa-{number}", "main") for number in range(3))
_DECISION = 3 * SECOND


@dataclass(frozen=True)
class Step:
    """One thing that happens, so long after the one before."""

    after_us: int
    kind: str
    link: int = 0
    state: State = State.UP
    back_us: int = 0
    cause: Cause | None = None


steps = st.lists(
    st.builds(
        Step,
        after_us=st.integers(0, 9 * 3600 * SECOND),
        kind=st.sampled_from(["change"] * 8 + ["beat", "beat", "show", "show", "crash"]),
        link=st.integers(0, len(KEYS) - 1),
        state=st.sampled_from(STATES),
        back_us=st.integers(0, _DECISION),
        cause=st.sampled_from([None, *Cause]),
    ),
    min_size=1,
    max_size=25,
)


@dataclass
class World:
    """A daemon in small: time, a judge that keeps its promises, a ledger and an account."""

    path: Path
    now_us: int = START
    truth: dict[LinkKey, list[tuple[int, State]]] = field(
        default_factory=lambda: {key: [] for key in KEYS}
    )
    outages: dict[LinkKey, list[list[int]]] = field(default_factory=lambda: defaultdict(list))
    shown: list[NDArray[np.float64]] = field(default_factory=list)
    settled: dict[LinkKey, int] = field(default_factory=lambda: dict.fromkeys(KEYS, START))
    ledger: Ledger = field(init=False)
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        self._begin()

    def run(self, trace: list[Step]) -> None:
        """Live through the whole trace and beat once more at its end."""
        for step in trace:
            self.now_us += step.after_us
            getattr(self, f"_{step.kind}")(step)
        self._beat()
        self._show()

    def true_us(self, key: LinkKey, start_us: int, end_us: int) -> dict[State, int]:
        """Microseconds by state within a period, by going through the list."""
        totals = dict.fromkeys(STATES, 0)
        line = [(0, State.UNOBSERVED), *self.truth[key]]
        ends = [at_us for at_us, _ in line[1:]] + [end_us]
        for (at_us, state), next_us in zip(line, ends, strict=True):
            totals[state] += max(0, min(next_us, end_us) - max(at_us, start_us))
        return totals

    def close(self) -> None:
        self.ledger.close()

    def _begin(self) -> None:
        self.ledger = Ledger.open(self.path, calendar=CALENDAR, ballast_bytes=0)
        last_us = self.ledger.last_us()
        restoration = self.ledger.restore(self.now_us, KEYS)
        self.account = Account(CALENDAR)
        self.account.set_links({key: i for i, key in enumerate(KEYS)}, 3, restoration.links)
        for key in KEYS:
            line = self.truth[key]
            if line and line[-1][1] is not State.UNOBSERVED:
                line.append((max(last_us, line[-1][0]), State.UNOBSERVED))
            self.settled[key] = max(self.now_us, self.settled[key])

    def _crash(self, _: Step) -> None:
        self.ledger.close()
        self._begin()
        self._show()

    def _beat(self, _: Step | None = None) -> None:
        self.ledger.beat(self.now_us, 0)

    def _show(self, _: Step | None = None) -> None:
        for key in KEYS:
            self.settled[key] = max(self.settled[key], self.now_us - _DECISION)
        lines = [self.truth[key] or [(0, State.UNOBSERVED)] for key in KEYS]
        columns = self.account.columns(
            np.arange(len(KEYS)),
            np.array([STATE_CODES[line[-1][1]] for line in lines], dtype=np.int8),
            np.array([line[-1][0] for line in lines]),
            np.array([self.settled[key] for key in KEYS]),
            self.ledger.last_us(),
        )
        self.shown.append(columns.seconds)

    def _change(self, step: Step) -> None:
        key = KEYS[step.link]
        line = self.truth[key]
        before = line[-1][1] if line else State.UNOBSERVED
        if step.state is before:
            return
        at_us = max(self.now_us - step.back_us, self.settled[key])
        events: list[Event] = [
            Transition(key, at_us, self.now_us, before, step.state, _health(step.state)),
            *self._outage(key, at_us, step),
        ]
        line.append((at_us, step.state))
        self.settled[key] = at_us
        self.ledger.record(events)
        self.account.apply(events)

    def _outage(self, key: LinkKey, at_us: int, step: Step) -> list[Event]:
        mine = self.outages[key]
        is_open = bool(mine) and len(mine[-1]) == 1
        if step.state is State.DOWN and not is_open:
            mine.append([at_us])
            return [OutageStart(key, at_us, self.now_us)]
        if step.state is State.UP and is_open:
            mine[-1].append(at_us)
            start_us = mine[-1][0]
            note = OutageNote(key, start_us, self.now_us, step.cause)
            return [OutageEnd(key, start_us, at_us, self.now_us), note]
        return []


def _health(state: State) -> Health:
    names = {health.value: health for health in Health}
    return names.get(state.value, Health.UNKNOWN)
