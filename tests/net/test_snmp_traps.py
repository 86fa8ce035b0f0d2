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
from netmon.probes.snmp.allowance import TokenBucket
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS
from netmon.probes.snmp.trap import RefusedTrap, Trap, TrapKind, TrapRefusal
from netmon.probes.snmp.traps import Senders, TrapReceiver, own_engine_id
from netmon.probes.snmp.usm import User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from netmon.model import IPAddress

pytestmark = pytest.mark.net

LOOPBACK = IPv4Address("127.0.0.1")
STANDARD = "1.3.6.1.6.3.1.1.5"
IF_INDEX_7 = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7")


COMMUNITIES = Senders(("S3cret-word", "second"))
AUTH_PASSWORD, PRIV_PASSWORD = "S3cret-auth", "S3cret-priv"  # of the test alone
SENDER_ENGINE = "0x80001f8804736f6d65"


def user(name: str, auth: str = "", priv: str = "") -> User:
    return User(
        name.encode(),
        b"",
        AUTH_PROTOCOLS.get(auth),
        AUTH_PASSWORD.encode(),
        PRIV_PROTOCOLS.get(priv),
        PRIV_PASSWORD.encode(),
    )


USERS = Senders(
    users=(user("private", "SHA-256", "AES"), user("signed", "SHA"), user("open")),
)


@contextlib.asynccontextmanager
async def receiving(
    address: IPAddress = LOOPBACK,
    senders: Senders = COMMUNITIES,
    refused: list[RefusedTrap] | None = None,
) -> AsyncIterator[tuple[TrapReceiver, asyncio.Queue[Trap]]]:
    traps: asyncio.Queue[Trap] = asyncio.Queue()
    told: list[RefusedTrap] = [] if refused is None else refused
    receiver = TrapReceiver(SystemClock(), (address, 0), senders, traps.put_nowait, told.append)
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


async def test_another_community_is_refused_and_counted() -> None:
    refused: list[RefusedTrap] = []
    async with receiving(refused=refused) as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        await send("snmptrap", "-v2c", "-c", "public", target, "", f"{STANDARD}.3")
        await send("snmptrap", "-v2c", "-c", "second", target, "", f"{STANDARD}.4")
        assert (await asyncio.wait_for(traps.get(), 10)).kind is TrapKind.LINK_UP
        assert traps.empty()
        assert receiver.figures().refused == {TrapRefusal.COMMUNITY: 1}
        assert [(one.reason, one.source) for one in refused] == [(TrapRefusal.COMMUNITY, LOOPBACK)]
        assert "public" not in refused[0].words


def by_user(name: str, auth: str = "", priv: str = "", **other: str) -> list[str]:
    """Return the arguments of net-snmp's tools for a user of `USERS`, or one that differs."""
    level = "authPriv" if priv else "authNoPriv" if auth else "noAuthNoPriv"
    arguments = ["-v3", "-u", name, "-l", level]
    if auth:
        arguments += ["-a", auth, "-A", other.get("auth_password", AUTH_PASSWORD)]
    if priv:
        arguments += ["-x", priv, "-X", other.get("priv_password", PRIV_PASSWORD)]
    return arguments


KNOWN = [
    pytest.param(["private", "SHA-256", "AES"], id="authPriv"),
    pytest.param(["signed", "SHA"], id="authNoPriv"),
    pytest.param(["open"], id="noAuthNoPriv"),
]


@pytest.mark.parametrize("sender", KNOWN)
async def test_a_v3_trap_is_believed_of_any_engine_whose_user_is_known(sender: list[str]) -> None:
    async with receiving(senders=USERS) as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        for engine in (SENDER_ENGINE, SENDER_ENGINE, SENDER_ENGINE + "ff"):
            await send(
                "snmptrap", "-e", engine, *by_user(*sender), target, "", f"{STANDARD}.3",
                *IF_INDEX_7,
            )  # fmt: skip
            trap = await asyncio.wait_for(traps.get(), 20)
            assert (trap.kind, trap.interface_index) == (TrapKind.LINK_DOWN, 7)
        assert not receiver.figures().refused


