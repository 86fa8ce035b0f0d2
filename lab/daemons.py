"""Daemons with an HTTP interface on a free loopback port, here or inside a namespace."""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lab.closing import Closing
from lab.kernel import enter_command, inside

if TYPE_CHECKING:
    from collections.abc import Sequence

_ASK_AGAIN_SECONDS = 0.05
_STOP_SECONDS = 10.0
_OK = 200


def free_port(namespace: str | None = None) -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with _place(namespace), socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def request(
    port: int, method: str, path: str, body: bytes | None = None, namespace: str | None = None
) -> tuple[int, bytes]:
    """Send one HTTP request to 127.0.0.1; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        with _place(namespace):
            connection.connect()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class HttpDaemon(Closing):
    """A daemon that runs between `with` and its end, in a directory of its own.

    Attributes:
        port: Its port on 127.0.0.1.
        directory: Its files; deleted at the end.
    """

    ready_path = "/-/ready"
    ready_seconds = 20.0
    """For so long it may be getting ready."""

    def __init__(self, namespace: str | None = None) -> None:
        self.port = 0
        self._namespace = namespace
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> Path:
        """Where the daemon keeps its files while it runs."""
        if self._files is None:
            message = f"{type(self).__name__} does not run: use it in a `with` statement"
            raise RuntimeError(message)
        return Path(self._files.name)

    @property
    def process_id(self) -> int:
        """The process id of the daemon while it runs."""
        if self._process is None:
            message = "the daemon does not run: use it in a `with` statement"
            raise RuntimeError(message)
        return self._process.pid

    @property
    def log(self) -> str:
        """What the daemon has written to its log so far."""
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")

    def command(self) -> Sequence[str]:
        """Write configuration files; return the command that starts the daemon."""
        raise NotImplementedError

    def fetch(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        """Send a request; return the answer's body.

        Raises:
            RuntimeError: The daemon refuses; the message holds what it said.
        """
        status, answer = request(self.port, method, path, body, self._namespace)
        if status != _OK:
            message = f"{method} {path}: {status} {answer.decode(errors='replace').strip()}"
            raise RuntimeError(message)
        return answer

    def __enter__(self) -> Self:
        """Start the daemon; it is ready when this returns.

        Raises:
            RuntimeError: It ended at once, or is not ready in time; the message holds its log.
        """
        self._files = tempfile.TemporaryDirectory(prefix="netmon-daemon-")
        try:
            self.port = free_port(self._namespace)
            where = enter_command(self._namespace) if self._namespace is not None else []
            with (self.directory / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    [*where, *self.command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._wait_until_ready(self._process)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End the daemon and delete its files."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.ready_seconds
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if request(self.port, "GET", self.ready_path, None, self._namespace)[0] == _OK:
                    return
            except OSError:
                pass  # it does not listen yet
            time.sleep(_ASK_AGAIN_SECONDS)
        message = f"{type(self).__name__} is not ready: {self.log}"
        raise RuntimeError(message)


def _place(namespace: str | None) -> AbstractContextManager[None]:
    return inside(namespace) if namespace is not None else nullcontext()
