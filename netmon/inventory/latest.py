"""What was last seen on each router, one JSON file each: figures too lively for the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class LastVisit:
    """The last visit to a router."""

    agency: str
    at_us: int
    status: str
    detail: str = ""
    platform: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Sort (interface, address, neighbour, arp) → name → text."""
    configuration: str = ""
    """Hash of the configuration that was kept; empty: none."""
    changed_at: str = ""
    """When the configuration was last changed, in the router's own words."""
    changed_by: str = ""
    changed_us: int | None = None
    """The same as an instant, where it is understood."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Command → what came and could not be read, secrets masked."""


class LastVisits:
    """The directory of these files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def save(self, visit: LastVisit) -> None:
        """Keep a visit; one that brought nothing keeps what the one before brought."""
        before = self.of(visit.agency)
        if before is not None and not visit.facts:
            visit = _with_facts_of(before, visit)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(visit.agency)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(json.dumps(asdict(visit), ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)

    def of(self, agency: str) -> LastVisit | None:
        """Return the last visit to an agency's router; None: there was none that can be read."""
        return _read(self._path(agency))

    def all(self) -> dict[str, LastVisit]:
        """Return the last visits to all routers that can be read, by agency."""
        found = map(_read, sorted(self._directory.glob("[!.]*.json")))
        return {visit.agency: visit for visit in found if visit is not None}

    def version(self) -> int:
        """Return a number that is another after each visit; 0: there was none."""
        try:
            return self._directory.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _path(self, agency: str) -> Path:
        return self._directory / f"{agency}.json"


def _read(path: Path) -> LastVisit | None:
    try:
        return LastVisit(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        # Not there, torn by a power cut, or of another release: the next visit writes it anew.
        return None


def _with_facts_of(before: LastVisit, visit: LastVisit) -> LastVisit:
    now = asdict(visit)
    kept = ("facts", "tables", "configuration", "changed_at", "changed_by", "changed_us")
    return LastVisit(**{**now, **{name: getattr(before, name) for name in kept}})
