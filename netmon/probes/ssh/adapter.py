"""Sessions on routers. The only importer of netmiko, and of paramiko underneath it.

netmiko accepts any host key unless told otherwise, prepares some platforms by changing their
configuration, and waits per command only. Here a key is pinned at first sight and any other is
refused, every written line is on an allow-list, and one deadline holds for the whole session.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import paramiko
from netmiko import ssh_dispatcher
from netmiko.exceptions import NetmikoBaseException, NetmikoTimeoutException, ReadTimeout

from netmon.config.secrets import Secret
from netmon.model import IPAddress
from netmon.probes.ssh.guard import Channel, DeadlineOver, Dropped, GuardedChannel, SessionTrouble
from netmon.probes.ssh.hosts import ChangedKey, HostKeys

if TYPE_CHECKING:
    from netmon.probes.ssh.platforms import Platform

_CONNECT_SECONDS = 10.0
_LOGIN_SECONDS = 20.0
_ANSWER_SECONDS = 60.0
"""For one command; a long configuration comes in pieces and each piece counts anew below."""
_PAGES = 5_000


_Guard = Callable[[Channel, paramiko.Channel], GuardedChannel]


class Unreachable(SessionTrouble):
    """Nothing answers there."""


class WrongLogin(SessionTrouble):
    """The router refuses the credential."""


class NoSession(SessionTrouble):
    """What answers there does not speak SSH, or no variant of it that we speak."""


class NoPrompt(SessionTrouble):
    """The router let us in and then said nothing that can be used."""


@dataclass(frozen=True)
class Login:
    """What a session needs to come about."""

    address: IPAddress
    port: int
    user: str
    password: Secret | None = None
    key_file: str | None = None
    enable_password: Secret | None = None


class Session:
    """One session on one router; `abort` may be called from another thread at any time."""

    def __init__(self, login: Login, platform: Platform, keys: HostKeys, seconds: float) -> None:
        self._login = login
        self._platform = platform
        self._keys = keys
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._connection: Any = None
        self._aborted = False

    def open(self) -> None:
        """Log in and make the terminal usable.

        Raises:
            SessionTrouble: in one of its forms, told in words for people.
        """
        self._socket = self._connected()
        try:
            self._connection = _driver(self._platform.device_type)(**self._parameters())
            self._enter_privileged_mode()
        except Exception as error:  # noqa: BLE001  # netmiko and paramiko raise almost anything
            raise self._told(error) from None

    def _enter_privileged_mode(self) -> None:
        if not self._platform.enable or self._connection.check_enable_mode():
            return
        try:
            self._connection.enable()
        except ValueError:
            # Some count these tries too, and lock the account as after a wrong login.
            raise WrongLogin(
                f"user {self._login.user!r} came in and was refused the privileged mode: check "
                "enable_password; netmon tries again later, ever more seldom"
            ) from None

    def ask(self, command: str) -> str:
        """Return what the router answers to a command of the allow-list.

        Raises:
            SessionTrouble: as `open`.
        """
        try:
            if self._platform.pager is not None and self._platform.prompt is not None:
                return self._paged(command, self._platform.pager, self._platform.prompt)
            return str(
                self._connection.send_command(
                    command, read_timeout=self._seconds(), strip_command=True, strip_prompt=True
                )
            )
        except Exception as error:  # noqa: BLE001  # netmiko and paramiko raise almost anything
            raise self._told(error) from None

    def close(self) -> None:
        """End the session; never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # disconnect() would first type "exit" and wait for an answer.
            connection.paramiko_cleanup()
        self._close_socket()

    def abort(self) -> None:
        """Make whatever waits on the router fail now."""
        self._aborted = True
        self._close_socket()

    def _connected(self) -> socket.socket:
        login = self._login
        try:
            return socket.create_connection(
                (str(login.address), login.port), timeout=self._seconds(_CONNECT_SECONDS)
            )
        except OSError as error:
            reason = error.strerror or str(error) or "no answer"
            raise Unreachable(
                f"{login.address} port {login.port}: {reason}: is SSH switched on there, "
                "and let through?"
            ) from None

    def _parameters(self) -> dict[str, Any]:
        login, platform = self._login, self._platform
        return {
            "device_type": platform.device_type,
            "host": str(login.address),
            "port": login.port,
            "username": login.user,
            "password": login.password.reveal() if login.password else None,
            "secret": login.enable_password.reveal() if login.enable_password else "",
            "use_keys": login.key_file is not None,
            "key_file": login.key_file,
            "sock": self._socket,
            "ssh_strict": True,
            "system_host_keys": False,
            "alt_host_keys": True,
            "alt_key_file": str(self._keys.path),
            "conn_timeout": self._seconds(_LOGIN_SECONDS),
            "auth_timeout": self._seconds(_LOGIN_SECONDS),
            "banner_timeout": self._seconds(_LOGIN_SECONDS),
            "read_timeout_override": None,
            "guard": self._guarded,
            "host_keys": self._keys,
        }

    def _guarded(self, channel: Channel, remote: paramiko.Channel) -> GuardedChannel:
        login, allowed = self._login, set(self._platform.allowed)
        if login.enable_password is not None:
            allowed.add(login.enable_password.reveal())
        return GuardedChannel(
            channel,
            allowed,
            lambda: self._end - time.monotonic(),
            lambda: remote.closed or remote.eof_received,
        )

    def _paged(self, command: str, pager: re.Pattern[str], prompt: re.Pattern[str]) -> str:
        """Ask and turn the pages: for platforms whose pager only a change could switch off."""
        connection, text = self._connection, ""
        either = f"(?m:{pager.pattern}|{prompt.pattern})"
        connection.write_channel(command + "\n")
        # Prompts that came before are behind the echo.
        connection.read_until_pattern(re.escape(command), read_timeout=self._seconds())
        for _ in range(_PAGES):
            text += connection.read_until_pattern(either, read_timeout=self._seconds())
            if not pager.search(text):
                break
            text = pager.sub("", text)
            connection.write_channel(" ")
        return prompt.sub("", text.replace("\r", ""))

    def _seconds(self, most: float = _ANSWER_SECONDS) -> float:
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise DeadlineOver("the time for one router is over")
        return min(most, remaining)

    def _close_socket(self) -> None:
        if self._socket is None:
            return
        # The other side may have been faster.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _told(self, error: Exception) -> SessionTrouble:
        """Return what an exception means; the libraries' own texts may hold secrets."""
        self.close()
        if self._aborted:
            return Dropped("netmon is stopping: the session was ended")
        if isinstance(error, SessionTrouble):
            return error
        return _translated(error, self._login)


