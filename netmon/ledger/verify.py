"""Does everything in the ledger still fit together? Any changed byte of any row does not."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING

from netmon.errors import LedgerError
from netmon.ledger.entries import GENESIS, Kind
from netmon.ledger.memory import broken_seals
from netmon.ledger.replay import Books
from netmon.ledger.schema import (
    LASTING_VERSION,
    MEMORY_VERSION,
    MIGRATIONS,
    schema_of,
    schema_of_version,
)
from netmon.ledger.store import Store
from netmon.model import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "compare with a backup"
_JOURNAL = "what the journal says"
_SHOULD = MappingProxyType({"schema": "as netmon makes it"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit, and where."""

    place: str
    """Table, and row where one can be named."""
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def problems(connection: sqlite3.Connection) -> list[Problem]:
    """Return what does not fit together; a reader sees one state of a ledger in use."""
    try:
        connection.execute("BEGIN")
        try:
            return list(_problems(connection))
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return [Problem("file", f"cannot be read: {error}: restore a backup")]
    except (ValueError, KeyError, TypeError, LedgerError) as error:
        # A damaged value need not be one that we can even take apart.
        return [Problem("file", f"holds a value that netmon never wrote ({error!r}): {_HINT}")]


def _problems(connection: sqlite3.Connection) -> Iterator[Problem]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield Problem("file", str(message))
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield Problem(f"{table} {row}", f"belongs to no row of {parent}: {_HINT}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version <= len(MIGRATIONS):
        yield from _compare("schema", schema_of(connection), schema_of_version(version))
    store = Store(connection)
    books, found = _chain(store)
    yield from found
    yield from _status(connection, store)
    yield from _tables(connection, store, books, version)
    if version >= MEMORY_VERSION:
        for name in broken_seals(connection):
            yield Problem(f"memory {name}", f"its seal does not fit: {_HINT}")


def _chain(store: Store) -> tuple[Books, list[Problem]]:
    """Follow the hashes from the anchor to the head, keeping the books on the way."""
    found: list[Problem] = []
    books, last_id, digest = Books(), 0, GENESIS
    anchor = store.anchor()
    if anchor is not None:
        books, last_id, digest = Books.from_text(anchor.books), anchor.last_id, anchor.hash
    anchored = None
    for number, entry, entry_hash in store.entries(after=0):
        if number != last_id + 1:
            found.append(Problem(f"entry {number}", f"{last_id + 1} should come here: {_HINT}"))
        if entry.hash_after(number, digest) != entry_hash:
            found.append(Problem(f"entry {number}", f"its hash does not fit: {_HINT}"))
        if entry.kind is Kind.ANCHOR:
            anchored = json.loads(entry.content)["books"]
        books.enter(number, entry)
        last_id, digest = number, entry_hash
    status = store.status()
    if (status.last_id, status.hash) != (last_id, digest):
        found.append(Problem("entry", f"ends at {last_id}, not at {status.last_id}: {_HINT}"))
    if anchor is not None and anchored != sha256(anchor.books.encode()).hexdigest():
        found.append(Problem("anchor", f"its books are not those entered: {_HINT}"))
    return books, found


def _status(connection: sqlite3.Connection, store: Store) -> Iterator[Problem]:
    rows = connection.execute("SELECT seal FROM status").fetchall()
    if rows != [(store.status().seal(),)]:
        yield Problem("status", f"its seal does not fit: {_HINT}")


def _tables(
    connection: sqlite3.Connection, store: Store, books: Books, version: int
) -> Iterator[Problem]:
    """Compare what the tables hold with what the journal says."""
    now_us = store.status().beat_us
    links = store.books(version)
    for key, book in books.links.items():
        # The wait for a cause ends when netmon starts, without an entry.
        if key in links and links[key].awaiting_us is None:
            book.expire(now_us)
        if version < LASTING_VERSION:
            book.outages_us = [0] * len(CAUSES)
    yield from _compare("link", links, books.links)
    outages = {(each.key, each.start_us): each for each in store.outages()}
    yield from _compare("outage", outages, books.outages)
    query = "SELECT id, start_us, end_us, content FROM maintenance"
    windows = {row[0]: tuple(row[1:]) for row in connection.execute(query)}
    yield from _compare("maintenance", windows, books.windows)
    facts = {row[0]: tuple(row) for row in connection.execute("SELECT * FROM fact")}
    yield from _compare("fact", facts, books.facts)


def _compare(table: str, held: object, expected: object) -> Iterator[Problem]:
    if not isinstance(held, dict) or not isinstance(expected, dict):
        raise TypeError(table)
    for key in sorted(held.keys() | expected.keys(), key=str):
        if held.get(key) != expected.get(key):
            yield Problem(f"{table} {key}", f"is not {_SHOULD.get(table, _JOURNAL)}: {_HINT}")
