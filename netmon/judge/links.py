"""The judge's memory of every link as columns, one element per slot. Instants of 0: never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.sequential import ONSET_PRIOR_ECHOES, ONSET_UNKNOWN, SUSPICION_UNKNOWN
from netmon.model import NO_ERROR, STATE_CODES, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

UP = STATE_CODES[State.UP]
DEGRADED = STATE_CODES[State.DEGRADED]
DOWN = STATE_CODES[State.DOWN]
UNKNOWN = STATE_CODES[State.UNKNOWN]
UNOBSERVED = STATE_CODES[State.UNOBSERVED]

NOBODY = -1
"""No agency."""
RECENT_REPLIES = 8
"""So many may arrive while the time-out of an echo sent before them is running."""
_INTERVAL_DECAY = 32
_INTERVAL_GROWTH = 2


class LinkColumns:
    """Working columns; `grow` and `clear` treat every column alike."""

    def __init__(self, capacity: int, window: int) -> None:
        self.window = window
        self.active = np.zeros(capacity, np.bool_)
        self.born_us = np.zeros(capacity, np.int64)
        # What was told, and what is underneath.
        self.state = np.full(capacity, UNKNOWN, np.int8)
        self.health = np.full(capacity, UNKNOWN, np.int8)
        self.since_us = np.zeros(capacity, np.int64)
        self.told_us = np.zeros(capacity, np.int64)
        # Certainty: own samples, what was shown outside, and what is closed for good.
        self.settled_us = np.zeros(capacity, np.int64)
        self.shown_us = np.zeros(capacity, np.int64)
        self.floor_us = np.zeros(capacity, np.int64)
        # Echoes.
        self.last_reply_us = np.zeros(capacity, np.int64)
        self.last_silent_us = np.zeros(capacity, np.int64)
        self.last_sent_us = np.zeros(capacity, np.int64)
        self.heard_us = np.zeros(capacity, np.int64)
        self.interval_us = np.zeros(capacity, np.int64)
        self.interval_told = np.zeros(capacity, np.bool_)
        # The sequential test on the way down and on the way up.
        self.run = np.zeros(capacity, np.int32)
        self.run_start_us = np.zeros(capacity, np.int64)
        self.needed = np.full(capacity, 5, np.int32)
        self.losses = np.zeros(capacity, np.int32)
        self.score = np.zeros(capacity, np.float64)
        self.candidate_us = np.zeros(capacity, np.int64)
        self._know_nothing(capacity)
        self.replies_us = np.zeros((capacity, RECENT_REPLIES), np.int64)
        self.replies_at = np.zeros(capacity, np.int8)
        self.error = np.full(capacity, NO_ERROR, np.int8)
        self.offender = np.zeros(capacity, np.uint64)
        # Our own trouble.
        self.faults = np.zeros(capacity, np.int32)
        self.fault_start_us = np.zeros(capacity, np.int64)
        self.fault_last_us = np.zeros(capacity, np.int64)
        self.dark_us = np.zeros(capacity, np.int64)
        # Quality.
        self.ring = np.zeros((capacity, window), np.uint8)
        self.ring_at = np.zeros(capacity, np.int32)
        self.ring_filled = np.zeros(capacity, np.int32)
        self.ring_lost = np.zeros(capacity, np.int32)
        self.rtt_seconds = np.full(capacity, np.nan, np.float64)
        self.loss_limit = np.full(capacity, np.inf, np.float64)
        self.rtt_limit_seconds = np.full(capacity, np.inf, np.float64)
        self._hear_no_family(capacity)
        # Flaps.
        self.penalty = np.zeros(capacity, np.float64)
        self.penalty_us = np.zeros(capacity, np.int64)
        self.flapping = np.zeros(capacity, np.bool_)
        # Confirming echoes.
        self.tokens = np.zeros(capacity, np.float64)
        self.tokens_us = np.zeros(capacity, np.int64)
        # Parents.
        self.agency = np.full(capacity, NOBODY, np.int32)
        self.parent = np.full(capacity, NOBODY, np.int32)
        self.grace_from_us = np.zeros(capacity, np.int64)
        self.grace_until_us = np.zeros(capacity, np.int64)

    @property
    def capacity(self) -> int:
        """How many slots there are."""
        return len(self.active)

    def grow(self, capacity: int) -> None:
        """Make room for at least `capacity` slots; what is there stays."""
        if capacity <= self.capacity:
            return
        larger = LinkColumns(capacity, self.window)
        for name, column in self._columns():
            new: NDArray[np.generic] = getattr(larger, name)
            new[: len(column)] = column
            setattr(self, name, new)

    def clear(self, slot: int) -> None:
        """Make a slot as if no link had ever been there."""
        fresh = LinkColumns(1, self.window)
        for name, column in self._columns():
            column[slot] = getattr(fresh, name)[0]

    def begin(self, slot: int, now_us: int) -> None:
        """Let a link begin in a clear slot; its account is open from now on."""
        self.active[slot] = True
        self.born_us[slot] = self.settled_us[slot] = self.floor_us[slot] = now_us

    def _hear_no_family(self, capacity: int) -> None:
        """Add the columns of links that have both families; [slot, IPv4 or IPv6]."""
        self.is_dual = np.zeros(capacity, np.bool_)
        self.family_run = np.zeros((capacity, 2), np.int32)
        self.family_start_us = np.zeros((capacity, 2), np.int64)
        self.family_reply_us = np.zeros((capacity, 2), np.int64)
        self.family_since_us = np.zeros((capacity, 2), np.int64)

    def _know_nothing(self, capacity: int) -> None:
        """Add the columns of what is learnt about links and outlives a restart."""
        self.onset = np.full(capacity, ONSET_UNKNOWN, np.float64)
        self.onset_echoes = np.full(capacity, ONSET_PRIOR_ECHOES, np.float64)
        self.runs = np.zeros(capacity, np.float64)
        self.trials = np.zeros(capacity, np.float64)
        self.hits = np.zeros(capacity, np.float64)
        self.suspicion = np.full(capacity, SUSPICION_UNKNOWN, np.float64)
        self.remembered = np.tile((SUSPICION_UNKNOWN, 0.0, ONSET_UNKNOWN), (capacity, 1))

    def _columns(self) -> list[tuple[str, NDArray[np.generic]]]:
        return [(name, value) for name, value in vars(self).items() if name != "window"]


def learn_interval(
    links: LinkColumns, slots: NDArray[np.int32], sent_us: NDArray[np.int64]
) -> None:
    """Learn how often links are probed from the gaps between their echoes.

    The longest recent gap, slowly forgotten: two echoes at once, one of each address family, and
    confirming echoes in between must not make the interval look shorter than it is.
    """
    gap = sent_us - links.last_sent_us[slots]
    interval = links.interval_us[slots]
    decayed = interval - (interval - gap) // _INTERVAL_DECAY
    learnt = np.minimum(np.maximum(gap, decayed), interval * _INTERVAL_GROWTH)
    learnt = np.where(interval == 0, gap, learnt)
    usable = (links.last_sent_us[slots] > 0) & (gap > 0) & ~links.interval_told[slots]
    links.interval_us[slots[usable]] = learnt[usable]
