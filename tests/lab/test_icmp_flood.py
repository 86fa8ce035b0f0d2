"""A flood of made-up replies, hundreds of thousands within seconds, in a namespace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.capabilities import LAB, missing
from lab.fast_agent import Country
from lab.icmp import SocketsInside, flood
from lab.tun import address_of
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import LinkKey, Outcome
from netmon.probes.icmp import EchoEngine, EchoTarget

if TYPE_CHECKING:
    from netmon.judge.columns import EchoBatch

pytestmark = pytest.mark.lab

LINKS, FLOOD_SECONDS, PACKETS = 200, 2.0, 100_000


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
        identifier = engine._sockets.open[4].identifier
        sent = (await flood(country, identifier, FLOOD_SECONDS))["sent"]
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
