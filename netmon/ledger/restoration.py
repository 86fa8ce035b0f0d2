"""What a new daemon takes over from the one before it, and what the time between them means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netmon.judge.learnt import Learnt
from netmon.ledger.book import HOURS, LinkBook
from netmon.model import (
    CAUSES,
    STATES,
    Cause,
    Event,
    Evidence,
    Health,
    LinkKey,
    Outage,
    OutageEnd,
    OutageNote,
    RouterReading,
    State,
    Transition,
)

_STOPPED = Evidence("netmon was stopped")
_REMOVED = Evidence("no longer in the inventory")


@dataclass(frozen=True, slots=True)
class RestoredLink:
    """Where the account of a link stood, with the time since then already unobserved."""

    state: State
    health: Health
    """The last one known, before netmon stopped."""
    since_us: int
    """0: never judged."""
    outage: Outage | None
    """The outage that is not over."""
    open_cause: Cause | None
    """What is known of its cause so far."""
    us: NDArray[np.int64]
    """[STATES, Hours]: microseconds of spans that are over."""
    outages: NDArray[np.int64]
    """[CAUSES]: outages that are over and counted."""
    outages_us: NDArray[np.int64]
    """[CAUSES]: how long they lasted."""
    awaiting: tuple[int, int] | None
    """(start, end) of an outage that is over and not counted yet: its cause may still come."""
    learnt: Learnt | None = None
    """How the link loses echoes, as far as that was known."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a new daemon takes over from the one before it."""

    last_us: int
    """Up to here the account was certain when the ledger was opened; 0: it is new."""
    links: Mapping[LinkKey, RestoredLink]
    recent_outages: tuple[Outage, ...]
    """The last ones that ended, latest first."""
    readings: Mapping[str, RouterReading]
    """By agency, what its router said when it was last polled."""


def gap_events(books: Mapping[LinkKey, LinkBook], last_us: int, now_us: int) -> list[Event]:
    """Return what a stop means: every link that was judged is unobserved from its end on."""
    return [
        _unobserved(key, book, last_us, now_us, _STOPPED)
        for key, book in books.items()
        if book.since_us and book.state is not State.UNOBSERVED
    ]


def removal_events(books: Mapping[LinkKey, LinkBook], now_us: int) -> list[Event]:
    """Return what ends the account of links that left the inventory.

    Nobody will see their outages end: they end here, with a note that says why.
    """
    events: list[Event] = []
    for key, book in books.items():
        if book.since_us and book.state is not State.UNOBSERVED:
            events.append(_unobserved(key, book, now_us, now_us, _REMOVED))
        if book.open_us is not None:
            events.append(OutageNote(key, book.open_us, now_us, text=_REMOVED.text))
            events.append(OutageEnd(key, book.open_us, max(now_us, book.open_us), now_us))
    return events


def restored_link(book: LinkBook, outage: Outage | None, learnt: Learnt | None) -> RestoredLink:
    """Return what a new daemon takes over of one link."""
    awaiting = None
    if book.awaiting_us is not None and book.awaiting_end_us is not None:
        awaiting = (book.awaiting_us, book.awaiting_end_us)
    return RestoredLink(
        book.state,
        book.health,
        book.since_us,
        outage,
        book.open_cause,
        np.array(book.us, dtype=np.int64).reshape(len(STATES), len(HOURS)),
        np.array(book.outages, dtype=np.int64).reshape(len(CAUSES)),
        np.array(book.outages_us, dtype=np.int64).reshape(len(CAUSES)),
        awaiting,
        learnt,
    )


def _unobserved(
    key: LinkKey, book: LinkBook, at_us: int, now_us: int, evidence: Evidence
) -> Transition:
    return Transition(
        key,
        max(at_us, book.since_us),
        now_us,
        before=book.state,
        after=State.UNOBSERVED,
        health=book.health,
        evidence=evidence,
    )
