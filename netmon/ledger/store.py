"""Rows of the ledger ↔ values. Everything here runs inside a caller's transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from netmon.ledger.book import CELLS, LinkBook, told
from netmon.ledger.entries import (
    GENESIS,
    Entry,
    Kind,
    evidence_fields,
    to_entry,
    to_evidence,
)
from netmon.ledger.schema import OUTAGE_COLUMNS, SECONDS_COLUMNS
from netmon.model import (
    CAUSES,
    Cause,
    Event,
    Health,
    LinkKey,
    MaintenanceWindow,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from netmon.judge.calendar import Calendar

_BOOK_COLUMNS = (
    "state", "health", "since_us", "open_us", "open_cause", "awaiting_us", "awaiting_end_us",
    *SECONDS_COLUMNS, *OUTAGE_COLUMNS,
)  # fmt: skip
_BOOK_FIXED = len(_BOOK_COLUMNS) - CELLS - len(CAUSES)
_SELECT_BOOKS = f"SELECT id, agency, link, {', '.join(_BOOK_COLUMNS)} FROM link"  # noqa: S608  # our own names
_UPDATE_BOOK = f"UPDATE link SET {', '.join(f'{c} = ?' for c in _BOOK_COLUMNS)} WHERE id = ?"  # noqa: S608  # our own names
_INSERT_BOOK = (
    f"INSERT INTO link (agency, link, {', '.join(_BOOK_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES (?, ?{', ?' * len(_BOOK_COLUMNS)})"
)
_SELECT_OUTAGES = """
SELECT agency, link, start_us, end_us, cause, evidence, path_end, note
FROM outage JOIN link ON link.id = outage.link_id
"""
_SELECT_ENTRIES = """
SELECT entry.id, kind, agency, link, start_us, end_us, decided_us, entry.state, entry.health,
  content, hash
