"""Ping one address now, for people: the engine with a single target."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netmon.clock import Clock, SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.errors import CapabilityError
from netmon.model import NO_ERROR, IPAddress, LinkKey, Outcome
from netmon.probes.icmp.engine import EchoEngine
from netmon.probes.icmp.reasons import ErrorReport
from netmon.probes.icmp.targets import EchoTarget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from netmon.judge.columns import EchoBatch
    from netmon.probes.icmp.sockets import SocketFactory

_NEVER_SECONDS = 10 * 365 * 86_400.0
"""Echoes are sent by a burst; the wheel, which every target has, comes round after ten years."""


@dataclass(frozen=True, slots=True)
class PingResult:
    """What became of one echo request."""

    sequence: int
    """Counts from 1."""
    outcome: Outcome
    rtt_seconds: float | None
    report: ErrorReport | None
    """Who said what, where somebody did."""


async def ping(
    address: IPAddress,
    count: int = 4,
    interval_seconds: float = 1.0,
    timeout_seconds: float = 1.0,
    sockets: SocketFactory | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[PingResult]:
    """Send echo requests to one address and tell of each as it is settled, in order.

    Raises:
        CapabilityError: No ICMP socket of its family can be had here.
    """
    clock = clock or SystemClock()
    results: asyncio.Queue[PingResult] = asyncio.Queue()

    def collect(batch: EchoBatch) -> None:
        for row in range(len(batch)):
            results.put_nowait(_result(batch, row, engine))

    engine = EchoEngine(Timeline(clock), clock, collect, sockets)
    _aim(engine, address, timeout_seconds)
    engine.burst(np.zeros(1, np.int32), count, interval_seconds)
    running = asyncio.create_task(engine.run())
    try:
        for sequence in range(1, count + 1):
            result = await results.get()
            yield PingResult(sequence, result.outcome, result.rtt_seconds, result.report)
    finally:
        engine.stop()
        await running


def _aim(engine: EchoEngine, address: IPAddress, timeout_seconds: float) -> None:
    module = EchoModule("ping", _NEVER_SECONDS, timeout_seconds)
    engine.set_targets([EchoTarget(LinkKey("ping", str(address)), 0, address, module)])
    for problem in engine.socket_problems().values():
        raise CapabilityError(problem)


def _result(batch: EchoBatch, row: int, engine: EchoEngine) -> PingResult:
    rtt_seconds = float(batch.rtt_seconds[row])
    reports = engine.last_errors(0) if batch.error[row] != NO_ERROR else ()
    return PingResult(
        sequence=0,
        outcome=Outcome(int(batch.outcome[row])),
        rtt_seconds=None if np.isnan(rtt_seconds) else rtt_seconds,
        report=reports[0] if reports else None,
    )
