"""When echoes left this machine, as the kernel says (SO_TIMESTAMPING, software stamps). Pure.

The kernel numbers the packets that it was asked to stamp and tells number and time on the socket's
error queue. A process that is interrupted while it sends knows its send times to within the
interruption only; the kernel's stamp is taken where the packet is handed to the device.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCKS = 16
"""Stamps are there as soon as the packets are sent: what is older will not come any more."""
_NUMBERS = 1 << 32
_CLOCK_NOISE_US = 50


@dataclass(frozen=True, slots=True)
class Stamps:
    """Numbers of packets, and when the kernel's wall clock said that they left."""

    number: NDArray[np.int64]
    wall_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Departed:
    """Echoes by serial, when they left, and how far the wall clock was ahead then."""

    serials: NDArray[np.uint64]
    sent_us: NDArray[np.int64]
    wall_offset_us: int


@dataclass(frozen=True, slots=True)
class _Block:
    first: int
    serials: NDArray[np.uint64]
    begun_us: int
    wall_offset_us: int


class Departures:
    """Knows which echo has which number on one socket."""

    def __init__(self) -> None:
        self._next = 0
        self._blocks: deque[_Block] = deque(maxlen=_BLOCKS)

    def sent(self, serials: NDArray[np.uint64], begun_us: int, wall_offset_us: int) -> None:
        """Note that the kernel numbered these echoes, in this order; none failed."""
        self._blocks.append(_Block(self._next, serials, begun_us, wall_offset_us))
        self._next = (self._next + len(serials)) % _NUMBERS

    def restart(self) -> None:
        """Forget everything: the socket numbers from 0 again."""
        self._next = 0
        self._blocks.clear()

    def match(self, stamps: Stamps, now_us: int) -> list[Departed]:
        """Return which echoes these stamps are of; one that cannot be true is of none."""
        found = []
        for block in self._blocks:
            index = (stamps.number - block.first) % _NUMBERS
            sent_us = stamps.wall_ns // 1000 - block.wall_offset_us
            # A stamp from before the numbers began anew is older than the block it seems to be of;
            # one from the future was made by a wall clock that was set meanwhile.
            mine = (index < len(block.serials)) & (sent_us >= block.begun_us - _CLOCK_NOISE_US)
            mine &= sent_us <= now_us + _CLOCK_NOISE_US
            if mine.any():
                serials = block.serials[index[mine]]
                found.append(Departed(serials, sent_us[mine], block.wall_offset_us))
        return found
