"""What columns of a later version hold for links that have a past: what the journal says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.ledger.replay import Books

if TYPE_CHECKING:
    from netmon.ledger.store import Store


def refill(store: Store) -> None:
    """Enter how long the outages of each link lasted, as `verify` would count them."""
    anchor = store.anchor()
    said, last_id = Books(), 0
    if anchor is not None:
        said, last_id = Books.from_text(anchor.books), anchor.last_id
    for number, entry, _ in store.entries(after=last_id):
        said.enter(number, entry)
    held, now_us = store.books(), store.status().beat_us
    for key, book in held.items():
        told = said.links.get(key)
        if told is None:
            # Rows of the journal are missing, which `verify` tells: no reason not to start.
            continue
        # The wait for a cause ends when netmon starts, without an entry.
        if book.awaiting_us is None:
            told.expire(now_us)
        book.outages_us = told.outages_us
    store.save_books(held)
