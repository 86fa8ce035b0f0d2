"""The web server over loopback: what it answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from importlib.metadata import EntryPoint

import pytest

from netmon.errors import CapabilityError
from netmon.web import (
    ReloadResult,
    Request,
    Response,
    WebServer,
    find_exporters,
)
from netmon_exporters.page import PageExporter
from netmon_exporters.prometheus import PrometheusExporter
from tests.support.snapshots import snapshot
from tests.support.web import Daemon, Scripted, broken, hello, raw, serving

pytestmark = pytest.mark.net


async def test_healthy_and_ready_tell_life_from_readiness() -> None:
    daemon = Daemon()
    daemon.snapshot = None
    async with serving(daemon=daemon) as (server, client):
        assert (await client.get("/-/healthy")).status == 200
        assert (await client.get("/-/ready")).status == 503
        daemon.snapshot = snapshot()
        assert (await client.get("/-/ready")).status == 200
        server.drain()
        assert (await client.get("/-/ready")).status == 503
        assert (await client.get("/-/healthy")).status == 200


async def test_pages_wait_for_the_first_snapshot() -> None:
    daemon = Daemon()
    daemon.snapshot = None
    async with serving(Scripted(page=hello), daemon=daemon) as (_, client):
        response = await client.get("/page")
        assert response.status == 503
        assert "chưa có số liệu" in await response.text()


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_reload_tells_how_it_went(method: str) -> None:
    daemon = Daemon()
    async with serving(daemon=daemon) as (_, client):
        response = await client.request(method, "/-/reload")
        assert (response.status, await response.text()) == (200, "2 agencies added\n")
        daemon.result = ReloadResult(ok=False, text="agencies.yaml:5:3: unknown key 'adress'")
        response = await client.request(method, "/-/reload")
        assert response.status == 422
        assert "agencies.yaml:5:3" in await response.text()


async def test_reload_is_no_link_to_follow_and_no_form_of_another_site() -> None:
    async with serving() as (_, client):
        response = await client.get("/-/reload")
        assert (response.status, response.headers["Allow"]) == (405, "POST, PUT")
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert (await client.post("/-/reload", headers=foreign)).status == 403


async def test_a_reload_that_breaks_is_a_500_and_the_server_goes_on() -> None:
    class Broken(Daemon):
        async def reload(self) -> ReloadResult:
            raise ZeroDivisionError

    async with serving(daemon=Broken()) as (_, client):
        assert (await client.post("/-/reload")).status == 500
        assert (await client.get("/-/healthy")).status == 200


async def test_a_wrong_path_is_told_in_plain_words() -> None:
    async with serving(Scripted(page=hello)) as (_, client):
        for path in ("/nothing", "/page/below", "/-/nothing", "//", "/..%2f..%2fetc/passwd"):
            response = await client.get(path)
            assert response.status == 404
            assert "Không có trang này" in await response.text()
            assert response.content_type == "text/plain"


async def test_exporters_are_asked_with_get_and_head_only() -> None:
    async with serving(Scripted(page=hello)) as (_, client):
        response = await client.head("/page")
        assert response.status == 200
        assert response.headers["Content-Length"] == "5"
        assert await response.read() == b""
        assert (await client.post("/page")).status == 405
        assert (await client.get("/page")).status == 200


async def test_a_path_with_a_slash_at_its_end_serves_what_lies_below() -> None:
    echo = Scripted(agency_=lambda request: Response(request.path.encode()))
    async with serving(echo) as (_, client):
        assert await (await client.get("/agency/so-y-te")).text() == "/agency/so-y-te"
        assert (await client.get("/agency")).status == 404


async def test_every_answer_forbids_what_comes_from_outside() -> None:
    async with serving(Scripted(page=hello)) as (_, client):
        for path in ("/page", "/nothing", "/-/healthy"):
            headers = (await client.get(path)).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "http" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"
            assert headers["Server"] == "netmon"


async def test_an_exporters_bug_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Scripted(good=hello), Scripted(bad=broken)) as (server, client):
        assert (await client.get("/bad")).status == 500
        assert "ZeroDivisionError" not in await (await client.get("/bad")).text()
        assert (await client.get("/good")).status == 200
        assert server.failures == {"Scripted": 2}
    assert "an exporter's bug" in caplog.text


async def test_a_broken_exporter_is_asked_again_the_next_time() -> None:
    moods = iter([broken, hello])

    def moody(request: Request) -> Response:
        return next(moods)(request)

    async with serving(Scripted(page=moody)) as (_, client):
        assert (await client.get("/page")).status == 500
        assert (await client.get("/page")).status == 200


async def test_an_answer_is_made_once_for_everybody_who_asks_meanwhile() -> None:
    gate = threading.Event()

    def slow(_request: Request) -> Response:
        gate.wait(10)
        return Response(b"slow")

    exporter = Scripted(page=slow, other=hello)
    async with serving(exporter) as (_, client):
        asked = [asyncio.create_task(client.get("/page")) for _ in range(10)]
        # Another page of the same exporter is not held up, and shows that the ten are waiting.
        assert (await client.get("/other")).status == 200
        gate.set()
        assert {(await each).status for each in asked} == {200}
        assert exporter.calls == 2


async def test_an_answer_is_kept_for_its_snapshot_only() -> None:
    daemon, exporter = Daemon(), Scripted(page=hello)
    async with serving(exporter, daemon=daemon) as (_, client):
        for _ in range(3):
            await client.get("/page")
        assert exporter.calls == 1
        daemon.snapshot = snapshot()
        await client.get("/page")
        assert exporter.calls == 2


async def test_too_many_different_questions_are_put_off() -> None:
    gate = threading.Event()

    def slow(_request: Request) -> Response:
        gate.wait(10)
        return Response(b"slow")

    async with serving(Scripted(page=slow)) as (_, client):
        asked = [asyncio.create_task(client.get(f"/page?n={n}")) for n in range(20)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status for task in done} == {503}
        gate.set()
        assert {(await task).status for task in asked} == {200, 503}


@pytest.mark.parametrize(
    ("offer", "compressed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("", False), ("br", False)],
)
async def test_gzip_is_given_to_those_who_take_it(
    offer: str,
    compressed: bool,  # noqa: FBT001  # a table's column
) -> None:
    body = tuple(b"%d\n" % n * 100 for n in range(500))
    async with serving(Scripted(page=lambda _: Response(body))) as (server, _):
        request = f"GET /page HTTP/1.0\r\nAccept-Encoding: {offer}\r\n\r\n"
        reader, writer = await raw(server, request.encode())
        head, _, said = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert (b"Content-Encoding: gzip" in head) is compressed
        assert (gzip.decompress(said) if compressed else said) == b"".join(body)


async def test_small_answers_are_not_compressed() -> None:
    async with serving(Scripted(page=hello)) as (_, client):
        assert "Content-Encoding" not in (await client.get("/page")).headers


async def test_a_socket_that_is_bound_already_is_taken_over() -> None:
    daemon = Daemon()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = WebServer(bound, [], lambda: daemon.snapshot, daemon.reload)
        await server.start()
        assert server.address == bound.getsockname()
        await server.stop()


async def test_an_address_that_cannot_be_bound_is_told_with_its_remedy() -> None:
    daemon = Daemon()
    async with serving() as (server, _):
        taken = "{}:{}".format(*server.address)
        for address in (taken, "nonsense", "127.0.0.1:http-alt-x"):
            other = WebServer(address, [], lambda: daemon.snapshot, daemon.reload)
            with pytest.raises(CapabilityError, match="cannot listen on"):
                await other.start()
            await other.stop()


async def test_ipv6_is_listened_on_where_there_is_ipv6() -> None:
    daemon = Daemon()
    server = WebServer("[::1]:0", [], lambda: daemon.snapshot, daemon.reload)
    try:
        await server.start()
    except CapabilityError:
        pytest.skip("no IPv6 here")
    assert server.address[0] == "::1"
    await server.stop()


async def test_stopping_lets_a_request_end() -> None:
    gate = threading.Event()
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_request: Request) -> Response:
        loop.call_soon_threadsafe(started.set)
        gate.wait(10)
        return Response(b"done")

    async with serving(Scripted(page=slow)) as (server, client):
        asked = asyncio.create_task(client.get("/page"))
        await started.wait()
        stopping = asyncio.create_task(server.stop())
        gate.set()
        assert await (await asked).text() == "done"
        await stopping


async def test_two_exporters_of_one_path_are_told_and_the_first_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = Scripted(page=lambda _: Response(b"other"))
    async with serving(Scripted(page=hello), other) as (_, client):
        assert await (await client.get("/page")).text() == "hello"
    assert "/page" in caplog.text


def test_a_plug_in_that_is_broken_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    found = find_exporters(
        [
            EntryPoint("missing", "no.such.module:Exporter", "netmon.exporters"),
            EntryPoint("page", "netmon_exporters.page:PageExporter", "netmon.exporters"),
            EntryPoint("wrong", "json:loads", "netmon.exporters"),
        ]
    )
    assert [type(each) for each in found] == [PageExporter]
    assert "missing" in caplog.text
    assert "wrong" in caplog.text


async def test_the_shipped_exporters_serve_over_http() -> None:
    async with serving(PrometheusExporter(), PageExporter()) as (server, client):
        page = await client.get("/", headers={"Accept-Language": "vi"})
        assert page.status == 200
        assert "Không có sự cố nào" in await page.text()
        assert json.loads(await (await client.get("/api/v1/status")).text())["version"] == 1
        metrics = await client.get("/metrics")
        assert "netmon_link_up" in await metrics.text()
        for asset in ("/style.css", "/favicon.ico", "/favicon.svg"):
            assert (await client.get(asset)).status == 200
        assert not any(server.failures.values())
