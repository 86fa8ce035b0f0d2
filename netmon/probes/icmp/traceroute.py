"""Where a path ends: a traceroute through icmplib, in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.model import EchoError, IPAddress
from netmon.probes.icmp.adapter import IcmplibSockets, PathProbe
from netmon.probes.icmp.reasons import words

if TYPE_CHECKING:
    from netmon.probes.icmp.adapter import HopAnswer
    from netmon.probes.icmp.sockets import SocketFactory

_TRIES_PER_HOP = 2
_LONGEST_PATH = 30
_SILENT_HOPS = 4
"""After so many silent hops in a row there is no more to learn."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One router on a path, or the target itself."""

    distance: int
    address: IPAddress
    rtt_seconds: float


@dataclass(frozen=True, slots=True)
class Path:
    """The routers that answered, near to far. Distances of silent ones are missing."""

    target: IPAddress
    hops: tuple[Hop, ...]
    reached: bool
    error: EchoError | None = None
    """What the last router said about the rest of the path, if it said anything."""

    @property
    def end(self) -> str:
        """Say where the path ends: "10.0.3.1 (hop 2) reports host unreachable"."""
        if not self.hops:
            return "no router on the path answers"
        last = self.hops[-1]
        place = f"{last.address} (hop {last.distance})"
        if self.reached:
            return f"{place} is the target"
        if self.error is not None:
            return f"{place} reports {words(self.error)}"
        return f"{place} is the last that answers"


def trace(address: IPAddress, sockets: SocketFactory, timeout_seconds: float = 1.0) -> Path:
    """Walk the path to an address, hop by hop; blocks for seconds.

    Raises:
        CapabilityError: There is no raw socket to be had here.
        ProbeFault: This machine could not send.
    """
    hops: list[Hop] = []
    silent = 0
    with PathProbe(address, sockets) as probe:
        for distance in range(1, _LONGEST_PATH + 1):
            answer = _ask(probe, distance, timeout_seconds)
            if answer is None:
                silent += 1
                if silent >= _SILENT_HOPS:
                    break
                continue
            silent = 0
            looping = any(hop.address == answer.address for hop in hops)
            if not looping:
                hops.append(Hop(distance, answer.address, answer.rtt_seconds))
            if answer.reached or answer.error is not None:
                return Path(address, tuple(hops), answer.reached, answer.error)
            if looping:
                return Path(address, tuple(hops), reached=False, error=EchoError.TTL_EXCEEDED)
    return Path(address, tuple(hops), reached=False)


def _ask(probe: PathProbe, distance: int, timeout_seconds: float) -> HopAnswer | None:
    for _ in range(_TRIES_PER_HOP):
        answer = probe.ask(distance, timeout_seconds)
        if answer is not None:
            return answer
    return None


class Tracer:
    """Traces paths, never more than `concurrency` at once.

    When a district dies, hundreds ask at the same time: at most `waiting` stand in line, for a
    path that is traced minutes later tells nothing about the outage.
    """

    def __init__(
        self, sockets: SocketFactory | None = None, concurrency: int = 4, waiting: int = 60
    ) -> None:
        self._sockets = sockets or IcmplibSockets()
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="trace")
        self._room = concurrency + waiting

    async def trace(self, address: IPAddress, timeout_seconds: float = 1.0) -> Path | None:
        """Trace the path to an address; None: too many others are waiting.

        Raises:
            CapabilityError: There is no raw socket to be had here.
            ProbeFault: This machine could not send.
        """
        if self._room <= 0:
            return None
        self._room -= 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, trace, address, self._sockets, timeout_seconds)
        # A cancelled caller does not stop the thread: its place is free when the thread is done.
        work.add_done_callback(self._leave)
        return await asyncio.shield(work)

    def close(self) -> None:
        """Begin no more; a path that is being walked is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, work: asyncio.Future[Path]) -> None:
        self._room += 1
        with contextlib.suppress(asyncio.CancelledError):
            # A cancelled caller does not fetch the error either.
            work.exception()
