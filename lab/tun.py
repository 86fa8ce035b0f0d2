"""Thousands of simulated routers behind one TUN device, with known delay, jitter and loss.

This kernel class has no netem, so the delay is made in user space: one process reads echo requests
from a TUN device, waits, and writes the replies. It notes when it read each request and when it
wrote the reply: that is the truth against which measured round-trip times are judged.
About 60 µs of CPU an echo at 3,000 a second, most
of it the kernel's; less when requests come in batches.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from array import array
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from lab.capabilities import LAB, Need, missing
from lab.closing import Closing
from lab.kernel import enter_command, new_prefix, remove_namespaces, run_ip, sweep_dead

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOUD = IPv4Network("10.64.0.0/12")
CENTRE_ADDRESS = IPv4Address("10.63.255.1")
_DEVICE = "cloud0"
_STOP_SECONDS = 10.0
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLOCK_MONOTONIC, _TFD_NONBLOCK, _TFD_TIMER_ABSTIME = 1, 0o4000, 1
_PACKETS_A_TURN = 256
_PLAIN_HEADER, _ICMP, _ECHO_REQUEST, _SHORTEST_ECHO = 0x45, 1, 8, 28
_NANOSECONDS = 1_000_000_000
_GRID_NS = 250_000
"""Replies that are due within it leave together: waking up costs more than a packet."""


@dataclass(frozen=True, slots=True)
class PathProfile:
    """How the path to one router behaves. Jitter is the standard deviation of the delay."""

    delay_seconds: float
    jitter_seconds: float = 0.0
    loss_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class EchoTruth:
    """What really became of every echo request, in the order of their settling.

    `replied_ns` 0: it was lost on purpose. Both times are CLOCK_MONOTONIC.
    """

    router: NDArray[np.int64]
    sequence: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    replied_ns: NDArray[np.int64]

    @property
    def rtt_seconds(self) -> NDArray[np.float64]:
        """Round-trip times; NaN where the echo was lost."""
        rtt = (self.replied_ns - self.received_ns) / _NANOSECONDS
        return np.where(self.replied_ns > 0, rtt, np.nan)


def address_of(router: int) -> IPv4Address:
    """Return the address of a simulated router; routers count from 0."""
    return CLOUD.network_address + 1 + router


class TunCloud(Closing):
    """Simulated routers in a namespace of their own, there between `with` and its end."""

    def __init__(self, profiles: Sequence[PathProfile]) -> None:
        self._profiles = profiles
        self.namespace = f"{new_prefix()}cloud"
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._responder: subprocess.Popen[str] | None = None
        self._truth: EchoTruth | None = None

    def __enter__(self) -> Self:
        """Start answering.

        Raises:
            RuntimeError: Something that it needs is missing; the message says what.
        """
        if lack := missing(*LAB, Need.TUN):
            raise RuntimeError(lack)
        sweep_dead()
        self._files = tempfile.TemporaryDirectory(prefix=self.namespace)
        try:
            run_ip([f"netns add {self.namespace}"])
            self._responder = self._start_responder(Path(self._files.name))
            run_ip(
                (
                    "link set lo up",
                    f"link set {_DEVICE} up txqueuelen 20000",
                    f"addr add {CENTRE_ADDRESS}/32 dev {_DEVICE}",
                    f"route add {CLOUD} dev {_DEVICE} src {CENTRE_ADDRESS}",
                ),
                self.namespace,
            )
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop answering; the truth is known from now on."""
        if self._responder is not None and self._files is not None:
            self._responder.terminate()
            self._responder.communicate(timeout=_STOP_SECONDS)
            self._responder = None
            path = Path(self._files.name) / "truth.npy"
            if path.exists():
                self._truth = EchoTruth(*np.load(path))
        remove_namespaces([self.namespace])
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    def change(self, profiles: Sequence[PathProfile]) -> None:
        """Let the paths behave otherwise; they do when this returns. Routers stay as many."""
        if self._files is None or self._responder is None:
            message = "the cloud is not up: use it in a `with` statement"
            raise RuntimeError(message)
        _save_profiles(profiles, Path(self._files.name) / "profiles.npy")
        self._responder.send_signal(signal.SIGHUP)
        _wait_until_ready(self._responder)

    @property
    def truth(self) -> EchoTruth:
        """What became of every echo; known when the cloud is closed."""
        if self._truth is None:
            message = "the truth is known when the cloud is closed"
            raise RuntimeError(message)
        return self._truth

    def popen(self, *command: str, **options: Any) -> subprocess.Popen[Any]:  # noqa: ANN401  # those of Popen
        """Start a command from which the simulated routers can be reached."""
        return subprocess.Popen([*enter_command(self.namespace), *command], **options)

    def _start_responder(self, directory: Path) -> subprocess.Popen[str]:
        _save_profiles(self._profiles, directory / "profiles.npy")
        root = str(Path(__file__).parents[1])
        responder = self.popen(
            sys.executable, "-m", "lab.tun", str(directory),
            env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        _wait_until_ready(responder)
        return responder


def _wait_until_ready(responder: subprocess.Popen[str]) -> None:
    if responder.stdout is None or responder.stdout.readline() != "ready\n":
        message = f"the TUN responder ended with code {responder.wait()}"
        raise RuntimeError(message)


class _Responder:
    """The process that answers: a heap of replies that are due, and a timer for the first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._tun = _open_tun()
        self._timer = _Timer()
        self._dice = random.Random(2014)
        self._waiting: list[tuple[int, int, int, int, bytes]] = []
        self._notes = tuple(array("q") for _ in range(4))
        self._is_over = False
        self._delay_ns: list[int] = []
        self._jitter_ns: list[float] = []
        self._loss: list[float] = []

    def load(self, *_: object) -> None:
        """Read the profiles and say so; a signal handler too."""
        delay, jitter, loss = np.load(self._directory / "profiles.npy")
        self._delay_ns = (delay * _NANOSECONDS).astype(int).tolist()
        self._jitter_ns = (jitter * _NANOSECONDS).tolist()
        self._loss = loss.tolist()
        # Not by print(): a signal may come while it is at work.
        os.write(sys.stdout.fileno(), b"ready\n")

    def end(self, *_: object) -> None:
        """Leave `run` soon; a signal handler."""
        self._is_over = True

    def run(self) -> None:
        """Answer until the end, then save the truth."""
        poll = select.epoll()
        poll.register(self._tun, select.EPOLLIN)
        poll.register(self._timer.descriptor, select.EPOLLIN)
        while not self._is_over:
            for descriptor, _ in poll.poll(0.2):
                if descriptor == self._tun:
                    self._read_requests()
                else:
                    self._timer.acknowledge()
            self._write_replies()
            if self._waiting:
                self._timer.set(self._waiting[0][0])
        np.save(self._directory / "truth.npy", np.array(self._notes))

    def _read_requests(self) -> None:
        first = int(address_of(0))
        for _ in range(_PACKETS_A_TURN):
            try:
                packet = os.read(self._tun, 65536)
            except BlockingIOError:
                return
            now = time.monotonic_ns()
            if not _is_echo_request(packet):
                continue
            router = int.from_bytes(packet[16:20], "big") - first
            if 0 <= router < len(self._loss):
                self._take(router, now, packet)

    def _take(self, router: int, now: int, packet: bytes) -> None:
        sequence = int.from_bytes(packet[26:28], "big")
        loss = self._loss[router]
        if loss and self._dice.random() < loss:
            self._note(router, sequence, now, 0)
            return
        due = now + self._delay_ns[router]
        if jitter := self._jitter_ns[router]:
            due = max(now, due + int(self._dice.gauss(0, jitter)))
        heapq.heappush(self._waiting, (due, router, sequence, now, packet))

    def _write_replies(self) -> None:
        waiting = self._waiting
        now = time.monotonic_ns()
        while waiting and waiting[0][0] <= now:
            _, router, sequence, received, packet = heapq.heappop(waiting)
            reply = _reply_to(packet)
            now = time.monotonic_ns()
            os.write(self._tun, reply)
            self._note(router, sequence, received, now)

    def _note(self, *figures: int) -> None:
        for notes, figure in zip(self._notes, figures, strict=True):
            notes.append(figure)


class _Timer:
    """timerfd_create(2): epoll's own time-outs are whole milliseconds."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK)
        self._set_ns = 0
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, at_ns: int) -> None:
        """Wake at an instant of CLOCK_MONOTONIC, or a little later together with others."""
        at_ns = (at_ns // _GRID_NS + 1) * _GRID_NS
        if at_ns != self._set_ns:
            self._set_ns = at_ns
            when = struct.pack("qqqq", 0, 0, *divmod(at_ns, _NANOSECONDS))
            self._libc.timerfd_settime(self.descriptor, _TFD_TIMER_ABSTIME, when, None)

    def acknowledge(self) -> None:
        """Take note that it rang."""
        self._set_ns = 0
        try:
            os.read(self.descriptor, 8)
        except BlockingIOError:
            return


def _is_echo_request(packet: bytes) -> bool:
    return (
        len(packet) >= _SHORTEST_ECHO
        and packet[0] == _PLAIN_HEADER
        and packet[9] == _ICMP
        and packet[20] == _ECHO_REQUEST
    )


def _reply_to(packet: bytes) -> bytes:
    """Swap the addresses and turn the request into a reply.

    Swapping leaves the header's checksum as it is; that of ICMP grows by what the type loses
    (RFC 1624).
    """
    checksum = int.from_bytes(packet[22:24], "big") + (_ECHO_REQUEST << 8)
    checksum = (checksum & 0xFFFF) + (checksum >> 16)
    return b"".join(
        (
            packet[:12],
            packet[16:20],
            packet[12:16],
            b"\0\0",
            checksum.to_bytes(2, "big"),
            packet[24:],
        )
    )


def _open_tun() -> int:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = struct.pack("16sH22x", _DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(tun, _TUNSETIFF, flags)
    return tun


def _save_profiles(profiles: Sequence[PathProfile], path: Path) -> None:
    columns = [
        [profile.delay_seconds for profile in profiles],
        [profile.jitter_seconds for profile in profiles],
        [profile.loss_ratio for profile in profiles],
    ]
    draft = path.with_name("profiles-new.npy")
    np.save(draft, np.array(columns))
    draft.replace(path)


def _main() -> None:
    responder = _Responder(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, responder.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, responder.load)
    responder.load()
    responder.run()


if __name__ == "__main__":
    _main()
