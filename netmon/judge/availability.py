"""Whose second was it: spans of a link → seconds by class, to the microsecond.

Two readings of the same evidence stand side by side:

* *As measured* is what netmon saw. Planned work does not hide the health underneath it. Corrections
  that netmon entered itself count (a child's seconds from the moment its parent went).
* *As agreed* is what the parties settle by: planned work and reclassifications by people apply.

Every instant of a period has exactly one class in either reading; what the ledger says nothing
about is unobserved.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.model import CAUSES, STATES, Cause, Hours, Outage, Reclassification, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netmon.judge.calendar import Calendar

AUTOMATIC_AUTHOR = "netmon"
"""Author of the reclassifications that follow from measurements alone."""


class Reading(StrEnum):
    """Which of the two readings a figure belongs to."""

    MEASURED = "measured"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open: from `start_us` to before `end_us`."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        """How long the period is; never negative."""
        return max(0, self.end_us - self.start_us)


@dataclass(frozen=True, slots=True)
class Span:
    """One class from `start_us` to before `end_us`. `cause` belongs to DOWN alone."""

    start_us: int
    end_us: int
    state: State
    cause: Cause | None = None


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


def clip(spans: Iterable[Span], period: Period) -> Iterator[Span]:
    """Yield exactly the period: spans cut to it, and what they leave open as unobserved.

    `spans` stand in order and do not overlap.
    """
    at_us = period.start_us
    for span in spans:
        start_us = max(span.start_us, at_us)
        end_us = min(span.end_us, period.end_us)
        if start_us >= end_us:
            continue
        if start_us > at_us:
            yield Span(at_us, start_us, State.UNOBSERVED)
        yield replace(span, start_us=start_us, end_us=end_us)
        at_us = end_us
    if at_us < period.end_us:
        yield Span(at_us, period.end_us, State.UNOBSERVED)


def reclassify(spans: Iterable[Span], entries: Sequence[Reclassification]) -> Iterator[Span]:
    """Yield the spans with every entry applied in turn: the last word about a second counts.

    An entry moves only seconds that have the class it names as `before`: seconds within it that
    something else owns by now stay where they are.
    """
    result = iter(spans)
    for entry in entries:
        result = _apply(result, entry)
    return result


def with_causes(spans: Iterable[Span], outages: Sequence[Outage]) -> Iterator[Span]:
    """Yield the spans, DOWN ones cut at the outages' limits and given their causes.

    `outages` of this link stand in order. Down time outside every outage has no known cause.
    """
    for span in spans:
        if span.state is State.DOWN:
            yield from _caused(span, outages)
        else:
            yield span


def best_of(links: Sequence[Sequence[Span]]) -> Iterator[Span]:
    """Yield what an agency had: at every instant the class of its best link.

    Usable beats everything. If no link was usable and one was not seen, nothing can be said; else
    a link's own failure outweighs what lay upstream, and that outweighs planned work. All
    sequences cover the same period (see `clip`).
    """
    if len(links) == 1:
        yield from links[0]
        return
    bounds = sorted({span.start_us for spans in links for span in spans})
    if not bounds:
        return
    end_us = max(spans[-1].end_us for spans in links if spans)
    places = [0] * len(links)
    for start_us, stop_us in pairwise([*bounds, end_us]):
        for link, spans in enumerate(links):
            while spans[places[link]].end_us <= start_us:
                places[link] += 1
        best = min((spans[place] for spans, place in zip(links, places, strict=True)), key=_rank)
        yield replace(best, start_us=start_us, end_us=stop_us)


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


_RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            State.UP,
            State.DEGRADED,
            State.UNKNOWN,
            State.UNOBSERVED,
            State.DOWN,
            State.UNREACHABLE,
            State.MAINTENANCE,
        )
    )
}


def _rank(span: Span) -> int:
    return _RANKS[span.state]


def _apply(spans: Iterable[Span], entry: Reclassification) -> Iterator[Span]:
    for span in spans:
        start_us = max(span.start_us, entry.start_us)
        end_us = min(span.end_us, entry.end_us)
        if span.state is not entry.before or start_us >= end_us:
            yield span
            continue
        if span.start_us < start_us:
            yield replace(span, end_us=start_us)
        yield Span(start_us, end_us, entry.after)
        if end_us < span.end_us:
            yield replace(span, start_us=end_us)


def _caused(span: Span, outages: Sequence[Outage]) -> Iterator[Span]:
    at_us = span.start_us
    for outage in outages:
        start_us = max(outage.start_us, at_us)
        end_us = span.end_us if outage.end_us is None else min(outage.end_us, span.end_us)
        if start_us >= end_us:
            continue
        if start_us > at_us:
            yield replace(span, start_us=at_us, end_us=start_us, cause=Cause.UNKNOWN)
        yield replace(span, start_us=start_us, end_us=end_us, cause=outage.cause)
        at_us = end_us
    if at_us < span.end_us:
        yield replace(span, start_us=at_us, cause=Cause.UNKNOWN)
