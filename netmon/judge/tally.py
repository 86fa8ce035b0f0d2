"""Microseconds by class and hours, and the ratios that are made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.model import CAUSES, STATES, Cause, Hours, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.judge.availability import Span
    from netmon.judge.calendar import Calendar

CLASSES: tuple[tuple[State, Cause | None], ...] = tuple(
    (state, cause) for state in STATES for cause in (CAUSES if state is State.DOWN else (None,))
)
"""Every class that a second can have: the states, DOWN split by cause."""
_CLASS_CODES = {pair: code for code, pair in enumerate(CLASSES)}

_HOURS = tuple(Hours)
_USABLE = frozenset({State.UP, State.DEGRADED})
_UNSEEN = frozenset({State.UNOBSERVED, State.UNKNOWN})


@dataclass(frozen=True)
class Tally:
    """Microseconds by class and hours; adds up to the period (times the links in it)."""

    us: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((len(CLASSES), len(_HOURS)), dtype=np.int64)
    )
    """[CLASSES, Hours]"""

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.us + other.us)

    def of(self, state: State, cause: Cause | None = None, hours: Hours | None = None) -> int:
        """Return the microseconds of a state, narrowed to a cause and to hours where given."""
        codes = [
            code
            for code, (each, why) in enumerate(CLASSES)
            if each is state and (cause is None or why is cause)
        ]
        return int(self._within(hours)[codes].sum())

    def total(self, hours: Hours | None = None) -> int:
        """Return the microseconds of all classes: the period's length."""
        return int(self._within(hours).sum())

    def usable(self, hours: Hours | None = None) -> int:
        """Return the microseconds in which the link carried traffic: up or degraded."""
        return sum(self.of(state, hours=hours) for state in _USABLE)

    def observed(self, hours: Hours | None = None) -> int:
        """Return the microseconds about which something was known."""
        unseen = sum(self.of(state, hours=hours) for state in _UNSEEN)
        return self.total(hours) - unseen

    def availability(self, hours: Hours | None = None) -> float | None:
        """Return usable / (usable + down); None: neither was ever seen.

        Time that is unreachable, planned, unknown or unobserved is in neither part: it says
        nothing about the link. How much of it there is, `coverage` and the classes tell.
        """
        usable = self.usable(hours)
        judged = usable + self.of(State.DOWN, hours=hours)
        return usable / judged if judged else None

    def coverage(self, hours: Hours | None = None) -> float | None:
        """Return observed / period; None: the period is empty."""
        total = self.total(hours)
        return self.observed(hours) / total if total else None

    def _within(self, hours: Hours | None) -> NDArray[np.int64]:
        columns = list(range(len(_HOURS))) if hours is None else [_HOURS.index(hours)]
        return self.us[:, columns]


def tally(spans: Iterable[Span], calendar: Calendar) -> Tally:
    """Return the microseconds of the spans by class and hours."""
    rows = [(s.start_us, s.end_us, _CLASS_CODES[s.state, s.cause]) for s in spans]
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    worked = calendar.cumulative_us(table[:, :2].reshape(-1)).reshape(-1, 2)
    business = worked[:, 1] - worked[:, 0]
    other = table[:, 1] - table[:, 0] - business
    us = np.zeros((len(CLASSES), len(_HOURS)), dtype=np.int64)
    np.add.at(us[:, _HOURS.index(Hours.BUSINESS)], table[:, 2], business)
    np.add.at(us[:, _HOURS.index(Hours.OTHER)], table[:, 2], other)
    return Tally(us)
