"""How true round-trip times and losses are while the event loop is blocked again and again.

Simulated routers behind a TUN device answer after 20 ms ± 2 ms and lose 3 % of the echoes. The
engine runs in a process of its own, on an event loop that is blocked for 50 ms at a time, three
quarters of the time. Two witnesses tell the truth about every echo, one by one:

* the simulator notes which echoes it lost: `loss_error` counts those about which netmon says
  otherwise;
* a packet socket on the device, as tcpdump uses it, has the kernel's time stamps of request and
  reply: the true round-trip time. `rtt_error_p99_us` is the 99th percentile of |measured - true|.

The simulator's own times are compared too (`simulator_difference_p99_us`): it is a process that
must first be woken, so that a request waits up to some milliseconds before it notes it.
Needs root.

    python benchmarks/icmp_accuracy.py [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.tun import EchoTruth, PathProfile, TunCloud, address_of
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import LinkKey, Outcome
from netmon.probes.icmp import EchoEngine, EchoTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from netmon.judge.columns import EchoBatch

_DEVICE = "cloud0"
_ETH_P_ALL, _PACKET_OUTGOING = 3, 4
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33  # Python does not name them
_BUFFER_BYTES = 16 << 20
_ECHO_REQUEST, _ECHO_REPLY, _SHORTEST_ECHO = 8, 0, 28
_PROFILE = PathProfile(delay_seconds=0.02, jitter_seconds=0.002, loss_ratio=0.03)
_BLOCKED_SECONDS = 0.05
_PAUSE_SECONDS = 0.017
_DRAIN_SECONDS = 3.0
_INTERVAL_SECONDS = 1.0


class Heard:
    """What the engine told, in the order of sending for each router."""

    def __init__(self) -> None:
        self.slots: list[NDArray[np.int32]] = []
        self.rtt_seconds: list[NDArray[np.float64]] = []
        self.replied: list[NDArray[np.bool_]] = []

    def __call__(self, batch: EchoBatch) -> None:
        """Take a batch."""
        self.slots.append(batch.slot)
        self.rtt_seconds.append(batch.rtt_seconds)
        self.replied.append(batch.outcome == Outcome.REPLIED)

    def save(self, path: Path) -> None:
        """Write router, answered or not, and RTT of every echo."""
        columns = (self.slots, self.replied, self.rtt_seconds)
        np.save(path, np.array([np.concatenate(column) for column in columns], np.float64))


async def ping_blocked(routers: int, seconds: float, path: Path) -> None:
    """Run the engine on a loop that is blocked most of the time; save what it told."""
    clock, heard = SystemClock(), Heard()
    engine = EchoEngine(Timeline(clock), clock, heard)
    module = EchoModule("default", _INTERVAL_SECONDS, 1.0)
    engine.set_targets(
        [
            EchoTarget(LinkKey(f"xa-{router}", "main"), router, address_of(router), module)
            for router in range(routers)
        ]
    )
    running = asyncio.create_task(engine.run())
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(_BLOCKED_SECONDS)  # noqa: ASYNC251  # to block the loop is what is tried here
        await asyncio.sleep(_PAUSE_SECONDS)
    await engine.drain(_DRAIN_SECONDS)
    await running
    heard.save(path)


class Tap:
    """A packet socket that sees requests and replies with the kernel's time stamps."""

    def __init__(self) -> None:
        # Only who asks for all protocols sees what goes out; SOCK_DGRAM: it begins with IP.
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((_DEVICE, _ETH_P_ALL))
        self._sent_ns: dict[tuple[int, int], int] = {}
        self._round_trips: list[tuple[int, int, int]] = []
        self._is_over = False

    def end(self, *_: object) -> None:
        """Leave `watch` with the next time-out; a signal handler."""
        self._is_over = True

    def watch(self, path: Path) -> None:
        """Watch until told to end; save router, sending time and RTT of all answered echoes."""
        self._socket.settimeout(0.2)
        print("ready", flush=True)
        while not self._is_over:
            try:
                packet, ancillary, _, sender = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            self._take(
                packet, seconds * 10**9 + nanoseconds, outgoing=sender[2] == _PACKET_OUTGOING
            )
        np.save(path, np.array(self._round_trips, np.int64))

    def _take(self, packet: bytes, at_ns: int, *, outgoing: bool) -> None:
        if len(packet) < _SHORTEST_ECHO or packet[20] not in {_ECHO_REQUEST, _ECHO_REPLY}:
            return
        peer = packet[16:20] if outgoing else packet[12:16]
        router = int(IPv4Address(peer)) - int(address_of(0))
        echo = (router, int.from_bytes(packet[26:28], "big"))
        if outgoing:
            self._sent_ns[echo] = at_ns
        elif echo in self._sent_ns:
            sent_ns = self._sent_ns.pop(echo)
            self._round_trips.append((router, sent_ns, at_ns - sent_ns))


