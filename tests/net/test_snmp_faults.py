"""Every wrong answer is told apart, harms nobody else, and costs no value that was good."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import SystemClock
from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.model import SnmpStatus
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.message import ErrorStatus, Pdu, PduType, encode_community_message
from netmon.probes.snmp.values import Missing, Oid, SnmpError, Tag, VarBind
from tests.net.snmp_agents import (
    V1,
    Reply,
    agent,
    answer_to,
    answering,
    encoded,
    failure_of,
    free_port,
    good,
    number,
    request_of,
    response,
    running_engine,
    session_with,
)

if TYPE_CHECKING:
    import socket

pytestmark = pytest.mark.net

ROOT = (1, 3, 6, 1, 2, 1, 2)
OIDS: list[Oid] = [(*ROOT, arc) for arc in range(1, 21)]
GOOD = [number(oid) for oid in OIDS]
V3 = SnmpCredential("3", user="netmon", auth_protocol="SHA-256", priv_protocol="AES")
QUICK = SnmpModule("quick", timeout_seconds=0.1, retries=0)


# --- Nobody, or nobody who knows us --------------------------------------------------------------


async def test_silence_is_a_timeout_that_says_what_it_may_mean() -> None:
    async with running_engine() as engine, agent(lambda _: []) as silent:
        error = await failure_of(session_with(engine, silent.port).get(OIDS))
        assert error.status is SnmpStatus.TIMEOUT
        assert f"127.0.0.1:{silent.port}: no answer in 2 tries over 0.5 s" in str(error)
        assert "wrong community" in str(error)
        assert silent.requests == 2
        assert (engine.figures().timeouts, engine.figures().retransmissions) == (1, 1)


@pytest.mark.parametrize("address", [IPv4Address("127.0.0.1"), IPv6Address("::1")])
async def test_a_closed_port_is_refused_at_once(address: IPv4Address | IPv6Address) -> None:
    patient = SnmpModule("patient", timeout_seconds=30)
    async with running_engine() as engine:
        session = session_with(engine, free_port(), address=address, module=patient)
        error = await asyncio.wait_for(failure_of(session.get(OIDS)), 5)
        assert error.status is SnmpStatus.REFUSED
        assert "nothing listens there" in str(error)


async def test_a_refusal_reaches_nobody_but_the_one_refused() -> None:
    async with running_engine() as engine, agent(answering(good)) as healthy:
        well = session_with(engine, healthy.port)
        closed = [session_with(engine, free_port()) for _ in range(20)]
        results = await asyncio.gather(
            *(session.get(OIDS) for session in closed),
            *(well.get(OIDS) for _ in range(20)),
            return_exceptions=True,
        )
        refused, answered = results[:20], results[20:]
        assert {error.status for error in refused if isinstance(error, SnmpError)} == {
            SnmpStatus.REFUSED
        }
        assert answered == [GOOD] * 20


async def test_an_answer_with_another_community_is_ignored() -> None:
    def respond(data: bytes) -> list[Reply]:
        forged = answer_to(data, lambda pdu: response(pdu, []), community=b"other")
        return [Reply(octets) for octets in forged + answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD
        assert engine.figures().forged == 1


async def test_an_answer_of_another_version_is_ignored_and_told() -> None:
    def respond(data: bytes) -> list[Reply]:
        _, pdu = request_of(data)
        return [Reply(encode_community_message(0, b"public", encoded(good(pdu))))]

    async with running_engine() as engine, agent(respond) as peer:
        error = await failure_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.TIMEOUT
        assert "another SNMP version" in str(error)


async def test_our_own_trouble_is_a_fault() -> None:
    def no_socket(family: socket.AddressFamily) -> socket.socket:
        raise OSError(24, f"too many open files for {family.name}")

    engine = SnmpEngine(SystemClock(), no_socket)
    await engine.start()
    error = await failure_of(session_with(engine, 161).get(OIDS))
    assert error.status is SnmpStatus.FAULT
    assert "too many open files" in str(error)
    await engine.close()


async def test_what_the_kernel_does_not_send_is_a_fault() -> None:
    async with running_engine() as engine:
        session = session_with(engine, 161, address=IPv4Address("255.255.255.255"))
        error = await failure_of(session.get(OIDS))
        assert error.status is SnmpStatus.FAULT
        assert "could not send" in str(error)


async def test_closing_the_engine_ends_every_wait() -> None:
    async with agent(lambda _: []) as silent:
        engine = SnmpEngine(SystemClock())
        await engine.start()
        patient = SnmpModule("patient", timeout_seconds=60)
        waiting = asyncio.ensure_future(session_with(engine, silent.port, module=patient).get(OIDS))
        await asyncio.sleep(0)
        await engine.close()
        with pytest.raises(SnmpError, match="stopped"):
            await asyncio.wait_for(waiting, 3)


# --- Datagrams that are no answers ---------------------------------------------------------------


async def test_an_answer_from_another_address_or_port_is_ignored() -> None:
    def respond(data: bytes) -> list[Reply]:
        (octets,) = answer_to(data, lambda pdu: response(pdu, []))
        (true,) = answer_to(data, good)
        elsewhere = [("127.0.0.2", peer.port), ("127.0.0.1", free_port())]
        return [*(Reply(octets, source=source) for source in elsewhere), Reply(true, 0.05)]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD
        assert engine.figures().strangers == 2


async def test_a_router_that_answers_from_another_address_is_told() -> None:
    def respond(data: bytes) -> list[Reply]:
        (octets,) = answer_to(data, good)
        return [Reply(octets, source=("127.0.0.2", peer.port))]

    async with running_engine() as engine, agent(respond) as peer:
        error = await failure_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.TIMEOUT
        assert "an answer came from 127.0.0.2, which was not asked" in str(error)


@pytest.mark.parametrize("kind", [PduType.GET, PduType.SET, PduType.TRAP, PduType.REPORT])
async def test_what_is_not_a_response_is_ignored(kind: PduType) -> None:
    def respond(data: bytes) -> list[Reply]:
        wrong = answer_to(data, lambda pdu: good(pdu)._replace(type=kind))
        return [Reply(octets) for octets in wrong + answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD
        assert engine.figures().forged == 1


async def test_a_wrong_request_id_is_ignored() -> None:
    def respond(data: bytes) -> list[Reply]:
        wrong = answer_to(data, lambda pdu: good(pdu)._replace(request_id=pdu.request_id + 1))
        return [Reply(octets) for octets in wrong + answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD
        assert engine.figures().strangers == 1


async def test_duplicates_are_counted_and_ignored() -> None:
    def respond(data: bytes) -> list[Reply]:
        return [Reply(octets) for octets in answer_to(data, good) * 3]

    async with running_engine() as engine, agent(respond) as peer:
        session = session_with(engine, peer.port)
        for _ in range(3):
            assert await session.get(OIDS) == GOOD
        assert engine.figures().duplicates >= 4


async def test_a_late_answer_is_no_answer_to_the_next_question() -> None:
    kept: list[Reply] = []

    def respond(data: bytes) -> list[Reply]:
        """Answer the first question only when the second one comes, and just before it."""
        replies = [Reply(octets) for octets in answer_to(data, good)]
        if not kept:
            kept.extend(replies)
            return []
        return [*kept, *replies]

    async with running_engine() as engine, agent(respond) as peer:
        hasty = SnmpModule("hasty", timeout_seconds=0.1, retries=0)
        error = await failure_of(session_with(engine, peer.port, module=hasty).get(OIDS[:1]))
        assert error.status is SnmpStatus.TIMEOUT
        patient = SnmpModule("patient", timeout_seconds=20, retries=0)
        assert await session_with(engine, peer.port, module=patient).get(OIDS) == GOOD
        assert engine.figures().late == 1


async def test_a_slow_answer_to_the_first_try_is_taken_during_the_second() -> None:
    replies = iter((0.25, 9.0))

    def respond(data: bytes) -> list[Reply]:
        return [Reply(octets, next(replies)) for octets in answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD


@pytest.mark.parametrize(
    "garbage",
    [b"\x00", b"\x30\x80", b"\xff" * 1400, b"\x30\x82\xff\xff", b"\x30" * 60_000],
)
async def test_garbage_is_ignored_and_the_good_answer_still_taken(garbage: bytes) -> None:
    def respond(data: bytes) -> list[Reply]:
        return [Reply(garbage), *(Reply(octets) for octets in answer_to(data, good))]

    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS) == GOOD
        assert engine.figures().malformed == 1


async def test_an_agent_that_only_talks_garbage_is_malformed() -> None:
    async with running_engine() as engine, agent(lambda _: [Reply(b"\x30\x02hi")]) as peer:
        error = await failure_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.MALFORMED
        assert "no readable answer" in str(error)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_answer_never_harms_the_good_one(damage: list[tuple[int, int]]) -> None:
    def respond(data: bytes) -> list[Reply]:
        (octets,) = answer_to(data, good)
        damaged = bytearray(octets)
        # The first octets are left whole, so that the damage is met as late as can be.
        for position, octet in damage:
            damaged[45 + position % (len(damaged) - 45)] = octet
        return [Reply(bytes(damaged[:-1])), Reply(octets)]

    async def poll() -> None:
        async with running_engine() as engine, agent(respond) as peer:
            assert await session_with(engine, peer.port).get(OIDS) == GOOD

    asyncio.run(poll())


async def test_an_answer_of_64_kib_is_read() -> None:
    text = bytes(65_300)

    def respond(data: bytes) -> list[Reply]:
        rows = [VarBind(OIDS[0], Tag.OCTET_STRING, text)]
        return [Reply(octets) for octets in answer_to(data, lambda pdu: response(pdu, rows))]

    async with running_engine() as engine, agent(respond) as peer:
        assert (await session_with(engine, peer.port).get(OIDS[:1]))[0].value == text


# --- Error statuses ------------------------------------------------------------------------------


async def test_too_big_asks_again_in_halves_and_remembers() -> None:
    def answer(pdu: Pdu) -> Pdu:
        return good(pdu) if len(pdu.varbinds) <= 6 else response(pdu, [], ErrorStatus.TOO_BIG)

    async with running_engine() as engine, agent(answering(answer)) as peer:
        session = session_with(engine, peer.port)
        assert await session.get(OIDS) == GOOD
        asked = peer.requests
        assert await session.get(OIDS) == GOOD
        assert peer.requests - asked == 4


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        (ErrorStatus.NO_SUCH_NAME, Missing.NO_SUCH_OBJECT),
        (ErrorStatus.GENERAL_ERROR, Missing.NULL),
    ],
)
async def test_an_error_costs_only_the_variable_it_is_about(
    status: ErrorStatus, missing: Missing
) -> None:
    bad = {OIDS[3], OIDS[7]}

    def answer(pdu: Pdu) -> Pdu:
        for index, row in enumerate(pdu.varbinds, 1):
            if row.oid in bad:
                return response(pdu, pdu.varbinds, status, index)
        return good(pdu)

    async with running_engine() as engine, agent(answering(answer)) as peer:
        rows = await session_with(engine, peer.port, V1).get(OIDS)
        assert [row.value for row in rows] == [missing if oid in bad else oid[-1] for oid in OIDS]


async def test_what_the_agent_does_not_have_is_typed() -> None:
    rows = [
        VarBind(OIDS[0], Tag.NO_SUCH_OBJECT, Missing.NO_SUCH_OBJECT),
        VarBind(OIDS[1], Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE),
        VarBind(OIDS[2], Tag.END_OF_MIB_VIEW, Missing.END_OF_MIB_VIEW),
        VarBind(OIDS[3], Tag.NULL, Missing.NULL),
    ]
    respond = answering(lambda pdu: response(pdu, rows))
    async with running_engine() as engine, agent(respond) as peer:
        assert await session_with(engine, peer.port).get(OIDS[:4]) == rows


async def test_half_an_answer_gives_what_there_is() -> None:
    respond = answering(lambda pdu: response(pdu, GOOD[:10]))
    async with running_engine() as engine, agent(respond) as peer:
        rows = await session_with(engine, peer.port).get(OIDS)
        assert rows[:10] == GOOD[:10]
        assert {row.value for row in rows[10:]} == {Missing.NULL}


async def test_an_answer_about_something_else_is_malformed() -> None:
    respond = answering(lambda pdu: response(pdu, [number((1, 3, 9))]))
    async with running_engine() as engine, agent(respond) as peer:
        error = await failure_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.MALFORMED


async def test_what_came_before_the_agent_fell_silent_is_handed_over() -> None:
    answers = 0

    def answer(pdu: Pdu) -> Pdu | None:
        nonlocal answers
        answers += 1
        return good(pdu) if answers == 1 else None

    many = [(*ROOT, 5, arc) for arc in range(80)]
    async with running_engine() as engine, agent(answering(answer)) as peer:
        error = await failure_of(session_with(engine, peer.port, module=QUICK).get(many))
        assert error.status is SnmpStatus.TIMEOUT
        assert list(error.received) == [number(oid) for oid in many[:50]]
