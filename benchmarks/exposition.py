"""What a scrape of a whole country costs, beside prometheus-client's generate_latest.

    python benchmarks/exposition.py [--links 20000] [--json]

Keys of the JSON object: links, series_per_link, series, bytes; cold_seconds and cpu_seconds (CPU
of the first scrape and of the median later one, in which every link has moved), gzip_cpu_seconds
(the same with gzip), client_cpu_seconds (generate_latest of a custom collector with the same
figures), ratio_vs_prometheus_client = cpu_seconds / client_cpu_seconds, and max_stall_ms: the
longest that the event loop was held up while it served the gzipped scrapes over HTTP
(idle_stall_ms: the same while nothing was asked of it, so what the machine itself adds).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

# Run as a script from anywhere, the figures' reference collector is one of the tests' helpers.
sys.path.insert(0, str(Path(__file__).parents[1]))

from netmon.daemon import SWITCH_SECONDS
from netmon.judge.columns import JudgementColumns
from netmon.model import (
    CAUSES,
    ECHO_ERRORS,
    STATES,
    Agency,
    Hours,
    Inventory,
    Kind,
    Link,
    LinkKey,
    Province,
    Role,
)
from netmon.state import (
    RTT_BUCKETS_SECONDS,
    AccountColumns,
    DaemonFigures,
    EchoColumns,
    Snapshot,
)
from netmon.web import ReloadResult, Request, WebServer
from netmon_exporters.prometheus import PrometheusExporter
from tests.support.reference import ReferenceCollector

_SCRAPES = 5
_INTERVAL_SECONDS = 15
_START_US = 1_750_000_000_000_000
_HEARTBEAT_SECONDS = 0.001
_REST_SECONDS = 0.2
_IDLE_SECONDS = 2.0
_CLIENT = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
for line in sys.stdin:
    print(len(urllib.request.urlopen(request).read()), flush=True)
"""


class Country:
    """A country of so many links, every one of them pinged once per second."""

    def __init__(self, links: int, inventory: Inventory | None = None) -> None:
        self._random = np.random.default_rng(7)
        self._inventory = inventory or _inventory(links)
        self._snapshot = self._first(links)

    def next(self) -> Snapshot:
        """Return the snapshot of one scrape interval later."""
        before = self._snapshot
        count = len(before.keys)
        rtt = self._random.lognormal(-5.3, 0.8, (count, _INTERVAL_SECONDS))
        bucket = np.searchsorted(RTT_BUCKETS_SECONDS, rtt)
        buckets = before.echo.rtt_buckets.copy()
        np.add.at(buckets, (np.arange(count)[:, None], bucket), 1)
        seconds = before.account.seconds.copy()
        seconds[:, 0, 0] += _INTERVAL_SECONDS
        at_us = before.at_us + _INTERVAL_SECONDS * 1_000_000
        echo = replace(
            before.echo,
            requests=before.echo.requests + _INTERVAL_SECONDS,
            replies=before.echo.replies + _INTERVAL_SECONDS,
            rtt_buckets=buckets,
            rtt_sum_seconds=before.echo.rtt_sum_seconds + rtt.sum(axis=1),
            last_rtt_seconds=rtt[:, -1],
            jitter_seconds=np.abs(np.diff(rtt, axis=1)).mean(axis=1),
            last_reply_us=at_us - self._random.integers(0, 1_000_000, count),
        )
        account = replace(before.account, seconds=seconds)
        self._snapshot = replace(before, at_us=at_us, echo=echo, account=account)
        return self._snapshot

    def _first(self, links: int) -> Snapshot:
        return Snapshot(
            _START_US,
            1,
            self._inventory,
            tuple(self._inventory.links),
            _echo(links),
            _judgement(links),
            AccountColumns(
                np.zeros((links, len(STATES), len(Hours))),
                np.zeros((links, len(CAUSES)), np.int64),
                np.zeros((links, len(CAUSES))),
            ),
            {},
            (),
            (),
            DaemonFigures("0", _START_US),
        )


def _inventory(links: int) -> Inventory:
    agencies = {}
    for number in range(links):
        agency = f"xa-{number:05}"
        address = ip_address(0x0A000000 + number)
        link = Link(LinkKey(agency, "chinh"), Role.PRIMARY, (address,), "default", "vnpt")
        agencies[agency] = Agency(agency, f"UBND xã số {number}", "commune", links=(link,))
    province = Province("vn", "Việt Nam", "Viet Nam", "Asia/Ho_Chi_Minh", "Trung tâm")
    return Inventory(province, {"commune": Kind("commune", "Xã", "Commune")}, {}, agencies)


