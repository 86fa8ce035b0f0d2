"""When the nightly round is due, and how far the last one came: kept in a file over restarts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS, from_datetime, utc

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

LATEST_START_SECONDS = 4 * 3600
"""A daemon that starts later than this after the round's time waits for the next night."""


@dataclass(frozen=True, slots=True)
class Night:
    """A round that was begun."""

    begun_us: int
    ended: bool
    """False: netmon was stopped meanwhile."""


class Nights:
    """The rounds of past nights; the last one counts."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "last-round.json"

    def last(self) -> Night | None:
        """Return the round that was begun last; None: there was none, or its note is unreadable."""
        try:
            tree = json.loads(self._path.read_text("utf-8"))
            return Night(int(tree["begun_us"]), bool(tree.get("ended", True)))
        except (OSError, ValueError, KeyError, TypeError):
            # The worst that follows is one more visit to each router.
            return None

    def note(self, night: Night) -> None:
        """Keep how far the last round came."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.new")
        fields = {"begun_us": night.begun_us, "ended": night.ended}
        temporary.write_text(json.dumps(fields), "utf-8")
        temporary.replace(self._path)


def due_us(at_minutes: int | None, now_us: int, zone: tzinfo) -> int | None:
    """Return when the round that may run now was to begin; None: none may."""
    if at_minutes is None:
        return None
    midnight = utc(now_us).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight, midnight - timedelta(days=1)):
        begin_us = from_datetime(_at(day, at_minutes))
        if 0 <= now_us - begin_us <= LATEST_START_SECONDS * MICROSECONDS:
            return begin_us
    return None


def _at(day: datetime, minutes: int) -> datetime:
    return day.replace(hour=minutes // 60, minute=minutes % 60)
