"""CPU time per echo request: netmon's engine beside fping, smokeping_prober and icmplib.

Everything happens in network namespaces: on a loopback where every address of 127/8 answers, and
before simulated routers behind a TUN device that answer after 80 ms: 10,000 for the paced
comparison with fping, 2,000 for icmplib, which is compared on loopback too. On loopback whoever
sends pays for the kernel's answering as well, before routers it does not. Each client is a process
of its own; its CPU time is user + system. For the Python clients it is taken around the echoes,
without the start of the interpreter; for fping around the process; for smokeping_prober while it
runs. Clients take turns in every round; ratios are those of the medians over all rounds, and
`<ratio>_min` and `<ratio>_max` the smallest and largest of a single round. Needs root. The figures
of one run can be compared with each other, not with another machine's.

    python benchmarks/icmp_cpu.py [--json] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import fcntl
import json
import os
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import icmplib
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.kernel import inside
from lab.tun import PathProfile, TunCloud, address_of
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import LinkKey
from netmon.probes.icmp import EchoEngine, EchoTarget, IcmplibSockets

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_FIRST = int(IPv4Address("127.1.0.1"))
_PACED_SECONDS = 5.0
_PROFILE = PathProfile(delay_seconds=0.08, jitter_seconds=0.002)
_ROUTERS, _ROUTER_INTERVAL_SECONDS, _ROUTER_ROUNDS = 10_000, 2.0, 4
_SWEPT, _SWEEPS, _SWEEP_SECONDS = 2_000, 5, 0.25
_SMOKEPING = ("smokeping_prober", "prometheus-smokeping-prober")
_WARM_UP_SECONDS = 3.0


def addresses(count: int) -> list[IPv4Address]:
    """Return addresses that answer."""
    return [IPv4Address(_FIRST + number) for number in range(count)]


def cpu_seconds(who: int = resource.RUSAGE_SELF) -> float:
    """Return the CPU time spent so far."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


class Progress:
    """Counts what the engine tells."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self.told = 0
        self.done = asyncio.Event()

    def __call__(self, batch: object) -> None:
        """Take a batch."""
        self.told += len(batch)  # type: ignore[arg-type]  # an EchoBatch
        self._left -= len(batch)  # type: ignore[arg-type]  # an EchoBatch
        if self._left <= 0:
            self.done.set()


async def engine_flat_out(targets: int, echoes: int, *, privileged: bool) -> float:
    """Return the engine's CPU microseconds per echo, as fast as it can."""
    clock = SystemClock()
    progress = Progress(targets * echoes)
    engine = EchoEngine(Timeline(clock), clock, progress, IcmplibSockets(privileged=privileged))
    module = EchoModule("hourly", 3600.0, 1.0)
    engine.set_targets(_links(targets, module))
    engine.burst(np.arange(targets, dtype=np.int32), echoes, 0.0)
    before = cpu_seconds()
    running = asyncio.create_task(engine.run())
    await progress.done.wait()
    spent = cpu_seconds() - before
    engine.stop()
    await running
    _check(engine, targets)
    return spent * 1e6 / (targets * echoes)


async def engine_paced(targets: int) -> float:
    """Return the percent of a core that one echo per target and second takes."""
    clock = SystemClock()
    engine = EchoEngine(Timeline(clock), clock, Progress(1))
    engine.set_targets(_links(targets, EchoModule("default", 1.0, 1.0)))
    running = asyncio.create_task(engine.run())
    await _until_all_were_asked(engine, targets)
    before = cpu_seconds()
    await asyncio.sleep(_PACED_SECONDS)
    spent = cpu_seconds() - before
    await engine.drain(2.0)
    await running
    _check(engine, targets)
    return spent * 100 / _PACED_SECONDS


async def engine_sweeps(targets: int) -> float:
    """Return the engine's CPU microseconds per echo, unprivileged, in sweeps over routers."""
    clock, progress = SystemClock(), Progress(targets * _SWEEPS)
    engine = EchoEngine(Timeline(clock), clock, progress, IcmplibSockets(privileged=False))
    engine.set_targets(_routers(targets, EchoModule("hourly", 3600.0, 2.0)))
    before = cpu_seconds()
    running = asyncio.create_task(engine.run())
    engine.burst(np.arange(targets, dtype=np.int32), _SWEEPS, _SWEEP_SECONDS)
    await progress.done.wait()
    spent = cpu_seconds() - before
    engine.stop()
    await running
    return spent * 1e6 / (targets * _SWEEPS)


async def engine_before_routers() -> float:
    """Return the engine's CPU microseconds per echo before simulated routers, paced."""
    clock, progress = SystemClock(), Progress(1)
    engine = EchoEngine(Timeline(clock), clock, progress)
    module = EchoModule("default", _ROUTER_INTERVAL_SECONDS, 1.0)
    engine.set_targets(_routers(_ROUTERS, module))
    running = asyncio.create_task(engine.run())
    await _until_all_were_asked(engine, _ROUTERS)
    before, told = cpu_seconds(), progress.told
    await asyncio.sleep(_ROUTER_INTERVAL_SECONDS * _ROUTER_ROUNDS)
    spent, told = cpu_seconds() - before, progress.told - told
    await engine.drain(2.0)
    await running
    return spent * 1e6 / told


