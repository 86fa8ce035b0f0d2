"""Any byte that was changed after it was written is found."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netmon.errors import LedgerError
from netmon.judge.learnt import Learnt
from netmon.ledger.desk import Desk
from netmon.ledger.ledger import Ledger
from netmon.ledger.memory import Memory
from netmon.ledger.reader import LedgerReader
from netmon.ledger.schema import prepare
from netmon.model import (
    Cause,
    EchoError,
    Evidence,
    Health,
    InterfaceReading,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageNote,
    OutageStart,
    Reclassification,
    RouterReading,
    SnmpStatus,
    State,
    Transition,
)
from tests.ledger_traces import CALENDAR, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = ("link", "entry", "outage", "maintenance", "fact", "anchor", "status", "memory")
_MAY_BE_MISSING = frozenset({"anchor", "memory"})
"""A ledger may have no anchor yet, and what nobody remembers is only not known."""
ONE, TWO = LinkKey("so-noi-vu", "chính"), LinkKey("xa-tan-hoi-dong", "main")
_EVIDENCE = Evidence("10.0.3.1 báo lỗi", 5, 5, EchoError.NET_UNREACHABLE, IPv4Address("10.0.3.1"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A ledger that holds rows of every kind, some of them behind an anchor."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    ledger = Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)
    ledger.restore(START)
    for key in (ONE, TWO):
        up = Transition(key, START, START + 1, State.UNOBSERVED, State.UP, Health.UP)
        down_us = START + 60 * SECOND
        down = Transition(key, down_us, down_us + 9, State.UP, State.DOWN, Health.DOWN, _EVIDENCE)
        ledger.record([up])
        ledger.record([down, OutageStart(key, down_us, down_us + 9, _EVIDENCE)])
    ledger.record_facts("so-noi-vu", {"serial": "X1", "model": "AR-100"}, START + 70 * SECOND)
    days_us = 86_400 * SECOND
    assert ledger.retain(START + 65 * SECOND + days_us, 1) > 0
    later_us = START + 2 * days_us
    ledger.record(
        [
            Transition(ONE, later_us, later_us + 5, State.DOWN, State.UP, Health.UP),
            OutageEnd(ONE, START + 60 * SECOND, later_us, later_us + 5),
        ]
    )
    note = OutageNote(ONE, START + 60 * SECOND, later_us + SECOND, Cause.POWER, "10.0.3.1", "x")
    ledger.record([note])
    ledger.record([OutageEnd(TWO, START + 60 * SECOND, later_us + 7, later_us + 8)])
    ledger.record_facts("so-noi-vu", {"serial": "X2"}, later_us)
    ledger.beat(later_us + 10 * SECOND, -3)
    wan = InterfaceReading(2, "wan", receive_bytes=9, last_change_seconds=1.5, links=("main",))
    reading = RouterReading("xa", later_us, SnmpStatus.OK, uptime_seconds=9.5, interfaces=(wan,))
    learnt = Learnt(later_us, 0.01, 2048.0, 7.5, 3.5, 1.0, -19.25)
    ledger.remember(Memory({ONE: learnt, TWO: learnt}, {"xa": reading}))
    with closing(Desk.open(path)) as desk:
        desk.reclassify(
            Reclassification(
                ONE, START + 60 * SECOND, START + 90 * SECOND, State.DOWN, State.MAINTENANCE,
                later_us, "trưởng ca", "biên bản 12",
            )
        )  # fmt: skip
        window = MaintenanceWindow(
            "w1", later_us + days_us, later_us + 2 * days_us, "thay cáp", frozenset({"so-noi-vu"})
        )
        desk.add_window(window, "trưởng ca", later_us)
    assert ledger.verify() == []
    ledger.close()
    return path.read_bytes()


def cells() -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        prepare(connection, Path("memory"))
        for table in TABLES:
            for row in connection.execute(f"PRAGMA table_info({table})").fetchall():
                yield table, row[1]


@pytest.mark.parametrize(("table", "column"), list(cells()))
def test_a_changed_cell_is_found_in_every_row(
    written: bytes, tmp_path: Path, table: str, column: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(written)
    with closing(sqlite3.connect(path)) as connection:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[5]]
        keys = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()  # noqa: S608  # tables and columns of our own
    assert keys, f"the fixture has no row in {table}"
    for key in keys:
        path.write_bytes(written)
        where = " AND ".join(f"{name} = ?" for name in names)
        with closing(sqlite3.connect(path)) as connection:
            guard = _lift(connection, "entry_is_never_changed")
            connection.execute("PRAGMA ignore_check_constraints = 1")
            changed = f"UPDATE {table} SET {column} = {_other(connection, table, column)}"  # noqa: S608  # tables and columns of our own
            assert connection.execute(f"{changed} WHERE {where}", key).rowcount == 1
            connection.execute(guard)
            connection.commit()
        assert _problems(path), f"{table}.{column} of row {key}"


def test_a_flipped_byte_of_the_file_is_found_or_changes_nothing_that_can_be_read(
    written: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(written)
    sound = _dump(path)
    found = 0
    noise = random.Random(4)
    places = [place for place, byte in enumerate(written) if byte]
    for place in noise.sample(places, 300):
        spoilt = bytearray(written)
        spoilt[place] ^= 1 << noise.randrange(8)
        path.write_bytes(spoilt)
        if _problems(path):
            found += 1
        else:
            assert _dump(path) == sound
    assert found > 150, "hardly a flip was found: the test looks at nothing"


@pytest.mark.parametrize("table", [table for table in TABLES if table not in _MAY_BE_MISSING])
def test_a_row_that_was_taken_away_is_found(written: bytes, tmp_path: Path, table: str) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(written)
    with closing(sqlite3.connect(path)) as connection:
        guard = _lift(connection, "entry_is_deleted_below_the_anchor")
        newest = "SELECT max(rowid) FROM" if table not in ("outage", "maintenance") else None
        where = f"WHERE rowid = ({newest} {table})" if newest else ""
        connection.execute(f"DELETE FROM {table} {where}")  # noqa: S608  # tables and columns of our own
        connection.execute(guard)
        connection.commit()
    assert _problems(path)


def test_the_journal_refuses_changes_and_deletions(written: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(written)
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE entry SET start_us = 0", "DELETE FROM entry"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


def test_a_trigger_that_was_taken_away_is_found(written: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(written)
    with closing(sqlite3.connect(path)) as connection:
        _lift(connection, "entry_is_never_changed")
    (problem,) = _problems(path)
    assert problem == (
        "schema entry_is_never_changed: is not as netmon makes it: compare with a backup"
    )


def _lift(connection: sqlite3.Connection, trigger: str) -> str:
    """Take a trigger away; return the statement that brings it back."""
    query = "SELECT sql FROM sqlite_schema WHERE name = ?"
    (statement,) = connection.execute(query, (trigger,)).fetchone()
    connection.execute(f"DROP TRIGGER {trigger}")
    return str(statement)


def _other(connection: sqlite3.Connection, table: str, column: str) -> str:
    (kind,) = (
        row[2] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] == column
    )
    if kind == "INTEGER":
        return f"coalesce({column}, 0) + 1000"
    if kind == "BLOB":
        return "randomblob(32)"
    return f"coalesce({column}, '') || 'x'"


def _problems(path: Path) -> list[str]:
    try:
        with closing(LedgerReader.open(path)) as reader:
            return [str(problem) for problem in reader.verify()]
    except LedgerError as error:
        return [str(error)]


def _dump(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]  # noqa: S608  # tables and columns of our own
