"""Rows of the ledger ↔ values. Everything here runs inside a caller's transaction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from netmon.ledger.book import LinkBook, in_order, told
from netmon.ledger.entries import (
    Entry,
    to_entry,
    to_event,
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
from netmon.ledger.schema import LASTING_COLUMNS, LASTING_VERSION, MIGRATIONS
from netmon.model import (
    Event,
    Health,
    LinkKey,
    MaintenanceWindow,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    Reclassification,
    State,
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
            "SELECT last_id, hash, beat_us, wall_offset_us FROM status WHERE id = 1"
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

    def entries(self, after: int = 0) -> Iterator[tuple[int, Entry, bytes]]:
        """Yield the rows of the journal after number `after`: number, entry, hash."""
        query = f"{_SELECT_ENTRIES} WHERE entry.id > ? ORDER BY entry.id"
        for row in self._connection.execute(query, (after,)):
            yield row[0], to_row_entry(row), row[10]

    def has_hash(self, digest: bytes, after: int) -> bool:
        """Tell whether a row after number `after` has this hash."""
        query = "SELECT 1 FROM entry WHERE id > ? AND hash = ?"
        return self._connection.execute(query, (after, digest)).fetchone() is not None

    def calendar_text(self) -> str | None:
        """Return the calendar in force; None: there never was one."""
        row = self._connection.execute(
            "SELECT content FROM entry WHERE kind = 'calendar' ORDER BY id DESC LIMIT 1"
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

    def books(self, version: int = len(MIGRATIONS)) -> dict[LinkKey, LinkBook]:
        """Return the book of every link; older versions do not tell how long outages lasted."""
        query = _SELECT_BOOKS
        if version < LASTING_VERSION:
            query = query.replace(", ".join(("", *LASTING_COLUMNS)), "")
        rows = self._connection.execute(query)
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

    def facts_of(self, agency: str, source: str) -> dict[str, str]:
        """Return what a source last told about an agency."""
        query = "SELECT key, value FROM fact WHERE agency = ? AND source = ? ORDER BY id"
        return dict(self._connection.execute(query, (agency, source)))

    def present_facts(self, agency: str) -> dict[tuple[str, str], str]:
        """Return what each source last told about an agency, by source and key."""
        query = "SELECT source, key, value FROM fact WHERE agency = ? ORDER BY id"
        rows = self._connection.execute(query, (agency,))
        return {(source, key): value for source, key, value in rows}

    def other_holder(self, agency: str, serial: str) -> str:
        """Return the agency whose router was the last to have this serial number, if another."""
        query = (
            "SELECT agency FROM fact WHERE key = 'serial' AND value = ? ORDER BY id DESC LIMIT 1"
        )
        row = self._connection.execute(query, (serial,)).fetchone()
        return "" if row is None or row[0] == agency else str(row[0])

    def recent_outages(self) -> Iterator[Outage]:
        """Yield the outages that are over, the one that ended last first."""
        query = f"{_SELECT_OUTAGES} WHERE end_us IS NOT NULL ORDER BY end_us DESC"
        return map(to_outage, self._connection.execute(query))

    # --- what reports ask ---

    def links(self) -> dict[LinkKey, int]:
        """Return the row number of every link."""
        rows = self._connection.execute("SELECT agency, link, id FROM link")
        return {LinkKey(agency, link): link_id for agency, link, link_id in rows}

    def links_of(self, keys: Iterable[LinkKey]) -> dict[LinkKey, int]:
        """Return the row numbers of those links that are known here."""
        found = ((key, self.link_id(key)) for key in keys)
        return {key: link_id for key, link_id in found if link_id is not None}

    def steps(
        self, link_id: int, start_us: int, end_us: int
    ) -> Iterator[tuple[int, State, Health]]:
        """Yield a link's transitions within a period, and before them the one then in force."""
        columns = "SELECT start_us, state, health FROM entry WHERE kind = 'transition'"
        in_force = f"{columns} AND link_id = ? AND start_us <= ? ORDER BY start_us DESC, id DESC"
        within = f"{columns} AND link_id = ? AND start_us > ? AND start_us < ?"
        for query, values in (
            (f"{in_force} LIMIT 1", (link_id, start_us)),
            (f"{within} ORDER BY start_us, id", (link_id, start_us, end_us)),
        ):
            for at_us, state, health in self._connection.execute(query, values):
                yield at_us, State(state), Health(health)

    def reclassifications(self, start_us: int, end_us: int) -> Iterator[Reclassification]:
        """Yield the entries that move seconds of a period, in the order of entry."""
        query = (
            f"{_SELECT_ENTRIES} WHERE kind = 'reclassification' AND start_us < ? AND end_us > ? "
            "ORDER BY entry.id"
        )
        for row in self._connection.execute(query, (end_us, start_us)):
            event = to_event(to_row_entry(row))
            if isinstance(event, Reclassification):
                yield event

    def facts(
        self, agency: str | None, *, history: bool
    ) -> Iterator[tuple[str, str, str, str, int]]:
        """Yield facts by agency, key and age."""
        query = "SELECT agency, key, value, source, at_us FROM fact"
        conditions = []
        if agency is not None:
            conditions.append("agency = ?")
        if not history:
            conditions.append("id IN (SELECT max(id) FROM fact GROUP BY agency, key, source)")
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        values = () if agency is None else (agency,)
        yield from self._connection.execute(f"{query}{where} ORDER BY agency, key, id", values)

    def horizon_us(self) -> int:
        """Return up to when details have been deleted; 0: never."""
        row = self._connection.execute(
            "SELECT start_us FROM entry WHERE kind = 'anchor' ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return 0 if row is None else int(row[0])

    # --- retention ---

    def anchor(self) -> Anchor | None:
        """Return what stands for the rows that were deleted; None: none were."""
        query = "SELECT last_id, hash, books FROM anchor WHERE id = 1"
        row = self._connection.execute(query).fetchone()
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
