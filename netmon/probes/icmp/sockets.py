"""ICMP sockets: who opens them, and what is set on them. One for all targets of a family."""

from __future__ import annotations

import contextlib
import errno
import secrets
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from netmon.errors import CapabilityError
from netmon.probes.icmp.departures import Departures
from netmon.probes.icmp.filters import echo_reply_filter
from netmon.probes.icmp.packet import IPV4

if TYPE_CHECKING:
    from netmon.config.settings import EchoModule
    from netmon.model import IPAddress

_SO_TIMESTAMPNS = 35
_SO_TIMESTAMPING = 37
_STAMP_SENDING = 1 << 1
"""SOF_TIMESTAMPING_TX_SOFTWARE, asked for packet by packet."""
_TELL_STAMPS = 1 << 4 | 1 << 7 | 1 << 11
"""SOF_TIMESTAMPING_SOFTWARE, _OPT_ID, _OPT_TSONLY: told with a number, without the packet."""
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_SO_ATTACH_FILTER = 26
_SO_MEMINFO = 55
_MEMINFO_WORDS, _MEMINFO_DROPS = 9, 8
_IP_MTU_DISCOVER, _IP_RECVERR = 10, 11
_IPV6_MTU_DISCOVER, _IPV6_RECVERR, _IPV6_DONTFRAG = 23, 25, 62
_PMTUDISC_DONT, _PMTUDISC_PROBE = 0, 3
_IP_PKTINFO, _IPV6_PKTINFO = 8, 50
RECEIVE_BUFFER_BYTES = 32 << 20
"""20,000 replies take 15 MB in the kernel: room for more than a second of a stalled loop."""
_SEND_BUFFER_BYTES = 8 << 20
_IDENTIFIER_ATTEMPTS = 16

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class OpenedSocket:
    """An ICMP socket as its factory gives it away."""

    sock: socket.socket
    privileged: bool
    """A raw socket; otherwise a datagram socket (ICMP ID and checksum are the kernel's)."""


class SocketFactory(Protocol):
    """Opens ICMP sockets, for example inside a network namespace."""

    def open(self, family: int) -> OpenedSocket:
        """Open an ICMP socket of a family, 4 or 6; the caller closes it.

        Raises:
            CapabilityError: None can be had here.
        """
        ...


class EchoSocket:
    """One ICMP socket, set up to send echo requests and to tell their replies and errors."""

    def __init__(self, opened: OpenedSocket, family: int) -> None:
        self.family = family
        self.privileged = opened.privileged
        self._sock = opened.sock
        self._sock.settimeout(0)
        self.identifier = self._take_identifier()
        self.departures = Departures()
        self.stamps_sending = False
        """Whether the kernel is asked when echoes left."""
        self._traffic: tuple[int, bool] | None = None
        self._set_up()

    @property
    def file_descriptor(self) -> int:
        """What the kernel calls this socket."""
        return self._sock.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def mark_traffic(self, module: EchoModule) -> None:
        """Set DSCP and don't-fragment for what is sent from now on."""
        wanted = (module.dscp, module.dont_fragment)
        if wanted == self._traffic:
            return
        discover = _PMTUDISC_PROBE if module.dont_fragment else _PMTUDISC_DONT
        if self.family == IPV4:
            self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, module.dscp << 2)
            self._sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, discover)
        else:
            level = socket.IPPROTO_IPV6
            self._sock.setsockopt(level, socket.IPV6_TCLASS, module.dscp << 2)
            self._sock.setsockopt(level, _IPV6_MTU_DISCOVER, discover)
            self._sock.setsockopt(level, _IPV6_DONTFRAG, int(module.dont_fragment))
        self._traffic = wanted

    def stamp_sending(self, *, wanted: bool) -> None:
        """Have the kernel tell when each echo left, or no longer; numbers begin at 0."""
        self.departures.restart()
        self.stamps_sending = False
        # Without the first step a number that is in use would go on.
        for flags in (0, _TELL_STAMPS if wanted else 0):
            try:
                self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, flags)
            except OSError:
                return
        self.stamps_sending = wanted

    def overflows(self) -> int:
        """Return how many packets the kernel dropped because our buffer was full."""
        words = self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * _MEMINFO_WORDS)
        return int(struct.unpack(f"={len(words) // 4}I", words)[_MEMINFO_DROPS])

    def _take_identifier(self) -> int:
        """Choose a random ICMP ID: firewalls take an old one for the session before a restart."""
        if self.privileged:
            return 1 + secrets.randbelow(0xFFFF)
        for _ in range(_IDENTIFIER_ATTEMPTS):
            wanted = 1 + secrets.randbelow(0xFFFF)
            try:
                # A datagram socket's port is its ICMP ID.
                self._sock.bind(("", wanted))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return wanted
        self._sock.bind(("", 0))
        return int(self._sock.getsockname()[1])

    def _set_up(self) -> None:
        options = self._sock.setsockopt
        options(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        _widen(self._sock, _SO_RCVBUFFORCE, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        _widen(self._sock, _SO_SNDBUFFORCE, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        # Without RECVERR the kernel keeps silent about ICMP errors and about packets that it
        # dropped itself in the queue of the interface.
        if self.family == IPV4:
            options(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            options(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        if self.privileged:
            attach_filter(self._sock, echo_reply_filter(self.family, self.identifier))


def attach_filter(sock: socket.socket, program: bytes) -> None:
    """Let the kernel drop what a classic BPF program does not pass."""
    instructions = np.frombuffer(program, np.uint8)
    head = struct.pack("@HP", len(program) // 8, instructions.ctypes.data)
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


def stamp_control() -> bytes:
    """Return the control message that asks for a stamp of when a packet leaves."""
    return _control_message(socket.SOL_SOCKET, _SO_TIMESTAMPING, struct.pack("=I", _STAMP_SENDING))


def source_control(module: EchoModule, family: int) -> bytes:
    """Return the control message (IP_PKTINFO) that sets a module's source address, if it has one.

    On each message rather than on the socket: all modules share one socket.
    """
    source: IPAddress | None = module.source_ipv4 if family == IPV4 else module.source_ipv6
    if source is None:
        return b""
    if family == IPV4:
        body = struct.pack("=i4s4s", 0, source.packed, bytes(4))
        return _control_message(socket.IPPROTO_IP, _IP_PKTINFO, body)
    body = struct.pack("=16si", source.packed, 0)
    return _control_message(socket.IPPROTO_IPV6, _IPV6_PKTINFO, body)


def open_echo_socket(factory: SocketFactory, family: int) -> EchoSocket:
    """Open and set up the socket of a family.

    Raises:
        CapabilityError: None can be had here, or it cannot do what is needed.
    """
    opened = factory.open(family)
    try:
        return EchoSocket(opened, family)
    except OSError as error:
        opened.sock.close()
        kind = "raw" if opened.privileged else "datagram"
        message = f"the {kind} ICMP socket for IPv{family} cannot be set up: {error.strerror}"
        raise CapabilityError(message) from error


def _control_message(level: int, kind: int, body: bytes) -> bytes:
    padding = bytes(-len(body) % 8)
    return struct.pack("@Nii", 16 + len(body), level, kind) + body + padding


def _widen(sock: socket.socket, force: int, plain: int, size: int) -> None:
    """Enlarge a buffer past the system's limit where we may, else up to it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, force, size)
    except OSError:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, plain, size)
