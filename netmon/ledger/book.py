"""What follows from an event for one link's account. Pure; every part of the ledger uses it.

The ledger keeps a book for every link and changes it in the transaction that stores the event;
the running account keeps the same books in columns; verification builds them again from the
journal. All three fold events with `LinkBook.enter`, so they cannot disagree.

A book holds what counters show and counters never go back. It therefore tells the account *as
first decided*: a reclassification is in every report from the moment it is entered, and never in
a book. The difference between a counter and a report is exactly the seconds reclassified.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from netmon.model import (
    CAUSES,
    STATE_CODES,
    STATES,
    Cause,
    Event,
    Health,
    Hours,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    Reclassification,
    State,
    Transition,
)

if TYPE_CHECKING:
    from netmon.judge.calendar import Calendar

CAUSE_WAIT_US = 15 * 60 * 1_000_000
"""So long the counter of outages waits for the cause of one that ended; then it is unknown."""

HOURS = tuple(Hours)
CELLS = len(STATES) * len(HOURS)
"""Cells of a book: microseconds by state and hours, `HOURS` the faster index."""


@dataclass(slots=True)
class LinkBook:
    """The account of one link up to its present state."""

    state: State = State.UNOBSERVED
    health: Health = Health.UNKNOWN
    since_us: int = 0
    """When `state` or the health underneath began; 0: never judged."""
    us: list[int] = field(default_factory=lambda: [0] * CELLS)
    """Microseconds of the spans that are over."""
    outages: list[int] = field(default_factory=lambda: [0] * len(CAUSES))
    """Outages that are over and counted, by cause."""
    outages_us: list[int] = field(default_factory=lambda: [0] * len(CAUSES))
    """How long they lasted, by cause."""
    open_us: int | None = None
    """Start of the outage that is not over."""
    open_cause: Cause | None = None
    awaiting_us: int | None = None
    """Start of the outage that is over and waits for its cause before it is counted."""
    awaiting_end_us: int | None = None

    def enter(self, event: Event, calendar: Calendar) -> None:
        """Change the book as the event demands; an event told twice changes it once."""
        match event:
            case Transition():
                self._change(event, calendar)
            case OutageStart():
                self._open(event)
            case OutageEnd():
                self._close(event)
            case OutageNote():
                self._note(event)
            case Reclassification():
                pass
            case _:
                assert_never(event)

    def expire(self, now_us: int) -> None:
        """Stop waiting for a cause that did not come in time."""
        if self.awaiting_end_us is not None and self.awaiting_end_us + CAUSE_WAIT_US <= now_us:
            self._count(Cause.UNKNOWN)

    def _change(self, event: Transition, calendar: Calendar) -> None:
        at_us = max(event.at_us, self.since_us)
        if self.since_us:
            business_us = calendar.business_us(self.since_us, at_us)
            cell = STATE_CODES[self.state] * len(HOURS)
            self.us[cell + HOURS.index(Hours.BUSINESS)] += business_us
            self.us[cell + HOURS.index(Hours.OTHER)] += at_us - self.since_us - business_us
        self.state, self.health, self.since_us = event.after, event.health, at_us

    def _open(self, event: OutageStart) -> None:
        if event.start_us in (self.open_us, self.awaiting_us):
            return
        if self.awaiting_us is not None:
            self._count(Cause.UNKNOWN)
        self.open_us, self.open_cause = event.start_us, None

    def _close(self, event: OutageEnd) -> None:
        if event.start_us != self.open_us:
            return
        self.awaiting_us, self.awaiting_end_us = self.open_us, event.end_us
        cause, self.open_us, self.open_cause = self.open_cause, None, None
        if cause is not None:
            self._count(cause)

    def _note(self, event: OutageNote) -> None:
        if event.cause is None:
            return
        if event.start_us == self.open_us:
            self.open_cause = event.cause
        elif event.start_us == self.awaiting_us:
            self.expire(event.noted_us)
            if self.awaiting_us is not None:
                self._count(event.cause)

    def _count(self, cause: Cause) -> None:
        self.outages[CAUSES.index(cause)] += 1
        if self.awaiting_us is not None and self.awaiting_end_us is not None:
            self.outages_us[CAUSES.index(cause)] += max(0, self.awaiting_end_us - self.awaiting_us)
        self.awaiting_us = self.awaiting_end_us = None


def in_order(event: Event, book: LinkBook) -> Event:
    """Return the event as it may stand in the journal after what is in the book.

    A transition dated before the last one would own seconds that are given away already: it is
    dated to the last one. Seconds change hands afterwards by reclassification only.
    """
    if isinstance(event, Transition) and event.at_us < book.since_us:
        return replace(event, at_us=book.since_us)
    return event


def told(outage: Outage | None, event: Event) -> Outage | None:
    """Return the outage as it is told after `event`, which names it; None: nobody began it."""
    match event:
        case OutageStart() if outage is None:
            return Outage(event.key, event.start_us, None, evidence=event.evidence)
        case OutageEnd() if outage is not None and outage.end_us is None:
            return replace(outage, end_us=max(event.end_us, outage.start_us))
        case OutageNote() if outage is not None:
            return replace(
                outage,
                cause=event.cause or outage.cause,
                path_end=event.path_end or outage.path_end,
                note=event.text or outage.note,
            )
        case _:
            return outage
