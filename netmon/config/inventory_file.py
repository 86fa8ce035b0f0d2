"""Reads the files of an inventory, with what they include, into records."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.config.document import read_root
from netmon.config.fields import Record
from netmon.config.inventory_fields import INCLUDED, INVENTORY, InventoryKeys, SharedKeys
from netmon.config.report import Place
from netmon.config.source import MAX_FILE_BYTES, is_file
from netmon.config.words import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netmon.config.fields import Table
    from netmon.config.forms import Placed
    from netmon.config.report import Report

_MAX_FILES = 2000
"""Every district, department and commune of a province might have its own."""


@dataclass
class Draft:
    """What the files of one inventory say, each field checked by itself, nothing across them."""

    root: Record | None = None
    """The record of the first file."""
    kinds: dict[str, Record] = field(default_factory=dict)
    providers: dict[str, Record] = field(default_factory=dict)
    agencies: list[Record] = field(default_factory=list)
    maintenance: list[Record] = field(default_factory=list)
    recurring: list[Record] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    complete: bool = True
    """False: a part could not be read, so that what seems missing may well be there."""


def read_inventory(path: Path, report: Report, max_bytes: int = MAX_FILE_BYTES) -> Draft:
    """Read an inventory and all it includes; `max_bytes` bounds every file."""
    reading = _Reading(report, max_bytes)
    reading.draft.root = reading.read(path, INVENTORY, chain=())
    return reading.draft


class _Reading:
    """One pass over the files of an inventory."""

    def __init__(self, report: Report, max_bytes: int) -> None:
        self.draft = Draft()
        self._report = report
        self._max_bytes = max_bytes
        self._first_place: dict[Path, Place] = {}
        """Real path → where it was included first."""

    def read(self, path: Path, table: Table, chain: tuple[Path, ...]) -> Record | None:
        """Read one file and then what it includes; `chain` is the way here from the first file."""
        self.draft.files.append(path)
        real = _real(path)
        if not chain:
            self._first_place[real] = Place(printable(str(path)), 1, 1)
        record = self._record(path, table)
        if record is None:
            self.draft.complete = False
            return None
        self._take(record)
        for entry in record.get(SharedKeys.INCLUDE) or ():
            self._include(entry, path, (*chain, real))
        return record

    def _record(self, path: Path, table: Table) -> Record | None:
        root = read_root(path, self._report, self._max_bytes)
        if root is None:
            return None
        self.draft.complete &= not root.cut
        return table.read(root, self._report)

    def _take(self, record: Record) -> None:
        self._merge(self.draft.kinds, record.get(InventoryKeys.KINDS) or {}, "kind")
        self._merge(self.draft.providers, record.get(InventoryKeys.PROVIDERS) or {}, "provider")
        self.draft.agencies.extend(record.get(SharedKeys.AGENCIES) or ())
        self.draft.maintenance.extend(record.get(SharedKeys.MAINTENANCE) or ())
        self.draft.recurring.extend(record.get(SharedKeys.RECURRING) or ())

    def _merge(self, known: dict[str, Record], more: Mapping[str, Record], what: str) -> None:
        for name, record in more.items():
            first = known.setdefault(name, record)
            if first is not record:
                message = f"{what} {name!r} is declared twice; the first is at {first.node.place}"
                self._report.error(record.node.place, message)

    def _include(self, entry: Placed[str], by: Path, chain: tuple[Path, ...]) -> None:
        for path in self._expand(entry, by):
            real = _real(path)
            if real in chain:
                names = " → ".join(p.name for p in (*chain[chain.index(real) :], real))
                self._report.error(entry.place, f"the files include each other: {names}")
            elif real in self._first_place:
                first = self._first_place[real]
                message = f"{quoted(str(path))} is included twice; the first is at {first}"
                self._report.error(entry.place, message)
            elif len(self.draft.files) >= _MAX_FILES:
                self._report.error(entry.place, f"more than {_MAX_FILES} files are included")
                return
            else:
                self._first_place[real] = entry.place
                self.read(path, INCLUDED, chain)

    def _expand(self, entry: Placed[str], by: Path) -> list[Path]:
        """Return the files that an entry of `include` names, in the order of their names."""
        wanted = by.parent / entry.value
        if not any(mark in entry.value for mark in "*?["):
            if is_file(wanted):
                return [wanted]
            self._report.error(entry.place, _missing(wanted))
        elif any(mark in part for part in wanted.parent.parts for mark in "*?["):
            message = "'*' is read in the file's name only, not in its directory: list the files"
            self._report.error(entry.place, message)
        else:
            found = _matching(wanted)
            if not found:
                self._report.error(entry.place, f"no file matches {quoted(str(wanted))}")
            return found
        self.draft.complete = False
        return []


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        # A loop of symbolic links: opening it will tell.
        return path.absolute()


def _missing(path: Path) -> str:
    if os.path.isdir(path):  # noqa: PTH112  # Path.is_dir raises for a name that is too long
        example = quoted(str(path / "*.yaml"))
        return f"{quoted(str(path))} is a directory: name the files in it, such as {example}"
    return f"the included file {quoted(str(path))} is not there"


def _matching(pattern: Path) -> list[Path]:
    try:
        entries = sorted(pattern.parent.iterdir())
    except OSError:
        return []
    return [
        path
        for path in entries
        if not path.name.startswith(".") and fnmatchcase(path.name, pattern.name) and is_file(path)
    ]
