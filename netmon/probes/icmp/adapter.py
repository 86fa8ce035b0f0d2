"""The only importer of icmplib: it opens the sockets and walks the path."""

from __future__ import annotations

import socket

from icmplib import ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import ICMPLibError

from netmon.errors import CapabilityError
from netmon.probes.icmp.sockets import OpenedSocket

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
