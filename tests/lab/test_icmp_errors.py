"""Who said "unreachable": real routers in network namespaces, IPv4 and IPv6, root and not.

dc ── r1 ── r2: the data centre, a district's router and a commune's. 10.50.n.1 and fd50:n::1 lie
behind r2; r1 refuses each of them in a different way.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.capabilities import Need, missing
from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule
from netmon.model import ECHO_ERRORS, NO_ERROR, EchoError, LinkKey, Outcome
from netmon.probes.icmp import (
    EchoEngine,
    EchoTarget,
    ErrorReport,
    IcmplibSockets,
    OpenedSocket,
    SocketFactory,
    Tracer,
    ping,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.judge.columns import EchoBatch

_LACK = missing(Need.ROOT, Need.IP, Need.NFT, Need.PING)
pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(_LACK), reason=_LACK)]

_CLONE_NEWNET = 0x40000000
R1, R1_V6 = "10.99.0.2", "fd99::2"
NARROW = EchoModule("narrow", 3600.0, 0.5, size_bytes=1450, dont_fragment=True)
HOURLY = EchoModule("hourly", 3600.0, 0.5)

REPORTED = {
    "10.50.0.1": (EchoError.HOST_UNREACHABLE, R1),
    "10.50.1.1": (EchoError.NET_UNREACHABLE, R1),
    "10.50.2.1": (EchoError.PROHIBITED, R1),
    "10.50.3.1": (EchoError.OTHER_UNREACHABLE, R1),
    "10.50.4.1": (EchoError.TTL_EXCEEDED, "10.98.0.2"),
    "fd50:0::1": (EchoError.HOST_UNREACHABLE, R1_V6),
    "fd50:1::1": (EchoError.NET_UNREACHABLE, R1_V6),
    "fd50:2::1": (EchoError.PROHIBITED, R1_V6),
    "fd50:3::1": (EchoError.OTHER_UNREACHABLE, R1_V6),
    "fd50:4::1": (EchoError.TTL_EXCEEDED, "fd98::2"),
}
"""What r1 says of each address, and who says it."""

FAULTS = {
    "10.51.0.1": EchoError.NO_ROUTE,  # an unreachable route of our own: EHOSTUNREACH
    "10.51.1.1": EchoError.NO_PERMISSION,  # a prohibit route: EACCES
    "10.51.2.1": EchoError.NO_ROUTE,  # a blackhole route: EINVAL
    "10.51.3.1": EchoError.NO_PERMISSION,  # our own firewall: EPERM
    "fd51:0::1": EchoError.NO_ROUTE,
    "fd51:1::1": EchoError.NO_PERMISSION,
    "fd51:2::1": EchoError.NO_ROUTE,
    "fd51:3::1": EchoError.NO_PERMISSION,
}
ANSWERING = ("10.99.0.2", "10.98.0.2", "fd99::2", "fd98::2")
SILENT = ("10.50.5.1", "fd50:5::1")

LINKS = """
link add w1 netns {dc} type veth peer name w0 netns {r1}
link add w2 netns {r1} type veth peer name w1 netns {r2}
"""
ADDRESSES = {
    "dc": [("w1", "10.99.0.1/30", "fd99::1/64")],
    "r1": [("w0", "10.99.0.2/30", "fd99::2/64"), ("w2", "10.98.0.1/30", "fd98::1/64")],
    "r2": [("w1", "10.98.0.2/30", "fd98::2/64")],
}
ROUTES = {
    "dc": [
        "default via 10.99.0.2",
        "default via fd99::2",
        *(f"{kind} 10.51.{n}.0/24" for n, kind in enumerate(("unreachable", "prohibit"))),
        *(f"{kind} fd51:{n}::/64" for n, kind in enumerate(("unreachable", "prohibit"))),
        "blackhole 10.51.2.0/24",
        "blackhole fd51:2::/64",
    ],
    "r1": ["10.50.0.0/16 via 10.98.0.2", "fd50::/16 via fd98::2"],
    "r2": [
        "default via 10.98.0.1",
        "default via fd98::1",
        "blackhole 10.50.5.0/24",
        "blackhole fd50:5::/64",
    ],
}
FILTERS = {
    "dc": """chain output { type filter hook output priority 0;
        ip daddr 10.51.3.0/24 drop; ip6 daddr fd51:3::/64 drop; }""",
    "r1": """chain forward { type filter hook forward priority 0;
        ip daddr 10.50.0.0/24 reject with icmp type host-unreachable;
        ip daddr 10.50.1.0/24 reject with icmp type net-unreachable;
        ip daddr 10.50.2.0/24 reject with icmp type admin-prohibited;
        ip daddr 10.50.3.0/24 reject with icmp type port-unreachable;
        ip6 daddr fd50:0::/64 reject with icmpv6 type addr-unreachable;
        ip6 daddr fd50:1::/64 reject with icmpv6 type no-route;
        ip6 daddr fd50:2::/64 reject with icmpv6 type admin-prohibited;
        ip6 daddr fd50:3::/64 reject with icmpv6 type port-unreachable; }""",
}
SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv4/ping_group_range": "0 65534",
}


def run(*command: str, text: str = "") -> None:
    subprocess.run(command, input=text, text=True, check=True)


class Namespace:
    """A network namespace with a thread in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        run("ip", "netns", "add", name)
        self.thread = ThreadPoolExecutor(1, initializer=self._enter)
        self.thread.submit(self._set_up).result()

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{self.name}").open() as handle:
            if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    @staticmethod
    def _set_up() -> None:
        for setting, value in SETTINGS.items():
            Path("/proc/sys", setting).write_text(value)

    def close(self) -> None:
        self.thread.shutdown()
        run("ip", "netns", "del", self.name)


