"""Confirming echoes asked for on demand, until they are due. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Bursts:
    """Extra echoes in the order in which they fall due."""

    def __init__(self) -> None:
        self._due_us = np.zeros(0, np.int64)
        self._targets = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return len(self._targets)

    def add(self, targets: NDArray[np.int32], first_us: int, spacing_us: int) -> None:
        """Add echoes: a row for each link, a column for each turn, the first turn at `first_us`.

        Turns that fall due at once stand one after the other all the same: echoes of one link
        that stand side by side would have to be told one by one.
        """
        links, turns = targets.shape
        due_us = np.concatenate(
            (self._due_us, np.repeat(first_us + np.arange(turns) * spacing_us, links))
        )
        order = np.argsort(due_us, kind="stable")
        self._due_us = due_us[order]
        self._targets = np.concatenate((self._targets, targets.T.ravel()))[order]

    def take(self, now_us: int) -> NDArray[np.int32]:
        """Take the targets of all echoes due by now."""
        count = int(np.searchsorted(self._due_us, now_us, side="right"))
        taken = self._targets[:count]
        self._due_us, self._targets = self._due_us[count:], self._targets[count:]
        return taken

    def remap(self, new_index: NDArray[np.int32]) -> None:
        """Give targets their new index; echoes for those that are gone are dropped."""
        targets = new_index[self._targets]
        kept = targets >= 0
        self._due_us, self._targets = self._due_us[kept], targets[kept]


def take_turns(
    slot_of_target: NDArray[np.int32], slots: NDArray[np.int32], count: int
) -> NDArray[np.int32]:
    """Return `count` targets for each link: its addresses, in turn. Unknown slots are left out."""
    order = np.argsort(slot_of_target, kind="stable")
    sorted_slots = slot_of_target[order]
    first = np.searchsorted(sorted_slots, slots, side="left")
    several = np.searchsorted(sorted_slots, slots, side="right") - first
    first, several = first[several > 0], several[several > 0]
    turns = np.arange(count) % several[:, np.newaxis]
    return np.asarray(order[first[:, np.newaxis] + turns], np.int32)
