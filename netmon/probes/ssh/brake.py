"""Holds logins back after the router refused one, so that no account is ever locked by netmon."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from netmon.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_FIRST_US = 12 * 3600 * 1_000_000
"""After one refusal the next night may try again."""
_LONGEST_US = 14 * 24 * 3600 * 1_000_000
REFUSALS_IN_A_ROW = 3
"""Fewer than any device or directory is known to lock an account after."""


class Brake:
    """How long each router is left alone; kept in a file, so that a restart forgets nothing.

    Raises:
        InventoryError: the file cannot be read: without it an account may be locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refusals = _read(path) if path.exists() else {}

    def held_until_us(self, agency: str) -> int:
        """Return until when no login is tried; 0: one may be."""
        return self._refusals.get(agency, (0, 0))[1]

    def refused(self, agency: str, now_us: int) -> None:
        """The router refused the login: wait, twice as long each time."""
        count = self._refusals.get(agency, (0, 0))[0] + 1
        wait_us = min(_FIRST_US << min(count - 1, 10), _LONGEST_US)
        self._refusals[agency] = (count, now_us + wait_us)
        self._save()

    def accepted(self, agency: str) -> None:
        """The router let us in."""
        if self._refusals.pop(agency, None) is not None:
            self._save()

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.new")
        temporary.write_text(json.dumps(self._refusals), encoding="utf-8")
        temporary.replace(self._path)


def _read(path: Path) -> dict[str, tuple[int, int]]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {agency: (int(count), int(held_us)) for agency, (count, held_us) in tree.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        raise InventoryError(
            f"{path}: cannot be read: who refused a login is not known, so nobody is visited. "
            "Delete it when no account is about to be locked"
        ) from None


class Gate:
    """The same for one credential within one round: an account of many routers lies elsewhere.

    Until a router has accepted the credential only a few are tried at a time; when that many in a
    row refuse it, nobody else is asked in this round.
    """

    def __init__(self) -> None:
        self._refusals = 0
        self._proven = False
        self._trying = 0
        self._changed = asyncio.Condition()

    @property
    def closed(self) -> bool:
        """Whether the credential was refused too often."""
        return self._refusals >= REFUSALS_IN_A_ROW

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until the credential may be tried, or is known not to be tried any more."""
        async with self._changed:
            await self._changed.wait_for(self._open)
            self._trying += 1
        try:
            yield
        finally:
            # No await between: a turn that is cancelled must be given back too.
            self._trying -= 1
            async with self._changed:
                self._changed.notify_all()

    def refused(self) -> None:
        """A router refused the credential."""
        self._refusals += 1

    def accepted(self) -> None:
        """A router accepted the credential."""
        self._refusals = 0
        self._proven = True

    def _open(self) -> bool:
        tries = self._trying + self._refusals
        return self.closed or self._proven or tries < REFUSALS_IN_A_ROW
