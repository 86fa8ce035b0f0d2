"""Lanes: the targets of one address family and one module, paced and sent together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.probes.icmp.kernel import SendRing
from netmon.probes.icmp.packet import template
from netmon.probes.icmp.sockets import EchoSocket, source_control, stamp_control
from netmon.probes.icmp.wheel import Wheel
from netmon.state import RoundFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netmon.config.settings import EchoModule

_ROWS = 1024
_MICROSECONDS = 1_000_000
_NAME_BYTES = {4: 16, 6: 28}


class Lane:
    """One turn of its wheel is one round: every target is sent one echo."""

    def __init__(self, family: int, module: EchoModule, tick_us: int) -> None:
        self.name = f"echo:{module.name}"
        self.family = family
        self.module = module
        self.timeout_us = round(module.timeout_seconds * _MICROSECONDS)
        self.wheel = Wheel(round(module.interval_seconds * _MICROSECONDS), tick_us)
        self._tick_us = tick_us
        self.queue = np.zeros(0, np.int32)
        """Targets that are due and wait for their turn in a tick."""
        self.ring: SendRing | None = None
        self._round = _Round()

    def use(self, sock: EchoSocket) -> None:
        """Prepare packets for this socket's ICMP ID."""
        pattern = template(self.family, sock.identifier, self.module.size_bytes)
        control = source_control(self.module, self.family)
        self.ring = SendRing(_ROWS, pattern, _NAME_BYTES[self.family], control, stamp_control())

    @property
    def load(self) -> float:
        """How many targets fall due in a tick, on average."""
        return len(self.wheel) * self._tick_us / self.wheel.interval_us

    def enqueue(self, after_us: int, until_us: int, begun: NDArray[np.bool_] | None = None) -> None:
        """Queue what fell due; a target that still waits is not queued twice.

        `begun`: by target, whether it may be sent anything yet; None: all may.
        """
        due = self.wheel.due(after_us, until_us)
        if begun is not None:
            due = due[begun[due]]
        if not len(self.queue):
            self.queue = due
        elif len(due):
            due = due[~np.isin(due, self.queue)]
            self.queue = np.concatenate((self.queue, due))
        turns = self.wheel.turns(after_us, until_us)
        if turns and len(self.wheel):
            self._round.finish(self.name, turns, until_us)

    def add(self, targets: NDArray[np.int32]) -> None:
        """Queue confirming echoes."""
        if len(targets):
            self.queue = np.concatenate((self.queue, targets))

    def take(self, limit: int) -> NDArray[np.int32]:
        """Take what may be sent in this tick."""
        due, self.queue = self.queue[:limit], self.queue[limit:]
        return due

    def remap(self, new_index: NDArray[np.int32]) -> None:
        """Give queued targets their new index; those that are gone leave the queue."""
        queue = new_index[self.queue]
        self.queue = queue[queue >= 0]

    def count(self, duration_seconds: float, lateness_seconds: float) -> None:
        """Add one tick's sending to the present round."""
        self._round.duration_seconds += duration_seconds
        self._round.lateness_seconds = max(self._round.lateness_seconds, lateness_seconds)

    def figures(self) -> RoundFigures | None:
        """Return how the last full round went; None: none is full yet."""
        return self._round.last


class _Round:
    """The round that is going on, and the last full one."""

    def __init__(self) -> None:
        self.duration_seconds = 0.0
        self.lateness_seconds = 0.0
        self.runs = 0
        self.last: RoundFigures | None = None

    def finish(self, name: str, turns: int, end_us: int) -> None:
        """Close the round that is going on and begin the next."""
        self.runs += turns
        self.last = RoundFigures(
            name, self.runs, end_us, self.duration_seconds, self.lateness_seconds
        )
        self.duration_seconds = self.lateness_seconds = 0.0


def merge_rounds(lanes: list[RoundFigures]) -> RoundFigures:
    """Return the figures of one module from those of its two families."""
    return RoundFigures(
        lanes[0].name,
        max(lane.runs for lane in lanes),
        max(lane.last_end_us for lane in lanes),
        sum(lane.duration_seconds for lane in lanes),
        max(lane.lateness_seconds for lane in lanes),
    )
