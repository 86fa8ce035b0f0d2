"""Values ↔ columns of the ledger's tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from netmon.ledger.book import CELLS, LinkBook
from netmon.ledger.entries import GENESIS, Entry, Kind, evidence_fields, to_evidence
from netmon.ledger.schema import LASTING_COLUMNS, OUTAGE_COLUMNS, SECONDS_COLUMNS
from netmon.model import CAUSES, Cause, Health, LinkKey, MaintenanceWindow, Outage, State

BOOK_COLUMNS = (
    "state", "health", "since_us", "open_us", "open_cause", "awaiting_us", "awaiting_end_us",
    *SECONDS_COLUMNS, *OUTAGE_COLUMNS, *LASTING_COLUMNS,
)  # fmt: skip
_BOOK_FIXED = len(BOOK_COLUMNS) - CELLS - 2 * len(CAUSES)
_BOOK_OUTAGES = _BOOK_FIXED + CELLS


@dataclass(frozen=True, slots=True)
class Status:
    """Where the journal ends and up to when the account is certain."""

    last_id: int = 0
    hash: bytes = GENESIS
    beat_us: int = 0
    wall_offset_us: int = 0

    def seal(self) -> bytes:
        """Return the hash that shows a changed byte in this row, which is no entry."""
        fields = [self.last_id, self.hash.hex(), self.beat_us, self.wall_offset_us]
        return sha256(json.dumps(fields).encode()).digest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """What stands for the rows of the journal that were deleted."""

    last_id: int
    hash: bytes
    books: str
    """`netmon.ledger.replay.Books` as text."""


def to_window(start_us: int, end_us: int, content: str) -> tuple[MaintenanceWindow, str]:
    """Return a window and its author from a row."""
    fields = json.loads(content)
    window = MaintenanceWindow(
        fields["id"],
        start_us,
        end_us,
        fields["reason"],
        frozenset(fields["agencies"]),
        fields["subtree"],
        frozenset(LinkKey(*key) for key in fields["links"]),
        frozenset(fields["providers"]),
    )
    return window, fields["author"]


def window_entry(window: MaintenanceWindow, author: str, at_us: int) -> Entry:
    """Return the row that says that a window was added or took another end."""
    fields = {
        "id": window.id,
        "author": author,
        "reason": window.reason,
        "agencies": sorted(window.agencies),
        "subtree": window.subtree,
        "links": sorted(window.links),
        "providers": sorted(window.providers),
    }
    content = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return Entry(Kind.MAINTENANCE, window.start_us, at_us, end_us=window.end_us, content=content)


def outage_row(outage: Outage) -> tuple[int, int | None, str, str, str, str]:
    """Return an outage as columns, without its link."""
    evidence = json.dumps(evidence_fields(outage.evidence), ensure_ascii=False)
    return (
        outage.start_us,
        outage.end_us,
        outage.cause,
        evidence,
        outage.path_end,
        outage.note,
    )


def to_outage(row: tuple[Any, ...]) -> Outage:
    """Return an outage from agency, link and the columns of `outage_row`."""
    agency, link, start_us, end_us, cause, evidence, path_end, note = row
    return Outage(
        LinkKey(agency, link), start_us, end_us, Cause(cause), to_evidence(json.loads(evidence)),
        path_end, note,
    )  # fmt: skip


def to_row_entry(row: tuple[Any, ...]) -> Entry:
    """Return an entry from a row of the journal: number, columns, hash."""
    _, kind, agency, link, start_us, end_us, decided_us, state, health, content, _ = row
    return Entry(
        Kind(kind),
        start_us,
        decided_us,
        None if agency is None else LinkKey(agency, link),
        end_us,
        None if state is None else State(state),
        None if health is None else Health(health),
        content,
    )


def to_book(columns: tuple[Any, ...]) -> LinkBook:
    """Return a book from `BOOK_COLUMNS`."""
    state, health, since_us, open_us, open_cause, awaiting_us, awaiting_end_us = columns[
        :_BOOK_FIXED
    ]
    return LinkBook(
        State(state),
        Health(health),
        since_us,
        list(columns[_BOOK_FIXED:_BOOK_OUTAGES]),
        list(columns[_BOOK_OUTAGES : _BOOK_OUTAGES + len(CAUSES)]),
        list(columns[_BOOK_OUTAGES + len(CAUSES) :]) or [0] * len(CAUSES),
        open_us,
        None if open_cause is None else Cause(open_cause),
        awaiting_us,
        awaiting_end_us,
    )


def book_row(book: LinkBook) -> tuple[object, ...]:
    """Return a book as `BOOK_COLUMNS`."""
    return (
        book.state,
        book.health,
        book.since_us,
        book.open_us,
        book.open_cause,
        book.awaiting_us,
        book.awaiting_end_us,
        *book.us,
        *book.outages,
        *book.outages_us,
    )
