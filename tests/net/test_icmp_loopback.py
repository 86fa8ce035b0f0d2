"""The echo engine on real loopback sockets: every address of 127/8 answers."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.errors import CapabilityError
from netmon.model import ECHO_ERRORS, EchoError, IPAddress, LinkKey, Outcome
from netmon.probes.icmp import (
    EchoEngine,
    EchoTarget,
    IcmplibSockets,
    OpenedSocket,
    SocketFactory,
    Tracer,
    ping,
)
from netmon.probes.icmp.settle import UNKNOWN_OFFSET_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from numpy.typing import NDArray

    from netmon.judge.columns import EchoBatch
    from netmon.state import EchoColumns

pytestmark = pytest.mark.net

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1

FAST = EchoModule("fast", interval_seconds=0.2, timeout_seconds=0.5)
HOURLY = EchoModule("hourly", interval_seconds=3600.0, timeout_seconds=0.3)
IMPATIENT = EchoModule("impatient", interval_seconds=3600.0, timeout_seconds=0.3)
LOCALHOST = IPv4Address("127.0.0.1")
LOCALHOST_6 = IPv6Address("::1")


def can_open_raw() -> bool:
    try:
        opened = IcmplibSockets(privileged=True).open(4)
    except CapabilityError:
        return False
    opened.sock.close()
    return True


class ToyNetwork:
    """Opens datagram sockets in a network of its own, where every group may have them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=_enter_new_network)
        self._sockets = IcmplibSockets(privileged=False)

    def open(self, family: int) -> OpenedSocket:
        return self._thread.submit(self._sockets.open, family).result()

    def close(self) -> None:
        self._thread.shutdown()


def _enter_new_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 65534")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


@pytest.fixture(autouse=True)
def echo_socket() -> None:
    """Every test here needs an ICMP socket: an ordinary user may have none of either kind."""
    try:
        IcmplibSockets().open(4).sock.close()
    except CapabilityError as error:
        pytest.skip(f"missing: {error}")


@pytest.fixture(params=["raw", "datagram"])
def sockets(request: pytest.FixtureRequest) -> Iterator[SocketFactory]:
    """Both kinds of socket: with CAP_NET_RAW and without."""
    if not can_open_raw():
        pytest.skip("missing: CAP_NET_RAW (run as root)")
    if request.param == "raw":
        yield IcmplibSockets(privileged=True)
        return
    if os.geteuid() != 0:
        pytest.skip("missing: root, to make a network namespace (run as root)")
    with contextlib.closing(ToyNetwork()) as network:
        yield network


