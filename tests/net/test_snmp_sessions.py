"""Sessions find SNMPv3 engines and follow them, and share the engine without harm."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.message import ErrorStatus
from netmon.probes.snmp.usm import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID
from netmon.probes.snmp.values import Oid, SnmpError, SnmpSecrets
from tests.net.snmp_agents import (
    Reply,
    V3Agent,
    agent,
    answer_to,
    answering,
    failure_of,
    free_port,
    good,
    number,
    response,
    running_engine,
    session_with,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.net

ROOT = (1, 3, 6, 1, 2, 1, 2)
OIDS: list[Oid] = [(*ROOT, arc) for arc in range(1, 21)]
GOOD = [number(oid) for oid in OIDS]
V3 = SnmpCredential("3", user="netmon", auth_protocol="SHA-256", priv_protocol="AES")
QUICK = SnmpModule("quick", timeout_seconds=0.1, retries=0)


# --- SNMPv3 --------------------------------------------------------------------------------------


async def test_an_engine_and_its_clock_are_discovered_once() -> None:
    peer = V3Agent(V3)
    async with running_engine() as engine, agent(peer.respond) as listening:
        session = session_with(engine, listening.port, V3)
        boots = [session.engine_boots]
        for _ in range(3):
            assert await session.get(OIDS) == GOOD
        assert peer.reports == [UNKNOWN_ENGINE_ID, NOT_IN_TIME_WINDOW]
        assert [*boots, session.engine_boots] == [None, 1]
        assert listening.requests == 5


async def test_a_restarted_agent_is_followed_within_the_same_poll() -> None:
    peer = V3Agent(V3)
    async with running_engine() as engine, agent(peer.respond) as listening:
        session = session_with(engine, listening.port, V3)
        assert await session.get(OIDS) == GOOD
        peer.boots, peer.time = 2, 5
        assert await session.get(OIDS) == GOOD
        assert peer.reports[2:] == [NOT_IN_TIME_WINDOW]
        assert session.engine_boots == 2


async def test_an_agent_that_forgets_its_boots_is_followed_too() -> None:
    peer = V3Agent(V3)
    peer.boots, peer.time = 9, 90_000
    async with running_engine() as engine, agent(peer.respond) as listening:
        session = session_with(engine, listening.port, V3)
        assert await session.get(OIDS) == GOOD
        peer.boots, peer.time = 1, 5
        assert await session.get(OIDS) == GOOD


async def test_a_replaced_router_with_another_engine_is_discovered_again() -> None:
    peer = V3Agent(V3)
    async with running_engine() as engine, agent(peer.respond) as listening:
        session = session_with(engine, listening.port, V3)
        assert await session.get(OIDS) == GOOD
        peer.restart(b"\x80\x00\x1f\x88\x04other")
        assert await session.get(OIDS) == GOOD


async def test_an_agent_that_is_never_in_its_own_time_window_is_told() -> None:
    class Confused(V3Agent):
        def respond(self, data: bytes) -> list[Reply]:
            self.boots += 1
            return super().respond(data)

    peer = Confused(V3)
    async with running_engine() as engine, agent(peer.respond) as listening:
        error = await failure_of(session_with(engine, listening.port, V3).get(OIDS))
        assert error.status is SnmpStatus.AUTHENTICATION
        assert "not in time window" in str(error)
        assert listening.requests <= 5


@pytest.mark.parametrize(
    ("report", "words"),
    [
        pytest.param(1, "unsupported security level", id="level"),
        pytest.param(3, "unknown user", id="user"),
        pytest.param(4, "unknown engine id", id="engine"),
        pytest.param(5, "wrong digest", id="digest"),
        pytest.param(6, "decryption error", id="decryption"),
    ],
)
async def test_each_report_of_an_agent_ends_the_question_in_its_own_words(
    report: int, words: str
) -> None:
    peer = V3Agent(V3)
    peer.refusal = (1, 3, 6, 1, 6, 3, 15, 1, 1, report, 0)
    async with running_engine() as engine, agent(peer.respond) as listening:
        error = await failure_of(session_with(engine, listening.port, V3).get(OIDS))
        assert error.status is SnmpStatus.AUTHENTICATION
        assert words in str(error)
        assert listening.requests <= 5


async def test_authorization_error_is_told_as_the_users_rights() -> None:
    status = ErrorStatus.AUTHORIZATION_ERROR
    peer = V3Agent(V3, lambda pdu: response(pdu, pdu.varbinds, status, 0))
    async with running_engine() as engine, agent(peer.respond) as listening:
        error = await failure_of(session_with(engine, listening.port, V3).get(OIDS))
        assert error.status is SnmpStatus.AUTHENTICATION
        assert "authorizationError" in str(error)


# --- Many at a time ------------------------------------------------------------------------------


async def test_one_request_is_in_flight_at_a_time() -> None:
    under_way = most = 0

    def respond(data: bytes) -> list[Reply]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        asyncio.get_running_loop().call_later(0.019, done)
        return [Reply(octets, 0.02) for octets in answer_to(data, good)]

    def done() -> None:
        nonlocal under_way
        under_way -= 1

    async with running_engine() as engine, agent(respond) as peer:
        session = session_with(engine, peer.port)
        assert await asyncio.gather(*(session.get(OIDS) for _ in range(5))) == [GOOD] * 5
        assert most == 1


async def test_a_cancelled_caller_harms_neither_the_session_nor_the_others() -> None:
    def respond(data: bytes) -> list[Reply]:
        return [Reply(octets, 0.05) for octets in answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        session = session_with(engine, peer.port)
        calls = [asyncio.ensure_future(session.get(OIDS[: count + 1])) for count in range(4)]
        await asyncio.sleep(0.01)
        calls[0].cancel()
        calls[2].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert results[1] == GOOD[:2]
        assert results[3] == GOOD[:4]
        assert isinstance(results[0], asyncio.CancelledError)
        assert engine.figures().late == 1


SILENT_FLOOD = """
import socket
flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
flood.bind(("127.0.0.1", 0))
print(flood.getsockname()[1], flush=True)
while True:
    _, peer = flood.recvfrom(65535)
    for _ in range(300):
        flood.sendto(b"\\xff" * 1000, peer)
