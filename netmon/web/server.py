"""The HTTP server: routes requests to exporters and to the daemon."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from typing import TYPE_CHECKING, cast

from aiohttp import web

from netmon.errors import CapabilityError
from netmon.messages import Catalogue
from netmon.web.exchange import Action, Exporter, Handler, ReloadResult, Request
from netmon.web.listener import Bounds, Connection, Listener
from netmon.web.rendering import Answer, Renderer, plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from netmon.state import Snapshot

_log = logging.getLogger(__name__)

_HEADERS: Mapping[str, str] = {
    "Server": "netmon",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_YIELD_BYTES = 1 << 18
_SHUTDOWN_SECONDS = 2.0


class WebServer:
    """Serves exporters' pages, `/-/healthy`, `/-/ready` and `/-/reload`.

    `listen` is "host:port" (port 0: any free one) or a socket that is bound already. `snapshot`
    returns the latest snapshot, or None before the first; `reload` reads the inventory again.
    """

    def __init__(
        self,
        listen: str | socket.socket,
        exporters: Sequence[Exporter],
        snapshot: Callable[[], Snapshot | None],
        reload: Callable[[], Awaitable[ReloadResult]],
        bounds: Bounds | None = None,
    ) -> None:
        self._listen = listen
        self._snapshot = snapshot
        self._reload = reload
        self._bounds = bounds or Bounds()
        self._catalogue = Catalogue.load()
        self._failures: Counter[str] = Counter()
        self._renderers = [self._renderer(exporter) for exporter in exporters]
        self._routes = _routes(self._renderers)
        self._actions: dict[str, Action] = {}
        self._draining = False
        self._reloading = asyncio.Lock()
        self._address: tuple[str, int] | None = None

    def add_action(self, path: str, action: Action) -> None:
        """Let a path do something for those who may: no other site's page can ask for it."""
        self._actions[path] = action

    @property
    def address(self) -> tuple[str, int]:
        """The host and port that are really bound.

        Raises:
            RuntimeError: the server was not started.
        """
        if self._address is None:
            raise RuntimeError("the web server is not started: call start() first")
        return self._address

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each exporter broke, by its class's name."""
        return {renderer.name: self._failures[renderer.name] for renderer in self._renderers}

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            CapabilityError: the address cannot be bound.
        """
        sock = self._listen if isinstance(self._listen, socket.socket) else _bound(self._listen)
        host, port = sock.getsockname()[:2]
        self._address = (host, port)
        self._server = web.Server(
            self._handle,
            access_log=None,
            keepalive_timeout=self._bounds.next_request_seconds,
            lingering_time=1.0,
        )
        # aiohttp's server makes one protocol for every connection: that is a protocol factory.
        factory = cast("Callable[[], asyncio.BaseProtocol]", self._server)
        self._listener = Listener(sock, factory, self._bounds.within_descriptors())
        self._listener.start()

    def drain(self) -> None:
        """Say "not ready" from now on; everything else goes on being served."""
        self._draining = True

    async def stop(self) -> None:
        """Stop accepting, let requests end for a moment, then close."""
        self.drain()
        if self._address is not None:
            await self._listener.stop()
            self._server.pre_shutdown()
            await self._server.shutdown(_SHUTDOWN_SECONDS)
        for renderer in self._renderers:
            renderer.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # The protocol of a running request is there and carries `transport`.
        connection = cast("Connection", request.protocol)
        self._listener.begin(connection)
        try:
            answer = await self._answer(request)
            async with asyncio.timeout(self._bounds.response_seconds):
                return await _send(request, answer)
        except TimeoutError:
            # The client does not read: only closing the connection frees what it holds.
            if connection.transport is not None:
                connection.transport.abort()
            raise ConnectionResetError("the client did not read its response") from None
        finally:
            self._listener.end(connection)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        match request.path:
            case "/-/healthy":
                return plain(200, "netmon is healthy.\n")
            case "/-/ready":
                return self._ready()
            case "/-/reload":
                return await self._reloaded(request)
        if action := self._actions.get(request.path):
            return await self._acted(request, action)
        if request.method not in {"GET", "HEAD"}:
            return plain(405, "This page is only for reading: use GET.\n", {"Allow": "GET, HEAD"})
        return await self._page(request)

    async def _page(self, request: web.BaseRequest) -> Answer:
        route = self._routes.get(request.path) or self._routes.get(_prefix(request.path))
        if route is None:
            return plain(404, self._both("web.no_page"))
        snapshot = self._snapshot()
        if snapshot is None:
            return plain(503, self._both("web.no_figures_yet"), {"Retry-After": "2"})
        renderer, handler = route
        answer = await renderer.answer(handler, snapshot, _request(request))
        return answer or plain(503, self._both("web.busy"), {"Retry-After": "2"})

    def _ready(self) -> Answer:
        if self._draining:
            return plain(503, "netmon is stopping.\n")
        if self._snapshot() is None:
            return plain(503, "netmon has no figures yet.\n")
        return plain(200, "netmon is ready.\n")

    async def _acted(self, request: web.BaseRequest, action: Action) -> Answer:
        if _is_of_another_site(request):
            return plain(403, "Another site's page may not ask netmon for this.\n")
        result = action(request.method, dict(request.query), await request.read())
        return plain(200 if result.ok else 422, result.text.rstrip("\n") + "\n")

    async def _reloaded(self, request: web.BaseRequest) -> Answer:
        if request.method not in {"POST", "PUT"}:
            return plain(405, "Reload with POST or PUT.\n", {"Allow": "POST, PUT"})
        if _is_of_another_site(request):
            return plain(403, "Another site's page may not reload netmon.\n")
        async with self._reloading:
            try:
                result = await self._reload()
            except Exception:  # noqa: BLE001  # a reload's bug must not stop the server
                _log.exception("reload failed")
                return plain(500, "The reload failed; netmon's log says why.\n")
        return plain(200 if result.ok else 422, result.text.rstrip("\n") + "\n")

    def _both(self, key: str) -> str:
        return "".join(f"{self._catalogue.text(language, key)}\n" for language in ("vi", "en"))

    def _renderer(self, exporter: Exporter) -> Renderer:
        name = type(exporter).__name__
        return Renderer(exporter, lambda: self._failures.update([name]))


def _is_of_another_site(request: web.BaseRequest) -> bool:
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}


def _routes(renderers: Sequence[Renderer]) -> dict[str, tuple[Renderer, Handler]]:
    routes: dict[str, tuple[Renderer, Handler]] = {}
    for renderer in renderers:
        for path, handler in renderer.routes.items():
            if path in routes:
                taken = routes[path][0].name
                _log.error("%s: %s serves it already; %s does not", path, taken, renderer.name)
                continue
            routes[path] = (renderer, handler)
    return routes


def _prefix(path: str) -> str:
    """Return the folder of a path; "/" stands for itself only."""
    folder = path[: path.rfind("/") + 1]
    return folder if folder != "/" else path


def _request(request: web.BaseRequest) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.path, dict(request.query), headers)


async def _send(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers={**_HEADERS, **answer.headers})
    response.content_length = answer.length
    await response.prepare(request)
    if request.method != "HEAD":
        written = 0
        for part in answer.parts:
            await response.write(part)
            written += len(part)
            if written >= _YIELD_BYTES:
                # A client that reads as fast as we write must not keep the loop to itself.
                await asyncio.sleep(0)
                written = 0
    await response.write_eof()
    return response


def _bound(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(
            host or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, ValueError) as error:
        raise CapabilityError(
            f"cannot listen on {address!r}: {error}; give host:port, for example 127.0.0.1:9877"
        ) from None
    family, kind, protocol, _, place = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
    except OSError as error:
        sock.close()
        raise CapabilityError(
            f"cannot listen on {address}: {error.strerror}; "
            "choose another address with --web.listen-address"
        ) from None
    return sock