def _echo(links: int) -> EchoColumns:
    return EchoColumns(
        row=np.arange(links, dtype=np.int32),
        family=np.full(links, 4, np.int8),
        requests=np.zeros(links, np.int64),
        replies=np.zeros(links, np.int64),
        errors=np.zeros((links, len(ECHO_ERRORS)), np.int64),
        rtt_buckets=np.zeros((links, len(RTT_BUCKETS_SECONDS) + 1), np.int64),
        rtt_sum_seconds=np.zeros(links),
        last_rtt_seconds=np.full(links, np.nan),
        jitter_seconds=np.full(links, np.nan),
        last_reply_us=np.zeros(links, np.int64),
    )


def _judgement(links: int) -> JudgementColumns:
    return JudgementColumns(
        state=np.zeros(links, np.int8),
        health=np.zeros(links, np.int8),
        since_us=np.full(links, _START_US, np.int64),
        settled_us=np.full(links, _START_US, np.int64),
        loss_ratio=np.zeros(links),
        flapping=np.zeros(links, np.bool_),
        silent_family_us=np.zeros((links, 2), np.int64),
    )


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _rendering(country: Country) -> dict[str, float]:
    exporter, request = PrometheusExporter(), Request("/metrics")
    country.next()
    cold = _cpu(lambda: exporter.metrics(country.next(), request))
    later = []
    for _ in range(_SCRAPES):
        snapshot = country.next()
        later.append(_cpu(lambda snapshot=snapshot: exporter.metrics(snapshot, request)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    last = country.next()
    parts = exporter.metrics(last, request).parts
    return {
        "series": sum(part.count(b"\n") - part.count(b"\n#") for part in parts),
        "bytes": sum(map(len, parts)),
        "cold_seconds": cold,
        "cpu_seconds": statistics.median(later),
        "client_cpu_seconds": _cpu(lambda: generate_latest(ReferenceCollector(last))),
    }


async def _serving(country: Country) -> dict[str, float]:
    """Serve gzipped scrapes over HTTP while a heartbeat measures how long the loop is held up."""
    snapshot = country.next()
    server = WebServer("127.0.0.1:0", [PrometheusExporter()], lambda: snapshot, _no_reload)
    await server.start()
    client = await _client(server)
    await _scrape(client)
    # As the daemon does once it stands: a full collection would stop every thread for 80 ms.
    gc.freeze()
    stalls: list[float] = []
    spent = []
    for _ in range(_SCRAPES):
        snapshot = await asyncio.to_thread(country.next)
        await asyncio.sleep(_REST_SECONDS)
        heart = asyncio.create_task(_beat(stalls))
        start = time.process_time()
        await _scrape(client)
        spent.append(time.process_time() - start)
        heart.cancel()
    idle: list[float] = []
    heart = asyncio.create_task(_beat(idle))
    await asyncio.sleep(_IDLE_SECONDS)
    heart.cancel()
    client.terminate()
    await asyncio.gather(client.wait(), server.stop())
    return {
        "gzip_cpu_seconds": statistics.median(spent),
        "max_stall_ms": max(stalls) * 1000,
        "idle_stall_ms": max(idle) * 1000,
    }


async def _client(server: WebServer) -> asyncio.subprocess.Process:
    # A process of its own: what the client costs must not be counted.
    host, port = server.address
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CLIENT,
        f"http://{host}:{port}/metrics",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _scrape(client: asyncio.subprocess.Process) -> None:
    if client.stdin is None or client.stdout is None:
        raise RuntimeError("the client has no pipes")
    client.stdin.write(b"scrape\n")
    if not int(await client.stdout.readline() or 0):
        raise RuntimeError("the scrape failed")


async def _beat(stalls: list[float]) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(_HEARTBEAT_SECONDS)
        stalls.append(time.perf_counter() - start - _HEARTBEAT_SECONDS)


async def _no_reload() -> ReloadResult:
    return ReloadResult(ok=True, text="")


def measure(links: int) -> dict[str, float]:
    """Return the figures named at the top."""
    sys.setswitchinterval(SWITCH_SECONDS)
    country = Country(links)
    serving = asyncio.run(_serving(country))
    figures = {"links": float(links), **serving, **_rendering(country)}
    figures["series_per_link"] = figures["series"] / links
    figures["ratio_vs_prometheus_client"] = figures["cpu_seconds"] / figures["client_cpu_seconds"]
    return {name: round(value, 4) for name, value in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure(arguments.links)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value:>14,.4f}")


if __name__ == "__main__":
    main()
