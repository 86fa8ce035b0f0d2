"""Echoes on their way and lately back, as columns in the order of sending."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from netmon.model import NO_ERROR, Outcome

Positions = NDArray[np.int64]


class Stage(IntEnum):
    """Where an echo stands."""

    AWAITED = 0
    SETTLED = 1
    """Its outcome is known and not told yet: an earlier echo of its link is still awaited."""
    TOLD = 2


@dataclass(slots=True)
class _Columns:
    target: NDArray[np.int32]
    stage: NDArray[np.int8]
    outcome: NDArray[np.int8]
    error: NDArray[np.int8]
    offender: NDArray[np.uint64]
    rtt_seconds: NDArray[np.float64]
    sent_us: NDArray[np.int64]
    deadline_us: NDArray[np.int64]
    wall_offset_us: NDArray[np.int64]
    proof: NDArray[np.uint64]
    before: NDArray[np.int64]
    """Serial of the link's echo before this one; -1: none."""


_TYPES = {
    "target": np.int32,
    "stage": np.int8,
    "outcome": np.int8,
    "error": np.int8,
    "offender": np.uint64,
    "rtt_seconds": np.float64,
    "sent_us": np.int64,
    "deadline_us": np.int64,
    "wall_offset_us": np.int64,
    "proof": np.uint64,
    "before": np.int64,
}
_FRESH = {
    "stage": int(Stage.AWAITED),
    "outcome": int(Outcome.SILENT),
    "error": NO_ERROR,
    "offender": 0,
    "rtt_seconds": float("nan"),
    "wall_offset_us": 0,
    "proof": 0,
}
"""What an echo begins with. Nothing is written before: memory that is not used costs nothing."""
# Looked up once: members of an enumeration are found slowly, and this is done in every tick.
_SETTLED, _TOLD, _AWAITED = int(Stage.SETTLED), int(Stage.TOLD), int(Stage.AWAITED)


class Flight:
    """All echoes that are not told yet, and those of the last seconds.

    An echo's serial is its name; its position in the columns is serial - first. The past is kept
    for `keep_us` so that duplicates and late replies are known for what they are.
    """

    def __init__(self, first_serial: int, keep_us: int, capacity: int = 4096) -> None:
        self._first = first_serial
        self._keep_us = keep_us
        self.end = 0
        self.start = 0
        """Everything before this position is told."""
        self.columns = self._allocate(capacity)
        self._last_of_slot = np.full(0, -1, np.int64)

    @property
    def next_serial(self) -> int:
        """The serial that the next echo will have."""
        return self._first + self.end

    def positions(self, serials: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the position of each serial; beyond `end`: never sent or no longer known."""
        return serials - np.uint64(self._first)

    def serials(self, positions: Positions) -> NDArray[np.uint64]:
        """Return the serials at positions."""
        return np.asarray(positions + self._first, np.uint64)

    def append(self, targets: NDArray[np.int32], slots: NDArray[np.int32], now_us: int) -> slice:
        """Add one awaited echo for each target, in the order of sending; return their place.

        The caller writes the proof and the times.
        """
        count = len(targets)
        if self.end + count > len(self.columns.stage):
            self._make_room(count, now_us)
        place = slice(self.end, self.end + count)
        for name, value in _FRESH.items():
            getattr(self.columns, name)[place] = value
        self.columns.target[place] = targets
        self.columns.before[place] = self._chain(slots, self.next_serial)
        self.end += count
        return place

    def awaited(self) -> int:
        """Return how many echoes are neither answered nor past their time-out."""
        return int(np.count_nonzero(self.columns.stage[self.start : self.end] == _AWAITED))

    def settle(self, positions: Positions, outcome: Outcome) -> None:
        """Fix what became of these echoes."""
        self.columns.stage[positions] = _SETTLED
        self.columns.outcome[positions] = outcome

    def overdue(self, cutoff_us: int) -> Positions:
        """Return the awaited echoes whose time-out had passed at an instant."""
        live = slice(self.start, self.end)
        late = self.columns.deadline_us[live] <= cutoff_us
        late &= self.columns.stage[live] == _AWAITED
        return np.flatnonzero(late) + self.start

    def tell(self, candidates: Positions) -> tuple[Positions, Positions]:
        """Split settled echoes, in order of sending, into those to tell now and those to hold.

        An echo is told only after every earlier one of its link: who judges a link must not hear
        of a reply before the loss that preceded it.
        """
        told: list[Positions] = []
        held = candidates
        while len(held):
            before = self.columns.before[held] - self._first
            stages = self.columns.stage[np.maximum(before, 0)]
            free = (before < self.start) | (stages == _TOLD)
            if not free.any():
                break
            ready = held[free]
            self.columns.stage[ready] = _TOLD
            told.append(ready)
            held = held[~free]
        self._advance()
        ready = np.concatenate(told) if told else held[:0]
        ready.sort()
        return ready, held

    def remap(self, new_index: NDArray[np.int32], slots: int) -> None:
        """Give every echo its target's new index; echoes of targets that are gone (-1) vanish."""
        known = slice(0, self.end)
        old = self.columns.target[known]
        new = np.where(old < 0, -1, new_index[old]) if len(new_index) else np.full_like(old, -1)
        self.columns.target[known] = new
        self.columns.stage[known][new < 0] = _TOLD
        if slots > len(self._last_of_slot):
            grown = np.full(slots, -1, np.int64)
            grown[: len(self._last_of_slot)] = self._last_of_slot
            self._last_of_slot = grown
        self._advance()

    def _chain(self, slots: NDArray[np.int32], first_serial: int) -> NDArray[np.int64]:
        """Return the serial before each new echo of a link, and remember the last of each."""
        before = self._last_of_slot[slots]
        serials = np.arange(first_serial, first_serial + len(slots))
        self._last_of_slot[slots] = serials
        if (self._last_of_slot[slots] != serials).any():
            # A link stands here more than once: its echoes follow one another.
            order = np.argsort(slots, kind="stable")
            twins = slots[order][1:] == slots[order][:-1]
            before[order[1:][twins]] = serials[order[:-1][twins]]
        return before

    def _advance(self) -> None:
        """Move `start` over everything told."""
        block = 4096
        while self.start < self.end:
            stages = self.columns.stage[self.start : min(self.start + block, self.end)]
            open_ = stages != _TOLD
            first = int(open_.argmax())
            if open_[first]:
                self.start += first
                return
            self.start += len(stages)

    def _make_room(self, count: int, now_us: int) -> None:
        """Forget the distant past; grow if that is not enough."""
        recent = np.searchsorted(self.columns.sent_us[: self.end], now_us - self._keep_us)
        keep_from = min(int(recent), self.start)
        kept = self.end - keep_from
        capacity = len(self.columns.stage)
        while kept + count > capacity // 2:
            capacity *= 2
        old = self.columns
        if capacity > len(old.stage):
            self.columns = self._allocate(capacity)
        for name in _TYPES:
            getattr(self.columns, name)[:kept] = getattr(old, name)[keep_from : self.end]
        self._first += keep_from
        self.start -= keep_from
        self.end = kept

    @staticmethod
    def _allocate(capacity: int) -> _Columns:
        return _Columns(**{name: np.empty(capacity, kind) for name, kind in _TYPES.items()})
