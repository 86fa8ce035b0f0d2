"""A web server for tests, with exporters that answer as they are told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from netmon.web import (
    Exporter,
    Handler,
    ReloadResult,
    Request,
    Response,
    WebServer,
)
from tests.support.snapshots import snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from netmon.state import Snapshot
    from netmon.web.listener import Bounds


class Scripted:
    """Answers as the test says, and counts."""

    def __init__(self, **routes: Callable[[Request], Response]) -> None:
        self.calls = 0
        self._routes = routes

    def routes(self) -> Mapping[str, Handler]:
        """Return a handler for every name, "_" standing for "/"."""
        return {
            f"/{name.replace('_', '/')}": self._handler(do) for name, do in self._routes.items()
        }

    def _handler(self, do: Callable[[Request], Response]) -> Handler:
        def handle(_snapshot: Snapshot, request: Request) -> Response:
            self.calls += 1
            return do(request)

        return handle


def hello(_request: Request) -> Response:
    return Response(b"hello")


def broken(_request: Request) -> Response:
    raise ZeroDivisionError("an exporter's bug")


class Daemon:
    """What the server asks of the daemon."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = snapshot()
        self.result = ReloadResult(ok=True, text="2 agencies added")

    async def reload(self) -> ReloadResult:
        """Return what the test wants."""
        return self.result


@asynccontextmanager
async def serving(
    *exporters: Exporter, daemon: Daemon | None = None, bounds: Bounds | None = None
) -> AsyncIterator[tuple[WebServer, aiohttp.ClientSession]]:
    held = daemon or Daemon()
    server = WebServer("127.0.0.1:0", exporters, lambda: held.snapshot, held.reload, bounds)
    await server.start()
    host, port = server.address
    async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
        yield server, client
    await server.stop()


async def raw(server: WebServer, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # aiohttp tells nobody when a connection goes
            await asyncio.sleep(0.01)