class NamespaceSockets:
    """Opens sockets inside a namespace."""

    def __init__(self, namespace: Namespace, *, privileged: bool) -> None:
        self._namespace = namespace
        self._sockets = IcmplibSockets(privileged=privileged)

    def open(self, family: int) -> OpenedSocket:
        return self._namespace.thread.submit(self._sockets.open, family).result()


@pytest.fixture(scope="module")
def centre() -> Iterator[Namespace]:
    """The data centre of the little province above."""
    with contextlib.ExitStack() as stack:
        spaces: dict[str, Namespace] = {}
        for role in ADDRESSES:
            space = Namespace(f"icmp{os.getpid()}{role}")
            stack.callback(space.close)
            spaces[role] = space
        names = {role: space.name for role, space in spaces.items()}
        run("ip", "-batch", "-", text=LINKS.format(**names))
        for role, name in names.items():
            run("ip", "-n", name, "-batch", "-", text=_plan(role))
            if role in FILTERS:
                table = f"table inet lab {{\n{FILTERS[role]}\n}}\n"
                run("ip", "netns", "exec", name, "nft", "-f", "-", text=table)
        for address in ANSWERING:
            # Neighbours must know each other before the first echo is timed.
            run("ip", "netns", "exec", names["dc"], "ping", "-q", "-c1", "-w9", address)
        yield spaces["dc"]


def _plan(role: str) -> str:
    lines = ["link set lo up"]
    for device, four, six in ADDRESSES[role]:
        lines += [
            f"addr add {four} dev {device}",
            f"addr add {six} dev {device} nodad",
            f"link set {device} up",
        ]
    if role in {"r1", "r2"}:
        lines.append(f"link set {'w2' if role == 'r1' else 'w1'} mtu 1400")
    return "\n".join(lines + [f"route add {route}" for route in ROUTES[role]]) + "\n"


@pytest.fixture(params=["raw", "datagram"])
def sockets(centre: Namespace, request: pytest.FixtureRequest) -> SocketFactory:
    return NamespaceSockets(centre, privileged=request.param == "raw")


class Observation:
    """What an engine told of each address after some rounds."""

    def __init__(self, addresses: tuple[str, ...], module: EchoModule) -> None:
        self.addresses = addresses
        self.batches: list[EchoBatch] = []
        self.reports: dict[str, tuple[ErrorReport, ...]] = {}
        self._targets = [
            EchoTarget(LinkKey(address, "main"), slot, ip_address(address), module)
            for slot, address in enumerate(addresses)
        ]

    async def run(self, sockets: SocketFactory, echoes: int) -> None:
        clock = SystemClock()
        told = asyncio.Event()

        def take(batch: EchoBatch) -> None:
            self.batches.append(batch)
            if sum(map(len, self.batches)) >= echoes * len(self.addresses):
                told.set()

        engine = EchoEngine(Timeline(clock), clock, take, sockets)
        engine.set_targets(self._targets)
        slots = np.arange(len(self.addresses), dtype=np.int32)
        engine.burst(slots, echoes, 0.06)
        task = asyncio.create_task(engine.run())
        await asyncio.wait_for(told.wait(), 10)
        for slot, address in enumerate(self.addresses):
            self.reports[address] = engine.last_errors(slot)
        self.columns = engine.columns(slots)
        await engine.drain(1.0)
        await task

    def outcomes(self, address: str) -> list[tuple[Outcome, EchoError | None]]:
        slot = self.addresses.index(address)
        return [
            (
                Outcome(int(batch.outcome[row])),
                None if batch.error[row] == NO_ERROR else ECHO_ERRORS[batch.error[row]],
            )
            for batch in self.batches
            for row in np.flatnonzero(batch.slot == slot)
        ]