FROM entry LEFT JOIN link ON link.id = entry.link_id
"""


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


class Store:
    """The tables behind one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # --- the journal ---

    def status(self) -> Status:
        """Return the head of the journal and the last heartbeat."""
        row = self._connection.execute(
            "SELECT last_id, hash, beat_us, wall_offset_us FROM status"
        ).fetchone()
        return Status(*row) if row else Status()

    def set_status(self, status: Status) -> None:
        """Replace the head and the heartbeat."""
        self._connection.execute(
            "INSERT OR REPLACE INTO status VALUES (1, ?, ?, ?, ?, ?)",
            (
                status.last_id,
                status.hash,
                status.beat_us,
                status.wall_offset_us,
                status.seal(),
            ),
        )

    def append(self, entries: Sequence[Entry]) -> Status:
        """Add rows to the journal; what was decided proves that netmon lived until then."""
        status = self.status()
        if not entries:
            return status
        before, rows = status.hash, []
        for number, entry in enumerate(entries, status.last_id + 1):
            before = entry.hash_after(number, before)
            rows.append((number, *self._entry_row(entry), before))
        self._connection.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
        status = Status(
            status.last_id + len(entries),
            before,
            max(status.beat_us, *(entry.decided_us for entry in entries)),
            status.wall_offset_us,
        )
        self.set_status(status)
        return status

    def entries(
        self, after: int = 0, key: LinkKey | None = None
    ) -> Iterator[tuple[int, Entry, bytes]]:
        """Yield the rows of the journal after number `after`: number, entry, hash."""
        where, values = " WHERE entry.id > ?", [after]
        if key is not None:
            where += " AND entry.link_id = ?"
            values.append(self.link_id(key) or 0)
        query = f"{_SELECT_ENTRIES}{where} ORDER BY entry.id"
        for row in self._connection.execute(query, values):
            yield row[0], _entry(row), row[10]

    def has_hash(self, digest: bytes, after: int) -> bool:
        """Tell whether a row after number `after` has this hash."""
        query = "SELECT 1 FROM entry WHERE id > ? AND hash = ?"
        return self._connection.execute(query, (after, digest)).fetchone() is not None

    def calendar_text(self) -> str | None:
        """Return the calendar in force; None: there never was one."""
        row = self._connection.execute(
            "SELECT content FROM entry WHERE kind = ? ORDER BY id DESC LIMIT 1", (Kind.CALENDAR,)
        ).fetchone()
        if row is None:
            row = self._connection.execute("SELECT books ->> 'calendar' FROM anchor").fetchone()
        return None if row is None else str(row[0])

    # --- what follows from events ---

    def enter(self, events: Sequence[Event], calendar: Calendar) -> Status:
        """Append the events and everything that follows from them."""
        books: dict[LinkKey, LinkBook] = {}
        for event in events:
            if event.key not in books:
                books[event.key] = self._book_or_new(event.key)
            books[event.key].enter(event, calendar)
        self.save_books(books)
        for event in events:
            if isinstance(event, OutageStart | OutageEnd | OutageNote):
                self._tell(event)
        return self.append([to_entry(event) for event in events])

    def link_id(self, key: LinkKey) -> int | None:
        """Return the row number of a link; None: it is not known here."""
        row = self._connection.execute(
            "SELECT id FROM link WHERE agency = ? AND link = ?", key
        ).fetchone()
        return None if row is None else int(row[0])

    def books(self) -> dict[LinkKey, LinkBook]:
        """Return the book of every link."""
        rows = self._connection.execute(_SELECT_BOOKS)
        return {LinkKey(row[1], row[2]): _book(row[3:]) for row in rows}

    def books_of(self, keys: Iterable[LinkKey]) -> dict[LinkKey, LinkBook]:
        """Return the books of those links that are known here."""
        found = ((key, self.book(key)) for key in keys)
        return {key: book for key, book in found if book is not None}

    def book(self, key: LinkKey) -> LinkBook | None:
        """Return the book of one link; None: it is not known here."""
        row = self._connection.execute(
            f"{_SELECT_BOOKS} WHERE agency = ? AND link = ?", key
        ).fetchone()
        return None if row is None else _book(row[3:])

    def save_books(self, books: dict[LinkKey, LinkBook]) -> None:
        """Replace the books of links that are known here."""
        rows = [(*_book_row(book), self.link_id(key)) for key, book in books.items()]
        self._connection.executemany(_UPDATE_BOOK, rows)

    def outages(self, where: str = "", values: Iterable[object] = ()) -> Iterator[Outage]:
        """Yield outages by start; `where` is SQL of this package, its values are bound."""
        query = f"{_SELECT_OUTAGES} {where} ORDER BY start_us, agency, link"
        for row in self._connection.execute(query, tuple(values)):
            yield _outage(row)

    def delete_outages(self, names: Iterable[tuple[LinkKey, int]]) -> None:
        """Delete outages by link and start."""
        rows = [(self.link_id(key), start_us) for key, start_us in names]
        self._connection.executemany("DELETE FROM outage WHERE link_id = ? AND start_us = ?", rows)

    def save_window(self, entry: Entry) -> None:
        """Keep the window that a MAINTENANCE row tells."""
        self._connection.execute(
            "INSERT OR REPLACE INTO maintenance VALUES (?, ?, ?, ?)",
            (json.loads(entry.content)["id"], entry.start_us, entry.end_us, entry.content),
        )

    def windows(self) -> Iterator[tuple[MaintenanceWindow, str]]:
        """Yield every window and its author, by start."""
        query = "SELECT start_us, end_us, content FROM maintenance ORDER BY start_us, id"
        for start_us, end_us, content in self._connection.execute(query):
            yield to_window(start_us, end_us, content)

    def save_fact(self, number: int, entry: Entry) -> None:
        """Keep the fact that a FACT row tells."""
        fields = json.loads(entry.content)
        self._connection.execute(
            "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?)",
            (
                number,
                fields["agency"],
                fields["key"],
                fields["value"],
                fields["source"],
                entry.start_us,
            ),
        )

    def facts_of(self, agency: str) -> dict[str, str]:
        """Return the present facts about an agency."""
        query = "SELECT key, value FROM fact WHERE agency = ? ORDER BY id"
        return dict(self._connection.execute(query, (agency,)))

    def recent_outages(self) -> Iterator[Outage]:
        """Yield the outages that are over, the one that ended last first."""
        query = f"{_SELECT_OUTAGES} WHERE end_us IS NOT NULL ORDER BY end_us DESC"
        return map(_outage, self._connection.execute(query))

    # --- retention ---

    def anchor(self) -> Anchor | None:
        """Return what stands for the rows that were deleted; None: none were."""
        row = self._connection.execute("SELECT last_id, hash, books FROM anchor").fetchone()
        return Anchor(*row) if row else None

    def set_anchor(self, last_id: int, digest: bytes, books: str) -> None:
        """Let `books` stand for the rows up to `last_id`."""
        self._connection.execute(
            "INSERT OR REPLACE INTO anchor VALUES (1, ?, ?, ?)", (last_id, digest, books)
        )

    def delete_entries(self, last_id: int) -> None:
        """Delete the rows that the anchor stands for."""
        self._connection.execute("DELETE FROM entry WHERE id <= ?", (last_id,))

    def _book_or_new(self, key: LinkKey) -> LinkBook:
        book = self.book(key)
        if book is None:
            book = LinkBook()
            self._connection.execute(_INSERT_BOOK, (*key, *_book_row(book)))
        return book

    def _tell(self, event: OutageStart | OutageEnd | OutageNote) -> None:
        link_id = self.link_id(event.key)
        known = self.outages("WHERE link_id = ? AND start_us = ?", (link_id, event.start_us))
        outage = told(next(known, None), event)
        if outage is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO outage VALUES (?, ?, ?, ?, ?, ?, ?)",
                (link_id, *outage_row(outage)),
            )

    def _entry_row(self, entry: Entry) -> tuple[object, ...]:
        link_id = None if entry.key is None else self.link_id(entry.key)
        return (
            entry.kind,
            link_id,
            entry.start_us,
            entry.end_us,
            entry.decided_us,
            entry.state,
            entry.health,
            entry.content,
        )


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


def _outage(row: tuple[Any, ...]) -> Outage:
    agency, link, start_us, end_us, cause, evidence, path_end, note = row
    return Outage(
        LinkKey(agency, link), start_us, end_us, Cause(cause), to_evidence(json.loads(evidence)),
        path_end, note,
    )  # fmt: skip


def _entry(row: tuple[Any, ...]) -> Entry:
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


def _book(columns: tuple[Any, ...]) -> LinkBook:
    state, health, since_us, open_us, open_cause, awaiting_us, awaiting_end_us = columns[
        :_BOOK_FIXED
    ]
    return LinkBook(
        State(state),
        Health(health),
        since_us,
        list(columns[_BOOK_FIXED : _BOOK_FIXED + CELLS]),
        list(columns[_BOOK_FIXED + CELLS :]),
        open_us,
        None if open_cause is None else Cause(open_cause),
        awaiting_us,
        awaiting_end_us,
    )


def _book_row(book: LinkBook) -> tuple[object, ...]:
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
    )
