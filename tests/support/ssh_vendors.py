"""Simulated routers behind real SSH: one server, one address of 127.0.0.0/8 for each router."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

import asyncssh

PASSWORD = "SEEDlogin"
USER = "netmon"


@dataclass
class Device:
    """One router: its prompt, its answers, and how it misbehaves."""

    prompt: str
    answers: dict[str, str]
    unknown: str = "% Invalid input detected at '^' marker."
    password: str = PASSWORD
    enable_password: str = ""
    """Asked for by `enable`, after which the prompt ends in #."""
    newline: str = "\r\n"
    pager: str = ""
    silent: bool = False
    """Lets in and never says a word."""
    hangs_at: str = ""
    """Never answers this command."""
    drops_at: str = ""
    """Sends half of the answer to this command and closes the connection."""
    garbage: bool = False
    """Answers noise."""
    typed: list[str] = field(default_factory=list)
    """Every line that ever came."""
    logins: list[str] = field(default_factory=list)
    """User of each try."""


class Vendors:
    """The server. Use it as an asynchronous context manager."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self.devices = dict(devices)
        """By address."""
        self.port = 0
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._server: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._shells: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def change_key(self, kind: str = "ssh-ed25519") -> None:
        """Come back on the same port with another host key."""
        await self.close()
        self.key = asyncssh.generate_private_key(kind)
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncssh.create_server(
            lambda: _Server(self.devices, self._connections),
            "0.0.0.0",
            self.port,
            server_host_keys=[self.key],
            process_factory=self._serve,
            line_editor=False,
            login_timeout=30,
        )
        self.port = self._server.get_port()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for shell in tuple(self._shells):
            shell.cancel()
        await asyncio.gather(*self._shells, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.abort()
            await connection.wait_closed()
        self._connections.clear()

    async def _serve(self, process: asyncssh.SSHServerProcess[str]) -> None:
        device = self.devices[process.get_extra_info("sockname")[0]]
        shell = asyncio.create_task(_Shell(device, process).run())
        self._shells.add(shell)
        shell.add_done_callback(self._shells.discard)
        with contextlib.suppress(asyncssh.Error, ConnectionError, asyncio.CancelledError):
            await shell
        process.close()


@contextlib.contextmanager
def serving(devices: Mapping[str, Device]) -> Iterator[Vendors]:
    """Run the server in a thread, for tests that wait for other processes."""
    vendors, loop = Vendors(devices), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="vendors")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(vendors.__aenter__(), loop).result(30)
        yield vendors
        asyncio.run_coroutine_threadsafe(vendors.close(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Server(asyncssh.SSHServer):
    def __init__(
        self, devices: Mapping[str, Device], connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._devices = devices
        self._connections = connections
        self._device: Device | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.add(conn)
        self._device = self._devices.get(conn.get_extra_info("sockname")[0])
        if self._device is None:
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        if self._device is not None:
            self._device.logins.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        assert self._device is not None
        # RouterOS takes terminal options behind the user's name.
        return username.partition("+")[0] == USER and password == self._device.password


class _Shell:
    def __init__(self, device: Device, process: asyncssh.SSHServerProcess[str]) -> None:
        self._device = device
        self._process = process
        self._prompt = device.prompt

    async def run(self) -> None:
        device = self._device
        if device.silent:
            await self._line()
            await asyncio.Event().wait()
        self._say(self._prompt)
        while (line := await self._line()) is not None:
            device.typed.append(line)
            self._say(line + device.newline)
            if not await self._answer(line.strip()):
                return
            self._say(self._prompt)

    async def _answer(self, line: str) -> bool:
        """Answer; False: the connection ends."""
        device = self._device
        if line == "exit":
            return False
        if line and line == device.hangs_at:
            await asyncio.Event().wait()
        if line == "enable" and device.enable_password:
            return await self._enable()
        text = device.answers.get(line, device.unknown if line else "")
        if device.garbage and line:
            text = "\x00\x1b[2J\xfe?? 0xDEAD\n" * 3
        if line and line == device.drops_at:
            self._say(text[: len(text) // 2].replace("\n", device.newline))
            await self._process.stdout.drain()
            return False
        await self._pages(text)
        return True

    async def _enable(self) -> bool:
        self._say("Password: ")
        if await self._line() == self._device.enable_password:
            self._prompt = self._prompt.replace(">", "#")
        self._say(self._device.newline)
        return True

    async def _pages(self, text: str) -> None:
        lines = text.split("\n") if text else []
        for number, line in enumerate(lines):
            if self._device.pager and number and number % 10 == 0:
                self._say(self._device.pager)
                await self._process.stdin.read(1)
            self._say(line + self._device.newline)

    async def _line(self) -> str | None:
        text = ""
        while True:
            character = await self._process.stdin.read(1)
            if not character or character == "\x03":
                return None
            if character in "\r\n":
                return text
            text += character

    def _say(self, text: str) -> None:
        self._process.stdout.write(text)


Build = Callable[[str], Device]