def quiet_libraries() -> None:
    """Keep the libraries' own log lines out: they tell what was typed, and tracebacks."""
    for name in ("netmiko", "paramiko"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _translated(error: Exception, login: Login) -> SessionTrouble:
    cause = error.__context__ if isinstance(error.__context__, Exception) else error
    match error, cause:
        case (_, ChangedKey()) | (_, paramiko.BadHostKeyException()):
            return ChangedKey(str(login.address))
        case paramiko.AuthenticationException(), _:
            return _refused(error, login)
        case _, TimeoutError():
            return NoSession("the router did not answer in time while the session came about")
        case _, EOFError() | OSError():
            return Dropped("the router closed the session")
        case (ReadTimeout() | NetmikoBaseException() | ValueError(), _) | (
            _,
            NetmikoTimeoutException(),
        ):
            return NoPrompt(
                "no prompt came that can be used: is `platform` right, and the account allowed in?"
            )
        case _:
            known = isinstance(error, paramiko.SSHException)
            reason = _last_line(cause) if known else type(error).__name__
            return NoSession(f"no SSH session came about: {reason}")


def _refused(error: Exception, login: Login) -> SessionTrouble:
    if "timeout" in str(error).lower():
        return NoSession("the login was not answered in time")
    return WrongLogin(
        f"user {login.user!r} was refused: check the credential; netmon tries again later, "
        "ever more seldom"
    )


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:120] if lines else type(error).__name__


@cache
def _driver(device_type: str) -> Any:  # noqa: ANN401  # netmiko ships no types
    """Return netmiko's class for a platform, with our guard and our pins in it."""
    base: Any = ssh_dispatcher(device_type)

    class Guarded(base):  # type: ignore[misc]  # netmiko ships no types
        channel: Channel

        def __init__(self, *, guard: _Guard, host_keys: HostKeys, **parameters: object) -> None:
            self._guard = guard
            self._host_keys = host_keys
            super().__init__(**parameters)

        def _build_ssh_client(self) -> paramiko.SSHClient:
            client: paramiko.SSHClient = super()._build_ssh_client()
            client.set_missing_host_key_policy(_Pin(self._host_keys))
            return client

        def special_login_handler(self, delay_factor: float = 1.0) -> None:
            """Begin to guard: this is the first call after the channel is there."""
            self.channel = self._guard(self.channel, self.remote_conn)
            super().special_login_handler(delay_factor)

    return Guarded


class _Pin(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko ships no types
    """Pins the key of a router that has none; refuses any other key of one that has."""

    def __init__(self, keys: HostKeys) -> None:
        self._keys = keys

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002  # paramiko's interface
        hostname: str,
        key: paramiko.PKey,
    ) -> None:
        self._keys.pin(hostname, key.get_name(), key.get_base64())
