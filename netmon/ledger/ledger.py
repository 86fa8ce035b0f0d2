"""The durable account: what was decided, what follows from it, and up to when it is certain.

Synchronous; used from one thread at a time (`netmon.ledger.writer`). Every method that changes
something is one transaction: all of it is on the disk when the method returns, or none of it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from netmon.errors import LedgerError, StorageError
from netmon.judge.calendar import Calendar
from netmon.ledger.entries import Entry, Kind
from netmon.ledger.facts import FactChange, Told, enter_facts
from netmon.ledger.memory import Memory, load, save
from netmon.ledger.restoration import (
    Restoration,
    gap_events,
    removal_events,
    restored_link,
)
from netmon.ledger.retention import trim
from netmon.ledger.rows import Status
from netmon.ledger.schema import MIGRATIONS, check, prepare
from netmon.ledger.storage import (
    Ballast,
    Lock,
    connect,
    is_full,
    storage_errors,
    transaction,
)
from netmon.ledger.store import Store
from netmon.ledger.upgrade import refill
from netmon.ledger.verify import Problem, problems

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from netmon.model import (
        Event,
        LinkKey,
        MaintenanceWindow,
        Outage,
    )


_Result = TypeVar("_Result")

BALLAST_BYTES = 4 << 20
_BALLAST_RETRY_US = 60_000_000
_RECENT_OUTAGES = 100


class Ledger:
    """One SQLite file, kept by one process at a time.

    The split of seconds into business and other hours is decided when a span ends, by the calendar
    then in force, and never revised: counters made of it do not go back when a holiday is added.
    """

    def __init__(self, path: Path, calendar: Calendar, ballast_bytes: int) -> None:
        self._path = path
        self._new_calendar = calendar
        self._calendar = calendar
        self._lock = Lock(path)
        self._ballast = Ballast(path, ballast_bytes)
        self._ballast_retry_us = 0
        self._ballast_ready = False
        self._connection: sqlite3.Connection | None = None
        self._status = Status()
        self._doubtful: tuple[tuple[Event, ...], Status] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        calendar: Calendar,
        ballast_bytes: int = BALLAST_BYTES,
        migrations: Sequence[str] = MIGRATIONS,
    ) -> Ledger:
        """Open the ledger at `path`, creating or upgrading it as needed.

        Raises:
            StorageError: the disk refuses.
            LedgerError: another process keeps it, a newer netmon wrote it, or it is damaged.
        """
        ledger = cls(path, calendar, ballast_bytes)
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            ledger._lock.acquire()
        try:
            ledger._write(lambda: ledger._begin(migrations))
        except BaseException:
            ledger.close()
            raise
        ledger._take_on_ballast()
        return ledger

    @property
    def path(self) -> Path:
        """Where the ledger lies."""
        return self._path

    @property
    def ballast_ready(self) -> bool:
        """Tell whether space is held ready for the day when the disk is full."""
        return self._ballast_ready

    def last_us(self) -> int:
        """Return the last instant that the ledger knows; 0: it is new."""
        return self._status.beat_us

    def head(self) -> tuple[int, str]:
        """Return number and hash of the newest row: noted elsewhere, they seal all rows before."""
        return self._status.last_id, self._status.hash.hex()

    def record(self, events: Sequence[Event]) -> None:
        """Store what was decided in one go, and all that follows from it, in one transaction.

        Raises:
            StorageError: the disk refuses; the same events may be given again and will stand in
                the ledger once, even if the refused attempt had reached the disk after all.
        """
        if not events or self._came_through(events):
            return
        self._write(lambda: self._enter(events))

    def beat(self, at_us: int, wall_offset_us: int) -> None:
        """Store that the account is certain up to `at_us`.

        Raises:
            StorageError: the disk refuses.
        """
        self._write(lambda: self._beat(at_us, wall_offset_us))
        if not self._ballast_ready and at_us >= self._ballast_retry_us:
            self._ballast_retry_us = at_us + _BALLAST_RETRY_US
            self._take_on_ballast()

    def restore(self, now_us: int, keys: Collection[LinkKey] | None = None) -> Restoration:
        """Enter the time since the last heartbeat as unobserved; return where the account stands.

        With `keys`, the links of the inventory, the account of all others ends as in `retire`.
        From here on the calendar given to `open` is in force.
        """
        last_us = self._status.beat_us
        self._write(lambda: self._closegap_events(now_us, keys))
        return replace(self.restored(keys), last_us=last_us)

    def retire(self, keys: Collection[LinkKey], at_us: int) -> None:
        """End the account of links that leave the inventory: unobserved, no outage open.

        Raises:
            StorageError: the disk refuses.
        """
        self._write(lambda: self._retire(keys, at_us))

    def restored(self, keys: Collection[LinkKey] | None = None) -> Restoration:
        """Return where the account stands, of all links or of those named."""
        with storage_errors(self._path):
            store = self._store()
            books = store.books() if keys is None else store.books_of(keys)
            open_outages = {each.key: each for each in store.outages("WHERE end_us IS NULL")}
            memory = load(self._open_connection(), keys)
            links = {
                key: restored_link(book, open_outages.get(key), memory.links.get(key))
                for key, book in books.items()
            }
            recent = self._recent_outages(store)
            return Restoration(self._status.beat_us, links, recent, memory.readings)

    def remember(self, memory: Memory) -> None:
        """Store what the next daemon should know of links and routers.

        Raises:
            StorageError: the disk refuses.
        """
        self._write(lambda: self._remember(memory))

    def record_facts(
        self, agency: str, facts: Mapping[str, str], at_us: int, source: str = "snmp"
    ) -> int:
        """Store those facts about an agency that differ from what is known; return how many."""
        return len(self.enter_facts(Told(agency, source, at_us, facts)))

    def enter_facts(self, told: Told) -> list[FactChange]:
        """Store the facts that differ from what their source told before; return them."""
        return self._write(lambda: self._enter_facts(told))

    def windows(self) -> tuple[MaintenanceWindow, ...]:
        """Return the maintenance windows that were entered by hand, by start."""
        with storage_errors(self._path):
            return tuple(window for window, _ in self._store().windows())

    def retain(self, now_us: int, days: int) -> int:
        """Delete details older than `days`; return how many rows went.

        Counters, open outages, facts and windows stay, and the chain stays verifiable.
        """
        before_us = now_us - days * 86_400_000_000
        return self._write(lambda: self._trim(before_us, now_us))

    def backup(self, target: Path) -> None:
        """Write a consistent copy to `target` while running.

        Raises:
            LedgerError: `target` exists, or its disk refuses.
        """
        if target.exists():
            raise LedgerError(f"{target}: exists already: give a new name")
        with storage_errors(target):
            self._open_connection().execute("VACUUM INTO ?", (str(target),))

    def verify(self) -> list[Problem]:
        """Return everything that does not fit together; empty: every byte is as it was written."""
        return problems(self._open_connection())

    def reopen(self) -> None:
        """Open the file anew after the disk refused: it may have been mounted again meanwhile.

        Raises:
            StorageError: the disk refuses still, or another ledger lies there now.
        """
        self._disconnect()
        self._lock.release()
        with storage_errors(self._path):
            if not self._path.exists():
                raise StorageError(f"{self._path}: the ledger is gone: mount its disk again")
            self._lock.acquire()
            self._connection = connect(self._path)
            check(self._connection, self._path)
            if not self._continues():
                self._disconnect()
                message = f"{self._path}: another ledger lies here now: bring back the former one"
                raise StorageError(message)

    def close(self) -> None:
        """Fold the log into the file and give it free; idempotent."""
        if self._connection is not None:
            try:
                with storage_errors(self._path):
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except LedgerError:
                # A full disk: the log stays beside the file and is read at the next start.
                pass
        self._disconnect()
        self._lock.release()

    # --- inside a transaction ---

    def _begin(self, migrations: Sequence[str]) -> None:
        if self._connection is None:
            self._connection = connect(self._path)
        store = self._store()
        prepare(self._connection, self._path, migrations, lambda: refill(store))
        text = store.calendar_text()
        if text is None:
            with transaction(self._connection):
                self._status = store.append([_calendar_entry(self._new_calendar, 0)])
        else:
            self._calendar = Calendar.from_text(text)
            self._status = store.status()

    def _enter(self, events: Sequence[Event]) -> None:
        with transaction(self._open_connection()):
            status = self._store().enter(events, self._calendar)
            # From here to the end of COMMIT it is open whether a refusal means "not stored".
            self._doubtful = (tuple(events), status)
        self._doubtful = None
        self._status = status

    def _beat(self, at_us: int, wall_offset_us: int) -> None:
        with transaction(self._open_connection()):
            store = self._store()
            status = store.status()
            status = replace(
                status, beat_us=max(at_us, status.beat_us), wall_offset_us=wall_offset_us
            )
            store.set_status(status)
        self._status = status

    def _closegap_events(self, now_us: int, keys: Collection[LinkKey] | None) -> None:
        with transaction(self._open_connection()):
            store = self._store()
            books = store.books()
            last_us = store.status().beat_us
            now_us = max(now_us, last_us)
            store.enter(gap_events(books, last_us, now_us), self._calendar)
            if keys is not None:
                gone = {key: book for key, book in store.books().items() if key not in keys}
                store.enter(removal_events(gone, now_us), self._calendar)
            books = {k: b for k, b in store.books().items() if b.awaiting_us is not None}
            for book in books.values():
                book.expire(now_us)
            store.save_books(books)
            if self._new_calendar != self._calendar:
                store.append([_calendar_entry(self._new_calendar, now_us)])
            status = store.status()
        self._calendar = self._new_calendar
        self._status = status

    def _retire(self, keys: Collection[LinkKey], at_us: int) -> None:
        with transaction(self._open_connection()):
            store = self._store()
            books = store.books_of(keys)
            store.enter(removal_events(books, at_us), self._calendar)
            status = store.status()
        self._status = status

    def _enter_facts(self, told: Told) -> list[FactChange]:
        with transaction(self._open_connection()):
            store = self._store()
            changes = enter_facts(store, told)
            status = store.status()
        self._status = status
        return changes

    def _remember(self, memory: Memory) -> None:
        with transaction(self._open_connection()) as connection:
            save(connection, memory)

    def _trim(self, before_us: int, now_us: int) -> int:
        with transaction(self._open_connection()):
            store = self._store()
            removed = trim(store, before_us, now_us)
            status = store.status()
        self._status = status
        return removed

    # --- the connection ---

    def _write(self, action: Callable[[], _Result]) -> _Result:
        """Do it; on a full disk give the ballast free and do it once more."""
        try:
            with storage_errors(self._path):
                return action()
        except StorageError as error:
            if not is_full(error) or not self._ballast.drop():
                raise
            self._ballast_ready = False
            with storage_errors(self._path):
                return action()

    def _came_through(self, events: Sequence[Event]) -> bool:
        """Tell whether an attempt to store `events` that was refused had reached the disk."""
        if self._doubtful is None:
            return False
        doubtful, status = self._doubtful
        came = False
        if doubtful == tuple(events):
            with storage_errors(self._path):
                came = self._store().has_hash(status.hash, self._status.last_id)
                if came:
                    self._status = self._store().status()
        self._doubtful = None
        return came

    def _continues(self) -> bool:
        """Tell whether the file holds the journal that we have written so far."""
        if self._status.last_id == 0:
            return True
        return self._store().has_hash(self._status.hash, self._status.last_id - 1)

    def _take_on_ballast(self) -> None:
        try:
            self._ballast_ready = self._ballast.take_on()
        except OSError:
            self._ballast_ready = False

    def _recent_outages(self, store: Store) -> tuple[Outage, ...]:
        return tuple(islice(store.recent_outages(), _RECENT_OUTAGES))

    def _store(self) -> Store:
        return Store(self._open_connection())

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(f"{self._path}: the ledger is not open: its disk refused before")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _calendar_entry(calendar: Calendar, at_us: int) -> Entry:
    return Entry(Kind.CALENDAR, at_us, at_us, content=calendar.to_text())
