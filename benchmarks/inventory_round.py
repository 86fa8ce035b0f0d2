"""A nightly round over simulated routers: time, threads and memory of netmon's side.

The routers are one SSH server in a process of its own, an address of 127/8 for each.

    python benchmarks/inventory_round.py [ROUTERS [THREADS]]
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import SystemClock, Timeline
from netmon.config.secrets import Secret
from netmon.judge.calendar import Calendar
from netmon.ledger.ledger import Ledger
from netmon.probes.ssh.adapter import Login
from netmon.probes.ssh.collector import Limits, Target
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import InventoryRound
from tests.support.ssh_recordings import recordings
from tests.support.ssh_vendors import PASSWORD, USER, Device, Vendors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from netmon.ledger.facts import FactChange, Told

_FIRST = IPv4Address("127.20.0.1")
_NAMES = ("cisco_ios", "huawei_vrp", "juniper_junos", "mikrotik_routeros", "fortinet")


def main() -> None:
    """Print the figures of a first and of a second round."""
    routers = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 8  # noqa: PLR2004  # the second argument
    ours, theirs = multiprocessing.Pipe()
    # Spawned: the server's memory must not be counted as ours.
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(routers, theirs), daemon=True)
    server.start()
    port: int = ours.recv()
    try:
        asyncio.run(_rounds(routers, threads, port))
    finally:
        server.terminate()
        server.join()


def _serve(routers: int, pipe: Connection) -> None:
    async def serve() -> None:
        async with Vendors(devices) as vendors:
            pipe.send(vendors.port)
            await asyncio.Event().wait()

    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    devices = {
        str(_FIRST + number): _device(_NAMES[number % len(_NAMES)], number)
        for number in range(routers)
    }
    asyncio.run(serve())


def _device(platform: str, number: int) -> Device:
    """Return a router with a serial number of its own."""
    recording = recordings()[platform]
    device, serial = recording.device(), recording.facts["serial"]
    own = f"{serial[:-4]}{number:04}"
    device.answers = {
        command: text.replace(serial, own) for command, text in device.answers.items()
    }
    return device


async def _rounds(routers: int, threads: int, port: int) -> None:
    platforms = load_platforms()
    targets = [
        Target(
            f"xa-{number}",
            platforms[_NAMES[number % len(_NAMES)]],
            "province",
            Login(_FIRST + number, port, USER, Secret(PASSWORD)),
            (PASSWORD,),
        )
        for number in range(routers)
    ]
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        ledger = Ledger.open(directory / "ledger.sqlite3", calendar=Calendar(ZoneInfo("UTC")))

        async def enter(told: Told) -> Sequence[FactChange]:
            return ledger.enter_facts(told)

        round_ = InventoryRound(directory, Timeline(SystemClock()), enter)
        print(f"before: {_memory_mib():.0f} MiB, {threading.active_count()} threads")
        for name in ("first", "second"):
            await _measured(name, round_, targets, threads)
        ledger.close()
        print(f"on disk: {_size_mib(directory):.1f} MiB")


async def _measured(
    name: str, round_: InventoryRound, targets: Sequence[Target], threads: int
) -> None:
    most, begun, cpu = 0, time.monotonic(), time.process_time()

    def count(_visit: object) -> None:
        nonlocal most
        most = max(most, threading.active_count())

    result = await round_.run(targets, [], Limits(threads, 60.0), count)
    seconds, cpu_seconds = time.monotonic() - begun, time.process_time() - cpu
    print(
        f"{name}: {dict(result.statuses)} in {seconds:.0f} s, CPU {cpu_seconds:.0f} s, "
        f"at most {most} threads, peak {_memory_mib():.0f} MiB, changes {dict(result.changes)}"
    )


def _size_mib(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 2**20


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
