"""UDP for many peers on one unconnected socket, ICMP errors told for each of them.

Linux only: IP_RECVERR queues the errors that routers and hosts send back, together with the
address that the datagram was for (ip(7)).
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    import asyncio

Peer: TypeAlias = tuple[str, int]
"""Numeric address, as the kernel writes it, and port."""

_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25
_RECEIVE_BUFFER_OCTETS: Final = 4 * 1024 * 1024
"""Some thousand answers: a stalled loop must not lose them."""
_DATAGRAM_OCTETS: Final = 65_535
_DRAIN_LIMIT: Final = 128
"""Datagrams read in one turn: a flood must not keep the loop from its other work."""
_DRAIN_SECONDS: Final = 0.005
"""So long one turn may take: a crowd of 64 KiB answers must not, either."""
_ERROR_LIMIT: Final = 64
_EXTENDED_ERROR: Final = struct.Struct("=IBBBBII")
"""struct sock_extended_err of linux/errqueue.h; the offender's address follows it."""
_SEND_ATTEMPTS: Final = 3


class UdpSocketFactory(Protocol):
    """Makes the socket of an address family."""

    def __call__(self, family: socket.AddressFamily) -> socket.socket:
        """Return a bound UDP socket that does not block.

        Raises:
            OSError: there is none to be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class SocketEvents:
    """Whom to tell. `on_error` gets the peer that was asked, the errno and who said so."""

    on_datagram: Callable[[bytes, Peer], None]
    on_error: Callable[[Peer, int, str], None]


def open_udp_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a UDP socket on a port of the kernel's choice. See `UdpSocketFactory`."""
    udp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
        udp.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104  # asks any router
    except OSError:
        udp.close()
        raise
    return udp


class UdpTransport:
    """One socket on the event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, udp: socket.socket, events: SocketEvents
    ) -> None:
        self._loop = loop
        self._socket = udp
        self._events = events
        loop.add_reader(udp.fileno(), self._drain)

    def send(self, packet: bytes, peer: Peer) -> None:
        """Send a datagram.

        Raises:
            OSError: it could not be sent; the error is about this datagram.
        """
        for attempt in range(_SEND_ATTEMPTS):
            try:
                self._socket.sendto(packet, peer)
            except OSError as error:
                # An error that came in for another peer is told by the next system call,
                # whomever that is for: take it from the queue, and ask again.
                told = self._drain_errors()
                if not told or attempt == _SEND_ATTEMPTS - 1 or isinstance(error, BlockingIOError):
                    raise
            else:
                return

    def close(self) -> None:
        """Leave the loop and close the socket."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _drain(self) -> None:
        receive, tell = self._socket.recvfrom, self._events.on_datagram
        deadline = self._loop.time() + _DRAIN_SECONDS
        for turn in range(_DRAIN_LIMIT):
            try:
                data, peer = receive(_DATAGRAM_OCTETS)
            except BlockingIOError:
                if turn == 0:  # what woke us was not a datagram
                    self._drain_errors()
                return
            except OSError:
                self._drain_errors()
            else:
                tell(data, peer[:2])
                if self._loop.time() > deadline:
                    return

    def _drain_errors(self) -> bool:
        """Tell the queued ICMP errors, and whether there were any."""
        told = False
        for _ in range(_ERROR_LIMIT):
            try:
                _, ancillary, _, peer = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                break
            told = True
            for level, kind, content in ancillary:
                is_error = (level, kind) in _ERROR_MESSAGES
                if is_error and len(content) >= _EXTENDED_ERROR.size:
                    code = _EXTENDED_ERROR.unpack_from(content)[0]
                    self._events.on_error(peer[:2], code, _offender(content))
        return told


def error_text(code: int) -> str:
    """Return an errno in words."""
    return os.strerror(code).lower()


_ERROR_MESSAGES: Final = frozenset(
    {(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)}
)


def _offender(content: bytes) -> str:
    """Return the address behind a sock_extended_err: a sockaddr_in or sockaddr_in6."""
    address = content[_EXTENDED_ERROR.size :]
    with contextlib.suppress(struct.error, OSError, ValueError):
        (family,) = struct.unpack_from("=H", address)
        if family == socket.AF_INET:
            return socket.inet_ntop(socket.AF_INET, address[4:8])
        if family == socket.AF_INET6:
            return socket.inet_ntop(socket.AF_INET6, address[8:24])
    return ""
