"""What a flood of made-up echo replies does to the engine: nothing, at 100,000 a second and more.

A namespace in which every address answers; 200 links at 5 echoes per second, and beside them a
stranger who sends replies with our ICMP ID and a wrong cookie as fast as one core lets it. Keys:
flood_per_second (its best second), flood_mean_per_second, sent; echoes and echoes_lost of the
links; counted_ratio (strangers and packets that the kernel dropped on a full buffer, over all that
were sent), overflows, lateness_p99_ms and the engine's cpu_us_per_stranger. Needs root.

    python benchmarks/icmp_flood.py [--datagram] [--seconds 10] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.fast_agent import Country
from lab.icmp import SocketsInside, flood
from lab.tun import address_of
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import LinkKey
from netmon.probes.icmp import EchoEngine, EchoTarget

_LINKS, _INTERVAL_SECONDS = 200, 0.2


async def measure(seconds: float, *, privileged: bool) -> dict[str, float]:
    """Return the figures named at the top."""
    clock = SystemClock()
    with Country() as country:
        sockets = SocketsInside(country.namespace, privileged=privileged)
        engine = EchoEngine(Timeline(clock), clock, lambda _: None, sockets)
        module = EchoModule("fast", _INTERVAL_SECONDS, timeout_seconds=1.0)
        engine.set_targets(
            [
                EchoTarget(LinkKey(f"xa-{slot}", "main"), slot, address_of(slot), module)
                for slot in range(_LINKS)
            ]
        )
        running = asyncio.create_task(engine.run())
        spent = time.process_time()
        identifier = engine._sockets.open[4].identifier  # noqa: SLF001  # the stranger knows it
        said = await flood(country, identifier, seconds)
        spent = time.process_time() - spent
        await engine.drain(2.0)
        await running
    columns, figures = engine.columns(np.arange(_LINKS, dtype=np.int32)), engine.figures()
    return {
        "flood_per_second": said["best_second"],
        "flood_mean_per_second": said["sent"] / seconds,
        "sent": said["sent"],
        "echoes": int(columns.requests.sum()),
        "echoes_lost": int((columns.requests - columns.replies).sum()),
        "counted_ratio": (figures.strangers + figures.overflows) / said["sent"],
        "overflows": figures.overflows,
        "lateness_p99_ms": figures.lateness_p99_seconds * 1000,
        "cpu_us_per_stranger": spent * 1e6 / said["sent"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--datagram", action="store_true", help="without a raw socket")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.seconds, privileged=not arguments.datagram))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value:>14,.3f}")


if __name__ == "__main__":
    main()
