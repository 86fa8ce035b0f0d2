"""Questions to the ledger, from any process, while the daemon writes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netmon.errors import LedgerError
from netmon.judge.availability import History, Period, Piece, Reading, Span, read
from netmon.judge.availability_rows import Row, rows
from netmon.judge.calendar import Calendar
from netmon.ledger.replay import Books
from netmon.ledger.schema import check
from netmon.ledger.storage import connect_readonly, storage_errors
from netmon.ledger.store import Store
from netmon.ledger.verify import Problem, problems
from netmon.model import (
    Cause,
    Health,
    Inventory,
    LinkKey,
    MaintenanceWindow,
    Outage,
    Reclassification,
    State,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from netmon.ledger.rows import Status


@dataclass(frozen=True, slots=True)
class OutageFilter:
    """Which outages; every field that is set narrows the choice."""

    agency: str | None = None
    link: str | None = None
    provider: str | None = None
    since_us: int | None = None
    """Only outages that were not over before."""
    until_us: int | None = None
    """Only outages that began before."""
    open_only: bool = False
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Availability over a period, with what seals it."""

    period: Period
    """Ends where the account ends, if that is sooner than was asked for."""
    calendar: Calendar
    rows: tuple[Row, ...]
    last_id: int
    """Number of the newest row of the journal that the figures rest on."""
    hash: str
    """Its hash: who keeps it can prove later that nothing before it was changed."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that an agency's router said of itself, from `at_us` on."""

    agency: str
    key: str
    value: str
    source: str
    at_us: int


