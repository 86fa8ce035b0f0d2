"""However badly some agents behave, the engine never keeps the others waiting for 50 ms.

What is measured is the CPU time that the engine takes before it gives the event loop back: on the
one loop nothing else can delay another router's poll, and other programs of the machine do not
count.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from typing import TYPE_CHECKING

import pytest

from netmon.clock import SystemClock
from netmon.config.settings import SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.ber import encode_varbinds
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.message import PduType, encode_community_message, encode_pdu
from netmon.probes.snmp.transport import UdpTransport
from netmon.probes.snmp.values import SnmpError, Tag, VarBind
from tests.net.snmp_agents import (
    LOOPBACK,
    Reply,
    Respond,
    agent,
    answering,
    good,
    number,
    request_of,
    response,
    session_with,
    table,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from netmon.probes.snmp.message import Pdu
    from netmon.probes.snmp.values import Oid

pytestmark = pytest.mark.net

ROOT: Oid = (1, 3, 6, 1, 4, 1, 99999)
DELAY_SECONDS = 0.05
ATTEMPTS = 3
"""A busy machine makes everything slower, and nothing faster."""
CROWD = 60
"""Bad agents of each kind at a time: more than a province has on a bad day."""
HURRIED = SnmpModule("hurried", interval_seconds=1, timeout_seconds=0.3, retries=0)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Note for how many CPU seconds the engine held the loop, each time it was woken."""
    # A collection of all that pytest holds is not the engine's doing; the daemon freezes its heap.
    gc.collect()
    gc.disable()
    times: list[float] = []
    drain = UdpTransport._drain

    def timed(transport: UdpTransport) -> None:
        begun = time.thread_time()
        drain(transport)
        times.append(time.thread_time() - begun)

    monkeypatch.setattr(UdpTransport, "_drain", timed)
    yield times
    gc.enable()


HUGE = encode_varbinds(number((*ROOT, row)) for row in range(1, 3300))
"""Fills a datagram of 64 KiB with variables, all of which must be read."""


def huge(data: bytes) -> list[Reply]:
    message, pdu = request_of(data)
    answer = encode_pdu(PduType.RESPONSE, pdu.request_id, 0, 0, HUGE)
    return [Reply(encode_community_message(message.version, message.community, answer))]


def repeated(times: int) -> Respond:
    """Answer well, and go on to say it again and again."""
    answer = answering(good)
    return lambda data: [reply for reply in answer(data) for _ in range(times)]


def to_the_next_quarter() -> float:
    """Return the time to the next quarter of a second: answers of many agents fall together."""
    return 0.25 - asyncio.get_running_loop().time() % 0.25


BAD: dict[str, Respond] = {
    "silent": lambda _: [],
    "64 KiB": huge,
    "64 KiB, all at the same moment": lambda data: [
        Reply(reply.data, to_the_next_quarter()) for reply in huge(data)
    ],
    "garbage": lambda _: [Reply(b"\x30\x84\xff\xff\xff\xff" + bytes(range(256)) * 200)] * 5,
    "cut": lambda data: list(map(Reply, cut_answers(data))),
    "repeating itself": repeated(50),
    "looping": answering(table([(*ROOT, row) for row in (2, 1, 3, 2)])),
    "endless": answering(lambda pdu: response(pdu, [endless(pdu)] * 25)),
}


def cut_answers(data: bytes) -> list[bytes]:
    whole = huge(data)[0].data
    return [whole[:length] for length in range(40, 60_000, 6000)]


def endless(pdu: Pdu) -> VarBind:
    last = pdu.varbinds[0].oid
    return VarBind((*last[:-1], last[-1] + 1), Tag.OCTET_STRING, bytes(2000))


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[SnmpEngine]:
    engine = SnmpEngine(SystemClock())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


@pytest.mark.parametrize("kind", BAD)
async def test_bad_agents_never_hold_the_loop_for_50_ms(kind: str, held: list[float]) -> None:
    for _ in range(ATTEMPTS):
        held.clear()
        await ask_bad_and_good(BAD[kind])
        if max(held) < DELAY_SECONDS:
            break
    assert max(held) < DELAY_SECONDS


async def ask_bad_and_good(respond: Respond) -> None:
    async with running() as engine, agent(respond) as bad, agent(answering(good)) as fine:
        nuisances = [session_with(engine, bad.port, module=HURRIED) for _ in range(CROWD)]
        router = session_with(engine, fine.port, module=HURRIED)

        async def ask_the_good() -> None:
            for _ in range(20):
                assert len(await router.get([(*ROOT, 1), (*ROOT, 2)])) == 2

        walks = [each.walk(ROOT, limit_rows=200) for each in nuisances]
        await asyncio.gather(ask_the_good(), asyncio.gather(*walks, return_exceptions=True))
        assert engine.figures().answers >= 20


async def test_a_flood_of_strangers_is_read_in_parts(held: list[float]) -> None:
    async with running() as engine, agent(answering(good)) as fine:
        router = session_with(engine, fine.port, module=HURRIED)
        await router.get([ROOT])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for ours in engine._exchange._transports.values():
                family, port = ours._socket.family, ours._socket.getsockname()[1]
                if family == socket.AF_INET:
                    for _ in range(2000):
                        stranger.sendto(bytes(60), (str(LOOPBACK), port))
        assert len(await router.get([ROOT])) == 1
        assert max(held) < DELAY_SECONDS


async def test_a_silent_router_is_given_up_in_its_own_time_only() -> None:
    async with running() as engine, agent(lambda _: []) as bad, agent(answering(good)) as fine:
        silent = session_with(engine, bad.port, module=HURRIED)
        router = session_with(engine, fine.port, module=HURRIED)
        waiting = asyncio.create_task(silent.get([ROOT]))
        for _ in range(50):
            await router.get([ROOT])
        assert not waiting.done()
        with pytest.raises(SnmpError) as told:
            await waiting
        assert told.value.status is SnmpStatus.TIMEOUT
