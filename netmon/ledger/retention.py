"""Forgetting details: a stretch of the journal becomes the books that it amounts to."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from netmon.ledger.entries import GENESIS, Entry, Kind
from netmon.ledger.replay import Books

if TYPE_CHECKING:
    from netmon.ledger.store import Store


def trim(store: Store, before_us: int, now_us: int) -> int:
    """Replace the rows decided before `before_us` by their books; return how many rows went.

    Only an unbroken stretch from the beginning goes. Its last hash stays as the anchor of the
    chain, and the books' own hash is entered into the journal, dated to the last moment about
    which details are gone.
    """
    anchor = store.anchor()
    last_id, digest = (anchor.last_id, anchor.hash) if anchor else (0, GENESIS)
    books = Books.from_text(anchor.books) if anchor else Books()
    first_id, horizon_us = last_id, 0
    for number, entry, entry_hash in store.entries(after=last_id):
        if entry.decided_us >= before_us:
            break
        books.enter(number, entry)
        last_id, digest = number, entry_hash
        horizon_us = max(horizon_us, entry.decided_us)
    if last_id == first_id:
        return 0
    store.delete_outages(books.forget_ended())
    text = books.to_text()
    store.set_anchor(last_id, digest, text)
    store.delete_entries(last_id)
    content = sha256(text.encode()).hexdigest()
    store.append([Entry(Kind.ANCHOR, horizon_us, now_us, content=f'{{"books":"{content}"}}')])
    return last_id - first_id
