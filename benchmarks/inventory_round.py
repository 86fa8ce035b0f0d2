"""1,000 simulated routers visited by `netmon inventory refresh`: time, threads, memory, a stop.

The routers are one SSH server in a process of its own, an address of 127/8 for each. The first
round is stopped by SIGTERM in its midst, the second goes through, the third finds nothing new.

    python benchmarks/inventory_round.py [ROUTERS [THREADS]]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.inventory.configs import ConfigStore
from netmon.inventory.latest import LastVisits
from netmon.probes.ssh.round import configurations
from tests.support.ssh_recordings import recordings
from tests.support.ssh_site import Site, assert_sound
from tests.support.ssh_vendors import PASSWORD, USER, Device, Vendors

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_FIRST = IPv4Address("127.20.0.1")
_NAMES = ("cisco_ios", "huawei_vrp", "juniper_junos", "mikrotik_routeros", "fortinet")
_LOOK_SECONDS = 0.2


def main() -> None:
    """Print the figures of three rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("routers", nargs="?", type=int, default=1000)
    parser.add_argument("threads", nargs="?", type=int, default=8)
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    # Spawned: the server's memory must not be counted as ours.
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(options.routers, theirs), daemon=True)
    server.start()
    port: int = ours.recv()
    try:
        with tempfile.TemporaryDirectory() as folder:
            _rounds(Path(folder), options.routers, options.threads, port)
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


def _rounds(folder: Path, routers: int, threads: int, port: int) -> None:
    site = Site(folder / "site", (USER, PASSWORD))
    site.write_settings(threads=threads)
    for number in range(routers):
        address, name = str(_FIRST + number), _NAMES[number % len(_NAMES)]
        site.add(f"xa-{number}", {"address": address, "ssh_port": port, "platform": name})
    stopped = _refresh(site, stop_after=routers // 3)
    print(f"stopped in its midst: {stopped}")
    directory = site.directory / "routers"
    assert_sound(directory)
    store = ConfigStore.open(configurations(directory))
    kept = sum(1 for _ in store.versions())
    store.close()
    known = LastVisits(directory / "last").all()
    with_one = sum(bool(visit.configuration) for visit in known.values())
    print(f"git fsck finds nothing; {kept} configurations kept, {with_one} visits tell one")
    for name in ("first", "second"):
        print(f"{name}: {_refresh(site)}")
    assert_sound(directory)
    print(f"on disk: {_size_mib(site.directory):.1f} MiB")


@dataclass
class _Figures:
    seconds: float
    cpu_seconds: float
    threads: int
    peak_mib: float
    end_seconds: float
    said: str

    def __str__(self) -> str:
        ended = f", ended {self.end_seconds:.1f} s after SIGTERM" if self.end_seconds else ""
        return (
            f"{self.said} in {self.seconds:.0f} s, CPU {self.cpu_seconds:.0f} s, at most "
            f"{self.threads} threads, peak {self.peak_mib:.0f} MiB{ended}"
        )


def _refresh(site: Site, stop_after: int | None = None) -> _Figures:
    begun, asked, threads, peak_mib, cpu_seconds = time.monotonic(), 0.0, 0, 0.0, 0.0
    command = site.command("inventory", "refresh", "--lang", "en")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            status = _status(process.pid)
            threads = max(threads, int(status.get("Threads", "0")))
            peak_mib = max(peak_mib, int(status.get("VmHWM", "0").split()[0]) / 1024)
            cpu_seconds = _cpu_seconds(process.pid) or cpu_seconds
            if stop_after is not None and not asked and _visited(site) >= stop_after:
                process.send_signal(signal.SIGTERM)
                asked = time.monotonic()
            time.sleep(_LOOK_SECONDS)
        said = process.stdout.read().strip().splitlines()[-1] if process.stdout else ""
    now = time.monotonic()
    end_seconds = now - asked if asked else 0.0
    return _Figures(now - begun, cpu_seconds, threads, peak_mib, end_seconds, said)


def _visited(site: Site) -> int:
    return sum(1 for _ in (site.directory / "routers" / "last").glob("[!.]*"))


def _status(process: int) -> dict[str, str]:
    try:
        text = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in lines}


def _cpu_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _size_mib(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 2**20


if __name__ == "__main__":
    main()