class SteppingClock:
    """The machine's clocks, with a wall clock that somebody sets."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.step_us = 0

    def monotonic_us(self) -> int:
        return self._clock.monotonic_us()

    def wall_us(self) -> int:
        return self._clock.wall_us() + self.step_us


class Bench:
    """An engine, what it told, and a way to wait for it."""

    def __init__(self, targets: list[EchoTarget], sockets: SocketFactory | None = None) -> None:
        self.clock = SteppingClock()
        self.batches: list[EchoBatch] = []
        self._told = asyncio.Condition()
        self._arrived = asyncio.Event()
        self.engine = EchoEngine(Timeline(self.clock), self.clock, self._take, sockets)
        self.engine.set_targets(targets)
        self._links = 1 + max((target.slot for target in targets), default=0)

    def _take(self, batch: EchoBatch) -> None:
        self.batches.append(batch)
        self._arrived.set()

    def burst(self, count: int, *slots: int, spacing_seconds: float = 0.0) -> None:
        self.engine.burst(np.array(slots, np.int32), count, spacing_seconds)

    @property
    def told(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def send(self) -> None:
        """Send what is due and do not look at what comes back."""
        now_us = self.engine._timeline.now_us()
        self.engine._send_due(now_us, now_us)

    def tick_until_told(self, count: int) -> None:
        """Tick without a loop."""
        for _ in range(10_000):
            now_us = self.engine._timeline.now_us()
            self.engine._tick(now_us, now_us)
            if self.told >= count:
                return
        pytest.fail(f"{self.told} of {count} echoes were told")

    def close(self) -> None:
        self.engine._sockets.close()

    async def until_told(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.told < count:
                self._arrived.clear()
                await self._arrived.wait()

    def column(self, name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(batch, name) for batch in self.batches])

    def columns(self) -> EchoColumns:
        return self.engine.columns(np.arange(self._links, dtype=np.int32))


class NoSockets:
    """A machine that gives no socket of some families."""

    def __init__(self, *families: int) -> None:
        self._refused = families

    def open(self, family: int) -> OpenedSocket:
        if family in self._refused:
            message = f"no ICMP socket for IPv{family}: refused by the test"
            raise CapabilityError(message)
        return IcmplibSockets().open(family)


@contextlib.asynccontextmanager
async def running(
    targets: list[EchoTarget], sockets: SocketFactory | None = None
) -> AsyncIterator[Bench]:
    bench = Bench(targets, sockets)
    task = asyncio.create_task(bench.engine.run())
    try:
        yield bench
    finally:
        bench.engine.stop()
        await task


def link(
    slot: int, address: str = "127.0.0.1", module: EchoModule = HOURLY, name: str = ""
) -> EchoTarget:
    return EchoTarget(LinkKey(name or f"xa-{slot}", "main"), slot, ip_address(address), module)


async def test_every_echo_is_answered_and_counted_once(
    sockets: SocketFactory, request: pytest.FixtureRequest
) -> None:
    addresses = ["127.0.0.1", "127.9.8.7", "127.255.255.254", "::1"]
    targets = [link(slot, address, FAST) for slot, address in enumerate(addresses)]
    async with running(targets, sockets) as bench:
        assert bench.engine.figures().privileged is ("raw" in request.node.name)
        await bench.until_told(12)
        await bench.engine.drain(2.0)
    columns = bench.columns()
    assert columns.row.tolist() == [0, 1, 2, 3]
    assert columns.family.tolist() == [4, 4, 4, 6]
    assert (columns.requests == columns.replies).all()
    assert columns.requests.sum() == bench.told
    assert columns.requests.min() >= 2
    # The RTT of an echo whose sending was interrupted is not measured.
    rtt_seconds = bench.column("rtt_seconds")
    measured = ~np.isnan(rtt_seconds)
    assert columns.rtt_buckets.sum() == np.count_nonzero(measured)
    assert (bench.column("outcome") == Outcome.REPLIED).all()
    assert rtt_seconds[measured].max() < 0.1
    assert (bench.column("settled_us") >= bench.column("sent_us")).all()
    assert np.allclose(columns.rtt_sum_seconds.sum(), rtt_seconds[measured].sum())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("size_bytes", [0, 17, 56, 1400, 9000])
async def test_packets_of_every_size_come_back(
    sockets: SocketFactory, address: str, size_bytes: int
) -> None:
    module = EchoModule("sized", 3600.0, 0.5, size_bytes, dscp=46, dont_fragment=True)
    async with running([link(0, address, module)], sockets) as bench:
        bench.burst(3, 0)
        await bench.until_told(3)
    assert bench.columns().replies.tolist() == [3]


async def test_a_blocked_loop_bends_no_rtt_and_loses_no_reply(sockets: SocketFactory) -> None:
    targets = [link(slot, f"127.0.1.{slot + 1}") for slot in range(50)]
    async with running(targets, sockets) as bench:
        bench.burst(5, *range(50), spacing_seconds=0.02)
        for _ in range(4):
            await asyncio.sleep(0.001)
            time.sleep(0.4)  # noqa: ASYNC251  # the stall is the test
        await bench.until_told(250)
    assert (bench.column("outcome") == Outcome.REPLIED).all()
    assert np.nanmax(bench.column("rtt_seconds")) < 0.05


async def test_a_reply_read_long_after_its_time_out_still_counts_if_the_kernel_had_it(
    sockets: SocketFactory,
) -> None:
    with contextlib.closing(Bench([link(0, module=IMPATIENT)], sockets)) as bench:
        bench.burst(1, 0)
        bench.send()
        time.sleep(0.6)  # noqa: ASYNC251  # the stall is the test
        bench.tick_until_told(1)
    assert bench.column("outcome").tolist() == [Outcome.REPLIED]
    assert not bench.column("rtt_seconds")[0] >= IMPATIENT.timeout_seconds


async def test_the_kernel_says_when_a_few_echoes_left_and_is_not_asked_about_thousands(
    sockets: SocketFactory,
) -> None:
    with contextlib.closing(Bench([link(0), link(1, "::1")], sockets)) as bench:
        bench.burst(4, 0, 1)
        bench.send()
        guessed_us = bench.engine._flight.columns.sent_us[:8].copy()
        # As if the process had been interrupted while it sent.
        bench.engine._flight.columns.sent_us[:8] -= 50_000
        bench.engine._flight.columns.wall_offset_us[:8] = UNKNOWN_OFFSET_US
        bench.tick_until_told(8)
        stamped_us = bench.engine._flight.columns.sent_us[:8]
        assert (np.abs(stamped_us - guessed_us) < 40_000).all()
        assert not np.isnan(bench.column("rtt_seconds")).any()
        bench.engine.set_targets([link(slot, module=FAST) for slot in range(1_000)])
        assert not bench.engine._sockets.open[4].stamps_sending


async def test_a_packet_that_cannot_be_sent_does_not_mix_up_who_left_when(
    sockets: SocketFactory,
) -> None:
    # Nobody has a route to 255.255.255.255 without SO_BROADCAST: EACCES.
    targets = [link(0), link(1, "255.255.255.255"), link(2)]
    with contextlib.closing(Bench(targets, sockets)) as bench:
        for _ in range(2):
            bench.burst(1, 0, 1, 2)
            bench.tick_until_told(3)
        bench.tick_until_told(6)
        bench.burst(1, 0, 2)
        bench.tick_until_told(8)
    outcomes = bench.column("outcome")
    assert np.count_nonzero(outcomes == Outcome.FAULT) == 2
    assert np.count_nonzero(outcomes == Outcome.REPLIED) == 6
    assert np.nanmax(bench.column("rtt_seconds")) < 0.1


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000, 50_000])
async def test_a_step_of_the_wall_clock_drops_the_rtt_and_keeps_the_reply(step_us: int) -> None:
    with contextlib.closing(Bench([link(0)])) as bench:
        bench.burst(1, 0)
        bench.send()
        bench.clock.step_us = step_us
        bench.tick_until_told(1)
        columns = bench.columns()
        assert bench.column("outcome").tolist() == [Outcome.REPLIED]
        assert np.isnan(bench.column("rtt_seconds")).all()
        assert bench.engine.figures().clock_steps == 1
    assert columns.replies.tolist() == [1]
    assert columns.rtt_buckets.sum() == 0
    assert columns.rtt_sum_seconds.tolist() == [0.0]


async def test_a_burst_is_sent_on_top_and_the_addresses_of_a_link_take_turns() -> None:
    targets = [link(0), EchoTarget(LinkKey("xa-0", "main"), 0, LOCALHOST_6, HOURLY), link(1)]
    async with running(targets) as bench:
        bench.burst(6, 0, spacing_seconds=0.02)
        await bench.until_told(6)
    columns = bench.columns()
    assert columns.row.tolist() == [0, 0, 1]
    assert columns.requests.tolist() == [3, 3, 0]
    sent_us = bench.column("sent_us")
    assert (np.diff(sent_us) > 0).all()
    assert sent_us[-1] - sent_us[0] >= 80_000


async def test_an_engine_that_is_late_itself_sends_no_confirming_echoes() -> None:
    with contextlib.closing(Bench([link(0)])) as bench:
        now_us = bench.engine._timeline.now_us()
        bench.engine._tick(now_us, now_us - 150_000)
        bench.burst(1, 0)
        assert len(bench.engine._bursts) == 0
    with contextlib.closing(Bench([link(0)])) as bench:
        bench.engine._tick(now_us, now_us - 50_000)
        bench.burst(1, 0)
        bench.tick_until_told(1)


async def test_a_burst_for_unknown_links_sends_nothing() -> None:
    async with running([link(0)]) as bench:
        bench.burst(3, 5, 9)
        bench.burst(1, 0)
        await bench.until_told(1)
    assert bench.columns().requests.tolist() == [1]


async def test_a_family_without_a_socket_is_a_fault_and_stops_nobody_else() -> None:
    async with running([link(0), link(1, "::1")], NoSockets(6)) as bench:
        assert list(bench.engine.socket_problems()) == [6]
        bench.burst(2, 0, 1)
        await bench.until_told(4)
        (report,) = bench.engine.last_errors(1)
    columns = bench.columns()
    assert columns.requests.tolist() == [2, 0]
    assert columns.errors[1, ECHO_ERRORS.index(EchoError.NO_SOCKET)] == 2
    assert report.error is EchoError.NO_SOCKET
    assert "no ICMP socket" in report.text
    assert bench.engine.last_errors(0) == ()


async def test_a_reload_keeps_unchanged_links_to_the_last_digit() -> None:
    before = [link(slot) for slot in range(4)]
    async with running(before) as bench:
        bench.burst(3, 0, 1, 2, 3)
        await bench.until_told(12)
        old = bench.columns()
        moved = EchoTarget(before[2].key, 2, IPv4Address("127.0.0.9"), HOURLY)
        bench.engine.set_targets([link(7), link(3), moved, link(0)])
        new = bench.engine.columns(np.array([0, -1, 2, 3, -1, -1, -1, 7], np.int32))
        bench.burst(1, 0, 2, 3, 7)
        await bench.until_told(16)
    assert new.row.tolist() == [7, 3, 2, 0]
    assert new.requests.tolist() == [0, 3, 0, 3]
    for name in ("rtt_sum_seconds", "last_rtt_seconds", "last_reply_us", "replies"):
        assert getattr(new, name)[3] == getattr(old, name)[0], name
        assert getattr(new, name)[1] == getattr(old, name)[3], name


async def test_a_country_is_let_in_one_link_after_the_other_and_once() -> None:
    module = EchoModule("fast", interval_seconds=0.2, timeout_seconds=0.5)
    few = [link(slot, "127.0.0.1", module) for slot in range(100)]
    many = [link(slot, "127.0.0.1", module) for slot in range(100, 3_100)]
    with contextlib.closing(Bench(few)) as bench:
        engine = bench.engine
        engine.set_targets([*many, *few])
        now_us = engine._timeline.now_us()
        assert (engine._begins_us[3_000:] <= now_us + 40_000).all(), "those that were there go on"
        assert (np.diff(engine._begins_us[:3_000]) > 0).all()
        seconds = (engine._begins_us[2_999] - now_us) / 1_000_000
        assert 1.0 < seconds <= 1.2
        begun = engine._begins_us.copy()
        engine.set_targets([*many, *few])
        assert engine._begins_us.tolist() == begun.tolist()
        engine._last_us = now_us - 200_000
        engine._send_due(now_us + 400_000, now_us + 400_000)
        sent = np.bincount(engine._flight.columns.target[: engine._flight.end], minlength=3_100)
        assert (sent > 0).tolist() == (begun <= now_us + 400_000).tolist()


async def test_a_removed_link_takes_its_awaited_echoes_with_it() -> None:
    with contextlib.closing(Bench([link(0), link(1)])) as bench:
        bench.burst(2, 0, 1)
        bench.send()
        bench.engine.set_targets([link(1), link(0, name="xa-moi")])
        bench.tick_until_told(2)
        figures = bench.engine.figures()
    assert bench.column("slot").tolist() == [1, 1]
    assert bench.engine._flight.awaited() == 0
    assert bench.columns().requests.tolist() == [2, 0]
    assert figures.late == 2


async def test_cancelling_closes_the_sockets() -> None:
    bench = Bench([link(0)])
    task = asyncio.create_task(bench.engine.run())
    await asyncio.sleep(0)
    sock = bench.engine._sockets.open[4]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sock.file_descriptor == -1


async def test_hostile_replies_change_no_figure_and_stop_nothing() -> None:
    async with running([link(0)]) as bench:
        identifier = bench.engine._sockets.open[4].identifier
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as attacker:
            for packet in hostile_packets(identifier):
                attacker.sendto(packet, ("127.0.0.1", 0))
        bench.burst(1, 0)
        await bench.until_told(1)
        figures = bench.engine.figures()
    assert bench.columns().requests.tolist() == [1]
    assert bench.columns().replies.tolist() == [1]
    assert figures.malformed == 4
    assert figures.strangers == 2


async def test_hostile_replies_over_ipv6_change_no_figure_and_stop_nothing() -> None:
    async with running([link(0, "::1")]) as bench:
        number = bench.engine._sockets.open[6].identifier
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as attacker:
            # The kernel makes the checksum of ICMPv6 itself, so that none is wrong.
            for at, payload in ((0, b"x" * 56), (0, b"x" * 15), (0, b""), (1, b"x" * 56)):
                head = bytes((129, 0, 0, 0)) + (number ^ at).to_bytes(2, "big") + bytes((0, 1))
                attacker.sendto(head + payload, ("::1", 0))
            attacker.sendto(bytes((129, 0, 0, 0)) + number.to_bytes(2, "big"), ("::1", 0))
        bench.burst(1, 0)
        await bench.until_told(1)
        figures = bench.engine.figures()
    assert bench.columns().requests.tolist() == [1]
    assert bench.columns().replies.tolist() == [1]
    assert (figures.malformed, figures.strangers) == (3, 1)


def hostile_packets(identifier: int) -> list[bytes]:
    """Echo replies that a stranger makes up."""

    def reply(number: int, payload: bytes, *, right: bool = True) -> bytes:
        head = bytes((0, 0, 0, 0)) + number.to_bytes(2, "big") + bytes((0, 1))
        packet = head + payload
        words = np.frombuffer(packet + bytes(len(packet) % 2), ">u2").sum(dtype=np.uint32)
        folded = (int(words) & 0xFFFF) + (int(words) >> 16)
        folded = (folded & 0xFFFF) + (folded >> 16)
        checksum = (~folded & 0xFFFF) ^ (0 if right else 0x55AA)
        return packet[:2] + checksum.to_bytes(2, "big") + packet[4:]

    return [
        reply(identifier, b"x" * 56),  # a wrong cookie: a stranger
        reply(identifier, b"\xff" * 57),  # the same, of odd length
        reply(identifier, b"x" * 56, right=False),  # malformed from here on
        reply(identifier, b"x" * 15),
        reply(identifier, b""),
        reply(identifier, b"x" * 40_000),
        reply(identifier ^ 1, b"x" * 56),  # another process: the kernel keeps it from us
    ]


async def test_one_shot_ping_tells_every_echo_in_order() -> None:
    results = [result async for result in ping(LOCALHOST, count=3, interval_seconds=0.02)]
    assert [result.sequence for result in results] == [1, 2, 3]
    assert all(result.outcome is Outcome.REPLIED for result in results)
    assert all(result.rtt_seconds is not None for result in results)


async def test_one_shot_ping_says_when_there_is_no_socket() -> None:
    with pytest.raises(CapabilityError, match="IPv4"):
        await anext(ping(LOCALHOST, sockets=NoSockets(4)))


@pytest.mark.parametrize("address", [LOCALHOST, LOCALHOST_6], ids=str)
async def test_a_path_to_this_machine_is_one_hop(address: IPAddress) -> None:
    tracer = Tracer()
    path = await tracer.trace(address)
    tracer.close()
    assert path is not None
    assert path.reached
    assert path.end == f"{address} (hop 1) is the target"
