"""SQLite and the disk under it: connections, the lock, the ballast, and what errors mean.

Durability: write-ahead log with `synchronous=FULL`. A commit has then reached the disk, not only
the kernel, before it is acknowledged, so that a power cut takes back nothing that was told.
benchmarks/ledger_durability.py measures what that costs against NORMAL.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netmon.errors import LedgerError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_ID = 0x4E4D4C47
"""Marks the file as a ledger of netmon ("NMLG") in SQLite's header."""
BUSY_SECONDS = 5.0
_CHECKPOINT_PAGES = 256
_LOG_BYTES = 1 << 20

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_READONLY: "the file or its disk is read-only: make it writable",
    sqlite3.SQLITE_IOERR: "the disk reports an error: look at the kernel's log",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the path and the rights on it",
    sqlite3.SQLITE_BUSY: "another process holds it: end that, or wait",
    sqlite3.SQLITE_LOCKED: "another process holds it: end that, or wait",
}
"""SQLite's primary result codes after which the same may be tried again."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Tell SQLite's errors as ours, with place, problem and remedy.

    Raises:
        StorageError: the disk refuses; the same may work later.
        LedgerError: the file is damaged, or SQLite refuses for a reason of its own.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        # Our own bug, whatever the disk is like: it must be seen as one.
        raise
    except sqlite3.Error as error:
        # The low byte of an extended result code is the primary one.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _REMEDIES:
            raise StorageError(f"{path}: {_REMEDIES[code]} ({error})") from error
        if code in _DAMAGE:
            message = f"{path}: the ledger is damaged ({error}): restore it from a backup"
            raise LedgerError(message) from error
        raise LedgerError(f"{path}: SQLite refuses: {error}") from error
    except UnicodeDecodeError as error:
        message = f"{path}: the ledger is damaged ({error}): restore it from a backup"
        raise LedgerError(message) from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}: check the path and the disk") from error


def is_full(error: BaseException | None) -> bool:
    """Tell whether it was for want of space that the disk refused."""
    cause = error.__cause__ if isinstance(error, StorageError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return isinstance(cause, OSError) and cause.errno == errno.ENOSPC


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger for writing."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open the ledger for reading beside a writer, or alone on a read-only disk.

    Raises:
        LedgerError: there is no ledger at `path`.
    """
    if not path.exists():
        raise LedgerError(f"{path}: there is no ledger: check storage.path, or start netmon first")
    uri = path.absolute().as_uri()
    try:
        return _readable(f"{uri}?mode=ro")
    except sqlite3.OperationalError:
        # Without a log nobody writes, and who may not create one may still read the file.
        if path.with_name(path.name + "-wal").exists():
            raise
        return _readable(f"{uri}?mode=ro&immutable=1")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors, a full disk among them.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Lock:
    """Keeps a second daemon away from the same ledger. Gone with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            LedgerError: another process holds it.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            message = (
                f"{self._path}: another netmon (process {holder}) keeps this ledger: "
                "stop it, or give this one another storage.path"
            )
            raise LedgerError(message) from None
        self._descriptor = descriptor
        self._sign()

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _sign(self) -> None:
        """Leave our process id for whoever is refused; a full disk may deny us that."""
        if self._descriptor is not None:
            try:
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
            except OSError:
                return


class Ballast:
    """A file that holds space ready: on a full disk SQLite can neither delete nor checkpoint."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path.with_name(path.name + ".ballast")
        self._size_bytes = size_bytes

    def take_on(self) -> bool:
        """Reserve the space if the disk has as much again to spare; tell whether it is there."""
        if self._path.exists() and self._path.stat().st_size >= self._size_bytes:
            return True
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < 2 * self._size_bytes:
            return False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, max(1, self._size_bytes))
        finally:
            os.close(descriptor)
        return True

    def drop(self) -> bool:
        """Give the space free; tell whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True


def _readable(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