def _links(count: int, module: EchoModule) -> list[EchoTarget]:
    return [
        EchoTarget(LinkKey(f"xa-{slot}", "main"), slot, address, module)
        for slot, address in enumerate(addresses(count))
    ]


def _routers(count: int, module: EchoModule) -> list[EchoTarget]:
    return [
        EchoTarget(LinkKey(f"xa-{slot}", "main"), slot, address_of(slot), module)
        for slot in range(count)
    ]


async def _until_all_were_asked(engine: EchoEngine, targets: int) -> None:
    """Return when every target is on its pace: new ones are let in one after the other."""
    rows = np.arange(targets, dtype=np.int32)
    while not engine.columns(rows).requests.all():  # noqa: ASYNC110  # figures announce nothing
        await asyncio.sleep(0.5)


def _check(engine: EchoEngine, targets: int) -> None:
    columns = engine.columns(np.arange(targets, dtype=np.int32))
    if (columns.requests != columns.replies).any() or not columns.requests.all():
        sys.exit("echoes were lost on loopback: these figures mean nothing")


async def icmplib_sweep(texts: list[str]) -> float:
    """Return icmplib's CPU microseconds per echo, unprivileged: one sweep, all hosts at once."""
    before = cpu_seconds()
    hosts = await icmplib.async_multiping(
        texts, count=1, timeout=5, concurrent_tasks=len(texts), privileged=False
    )
    spent = cpu_seconds() - before
    if not all(host.is_alive for host in hosts):
        sys.exit("icmplib lost echoes: these figures mean nothing")
    return spent * 1e6 / len(texts)


def fping_flat_out(targets: int, echoes: int) -> float | None:
    """Return fping's CPU microseconds per echo; None: it is not installed."""
    program = shutil.which("fping")
    if program is None:
        return None
    lines = "\n".join(str(address) for address in addresses(targets))
    before = cpu_seconds(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [program, "-q", "-c", str(echoes), "-i", "0.01", "-t", "1000"],
        input=lines,
        text=True,
        capture_output=True,
        check=True,
    )
    return (cpu_seconds(resource.RUSAGE_CHILDREN) - before) * 1e6 / (targets * echoes)


