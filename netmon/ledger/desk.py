"""What people enter by hand, beside a running daemon: planned work and reclassifications."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from netmon.errors import LedgerError
from netmon.judge.availability import AUTOMATIC_AUTHOR
from netmon.ledger.entries import to_entry
from netmon.ledger.facts import FactChange, Told, enter_facts
from netmon.ledger.rows import window_entry
from netmon.ledger.schema import MIGRATIONS, check
from netmon.ledger.storage import connect, storage_errors, transaction
from netmon.ledger.store import Store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from netmon.model import MaintenanceWindow, Reclassification


class Desk:
    """Appends to the journal in short transactions of its own; a running daemon sees the rows."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path) -> Desk:
        """Open the ledger at `path`, which a daemon has made.

        Raises:
            LedgerError: there is none, or of another version.
        """
        if not path.exists():
            message = f"{path}: there is no ledger: check storage.path, or start netmon first"
            raise LedgerError(message)
        with storage_errors(path):
            desk = cls(connect(path), path)
            try:
                desk._demand_version()
            except BaseException:
                desk.close()
                raise
        return desk

    def close(self) -> None:
        """Give the file free."""
        self._connection.close()

    def add_window(self, window: MaintenanceWindow, author: str, now_us: int) -> None:
        """Plan work.

        Raises:
            LedgerError: no reason or author, an empty window, one that lies in the past, or an id
                that is taken.
        """
        self._demand(author, window.reason)
        if window.end_us <= window.start_us:
            raise LedgerError(f"maintenance {window.id}: it ends before it begins")
        if window.start_us < now_us:
            raise LedgerError(
                f"maintenance {window.id}: it begins in the past: begin it now, and give what is "
                "past to maintenance by a reclassification"
            )
        with self._entering() as store:
            if any(known.id == window.id for known, _ in store.windows()):
                raise LedgerError(f"maintenance {window.id}: this id is taken: give another")
            self._enter_window(store, window, author, now_us)

    def end_window(self, window_id: str, author: str, now_us: int) -> MaintenanceWindow:
        """End planned work now, or call it off; return the window as it stands.

        Raises:
            LedgerError: no such window, or it is over.
        """
        self._demand(author, "end")
        with self._entering() as store:
            known = {window.id: window for window, _ in store.windows()}
            if window_id not in known:
                names = ", ".join(known) or "there is none"
                raise LedgerError(f"maintenance {window_id}: not known here; known: {names}")
            window = known[window_id]
            if window.end_us <= now_us:
                raise LedgerError(f"maintenance {window_id}: it is over already")
            window = replace(window, end_us=max(now_us, window.start_us))
            self._enter_window(store, window, author, now_us)
        return window

    def reclassify(self, entry: Reclassification) -> None:
        """Move seconds to another class in every report; the measured figures stay beside them.

        Raises:
            LedgerError: no author or reason, an empty span, one that is not over, or an unknown
                link.
        """
        self._demand(entry.author, entry.reason)
        with self._entering() as store:
            if store.link_id(entry.key) is None:
                raise LedgerError(f"{entry.key}: the ledger knows no such link")
            if entry.end_us <= entry.start_us:
                raise LedgerError(f"{entry.key}: the span ends before it begins")
            if entry.end_us > store.status().beat_us:
                raise LedgerError(f"{entry.key}: the span is not over yet: enter it afterwards")
            store.append([to_entry(entry)])

    def enter_facts(self, told: Told) -> list[FactChange]:
        """Store the facts that differ from what their source told before; return them."""
        with self._entering() as store:
            return enter_facts(store, told)

    def _demand_version(self) -> None:
        version = check(self._connection, self._path)
        if version < len(MIGRATIONS):
            message = f"{self._path}: the ledger has version {version}: start this netmon first"
            raise LedgerError(message)

    def _demand(self, author: str, reason: str) -> None:
        if not author.strip() or not reason.strip():
            raise LedgerError("who and why must be told: give an author and a reason")
        if author == AUTOMATIC_AUTHOR:
            raise LedgerError(f"{author!r} is the name of the program: give a person's")

    @staticmethod
    def _enter_window(store: Store, window: MaintenanceWindow, author: str, now_us: int) -> None:
        entry = window_entry(window, author, now_us)
        store.append([entry])
        store.save_window(entry)

    @contextmanager
    def _entering(self) -> Iterator[Store]:
        with storage_errors(self._path), transaction(self._connection) as connection:
            yield Store(connection)