class LedgerReader:
    """Reads one ledger; close it after use."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._store = Store(connection)

    @classmethod
    def open(cls, path: Path) -> LedgerReader:
        """Open the ledger at `path` for reading.

        Raises:
            LedgerError: there is none, or this netmon cannot read it.
        """
        with storage_errors(path):
            connection = connect_readonly(path)
            try:
                check(connection, path)
            except LedgerError:
                connection.close()
                raise
        return cls(connection, path)

    def close(self) -> None:
        """Give the file free."""
        self._connection.close()

    def status(self) -> Status:
        """Return the head of the journal and the last heartbeat."""
        with storage_errors(self._path):
            return self._store.status()

    def horizon_us(self) -> int:
        """Return up to when details have been deleted; 0: never."""
        with storage_errors(self._path):
            return self._store.horizon_us()

    def backup(self, target: Path) -> None:
        """Write a consistent copy to `target`; the daemon may go on writing.

        Raises:
            LedgerError: `target` exists, or its disk refuses.
        """
        if target.exists():
            raise LedgerError(f"{target}: exists already: give a new name")
        with storage_errors(target):
            self._connection.execute("VACUUM INTO ?", (str(target),))

    def verify(self) -> list[Problem]:
        """Return everything that does not fit together; empty: every byte is as it was written."""
        return problems(self._connection)

    def outages(self, wanted: OutageFilter, inventory: Inventory | None = None) -> list[Outage]:
        """Return the outages by start. `inventory` tells which links are a provider's."""
        conditions = _conditions(wanted)
        where = "WHERE " + " AND ".join(condition for condition, _ in conditions)
        values = [value for _, value in conditions if value is not None]
        with storage_errors(self._path):
            found = list(self._store.outages(where, values))
        if wanted.provider is None:
            return found
        links = {} if inventory is None else inventory.links
        return [
            outage
            for outage in found
            if outage.key in links and links[outage.key].provider == wanted.provider
        ]

    def spans(
        self, key: LinkKey, start_us: int, end_us: int, reading: Reading = Reading.AGREED
    ) -> list[Span]:
        """Return who owned which part of a period; it ends where the account ends."""
        with self._snapshot():
            period = self._within_account(Period(start_us, end_us))
            history = self._histories(period, [key]).get(key, History(()))
        return read(history, period, reading)

    def availability(self, inventory: Inventory, period: Period, calendar: Calendar) -> Report:
        """Return seconds by class of links, agencies, providers and kinds, in both readings.

        Raises:
            LedgerError: details of the period have been deleted.
        """
        with self._snapshot():
            period = self._within_account(period)
            histories = self._histories(period, None)
            status = self._store.status()
        # Links that left the inventory count while they were watched.
        histories = {
            key: history
            for key, history in histories.items()
            if key in inventory.links or _was_watched(history, period)
        }
        found = rows(inventory, histories, period, calendar)
        return Report(period, calendar, tuple(found), status.last_id, status.hash.hex())

    def windows(self) -> list[tuple[MaintenanceWindow, str]]:
        """Return the maintenance windows that were entered by hand and their authors."""
        with storage_errors(self._path):
            return list(self._store.windows())

    def reclassifications(self, period: Period) -> list[Reclassification]:
        """Return the entries that move seconds of the period, in the order of entry."""
        with storage_errors(self._path):
            return list(self._store.reclassifications(period.start_us, period.end_us))

    def facts(self, agency: str | None = None, *, history: bool = False) -> list[Fact]:
        """Return the facts in force, or all that ever were, by agency, key and age."""
        with storage_errors(self._path):
            return [Fact(*row) for row in self._store.facts(agency, history=history)]

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """See one state of the ledger, whatever is written meanwhile."""
        with storage_errors(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def _within_account(self, period: Period) -> Period:
        horizon_us = self._store.horizon_us()
        if period.start_us < horizon_us:
            raise LedgerError(
                f"{self._path}: details of the period's beginning were deleted "
                "(storage.retention_days): ask for a later period, or ask a backup"
            )
        end_us = min(period.end_us, self._store.status().beat_us)
        return Period(period.start_us, max(period.start_us, end_us))

    def _histories(self, period: Period, keys: list[LinkKey] | None) -> dict[LinkKey, History]:
        anchor = self._store.anchor()
        before = {} if anchor is None else Books.from_text(anchor.books).links
        links = self._store.links() if keys is None else self._store.links_of(keys)
        outages = self._by_link(self._store.outages(*_touching(period)))
        moved = self._by_link(self._store.reclassifications(period.start_us, period.end_us))
        histories = {}
        for key, link_id in links.items():
            steps = list(self._store.steps(link_id, period.start_us, period.end_us))
            book = before.get(key)
            # The step in force at the period's beginning may be one that was deleted.
            if book is not None and book.since_us and (not steps or steps[0][0] > period.start_us):
                steps.insert(0, (book.since_us, book.state, book.health))
            histories[key] = History(
                _pieces(steps, period.end_us), outages.get(key, []), moved.get(key, [])
            )
        return histories

    @staticmethod
    def _by_link(items: Iterator[Any]) -> dict[LinkKey, list[Any]]:
        found: dict[LinkKey, list[Any]] = {}
        for item in items:
            found.setdefault(item.key, []).append(item)
        return found


def _pieces(steps: list[tuple[int, State, Health]], end_us: int) -> list[Piece]:
    ends = [at_us for at_us, _, _ in steps[1:]]
    pieces = zip(steps, [*ends, end_us], strict=False)
    return [
        Piece(start_us, stop_us, state, health)
        for (start_us, state, health), stop_us in pieces
        if start_us < stop_us
    ]


def _was_watched(history: History, period: Period) -> bool:
    return any(
        piece.state is not State.UNOBSERVED and piece.end_us > period.start_us
        for piece in history.pieces
    )


def _touching(period: Period) -> tuple[str, tuple[int, int]]:
    where = "WHERE start_us < ? AND (end_us IS NULL OR end_us > ?)"
    return where, (period.end_us, period.start_us)


def _conditions(wanted: OutageFilter) -> list[tuple[str, object]]:
    """Conditions in SQL with the value each binds; None binds nothing."""
    optional: list[tuple[str, object]] = [
        ("link.agency = ?", wanted.agency),
        ("link.link = ?", wanted.link),
        ("(end_us IS NULL OR end_us > ?)", wanted.since_us),
        ("start_us < ?", wanted.until_us),
        ("cause = ?", wanted.cause),
    ]
    chosen = [(condition, value) for condition, value in optional if value is not None]
    if wanted.open_only:
        chosen.append(("end_us IS NULL", None))
    return [*chosen, ("1", None)]
