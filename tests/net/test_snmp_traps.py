"""Traps and informs of net-snmp's tools are received, told apart, and cannot drown the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest

from netmon.clock import SystemClock
from netmon.errors import CapabilityError
from netmon.probes.snmp.trap import Trap, TrapKind
from netmon.probes.snmp.traps import TokenBucket, TrapReceiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from netmon.model import IPAddress

pytestmark = pytest.mark.net

LOOPBACK = IPv4Address("127.0.0.1")
STANDARD = "1.3.6.1.6.3.1.1.5"
IF_INDEX_7 = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7")


@contextlib.asynccontextmanager
async def receiving(
    address: IPAddress = LOOPBACK,
) -> AsyncIterator[tuple[TrapReceiver, asyncio.Queue[Trap]]]:
    traps: asyncio.Queue[Trap] = asyncio.Queue()
    receiver = TrapReceiver(
        SystemClock(), (address, 0), ["S3cret-word", "second"], traps.put_nowait
    )
    await receiver.start()
    try:
        yield receiver, traps
    finally:
        await receiver.close()


async def send(tool: str, *arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        tool,
        *arguments,
        env={**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await asyncio.wait_for(process.wait(), 20)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1, TrapKind.COLD_START),
        (2, TrapKind.WARM_START),
        (3, TrapKind.LINK_DOWN),
        (4, TrapKind.LINK_UP),
        (5, TrapKind.AUTHENTICATION_FAILURE),
        (6, TrapKind.OTHER),
    ],
)
async def test_a_v2c_trap_is_told_by_its_kind(number: int, kind: TrapKind) -> None:
    async with receiving() as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        oid = f"{STANDARD}.{number}"
        await send("snmptrap", "-v2c", "-c", "S3cret-word", target, "", oid, *IF_INDEX_7)
        trap = await asyncio.wait_for(traps.get(), 10)
        assert (trap.kind, trap.source) == (kind, LOOPBACK)
        is_link = kind in {TrapKind.LINK_DOWN, TrapKind.LINK_UP}
        assert trap.interface_index == (7 if is_link else None)
        assert "1.3.6.1.2.1.2.2.1.1.7=7" in trap.text
        assert "S3cret" not in trap.text


async def test_a_v1_trap_is_told_by_its_kind_and_keeps_its_community_secret() -> None:
    async with receiving() as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        enterprise = "1.3.6.1.4.1.8072"
        await send(
            "snmptrap", "-v1", "-c", "S3cret-word", target, enterprise, "192.0.2.9", "2", "0", "55",
            *IF_INDEX_7,
        )  # fmt: skip
        trap = await asyncio.wait_for(traps.get(), 10)
        assert (trap.kind, trap.interface_index) == (TrapKind.LINK_DOWN, 7)
        assert "192.0.2.9" in trap.text
        assert "S3cret" not in trap.text


@pytest.mark.parametrize("address", [LOOPBACK, IPv6Address("::1")], ids=str)
async def test_an_inform_is_received_once_and_acknowledged(address: IPAddress) -> None:
    async with receiving(address) as (receiver, traps):
        host = f"udp6:[{address}]" if address.version == 6 else str(address)
        target = f"{host}:{receiver.port}"
        code = await send("snmpinform", "-v2c", "-c", "second", target, "", f"{STANDARD}.4")
        assert code == 0
        trap = await asyncio.wait_for(traps.get(), 10)
        assert (trap.kind, trap.source) == (TrapKind.LINK_UP, address)
        assert traps.empty()
        assert receiver.figures().received == 1


async def test_another_community_is_ignored() -> None:
    async with receiving() as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        await send("snmptrap", "-v2c", "-c", "public", target, "", f"{STANDARD}.3")
        await send("snmptrap", "-v2c", "-c", "second", target, "", f"{STANDARD}.4")
        assert (await asyncio.wait_for(traps.get(), 10)).kind is TrapKind.LINK_UP
        assert traps.empty()


async def test_garbage_and_a_storm_are_counted_and_harm_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with receiving() as (receiver, traps):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for octets in (b"\x00", b"\x30\x80", b"\x30\x82\xff\xff", b"\xff" * 500) * 3:
                stranger.sendto(octets, ("127.0.0.1", receiver.port))
        target = f"127.0.0.1:{receiver.port}"
        await send("snmptrap", "-v2c", "-c", "second", target, "", f"{STANDARD}.3")
        assert (await asyncio.wait_for(traps.get(), 10)).kind is TrapKind.LINK_DOWN
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(200):
                stranger.sendto(b"\x00", ("127.0.0.1", receiver.port))
        while receiver.figures().dropped == 0:  # noqa: ASYNC110  # a count has no event
            await asyncio.sleep(0)
        assert not caplog.records


async def test_a_port_that_is_taken_is_told_with_the_remedy() -> None:
    async with receiving() as (receiver, _):
        second = TrapReceiver(SystemClock(), (LOOPBACK, receiver.port), ["x"], lambda _: None)
        with pytest.raises(CapabilityError, match=f"port {receiver.port}.*choose one above 1023"):
            await second.start()


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(per_second=10, at_once=3)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(50_000)
    assert bucket.take(100_000)
    assert [bucket.take(9_000_000) for _ in range(4)] == [True, True, True, False]
