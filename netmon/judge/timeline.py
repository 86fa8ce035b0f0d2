"""The class of every second: health under overlays, and how a corrected account is told.

A timeline is a list of (from_us, state), in order; the last piece goes on. All functions are
plain functions of their inputs, so the account cannot depend on the order in which simultaneous
events were handled: it is computed anew from what is known and compared with what was told.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from netmon.model import Health, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Piece: TypeAlias = tuple[int, State]
Span: TypeAlias = tuple[int, int | None]
"""From, and to before; None: it goes on."""


class Overlays(NamedTuple):
    """What covers health, in order of precedence: the first that covers an instant wins."""

    unobserved: Sequence[Span] = ()
    maintenance: Sequence[Span] = ()
    upstream: Sequence[Span] = ()


class Correction(NamedTuple):
    """Told seconds that belong to another class."""

    start_us: int
    end_us: int
    before: State
    after: State


class Change(NamedTuple):
    """A step of the chain of transitions."""

    at_us: int
    before: State
    after: State


class Told(NamedTuple):
    """What was told of a link: its account, and when its last transition was dated."""

    account: Sequence[Piece]
    last_us: int


def compose(health: Sequence[tuple[int, Health]], overlays: Overlays, until_us: int) -> list[Piece]:
    """Return the timeline from the first entry of `health` on, with no step after `until_us`."""
    base_us = health[0][0]
    steps = {at_us for at_us, _ in health}
    for spans in overlays:
        steps.update(at_us for span in spans for at_us in span if at_us is not None)
    pieces: list[Piece] = []
    for at_us in sorted(at_us for at_us in steps if base_us <= at_us <= max(until_us, base_us)):
        state = _class_at(at_us, health, overlays)
        if not pieces or pieces[-1][1] is not state:
            pieces.append((at_us, state))
    return pieces


def amend(
    told: Told, wanted: Sequence[Piece], floor_us: int, now_us: int
) -> tuple[list[Correction], list[Change], Told]:
    """Compare what was told with what is known now; nothing before `floor_us` is touched.

    Seconds before the last transition are corrected by entries of their own. After it the chain
    goes on with transitions, dated back where the told state holds up to their date.
    """
    state = told.account[-1][1]
    tail_us = max(told.last_us, floor_us)
    wanted = _graft(told.account, wanted, floor_us)
    corrections = _corrections(told.account, wanted, told.last_us)
    resume_us = tail_us
    if tail_us == told.last_us:
        # The told state may have been wrong from its first second on.
        resume_us = _next_agreement(wanted, state, tail_us, now_us)
        corrections += _corrections(told.account, wanted, resume_us, told.last_us)
    changes = list(_changes(wanted, state, resume_us))
    last_us = changes[-1].at_us if changes else told.last_us
    return _joined(corrections), changes, Told(wanted, last_us)


def state_at(timeline: Sequence[Piece], at_us: int) -> State:
    """Return the state at an instant; before the first piece: the first state."""
    index = bisect_right(timeline, at_us, key=lambda piece: piece[0]) - 1
    return timeline[max(index, 0)][1]


def trim(timeline: Sequence[tuple[int, State]], before_us: int) -> list[Piece]:
    """Forget the steps before an instant, keeping the state that held there."""
    kept = [piece for piece in timeline if piece[0] > before_us]
    base_us = max(timeline[0][0], before_us)
    return [(base_us, state_at(timeline, base_us)), *kept]


def covers(spans: Iterable[Span], start_us: int, end_us: int) -> bool:
    """Tell whether ordered spans cover every instant from `start_us` to before `end_us`."""
    reached_us = start_us
    for span_start_us, span_end_us in spans:
        if span_start_us > reached_us:
            return False
        if span_end_us is None:
            return True
        reached_us = max(reached_us, span_end_us)
    return reached_us >= end_us


def _class_at(at_us: int, health: Sequence[tuple[int, Health]], overlays: Overlays) -> State:
    if _inside(overlays.unobserved, at_us):
        return State.UNOBSERVED
    if _inside(overlays.maintenance, at_us):
        return State.MAINTENANCE
    if _inside(overlays.upstream, at_us):
        return State.UNREACHABLE
    index = bisect_right(health, at_us, key=lambda entry: entry[0]) - 1
    return State(health[max(index, 0)][1].value)


def _inside(spans: Sequence[Span], at_us: int) -> bool:
    return any(start <= at_us and (end is None or at_us < end) for start, end in spans)


def _graft(account: Sequence[Piece], wanted: Sequence[Piece], floor_us: int) -> list[Piece]:
    """Take the account before the floor and what is wanted from there on."""
    first_us = account[0][0]
    cut_us = max(floor_us, first_us)
    pieces = [piece for piece in account if piece[0] < cut_us]
    for at_us, state in trim(wanted, cut_us):
        if not pieces or pieces[-1][1] is not state:
            pieces.append((max(at_us, first_us), state))
    return pieces


def _corrections(
    account: Sequence[Piece], wanted: Sequence[Piece], end_us: int, start_us: int = 0
) -> list[Correction]:
    steps = {at_us for at_us, _ in (*account, *wanted) if start_us <= at_us < end_us}
    if start_us:
        steps.add(start_us)
    ordered = [*sorted(steps), end_us]
    found = []
    for at_us, next_us in itertools.pairwise(ordered):
        before, after = state_at(account, at_us), state_at(wanted, at_us)
        if before is not after and at_us < next_us:
            found.append(Correction(at_us, next_us, before, after))
    return found


def _joined(corrections: Sequence[Correction]) -> list[Correction]:
    joined: list[Correction] = []
    for item in corrections:
        last = joined[-1] if joined else None
        if last and last.end_us == item.start_us and last[2:] == item[2:]:
            joined[-1] = last._replace(end_us=item.end_us)
        else:
            joined.append(item)
    return joined


def _next_agreement(wanted: Sequence[Piece], state: State, from_us: int, now_us: int) -> int:
    """Return the first instant from which the told state is right again, at the latest now."""
    if state_at(wanted, from_us) is state:
        return from_us
    later = (at_us for at_us, piece in wanted if from_us < at_us <= now_us and piece is state)
    return next(later, max(now_us, from_us))


def _changes(wanted: Sequence[Piece], state: State, from_us: int) -> Iterator[Change]:
    first = state_at(wanted, from_us)
    if first is not state:
        yield Change(from_us, state, first)
    before = first
    for at_us, after in wanted:
        if at_us > from_us:
            yield Change(at_us, before, after)
            before = after
