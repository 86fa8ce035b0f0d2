"""The web server over loopback: what slow, greedy and broken clients cannot do."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading

import pytest

from netmon.web import (
    Request,
    Response,
)
from netmon.web.listener import Bounds
from netmon.web.rendering import Renderer
from tests.support.snapshots import snapshot
from tests.support.web import Scripted, eventually, hello, raw, serving

pytestmark = pytest.mark.net


async def test_a_request_that_never_ends_is_cut_and_others_are_served_meanwhile() -> None:
    bounds = Bounds(first_request_seconds=0.2)
    async with serving(bounds=bounds) as (server, client):
        reader, writer = await raw(server, b"GET / HTTP/1.1\r\nX: ")
        assert (await client.get("/-/healthy")).status == 200
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()


async def test_when_there_is_no_room_the_one_that_waits_longest_makes_room() -> None:
    async with serving(bounds=Bounds(connections=8)) as (server, _):
        slow = [await raw(server, b"GET / HTTP/1.1\r\n") for _ in range(30)]
        reader, writer = await raw(server, b"GET /-/healthy HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(5):
            assert b"200 OK" in await reader.read()
        writer.close()
        for _, each in slow:
            each.close()


async def test_a_client_that_does_not_read_is_cut_and_what_waits_for_it_is_dropped() -> None:
    large = Response(tuple(b"x" * 65_536 for _ in range(1_000)))
    bounds = Bounds(response_seconds=0.2)
    async with serving(Scripted(page=lambda _: large), bounds=bounds) as (server, _):
        _, writer = await raw(server, b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(lambda: len(server._server.connections) == 1)
        await eventually(lambda: not server._server.connections)
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_nonsense_does_no_harm(sent: bytes) -> None:
    async with serving() as (server, client):
        reader, writer = await raw(server, sent)
        writer.write_eof()
        async with asyncio.timeout(5):
            await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()
        assert (await client.get("/-/healthy")).status == 200


async def test_running_out_of_descriptors_is_told_once_and_survived(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept = socket.socket.accept
    refusals = iter([OSError(errno.EMFILE, "Too many open files")] * 2)

    def exhausted(self: socket.socket) -> tuple[socket.socket, object]:
        for refusal in refusals:
            raise refusal
        return accept(self)

    monkeypatch.setattr("netmon.web.listener._RETRY_SECONDS", 0.01)
    monkeypatch.setattr(socket.socket, "accept", exhausted)
    with caplog.at_level(logging.WARNING):
        async with serving() as (_, client):
            assert (await client.get("/-/healthy")).status == 200
    assert caplog.text.count("cannot accept connections") == 1
    assert "Traceback" not in caplog.text


async def test_when_everybody_is_being_served_the_next_one_is_turned_away() -> None:
    gate = threading.Event()

    def slow(_request: Request) -> Response:
        gate.wait(10)
        return Response(b"slow")

    async with serving(Scripted(page=slow), bounds=Bounds(connections=2)) as (server, client):
        asked = [asyncio.create_task(client.get("/page")) for _ in range(2)]
        await eventually(lambda: len(server._server.connections) == 2)
        await eventually(lambda: set(server._listener._deadlines.values()) == {float("inf")})
        reader, writer = await raw(server, b"GET /-/healthy HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()
        gate.set()
        assert {(await each).status for each in asked} == {200}


async def test_an_answer_is_forgotten_when_nobody_asks_again() -> None:
    renderer = Renderer(Scripted(page=hello), lambda: None, keep_seconds=0.01)
    taken, request = snapshot(), Request("/page")
    answer = await renderer.answer(renderer.routes["/page"], taken, request)
    assert answer is not None
    assert renderer._kept
    await eventually(lambda: not renderer._kept)
    renderer.close()


async def test_only_so_many_answers_are_kept() -> None:
    renderer = Renderer(Scripted(page=hello), lambda: None, waiting_limit=2)
    taken = snapshot()
    for number in range(5):
        request = Request("/page", {"n": str(number)})
        await renderer.answer(renderer.routes["/page"], taken, request)
    assert len(renderer._kept) == 2
    renderer.close()


def test_bounds_leave_descriptors_to_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (128, 128))
    assert Bounds().within_descriptors().connections == 32