def compare(
    heard: NDArray[np.float64], truth: EchoTruth, wire: NDArray[np.int64]
) -> dict[str, float]:
    """Compare what was told of each echo with the truth, echo by echo."""
    told = heard[:, np.argsort(heard[0], kind="stable")]
    order = np.lexsort((truth.received_ns, truth.router))
    if not np.array_equal(told[0], truth.router[order]):
        sys.exit("netmon and the simulator do not agree on how many echoes there were")
    replied = told[1] == 1
    lost = np.isnan(truth.rtt_seconds[order])
    wire = wire[np.lexsort((wire[:, 1], wire[:, 0]))]
    if len(wire) != np.count_nonzero(~lost):
        sys.exit("the packet socket and the simulator do not agree on how many replies there were")
    true_seconds = np.full(len(lost), np.nan)
    true_seconds[~lost] = wire[:, 2] / 1e9
    both = replied & ~lost & ~np.isnan(told[2])
    error_us = np.abs(told[2] - true_seconds)[both] * 1e6
    difference_us = np.abs(told[2] - truth.rtt_seconds[order])[both] * 1e6
    return {
        "echoes": len(lost),
        "lost": int(lost.sum()),
        "rtt_measured_ratio": float(both.sum() / max(1, (replied & ~lost).sum())),
        "loss_error": int((replied == lost).sum()),
        "rtt_error_p50_us": float(np.percentile(error_us, 50)),
        "rtt_error_p99_us": float(np.percentile(error_us, 99)),
        "rtt_error_max_us": float(error_us.max()),
        "simulator_difference_p50_us": float(np.percentile(difference_us, 50)),
        "simulator_difference_p99_us": float(np.percentile(difference_us, 99)),
    }


@contextmanager
def tapped(cloud: TunCloud, path: Path) -> Iterator[None]:
    """Have a tap in a process of its own write to a file."""
    command = (sys.executable, __file__, "--tap", str(path))
    with cloud.popen(*command, stdout=subprocess.PIPE, text=True) as tap:
        if tap.stdout is None or tap.stdout.readline() != "ready\n":
            sys.exit("the packet socket cannot be opened")
        yield
        tap.send_signal(signal.SIGTERM)


def measure(routers: int, seconds: float) -> dict[str, float]:
    """Return the figures named at the top."""
    with tempfile.TemporaryDirectory() as directory:
        heard, wire = Path(directory) / "heard.npy", Path(directory) / "wire.npy"
        client = (sys.executable, __file__, "--client", str(heard))
        with TunCloud([_PROFILE] * routers) as cloud, tapped(cloud, wire):
            size = ("--routers", str(routers), "--seconds", str(seconds))
            with cloud.popen(*client, *size) as process:
                if process.wait() != 0:
                    sys.exit("the engine's process failed")
        return compare(np.load(heard), cloud.truth, np.load(wire))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--routers", type=int, default=100, help="each pinged once a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--client", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tap", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.tap is not None:
        tap = Tap()
        signal.signal(signal.SIGTERM, tap.end)
        tap.watch(arguments.tap)
        return
    if arguments.client is not None:
        asyncio.run(ping_blocked(arguments.routers, arguments.seconds, arguments.client))
        return
    figures = measure(arguments.routers, arguments.seconds)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value:>12,.3f}")


if __name__ == "__main__":
    main()
