"""Walks over agents that loop, skip back, drip, refuse or never end."""

from __future__ import annotations

import pytest

from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.message import ErrorStatus, Pdu, PduType
from netmon.probes.snmp.values import Missing, Oid, SnmpError
from tests.net.snmp_agents import (
    V1,
    V2C,
    Reply,
    agent,
    answer_to,
    answering,
    number,
    response,
    running_engine,
    session_with,
    table,
)

pytestmark = pytest.mark.net

ROOT = (1, 3, 6, 1, 2, 1, 2)
OIDS: list[Oid] = [(*ROOT, arc) for arc in range(1, 21)]
GOOD = [number(oid) for oid in OIDS]
V3 = SnmpCredential("3", user="netmon", auth_protocol="SHA-256", priv_protocol="AES")
QUICK = SnmpModule("quick", timeout_seconds=0.1, retries=0)


@pytest.mark.parametrize("credential", [V1, V2C], ids=["v1", "v2c"])
async def test_a_walk_reads_the_subtree_and_no_more(credential: SnmpCredential) -> None:
    def answer(pdu: Pdu) -> Pdu:
        served = serve(pdu)
        if credential is V1 and served.varbinds[0].value is Missing.END_OF_MIB_VIEW:
            return response(pdu, pdu.varbinds, ErrorStatus.NO_SUCH_NAME, 1)
        return served

    serve = table([*OIDS, (1, 3, 6, 1, 2, 1, 3, 1)])
    async with running_engine() as engine, agent(answering(answer)) as peer:
        walk = await session_with(engine, peer.port, credential).walk(ROOT)
        assert (walk.rows, walk.complete, walk.trouble) == (GOOD, True, "")
        assert peer.requests == (len(OIDS) + 1 if credential is V1 else 1)
        end = await session_with(engine, peer.port, credential).walk((1, 3, 6, 1, 2, 1, 9))
        assert (end.rows, end.complete) == ([], True)


async def test_a_looping_agent_is_detected_and_its_rows_kept() -> None:
    def answer(pdu: Pdu) -> Pdu:
        return response(pdu, [number((*ROOT, (pdu.varbinds[0].oid[-1] % 5) + 1))])

    async with running_engine() as engine, agent(answering(answer)) as peer:
        walk = await session_with(engine, peer.port, V1).walk(ROOT)
        assert len(walk.rows) == 5
        assert (walk.complete, walk.status) == (False, SnmpStatus.PARTIAL)
        assert "circles" in walk.trouble


async def test_a_table_in_decreasing_order_is_read_whole() -> None:
    async with running_engine() as engine, agent(answering(table(OIDS[::-1]))) as peer:
        walk = await session_with(engine, peer.port).walk(ROOT)
        assert [row.oid for row in walk.rows] == OIDS[::-1]
        assert walk.complete
        assert "out of order" in walk.trouble


async def test_an_endless_table_ends_at_the_limit() -> None:
    def answer(pdu: Pdu) -> Pdu:
        after = pdu.varbinds[0].oid[-1]
        return response(pdu, [number((*ROOT, 3, after + step)) for step in range(1, 26)])

    async with running_engine() as engine, agent(answering(answer)) as peer:
        walk = await session_with(engine, peer.port).walk((*ROOT, 3), limit_rows=500)
        assert (len(walk.rows), walk.complete, walk.status) == (500, False, SnmpStatus.PARTIAL)
        assert "never ends" in walk.trouble


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "tooBig"])
async def test_fewer_repetitions_are_asked_of_an_agent_that_cannot_do_many(
    is_silent: bool,  # noqa: FBT001  # pytest passes it by name
) -> None:
    serve = table(OIDS)
    asked: list[int] = []

    def answer(pdu: Pdu) -> Pdu | None:
        asked.append(pdu.error_index if pdu.type == PduType.GET_BULK else 1)
        if asked[-1] <= 5:
            return serve(pdu)
        return None if is_silent else response(pdu, [], ErrorStatus.TOO_BIG)

    async with running_engine() as engine, agent(answering(answer)) as peer:
        walk = await session_with(engine, peer.port).walk(ROOT)
        assert (walk.rows, walk.complete) == (GOOD, True)
        assert asked[:3] == [25, 6, 1]


async def test_an_agent_that_falls_silent_mid_walk_costs_no_row() -> None:
    serve = table(OIDS)

    def answer(pdu: Pdu) -> Pdu | None:
        return serve(pdu) if pdu.varbinds[0].oid < OIDS[9] else None

    async with running_engine() as engine, agent(answering(answer)) as peer:
        walk = await session_with(engine, peer.port, V1, module=QUICK).walk(ROOT)
        assert walk.rows == GOOD[:10]
        assert (walk.complete, walk.status) == (False, SnmpStatus.TIMEOUT)
        assert "no answer" in walk.trouble


async def test_a_walk_of_a_silent_agent_is_an_error() -> None:
    async with running_engine() as engine, agent(lambda _: []) as silent:
        session = session_with(engine, silent.port, module=QUICK)
        with pytest.raises(SnmpError) as caught:
            await session.walk(ROOT)
        assert caught.value.status is SnmpStatus.TIMEOUT


async def test_an_agent_that_drips_is_left_when_its_time_is_over() -> None:
    def respond(data: bytes) -> list[Reply]:
        return [Reply(octets, 0.05) for octets in answer_to(data, table(OIDS))]

    slow = SnmpModule("slow", interval_seconds=0.3, timeout_seconds=0.2)
    async with running_engine() as engine, agent(respond) as peer:
        walk = await session_with(engine, peer.port, V1, module=slow).walk(ROOT)
        assert 2 <= len(walk.rows) <= 7
        assert (walk.complete, walk.status) == (False, SnmpStatus.TIMEOUT)
        assert "slow" in walk.trouble
