"""Whose second was it: spans of a link → seconds by class, to the microsecond.

Two readings of the same evidence stand side by side:

* *As measured* is what netmon saw. Planned work does not hide the health underneath it. Corrections
  that netmon entered itself count (a child's seconds from the moment its parent went).
* *As agreed* is what the parties settle by: planned work and reclassifications by people apply.
  It takes only the seconds that it covers out of the measured figure.

Every instant of a period has exactly one class in either reading; what the ledger says nothing
about is unobserved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from netmon.model import Cause, Health, Outage, Reclassification, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transition says, until the next one: a state and the health underneath."""

    start_us: int
    end_us: int
    state: State
    health: Health


@dataclass(frozen=True, slots=True)
class History:
    """Everything the ledger knows of one link around a period. Each part stands in order."""

    pieces: Sequence[Piece]
    outages: Sequence[Outage] = ()
    reclassifications: Sequence[Reclassification] = ()
    """In the order in which they were entered."""


def read(history: History, period: Period, reading: Reading) -> list[Span]:
    """Return who owned which part of the period: its spans cover it without gap or overlap."""
    entries: Sequence[Reclassification] = history.reclassifications
    if reading is Reading.MEASURED:
        spans = [_uncovered(piece, history.outages) for piece in history.pieces]
        flat: Iterable[Span] = chain.from_iterable(spans)
        entries = [entry for entry in entries if _is_measurement(entry)]
    else:
        flat = (Span(piece.start_us, piece.end_us, piece.state) for piece in history.pieces)
    return list(with_causes(reclassify(clip(flat, period), entries), history.outages))


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


def _is_measurement(entry: Reclassification) -> bool:
    """Tell whether an entry corrects what was measured, rather than what was agreed."""
    planned = State.MAINTENANCE in (entry.before, entry.after)
    return entry.author == AUTOMATIC_AUTHOR and not planned


def _uncovered(piece: Piece, outages: Sequence[Outage]) -> list[Span]:
    """Look under planned work: health is told when it begins, and by outages from then on."""
    if piece.state is not State.MAINTENANCE:
        return [Span(piece.start_us, piece.end_us, piece.state)]
    health = State.UP if piece.health is Health.DOWN else State(piece.health.value)
    found, at_us = [], piece.start_us
    for outage in outages:
        start_us = max(outage.start_us, at_us)
        end_us = piece.end_us if outage.end_us is None else min(outage.end_us, piece.end_us)
        if start_us < end_us:
            found += [Span(at_us, start_us, health), Span(start_us, end_us, State.DOWN)]
            at_us = end_us
    return [*found, Span(at_us, piece.end_us, health)]


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