def before_routers() -> tuple[float, float | None]:
    """Return CPU microseconds per echo of the engine and of fping before simulated routers."""
    with TunCloud([_PROFILE] * _ROUTERS) as cloud:
        client = (sys.executable, __file__, "--client", "before_routers")
        with cloud.popen(*client, stdout=subprocess.PIPE, text=True) as process:
            engine_us = float(process.communicate()[0])
        program = shutil.which("fping")
        if program is None:
            return engine_us, None
        pause_ms = _ROUTER_INTERVAL_SECONDS * 1000 / _ROUTERS
        rounds = ("-c", str(_ROUTER_ROUNDS), "-p", str(round(_ROUTER_INTERVAL_SECONDS * 1000)))
        before = cpu_seconds(resource.RUSAGE_CHILDREN)
        with cloud.popen(
            program, "-q", *rounds, "-i", str(pause_ms), "-t", "1000",
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            process.communicate("\n".join(str(address_of(router)) for router in range(_ROUTERS)))
        spent = cpu_seconds(resource.RUSAGE_CHILDREN) - before
        return engine_us, spent * 1e6 / (_ROUTERS * _ROUTER_ROUNDS)


def sweep_routers() -> tuple[float, float]:
    """Return CPU microseconds per echo of the engine and of icmplib in sweeps over routers."""
    with TunCloud([_PROFILE] * _SWEPT) as cloud:
        # That of the namespace: who may open datagram sockets there.
        with inside(cloud.namespace):
            allow_datagram_sockets()
        figures = []
        for client in ("engine_sweeps", "icmplib_sweep"):
            command = (sys.executable, __file__, "--client", client)
            with cloud.popen(*command, stdout=subprocess.PIPE, text=True) as process:
                figures.append(float(process.communicate()[0]))
        return figures[0], figures[1]


def smokeping_paced(targets: int) -> float | None:
    """Return the percent of a core smokeping_prober takes, an echo per target and second.

    None: it is not installed.
    """
    program = next(filter(None, map(shutil.which, _SMOKEPING)), None)
    if program is None:
        return None
    texts = [str(address) for address in addresses(targets)]
    with subprocess.Popen(
        [
            program,
            "--privileged",
            "--ping.interval=1s",
            "--web.listen-address=127.0.0.1:19374",
            *texts,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as prober:
        time.sleep(_WARM_UP_SECONDS)
        before = _cpu_seconds_of(prober.pid)
        time.sleep(_PACED_SECONDS)
        spent = _cpu_seconds_of(prober.pid) - before
        if prober.poll() is not None:
            sys.exit("smokeping_prober ended: these figures mean nothing")
        prober.terminate()
    return spent * 100 / _PACED_SECONDS


def _cpu_seconds_of(process: int) -> float:
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def enter_new_network() -> None:
    """Move this process to a network where only loopback is, and datagram sockets are allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        sys.exit("cannot make a network namespace: run as root")
    allow_datagram_sockets()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def allow_datagram_sockets() -> None:
    """Let every group of this network open ICMP datagram sockets."""
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 65534")


CLIENTS: dict[str, Callable[[], Coroutine[None, None, float]]] = {
    "engine": lambda: engine_flat_out(10_000, 5, privileged=True),
    "engine_1000": lambda: engine_flat_out(1_000, 50, privileged=True),
    "engine_20000": lambda: engine_flat_out(20_000, 5, privileged=True),
    "engine_unprivileged_2000": lambda: engine_flat_out(2_000, 10, privileged=False),
    "icmplib_2000": lambda: icmplib_sweep([str(each) for each in addresses(2_000)]),
    "paced_1000": lambda: engine_paced(1_000),
    "paced_2000": lambda: engine_paced(2_000),
    "paced_20000": lambda: engine_paced(20_000),
}
"""Those that are run on loopback."""

BEFORE_ROUTERS: dict[str, Callable[[], Coroutine[None, None, float]]] = {
    "before_routers": engine_before_routers,
    "engine_sweeps": lambda: engine_sweeps(_SWEPT),
    "icmplib_sweep": lambda: icmplib_sweep([str(address_of(router)) for router in range(_SWEPT)]),
}


def measure(client: str) -> float:
    """Run one client in a process of its own."""
    command = [sys.executable, __file__, "--client", client]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(answer.stdout)


def compare(rounds: int) -> dict[str, float | None]:
    """Run all clients in turn, several times, and compare their medians."""
    seen: dict[str, list[float | None]] = {}

    def note(**figures: float | None) -> None:
        for name, figure in figures.items():
            seen.setdefault(name, []).append(figure)

    for _ in range(rounds):
        note(**dict(zip(("engine_tun", "fping_tun"), before_routers(), strict=True)))
        note(**dict(zip(("engine_sweeps", "icmplib_sweep"), sweep_routers(), strict=True)))
    enter_new_network()
    for _ in range(rounds):
        note(engine=measure("engine"), fping=fping_flat_out(10_000, 5))
        note(**{client: measure(client) for client in CLIENTS if client != "engine"})
        note(smokeping=smokeping_paced(2_000))
    return {**_ratios(seen), **_figures({name: _median(values) for name, values in seen.items()})}


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


RATIOS = {
    "ratio_vs_fping": ("engine", "fping"),
    "ratio_vs_fping_paced": ("engine_tun", "fping_tun"),
    "ratio_vs_smokeping": ("paced_2000", "smokeping"),
    "ratio_vs_icmplib": ("engine_sweeps", "icmplib_sweep"),
    "ratio_vs_icmplib_loopback": ("engine_unprivileged_2000", "icmplib_2000"),
    "growth": ("engine_20000", "engine_1000"),
}
"""Which client is divided by which."""


def _ratios(seen: dict[str, list[float | None]]) -> dict[str, float | None]:
    ratios: dict[str, float | None] = {}
    for name, (ours, theirs) in RATIOS.items():
        pairs = zip(seen[ours], seen[theirs], strict=True)
        each = [own / other for own, other in pairs if own is not None and other is not None]
        own, other = _median(seen[ours]), _median(seen[theirs])
        ratios[name] = None if own is None or other is None else own / other
        ratios[f"{name}_min"] = min(each, default=None)
        ratios[f"{name}_max"] = max(each, default=None)
    return ratios


def _figures(middle: dict[str, float | None]) -> dict[str, float | None]:
    return {
        "us_per_echo": middle["engine"],
        "us_per_echo_fping": middle["fping"],
        "us_per_echo_paced": middle["engine_tun"],
        "us_per_echo_fping_paced": middle["fping_tun"],
        "us_per_echo_unprivileged": middle["engine_sweeps"],
        "us_per_echo_icmplib": middle["icmplib_sweep"],
        "us_per_echo_unprivileged_loopback": middle["engine_unprivileged_2000"],
        "us_per_echo_icmplib_loopback": middle["icmplib_2000"],
        "paced_cpu_percent_1000": middle["paced_1000"],
        "paced_cpu_percent_2000": middle["paced_2000"],
        "paced_cpu_percent_2000_smokeping": middle["smokeping"],
        "paced_cpu_percent_20000": middle["paced_20000"],
    }


def main() -> None:
    """Print the comparison as a table, or as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many runs")
    parser.add_argument("--client", choices=[*CLIENTS, *BEFORE_ROUTERS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        print(asyncio.run({**CLIENTS, **BEFORE_ROUTERS}[arguments.client]()))
        return
    figures = compare(arguments.rounds)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:34}", "not measured" if value is None else f"{value:10.3f}")


if __name__ == "__main__":
    main()
