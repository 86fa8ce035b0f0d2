"""When echoes are due: a timing wheel on the time line, pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netmon.model import LinkKey


def splay(key: LinkKey, family: int) -> int:
    """Return a stable number of 63 bits that spreads links over their interval."""
    digest = blake2b(f"{key.agency}\0{key.link}\0{family}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class Wheel:
    """One turn per interval; every target has its place on the rim.

    A target is due when the time line, modulo the interval, passes its phase. Phases depend on
    the target alone, so neither a reload nor a restart moves them, and lie on the grid of ticks.
    """

    def __init__(self, interval_us: int, tick_us: int) -> None:
        self.interval_us = interval_us
        self._tick_us = min(tick_us, interval_us)
        self._phases = np.zeros(0, np.int64)
        self._targets = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self._targets)

    def replace(self, splays: NDArray[np.int64], targets: NDArray[np.int32]) -> None:
        """Put these targets on the rim instead of the present ones."""
        phases = splays % self.interval_us // self._tick_us * self._tick_us
        order = np.argsort(phases, kind="stable")
        self._phases, self._targets = phases[order], targets[order]

    def due(self, after_us: int, until_us: int) -> NDArray[np.int32]:
        """Return the targets due after one instant and up to another, each at most once."""
        if until_us <= after_us:
            return self._targets[:0]
        first = int(np.searchsorted(self._phases, after_us % self.interval_us, side="right"))
        last = int(np.searchsorted(self._phases, until_us % self.interval_us, side="right"))
        if until_us - after_us >= self.interval_us:
            return np.concatenate((self._targets[first:], self._targets[:first]))
        if until_us // self.interval_us == after_us // self.interval_us:
            return self._targets[first:last]
        return np.concatenate((self._targets[first:], self._targets[:last]))

    def turns(self, after_us: int, until_us: int) -> int:
        """Return how often the wheel came round between two instants."""
        return until_us // self.interval_us - after_us // self.interval_us