"""


@contextlib.asynccontextmanager
async def process(*command: str) -> AsyncIterator[int]:
    """Run an agent of its own, which prints its port."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert child.stdout is not None
        yield int(await child.stdout.readline())
    finally:
        child.terminate()
        await child.wait()


async def test_bad_agents_delay_nobody() -> None:
    """While silent, flooding and closed agents are asked, a good one is read as ever.

    What may delay it is our own work, so CPU time is measured: a busy machine is not our doing.
    """
    async with (
        running_engine() as engine,
        agent(lambda _: []) as silent,
        process("-c", SILENT_FLOOD) as flooding,
        process(str(Path("benchmarks/snmp_responder.py"))) as healthy,
    ):
        ports = [silent.port, flooding, free_port()] * 10
        bad = [asyncio.ensure_future(session_with(engine, port).get(OIDS)) for port in ports]
        patient = SnmpModule("patient", timeout_seconds=20, retries=0)
        session = session_with(engine, healthy, module=patient)
        delays = []
        while not all(call.done() for call in bad):
            begun = time.thread_time()
            await session.get(OIDS)
            delays.append(time.thread_time() - begun)
            await asyncio.sleep(0.005)
        errors = await asyncio.gather(*bad, return_exceptions=True)
        assert {error.status for error in errors if isinstance(error, SnmpError)} == {
            SnmpStatus.TIMEOUT,
            SnmpStatus.MALFORMED,
            SnmpStatus.REFUSED,
        }
        # One in twenty may be a collection of all that pytest holds.
        assert statistics.quantiles(delays, n=20)[-1] < 0.05


async def test_nothing_is_remembered_of_requests_that_are_over() -> None:
    async with running_engine() as engine, agent(answering(good)) as peer:
        session = session_with(engine, peer.port, module=QUICK)
        for _ in range(50):
            await session.get(OIDS)
        await asyncio.sleep(0.25)
        assert engine._exchange._requests == {}
        assert engine._exchange._by_peer == {}


async def test_a_wrong_version_is_refused_before_anything_is_sent() -> None:
    async with running_engine() as engine:
        with pytest.raises(SnmpError, match="write 1, 2c or 3"):
            session_with(engine, 161, SnmpCredential("2"))
        with pytest.raises(SnmpError) as caught:
            session_with(engine, 161, secrets=SnmpSecrets())
        assert caught.value.status is SnmpStatus.NO_SECRET
