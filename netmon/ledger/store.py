"""Rows of the ledger ↔ values. Everything here runs inside a caller's transaction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from netmon.ledger.book import LinkBook, in_order, told
from netmon.ledger.entries import (
    Entry,
    Kind,
    to_entry,
)
from netmon.ledger.rows import (
    BOOK_COLUMNS,
    Anchor,
    Status,
    book_row,
    outage_row,
    to_book,
    to_outage,
    to_row_entry,
    to_window,
)
from netmon.model import (
    Event,
    LinkKey,
    MaintenanceWindow,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from netmon.judge.calendar import Calendar

_SELECT_BOOKS = f"SELECT id, agency, link, {', '.join(BOOK_COLUMNS)} FROM link"  # noqa: S608  # our own names
_UPDATE_BOOK = f"UPDATE link SET {', '.join(f'{c} = ?' for c in BOOK_COLUMNS)} WHERE id = ?"  # noqa: S608  # our own names
_INSERT_BOOK = (
    f"INSERT INTO link (agency, link, {', '.join(BOOK_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES (?, ?{', ?' * len(BOOK_COLUMNS)})"
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
        """Add rows to the journal and return its new head."""
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
            status.beat_us,
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
            yield row[0], to_row_entry(row), row[10]

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
        entries = []
        for event in events:
            if event.key not in books:
                books[event.key] = self._book_or_new(event.key)
            entries.append(to_entry(in_order(event, books[event.key])))
            books[event.key].enter(event, calendar)
            if isinstance(event, OutageStart | OutageEnd | OutageNote):
                self._tell(event)
        self.save_books(books)
        status = self.append(entries)
        # Who decided something was alive.
        alive_us = max((entry.decided_us for entry in entries), default=0)
        if alive_us > status.beat_us:
            status = replace(status, beat_us=alive_us)
            self.set_status(status)
        return status

    def link_id(self, key: LinkKey) -> int | None:
        """Return the row number of a link; None: it is not known here."""
        row = self._connection.execute(
            "SELECT id FROM link WHERE agency = ? AND link = ?", key
        ).fetchone()
        return None if row is None else int(row[0])

    def books(self) -> dict[LinkKey, LinkBook]:
        """Return the book of every link."""
        rows = self._connection.execute(_SELECT_BOOKS)
        return {LinkKey(row[1], row[2]): to_book(row[3:]) for row in rows}

    def books_of(self, keys: Iterable[LinkKey]) -> dict[LinkKey, LinkBook]:
        """Return the books of those links that are known here."""
        found = ((key, self.book(key)) for key in keys)
        return {key: book for key, book in found if book is not None}

    def book(self, key: LinkKey) -> LinkBook | None:
        """Return the book of one link; None: it is not known here."""
        row = self._connection.execute(
            f"{_SELECT_BOOKS} WHERE agency = ? AND link = ?", key
        ).fetchone()
        return None if row is None else to_book(row[3:])

    def save_books(self, books: dict[LinkKey, LinkBook]) -> None:
        """Replace the books of links that are known here."""
        rows = [(*book_row(book), self.link_id(key)) for key, book in books.items()]
        self._connection.executemany(_UPDATE_BOOK, rows)

    def outages(self, where: str = "", values: Iterable[object] = ()) -> Iterator[Outage]:
        """Yield outages by start; `where` is SQL of this package, its values are bound."""
        query = f"{_SELECT_OUTAGES} {where} ORDER BY start_us, agency, link"
        for row in self._connection.execute(query, tuple(values)):
            yield to_outage(row)

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
        return map(to_outage, self._connection.execute(query))

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
            self._connection.execute(_INSERT_BOOK, (*key, *book_row(book)))
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
