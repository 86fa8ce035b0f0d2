"""Accepting connections within bounds: how many, and how long one may keep us waiting.

A connection that sends its request slowly, or none, may stay only so long; when there is no room
left, the one that has kept us waiting longest makes room. Descriptors stay free for the probes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_GONE = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM})
_RETRY_SECONDS = 1.0
_LOG_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one web server may take for itself."""

    connections: int = 256
    first_request_seconds: float = 10.0
    next_request_seconds: float = 75.0
    response_seconds: float = 60.0

    def within_descriptors(self) -> Bounds:
        """Return these bounds with at most a quarter of this process's descriptors."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        room = max(4, soft // 4)
        return Bounds(
            min(self.connections, room),
            self.first_request_seconds,
            self.next_request_seconds,
            self.response_seconds,
        )


class Connection(Protocol):
    """What the listener needs of an HTTP connection's protocol."""

    transport: asyncio.Transport | None


class Listener:
    """Accepts on one listening socket and watches over the connections."""

    def __init__(
        self,
        sock: socket.socket,
        factory: Callable[[], asyncio.BaseProtocol],
        bounds: Bounds,
    ) -> None:
        self._socket = sock
        self._factory = factory
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._deadlines: dict[Any, float] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._silent_until = 0.0

    def start(self) -> None:
        """Begin to accept."""
        self._socket.settimeout(0)
        self._socket.listen(min(128, self._bounds.connections))
        self._loop.add_reader(self._socket, self._accept)
        self._watcher = self._loop.create_task(self._watch())

    async def stop(self) -> None:
        """Accept no more; connections that are open stay so. Stopping twice does no harm."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        if self._resume is not None:
            self._resume.cancel()
        self._socket.close()
        tasks = [*self._connecting, *([self._watcher] if self._watcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, connection: object) -> None:
        """Note that a request came in whole: nobody waits for the client now."""
        self._deadlines[connection] = float("inf")

    def end(self, connection: object) -> None:
        """Note that the response is out: the client may ask again for a while."""
        self._deadlines[connection] = self._loop.time() + self._bounds.next_request_seconds

    def _accept(self) -> None:
        try:
            client, _ = self._socket.accept()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._accept_failed(error)
            return
        client.settimeout(0)
        if self._make_room():
            task = self._loop.create_task(self._connect(client))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        else:
            client.close()

    def _accept_failed(self, error: OSError) -> None:
        if error.errno in _GONE:
            return
        # The socket stays readable: without a pause this would spin and flood the log.
        self._loop.remove_reader(self._socket)
        self._resume = self._loop.call_later(_RETRY_SECONDS, self._listen_again)
        if self._loop.time() < self._silent_until:
            return
        self._silent_until = self._loop.time() + _LOG_EVERY_SECONDS
        remedy = "raise LimitNOFILE" if error.errno in _NO_DESCRIPTOR else "see the system log"
        _log.warning("the web server cannot accept connections: %s; %s", error.strerror, remedy)

    def _listen_again(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _make_room(self) -> bool:
        self._forget_closed()
        if len(self._deadlines) + len(self._connecting) < self._bounds.connections:
            return True
        # Those that wait for nobody (deadline: infinity) are at work and stay.
        longest = min(self._deadlines, key=self._deadlines.__getitem__, default=None)
        if longest is None or self._deadlines[longest] == float("inf"):
            return False
        self._cut(longest)
        return True

    async def _connect(self, client: socket.socket) -> None:
        try:
            _, connection = await self._loop.connect_accepted_socket(self._factory, client)
        except OSError:
            client.close()
            return
        # The first request may already be in: its mark must not be overwritten.
        deadline = self._loop.time() + self._bounds.first_request_seconds
        self._deadlines.setdefault(connection, deadline)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._forget_closed()
            now = self._loop.time()
            for connection in [c for c, deadline in self._deadlines.items() if deadline < now]:
                self._cut(connection)

    def _forget_closed(self) -> None:
        for connection in [c for c in self._deadlines if c.transport is None]:
            del self._deadlines[connection]

    def _cut(self, connection: Connection) -> None:
        del self._deadlines[connection]
        if connection.transport is not None:
            connection.transport.abort()
