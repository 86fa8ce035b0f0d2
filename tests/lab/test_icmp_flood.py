"""A flood of made-up replies, hundreds of thousands within seconds, in a namespace."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.capabilities import LAB, missing
from lab.fast_agent import Country
from lab.kernel import inside
from lab.tun import address_of
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import LinkKey, Outcome
from netmon.probes.icmp import EchoEngine, EchoTarget, IcmplibSockets, OpenedSocket

if TYPE_CHECKING:
    from netmon.judge.columns import EchoBatch

pytestmark = pytest.mark.lab

LINKS, FLOOD_SECONDS, PACKETS = 200, 2.0, 100_000


class SocketsInside:
    """Opens sockets in a namespace."""

    def __init__(self, namespace: str, *, privileged: bool) -> None:
        self._namespace = namespace
        self._sockets = IcmplibSockets(privileged=privileged)

    def open(self, family: int) -> OpenedSocket:
        with inside(self._namespace):
            Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 65534", encoding="ascii")
            return self._sockets.open(family)


async def flood(country: Country, identifier: int) -> int:
    """Run the attacker to its end; return how many packets it sent."""
    root = str(Path(__file__).parents[2])
    with country.popen(
        sys.executable, "-m", "lab.flood", str(identifier), str(FLOOD_SECONDS),
        env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True,
    ) as attacker:  # fmt: skip
        output, _ = await asyncio.to_thread(attacker.communicate)
    return int(json.loads(output)["sent"])


@pytest.mark.parametrize("privileged", [True, False], ids=["raw", "datagram"])
async def test_a_flood_of_made_up_replies_changes_no_figure(*, privileged: bool) -> None:
    if lack := missing(*LAB):
        pytest.skip(lack)
    clock, outcomes = SystemClock(), set()

    def take(batch: EchoBatch) -> None:
        outcomes.update(batch.outcome.tolist())

    with Country() as country:
        sockets = SocketsInside(country.namespace, privileged=privileged)
        engine = EchoEngine(Timeline(clock), clock, take, sockets)
        module = EchoModule("fast", interval_seconds=0.2, timeout_seconds=1.0)
        engine.set_targets(
            [
                EchoTarget(LinkKey(f"xa-{slot}", "main"), slot, address_of(slot), module)
                for slot in range(LINKS)
            ]
        )
        running = asyncio.create_task(engine.run())
        sent = await flood(country, engine._sockets.open[4].identifier)
        await engine.drain(2.0)
        await running
    columns, figures = engine.columns(np.arange(LINKS, dtype=np.int32)), engine.figures()
    assert outcomes == {Outcome.REPLIED}
    assert columns.requests.min() > 0
    assert (columns.replies == columns.requests).all()
    assert (figures.duplicates, figures.late, figures.malformed) == (0, 0, 0)
    # How fast they came is benchmarks/icmp_flood.py's to say: that is the machine's affair.
    assert sent >= PACKETS
    assert figures.strangers + figures.overflows >= sent