@pytest.mark.parametrize("sender", KNOWN)
async def test_a_v3_inform_finds_our_engine_and_is_acknowledged(sender: list[str]) -> None:
    async with receiving(senders=USERS) as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        code = await send("snmpinform", *by_user(*sender), target, "", f"{STANDARD}.4")
        assert code == 0
        assert (await asyncio.wait_for(traps.get(), 20)).kind is TrapKind.LINK_UP
        assert traps.empty()
        assert not receiver.figures().refused


@pytest.mark.parametrize(
    ("sender", "reason", "words"),
    [
        pytest.param(
            by_user("nobody", "SHA", "AES"), TrapRefusal.USER,
            "the user 'nobody' is in no credential of snmp_traps", id="user",
        ),
        pytest.param(
            by_user("private", "SHA-256", "AES", auth_password="other-word"), TrapRefusal.SECRET,
            "the user 'private' has another authentication password or protocol there",
            id="password",
        ),
        pytest.param(
            by_user("private", "SHA", "AES"), TrapRefusal.SECRET,
            "the user 'private' has another authentication password or protocol there",
            id="protocol",
        ),
        pytest.param(
            by_user("private", "SHA-256", "AES", priv_password="other-word"), TrapRefusal.PRIVACY,
            "the user 'private' has another privacy password or protocol there", id="privacy",
        ),
        pytest.param(
            by_user("private", "SHA-256"), TrapRefusal.LEVEL,
            "the user 'private' signs without encrypting, and its credential says that it signs"
            " and encrypts", id="not encrypted",
        ),
        pytest.param(
            by_user("private"), TrapRefusal.LEVEL,
            "the user 'private' does not sign, and its credential says that it signs and encrypts",
            id="not signed",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tool", ["snmptrap", "snmpinform"])
async def test_a_v3_sender_that_is_not_believed_is_counted_and_told_why(
    tool: str, sender: list[str], reason: TrapRefusal, words: str
) -> None:
    refused: list[RefusedTrap] = []
    async with receiving(senders=USERS, refused=refused) as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        engine = ["-e", SENDER_ENGINE] if tool == "snmptrap" else ["-r", "0", "-t", "3"]
        code = await send(tool, *engine, *sender, target, "", f"{STANDARD}.3")
        assert code == (0 if tool == "snmptrap" else 1)
        good = by_user("private", "SHA-256", "AES")
        await send("snmptrap", "-e", SENDER_ENGINE, *good, target, "", f"{STANDARD}.4")
        assert (await asyncio.wait_for(traps.get(), 20)).kind is TrapKind.LINK_UP
        assert traps.empty()
        assert set(receiver.figures().refused) == {reason}
        assert all(one.words.startswith(words) for one in refused)
        assert "S3cret" not in repr((refused, receiver.figures(), USERS))


async def test_a_trap_that_is_sent_again_much_later_is_a_replay() -> None:
    refused: list[RefusedTrap] = []
    async with receiving(senders=USERS, refused=refused) as (receiver, traps):
        target = f"127.0.0.1:{receiver.port}"
        sender = [*by_user("signed", "SHA"), "-e", SENDER_ENGINE]
        for clock in ("3,5000", "3,1000", "2,9000", "4,7"):
            await send("snmptrap", *sender, "-Z", clock, target, "", f"{STANDARD}.3")
        for _ in range(2):
            await asyncio.wait_for(traps.get(), 20)
        assert traps.empty()
        assert receiver.figures().refused == {TrapRefusal.REPLAY: 2}


def test_our_engine_id_is_the_hosts_and_stays() -> None:
    first = own_engine_id("monitor-1")
    assert first == own_engine_id("monitor-1") != own_engine_id("monitor-2")
    assert (first[:4].hex(), first[4], len(first)) == ("80004fb8", 5, 13)


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
        second = TrapReceiver(SystemClock(), (LOOPBACK, receiver.port), COMMUNITIES, lambda _: None)
        with pytest.raises(CapabilityError, match=f"port {receiver.port}.*choose one above 1023"):
            await second.start()


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(per_second=10, at_once=3)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(50_000)
    assert bucket.take(100_000)
    assert [bucket.take(9_000_000) for _ in range(4)] == [True, True, True, False]
