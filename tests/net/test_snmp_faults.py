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
from netmon.probes.snmp.usm import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID
from netmon.probes.snmp.values import Missing, Oid, SnmpError, SnmpSecrets, Tag, VarBind
from tests.net.snmp_agents import (
    V1,
    V2C,
    Reply,
    V3Agent,
    agent,
    answer_to,
    answering,
    encoded,
    free_port,
    good,
    number,
    request_of,
    response,
    running_engine,
    session_with,
    table,
)

if TYPE_CHECKING:
    import socket

pytestmark = pytest.mark.net

ROOT = (1, 3, 6, 1, 2, 1, 2)
OIDS: list[Oid] = [(*ROOT, arc) for arc in range(1, 21)]
GOOD = [number(oid) for oid in OIDS]
V3 = SnmpCredential("3", user="netmon", auth_protocol="SHA-256", priv_protocol="AES")
QUICK = SnmpModule("quick", timeout_seconds=0.1, retries=0)


async def status_of(session_get: object) -> SnmpError:
    """Await a GET that must fail, and return how it did."""
    assert asyncio.iscoroutine(session_get)
    with pytest.raises(SnmpError) as caught:
        await session_get
    return caught.value


# --- Nobody, or nobody who knows us --------------------------------------------------------------


async def test_silence_is_a_timeout_that_says_what_it_may_mean() -> None:
    async with running_engine() as engine, agent(lambda _: []) as silent:
        error = await status_of(session_with(engine, silent.port).get(OIDS))
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
        error = await asyncio.wait_for(status_of(session.get(OIDS)), 5)
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
        error = await status_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.TIMEOUT
        assert "another SNMP version" in str(error)


async def test_our_own_trouble_is_a_fault() -> None:
    def no_socket(family: socket.AddressFamily) -> socket.socket:
        raise OSError(24, f"too many open files for {family.name}")

    engine = SnmpEngine(SystemClock(), no_socket)
    await engine.start()
    error = await status_of(session_with(engine, 161).get(OIDS))
    assert error.status is SnmpStatus.FAULT
    assert "too many open files" in str(error)
    await engine.close()


async def test_what_the_kernel_does_not_send_is_a_fault() -> None:
    async with running_engine() as engine:
        session = session_with(engine, 161, address=IPv4Address("255.255.255.255"))
        error = await status_of(session.get(OIDS))
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
        error = await status_of(session_with(engine, peer.port).get(OIDS))
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
    first = True

    def respond(data: bytes) -> list[Reply]:
        nonlocal first
        delay, first = (0.25 if first else 0.1), False
        return [Reply(octets, delay) for octets in answer_to(data, good)]

    async with running_engine() as engine, agent(respond) as peer:
        slow = SnmpModule("slow", timeout_seconds=0.2, retries=0)
        session = session_with(engine, peer.port, module=slow)
        error = await status_of(session.get(OIDS[:1]))
        assert error.status is SnmpStatus.TIMEOUT
        assert await session.get(OIDS) == GOOD
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
        error = await status_of(session_with(engine, peer.port).get(OIDS))
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
        error = await status_of(session_with(engine, peer.port).get(OIDS))
        assert error.status is SnmpStatus.MALFORMED


async def test_what_came_before_the_agent_fell_silent_is_handed_over() -> None:
    answers = 0

    def answer(pdu: Pdu) -> Pdu | None:
        nonlocal answers
        answers += 1
        return good(pdu) if answers == 1 else None

    many = [(*ROOT, 5, arc) for arc in range(80)]
    async with running_engine() as engine, agent(answering(answer)) as peer:
        error = await status_of(session_with(engine, peer.port, module=QUICK).get(many))
        assert error.status is SnmpStatus.TIMEOUT
        assert list(error.received) == [number(oid) for oid in many[:50]]


# --- Walks ---------------------------------------------------------------------------------------


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
        error = await status_of(session_with(engine, listening.port, V3).get(OIDS))
        assert error.status is SnmpStatus.AUTHENTICATION
        assert "not in time window" in str(error)
        assert listening.requests <= 5


async def test_authorization_error_is_told_as_the_users_rights() -> None:
    status = ErrorStatus.AUTHORIZATION_ERROR
    peer = V3Agent(V3, lambda pdu: response(pdu, pdu.varbinds, status, 0))
    async with running_engine() as engine, agent(peer.respond) as listening:
        error = await status_of(session_with(engine, listening.port, V3).get(OIDS))
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


async def test_bad_agents_delay_nobody() -> None:
    """While silent, flooding and malformed agents are asked, a good one answers as ever."""

    def flood(data: bytes) -> list[Reply]:
        return [Reply(b"\xff" * 1000)] * 200 + [Reply(octets) for octets in answer_to(data, good)]

    loop = asyncio.get_running_loop()
    async with (
        running_engine() as engine,
        agent(answering(good)) as healthy,
        agent(lambda _: []) as silent,
        agent(flood) as flooding,
        agent(lambda _: [Reply(b"\x30\x03\x02\x01\x01")]) as malformed,
    ):
        bad = [
            asyncio.ensure_future(session_with(engine, peer.port).get(OIDS))
            for peer in (silent, flooding, malformed)
            for _ in range(10)
        ]
        session = session_with(engine, healthy.port)
        worst = 0.0
        while not all(call.done() for call in bad):
            begun = loop.time()
            assert await session.get(OIDS) == GOOD
            worst = max(worst, loop.time() - begun)
            await asyncio.sleep(0.01)
        await asyncio.gather(*bad, return_exceptions=True)
        assert worst < 0.2  # the agents themselves run on this loop


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