async def test_each_router_error_is_told_of_its_own_echo_and_of_no_other(
    sockets: SocketFactory,
) -> None:
    seen = Observation((*REPORTED, *ANSWERING, *SILENT), HOURLY)
    await seen.run(sockets, echoes=4)
    for address, (error, offender) in REPORTED.items():
        assert seen.outcomes(address) == [(Outcome.SILENT, error)] * 4, address
        (report,) = seen.reports[address]
        assert (report.error, report.offender) == (error, ip_address(offender)), address
        assert report.text.startswith(f"{ip_address(offender)} reports "), address
    for address in ANSWERING:
        assert seen.outcomes(address) == [(Outcome.REPLIED, None)] * 4, address
        assert seen.reports[address] == ()
    for address in SILENT:
        assert seen.outcomes(address) == [(Outcome.SILENT, None)] * 4, address
    assert seen.columns.requests.tolist() == [4] * len(seen.addresses)
    offenders = np.concatenate([batch.offender for batch in seen.batches])
    assert int(ip_address(R1)) in offenders.tolist()


async def test_what_our_own_machine_refuses_is_a_fault_and_no_request(
    sockets: SocketFactory, request: pytest.FixtureRequest
) -> None:
    faults = dict(FAULTS)
    if "datagram" in request.node.name:
        # Linux (ping_v6_sendmsg) does not tell a datagram socket what its own firewall dropped.
        del faults["fd51:3::1"]
    seen = Observation((*faults, *ANSWERING), HOURLY)
    await seen.run(sockets, echoes=3)
    for address, error in faults.items():
        assert seen.outcomes(address) == [(Outcome.FAULT, error)] * 3, address
        assert seen.reports[address][0].offender is None
    for address in ANSWERING:
        assert seen.outcomes(address) == [(Outcome.REPLIED, None)] * 3, address
    assert seen.columns.requests[: len(faults)].tolist() == [0] * len(faults)


async def test_a_narrow_link_is_reported_when_packets_must_not_be_fragmented(
    sockets: SocketFactory,
) -> None:
    seen = Observation(("10.98.0.2", "fd98::2"), NARROW)
    await seen.run(sockets, echoes=3)
    assert seen.outcomes("10.98.0.2") == [(Outcome.SILENT, EchoError.PACKET_TOO_BIG)] * 3
    assert seen.outcomes("fd98::2")[0] == (Outcome.SILENT, EchoError.PACKET_TOO_BIG)


async def test_one_shot_ping_tells_who_reported_what(sockets: SocketFactory) -> None:
    results = [
        result
        async for result in ping(ip_address("10.50.0.1"), 2, interval_seconds=0.05, sockets=sockets)
    ]
    assert [result.outcome for result in results] == [Outcome.SILENT] * 2
    assert results[0].report is not None
    assert results[0].report.text == "10.99.0.2 reports host unreachable"


@pytest.mark.parametrize(
    ("target", "end", "distances"),
    [
        ("10.98.0.2", "10.98.0.2 (hop 2) is the target", [1, 2]),
        ("fd98::2", "fd98::2 (hop 2) is the target", [1, 2]),
        ("10.50.0.1", "10.99.0.2 (hop 1) reports host unreachable", [1]),
        ("fd50:0::1", "fd99::2 (hop 1) reports host unreachable", [1]),
        ("10.50.5.1", "10.99.0.2 (hop 1) is the last that answers", [1]),
        ("10.50.4.1", "10.98.0.2 (hop 2) reports time to live exceeded: a routing loop", [1, 2]),
    ],
)
async def test_a_path_ends_where_the_routers_say(
    centre: Namespace, target: str, end: str, distances: list[int]
) -> None:
    tracer = Tracer(NamespaceSockets(centre, privileged=True))
    path = await tracer.trace(ip_address(target), timeout_seconds=0.2)
    tracer.close()
    assert path is not None
    assert path.end == end
    assert [hop.distance for hop in path.hops] == distances
