"""The only importer of icmplib: it opens the sockets and walks the path."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from icmplib import ICMPRequest, ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import ICMPError, ICMPLibError, TimeExceeded

from netmon.errors import CapabilityError, ProbeFault
from netmon.model import ECHO_ERRORS, EchoError, IPAddress
from netmon.probes.icmp.filters import path_filter
from netmon.probes.icmp.reasons import icmp_error_codes
from netmon.probes.icmp.sockets import OpenedSocket, attach_filter

if TYPE_CHECKING:
    from icmplib import ICMPReply
    from icmplib.sockets import ICMPSocket

    from netmon.probes.icmp.sockets import SocketFactory

_SOCKETS = {4: ICMPv4Socket, 6: ICMPv6Socket}


class IcmplibSockets:
    """Opens ICMP sockets through icmplib: raw where that is allowed, else datagram."""

    def __init__(self, *, privileged: bool | None = None) -> None:
        self._kinds = (True, False) if privileged is None else (privileged,)

    def open(self, family: int) -> OpenedSocket:
        """Open an ICMP socket; see `SocketFactory`."""
        reason = ""
        for privileged in self._kinds:
            try:
                opened = _SOCKETS[family](privileged=privileged)
            except ICMPLibError as error:
                reason = str(error)
                continue
            # icmplib closes its socket when the object goes: take the descriptor over.
            return OpenedSocket(socket.socket(fileno=opened.sock.detach()), privileged)
        message = (
            f"no ICMP socket for IPv{family}: {reason}; give CAP_NET_RAW, or let "
            "net.ipv4.ping_group_range cover this group"
        )
        raise CapabilityError(message)


@dataclass(frozen=True, slots=True)
class HopAnswer:
    """What came back from one distance."""

    address: IPAddress
    rtt_seconds: float
    reached: bool
    error: EchoError | None
    """Set where a router says that it goes no further."""


class PathProbe:
    """Sends echo requests with a limited time to live, through icmplib."""

    def __init__(self, address: IPAddress, sockets: SocketFactory) -> None:
        opened = sockets.open(address.version)
        if not opened.privileged:
            opened.sock.close()
            message = f"the path to {address} cannot be traced without a raw socket: CAP_NET_RAW"
            raise CapabilityError(message)
        self._address = address
        self._identifier = 1 + secrets.randbelow(0xFFFF)
        self._sequence = 0
        self._codes = icmp_error_codes(address.version)
        # Without the filter every trace would wade through all the engine's replies.
        attach_filter(opened.sock, path_filter(address.version, self._identifier))
        self._socket: ICMPSocket = _ADOPTED[address.version](opened.sock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, distance: int, timeout_seconds: float) -> HopAnswer | None:
        """Send one echo request that dies at a distance; None: silence.

        Raises:
            ProbeFault: This machine could not send.
        """
        self._sequence += 1
        request = ICMPRequest(str(self._address), self._identifier, self._sequence, ttl=distance)
        try:
            self._socket.send(request)
        except ICMPLibError as error:
            message = f"{self._address}: cannot send: {error}"
            raise ProbeFault(message) from error
        try:
            reply = self._socket.receive(request, timeout_seconds)
        except ICMPLibError:
            return None
        return self._answer(reply, reply.time - request.time)

    def _answer(self, reply: ICMPReply, rtt_seconds: float) -> HopAnswer:
        reached, error = False, None
        try:
            reply.raise_for_status()
            reached = True
        except TimeExceeded:
            pass
        except ICMPError:
            error = ECHO_ERRORS[self._codes[reply.type, reply.code]]
        # The wall clock of icmplib may have stepped.
        return HopAnswer(ip_address(reply.source), max(rtt_seconds, 0.0), reached, error)


class _AdoptedV4(ICMPv4Socket):  # type: ignore[misc]  # icmplib ships no types
    """An icmplib socket around one that was opened elsewhere."""

    def __init__(self, sock: socket.socket) -> None:
        self._adopted = sock
        super().__init__(privileged=True)

    def _create_socket(self, type: int) -> socket.socket:  # noqa: A002, ARG002  # icmplib's own signature
        return self._adopted


class _AdoptedV6(ICMPv6Socket):  # type: ignore[misc]  # icmplib ships no types
    """The same for IPv6."""

    def __init__(self, sock: socket.socket) -> None:
        self._adopted = sock
        super().__init__(privileged=True)

    def _create_socket(self, type: int) -> socket.socket:  # noqa: A002, ARG002  # icmplib's own signature
        return self._adopted


_ADOPTED = {4: _AdoptedV4, 6: _AdoptedV6}
