"""The tables of the ledger and the way from every released version to the present one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from netmon.errors import LedgerError
from netmon.ledger.storage import APPLICATION_ID, transaction
from netmon.model import CAUSES, STATES, Hours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SECONDS_COLUMNS = tuple(f"{state}_{hours}_us" for state in STATES for hours in Hours)
OUTAGE_COLUMNS = tuple(f"outages_{cause}" for cause in CAUSES)
LASTING_COLUMNS = tuple(f"outages_{cause}_us" for cause in CAUSES)

# A released version never changes: what comes later is a version of its own after it.
_VERSION_1 = """
CREATE TABLE link (
  id INTEGER PRIMARY KEY,
  agency TEXT NOT NULL,
  link TEXT NOT NULL,
  state TEXT NOT NULL,
  health TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  open_us INTEGER,
  open_cause TEXT,
  awaiting_us INTEGER,
  awaiting_end_us INTEGER,
  up_business_us INTEGER NOT NULL, up_other_us INTEGER NOT NULL,
  degraded_business_us INTEGER NOT NULL, degraded_other_us INTEGER NOT NULL,
  down_business_us INTEGER NOT NULL, down_other_us INTEGER NOT NULL,
  unknown_business_us INTEGER NOT NULL, unknown_other_us INTEGER NOT NULL,
  unreachable_business_us INTEGER NOT NULL, unreachable_other_us INTEGER NOT NULL,
  maintenance_business_us INTEGER NOT NULL, maintenance_other_us INTEGER NOT NULL,
  unobserved_business_us INTEGER NOT NULL, unobserved_other_us INTEGER NOT NULL,
  outages_circuit INTEGER NOT NULL,
  outages_power INTEGER NOT NULL,
  outages_beyond INTEGER NOT NULL,
  outages_upstream INTEGER NOT NULL,
  outages_unknown INTEGER NOT NULL,
  UNIQUE (agency, link)
) STRICT;

CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  link_id INTEGER REFERENCES link (id),
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  decided_us INTEGER NOT NULL,
  state TEXT,
  health TEXT,
  content TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX entry_transition ON entry (link_id, start_us, id) WHERE kind = 'transition';
CREATE INDEX entry_reclassification ON entry (link_id, id) WHERE kind = 'reclassification';
CREATE INDEX entry_rare ON entry (kind, id) WHERE kind IN ('calendar', 'anchor');

CREATE TABLE outage (
  link_id INTEGER NOT NULL REFERENCES link (id),
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL,
  path_end TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (link_id, start_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX outage_by_start ON outage (start_us);
CREATE INDEX outage_by_end ON outage (end_us);
CREATE INDEX outage_open ON outage (link_id) WHERE end_us IS NULL;

CREATE TABLE maintenance (
  id TEXT PRIMARY KEY,
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fact (
  id INTEGER PRIMARY KEY,
  agency TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  source TEXT NOT NULL,
  at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX fact_by_agency ON fact (agency, key, id);

CREATE TABLE anchor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  books TEXT NOT NULL
) STRICT;

CREATE TABLE status (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  beat_us INTEGER NOT NULL,
  wall_offset_us INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT;

CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER entry_is_deleted_below_the_anchor BEFORE DELETE ON entry
WHEN OLD.id > coalesce((SELECT last_id FROM anchor), 0)
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
"""

_VERSION_2 = """
CREATE TABLE memory (
  kind TEXT NOT NULL,
  agency TEXT NOT NULL,
  link TEXT NOT NULL,
  content TEXT NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (kind, agency, link)
) STRICT, WITHOUT ROWID;
"""

# How long outages lasted, by cause. What the journal says of it is put in by `prepare`.
_VERSION_3 = """
ALTER TABLE link ADD COLUMN outages_circuit_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN outages_power_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN outages_beyond_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN outages_upstream_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE link ADD COLUMN outages_unknown_us INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Statements that lead from version n to n + 1."""
MEMORY_VERSION = 2
"""Since then there is the table `memory`: an older file can be read all the same."""
LASTING_VERSION = 3
"""Since then books tell how long outages lasted: an older file can be read all the same."""


def prepare(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[str] = MIGRATIONS,
    refill: Callable[[], None] | None = None,
) -> None:
    """Bring the file to the present version, each step in a transaction of its own.

    `refill` belongs to the last step: it fills new columns of a ledger that has a past from what
    the journal says.

    Raises:
        LedgerError: a newer netmon, or something else than netmon, has written the file.
    """
    version = check(connection, path, len(migrations))
    for number in range(version, len(migrations)):
        with transaction(connection):
            for statement in _statements(migrations[number]):
                connection.execute(statement)
            if refill is not None and version and number == len(migrations) - 1:
                refill()
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={number + 1}")


def check(connection: sqlite3.Connection, path: Path, known: int = len(MIGRATIONS)) -> int:
    """Return the file's version; 0: it is empty.

    Raises:
        LedgerError: a newer netmon, or something else than netmon, has written the file.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise LedgerError(f"{path}: this is no ledger of netmon: give another storage.path")
    if version > known:
        message = (
            f"{path}: the ledger has version {version}, this netmon knows {known}: "
            "install the newer netmon again, or restore the backup from before the upgrade"
        )
        raise LedgerError(message)
    return int(version)


def schema_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the statement that made each table, index and trigger of a file."""
    query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    return dict(connection.execute(query))


def schema_of_version(version: int) -> dict[str, str]:
    """Return the same as netmon makes it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in MIGRATIONS[:version]:
            connection.executescript(migration)
        return schema_of(connection)


def _statements(script: str) -> list[str]:
    """Split a script; SQLite itself knows where a trigger's body ends."""
    statements, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            statements.append(part)
            part = ""
    return statements
