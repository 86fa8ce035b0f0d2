"""The account while netmon runs: books in columns, and the seconds that run on.

What it shows are counters. They never go back, not within a process and not over a crash:

* Only what is durable is shown: spans up to a transition that is on the disk, and the present span
  up to the last durable heartbeat, from which a restart counts on.
* Only what is final is shown: no decision will be dated back before `settled_us`.
* A transition that is decided but not yet durable holds its link's counters still.
* Reclassifications do not move counters (`netmon.ledger.book`): reports tell the account as it
  stands, counters as it was first decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.clock import MICROSECONDS
from netmon.ledger.book import CAUSE_WAIT_US, CELLS, HOURS, LinkBook
from netmon.model import (
    CAUSES,
    STATE_CODES,
    STATES,
    Event,
    Hours,
    LinkKey,
    State,
)
from netmon.state import AccountColumns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from netmon.judge.calendar import Calendar
    from netmon.ledger.restoration import RestoredLink

_BUSINESS = HOURS.index(Hours.BUSINESS)
_OTHER = HOURS.index(Hours.OTHER)


class Account:
    """Books of all links in working columns, one element per slot (`netmon.state.Slots`)."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._slot_of: dict[LinkKey, int] = {}
        self._us = np.zeros((0, len(STATES), len(HOURS)), dtype=np.int64)
        self._outages = np.zeros((0, len(CAUSES)), dtype=np.int64)
        self._outages_us = np.zeros((0, len(CAUSES)), dtype=np.int64)
        self._state = np.zeros(0, dtype=np.int8)
        self._since_us = np.zeros(0, dtype=np.int64)
        self._shown_us = np.zeros(0, dtype=np.int64)
        self._shown = np.zeros((0, len(STATES), len(HOURS)), dtype=np.int64)
        self._cases: dict[LinkKey, LinkBook] = {}
        """Books of the links with an outage that is open or waits for its cause."""

    def set_links(
        self,
        slot_of: Mapping[LinkKey, int],
        capacity: int,
        restored: Mapping[LinkKey, RestoredLink],
    ) -> None:
        """Make these the links; those that were there before keep their figures to the last digit.

        A new link takes up its account from `restored`, or begins at zero.
        """
        self._resize(capacity)
        kept = {key for key, slot in slot_of.items() if self._slot_of.get(key) == slot}
        for key, slot in self._slot_of.items():
            if key not in kept:
                self._clear(slot)
                self._cases.pop(key, None)
        self._slot_of = dict(slot_of)
        for key in slot_of.keys() - kept:
            if key in restored:
                self._restore(key, restored[key])

    def apply(self, events: Iterable[Event]) -> None:
        """Enter events that are durable. Events of links that are gone are passed over."""
        for event in events:
            slot = self._slot_of.get(event.key)
            if slot is None:
                continue
            book = self._book(event.key, slot)
            book.enter(event, self._calendar)
            self._keep(event.key, slot, book)

    def columns(
        self,
        slots: NDArray[np.integer],
        state_codes: NDArray[np.int8],
        since_us: NDArray[np.int64],
        settled_us: NDArray[np.int64],
        alive_us: int,
    ) -> AccountColumns:
        """Return the account of the links in `slots`, in that order.

        `state_codes`, `since_us` and `settled_us` are the judge's (`JudgementColumns`) in the same
        order; `alive_us` is the last durable heartbeat (`LedgerWriter.durable_us`).
        """
        self._expire(alive_us)
        state, since = self._state[slots], self._since_us[slots]
        pending = (state != state_codes) | (since < since_us)
        until_us = np.minimum(settled_us, alive_us)
        shown_us = np.maximum(self._shown_us[slots], np.where(pending, 0, until_us))
        self._shown_us[slots] = shown_us
        us = self._us[slots]
        self._add_live(us, state, since, np.maximum(shown_us, since))
        # A decrease would look like a restart to Prometheus and add the whole counter once more:
        # should the judge ever date a decision back before `settled_us`, the counter waits.
        us = np.maximum(us, self._shown[slots])
        self._shown[slots] = us
        lasted = self._outages_us[slots] / MICROSECONDS
        return AccountColumns(us / MICROSECONDS, self._outages[slots], lasted)

    def _add_live(
        self,
        us: NDArray[np.int64],
        state: NDArray[np.int8],
        since_us: NDArray[np.int64],
        until_us: NDArray[np.int64],
    ) -> None:
        """Add the present span of every link that was ever judged."""
        rows = np.flatnonzero(since_us)
        start_us, end_us = since_us[rows], until_us[rows]
        cumulative_us = self._calendar.cumulative_us
        business = cumulative_us(end_us) - cumulative_us(start_us)
        us[rows, state[rows], _BUSINESS] += business
        us[rows, state[rows], _OTHER] += end_us - start_us - business

    def _expire(self, alive_us: int) -> None:
        waiting = [
            key
            for key, book in self._cases.items()
            if book.awaiting_end_us is not None and book.awaiting_end_us + CAUSE_WAIT_US <= alive_us
        ]
        for key in waiting:
            slot = self._slot_of[key]
            book = self._book(key, slot)
            book.expire(alive_us)
            self._keep(key, slot, book)

    def _book(self, key: LinkKey, slot: int) -> LinkBook:
        book = self._cases.get(key) or LinkBook()
        book.state = STATES[self._state[slot]]
        book.since_us = int(self._since_us[slot])
        book.us = self._us[slot].reshape(CELLS).tolist()
        book.outages = self._outages[slot].tolist()
        book.outages_us = self._outages_us[slot].tolist()
        return book

    def _keep(self, key: LinkKey, slot: int, book: LinkBook) -> None:
        self._state[slot] = STATE_CODES[book.state]
        self._since_us[slot] = book.since_us
        self._us[slot] = np.array(book.us).reshape(len(STATES), len(HOURS))
        self._outages[slot] = book.outages
        self._outages_us[slot] = book.outages_us
        if book.open_us is None and book.awaiting_us is None:
            self._cases.pop(key, None)
        else:
            self._cases[key] = book

    def _restore(self, key: LinkKey, restored: RestoredLink) -> None:
        awaiting_us, awaiting_end_us = restored.awaiting or (None, None)
        outage = restored.outage
        book = LinkBook(
            restored.state,
            restored.health,
            restored.since_us,
            restored.us.reshape(CELLS).tolist(),
            restored.outages.tolist(),
            restored.outages_us.tolist(),
            None if outage is None else outage.start_us,
            None if outage is None else restored.open_cause,
            awaiting_us,
            awaiting_end_us,
        )
        self._keep(key, self._slot_of[key], book)

    def _resize(self, capacity: int) -> None:
        more = capacity - len(self._state)
        if more <= 0:
            return
        for name in (
            "_us", "_outages", "_outages_us", "_state", "_since_us", "_shown_us", "_shown",
        ):  # fmt: skip
            column = getattr(self, name)
            empty = np.zeros((more, *column.shape[1:]), dtype=column.dtype)
            setattr(self, name, np.concatenate((column, empty)))
        self._state[-more:] = STATE_CODES[State.UNOBSERVED]

    def _clear(self, slot: int) -> None:
        for column in (
            self._us, self._outages, self._outages_us, self._since_us, self._shown_us, self._shown,
        ):  # fmt: skip
            column[slot] = 0
        self._state[slot] = STATE_CODES[State.UNOBSERVED]
