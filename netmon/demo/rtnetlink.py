"""The few rtnetlink requests that a toy network needs (rtnetlink(7), RFC 3549).

A bare machine has no `ip` program for ordinary users to find, and starting one for each fault would
blur the instant at which it happened.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

    from netmon.model import IPAddress

Network: TypeAlias = IPv4Network | IPv6Network

_NLMSG_ERROR = 2
_NLM_F_REQUEST_ACK = 0x001 | 0x004
_NLM_F_CREATE_EXCLUSIVE = 0x400 | 0x200
_RTM_NEWLINK, _RTM_NEWADDR, _RTM_DELADDR, _RTM_NEWROUTE = 16, 20, 21, 24
_IFF_UP, _IFF_NOARP = 0x1, 0x80
_IFA_F_NODAD = 0x02
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 3, 18, 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL, _RTA_DST, _RTA_OIF = 1, 2, 1, 4
_RT_TABLE_MAIN, _RTPROT_STATIC, _RT_SCOPE_LINK, _RT_SCOPE_UNIVERSE, _RTN_UNICAST = 254, 4, 253, 0, 1
_INTERFACE = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_HEADER = struct.Struct("=IHHII")


class Netlink:
    """A netlink socket of the network namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def bring_up(self, interface: str, *, resolves_neighbours: bool = True) -> None:
        """Set an interface up; one that resolves no neighbours swallows what is sent to it."""
        flags = _IFF_UP if resolves_neighbours else _IFF_UP | _IFF_NOARP
        index = socket.if_nametoindex(interface)
        self._request(_RTM_NEWLINK, 0, _INTERFACE.pack(0, 0, index, flags, flags))

    def add_veth(self, name: str, peer: str) -> None:
        """Create two interfaces that are joined back to back (veth(4))."""
        empty = _INTERFACE.pack(0, 0, 0, 0, 0)
        far_end = _attribute(_VETH_INFO_PEER, empty + _text_attribute(_IFLA_IFNAME, peer))
        kind = _text_attribute(_IFLA_INFO_KIND, "veth") + _attribute(_IFLA_INFO_DATA, far_end)
        body = empty + _text_attribute(_IFLA_IFNAME, name) + _attribute(_IFLA_LINKINFO, kind)
        self._request(_RTM_NEWLINK, _NLM_F_CREATE_EXCLUSIVE, body)

    def add_address(self, address: IPAddress, interface: str) -> None:
        """Give an interface an address of its own; one that is there already stays."""
        self._request(
            _RTM_NEWADDR,
            _NLM_F_CREATE_EXCLUSIVE,
            _address_body(address, interface),
            forgive=errno.EEXIST,
        )

    def delete_address(self, address: IPAddress, interface: str) -> None:
        """Take an address away; one that is not there is no trouble."""
        body = _address_body(address, interface)
        self._request(_RTM_DELADDR, 0, body, forgive=errno.EADDRNOTAVAIL)

    def add_route(self, network: Network, interface: str) -> None:
        """Send everything for a network out of an interface."""
        family, scope = _family(network.version), _RT_SCOPE_LINK
        if network.version == 6:  # noqa: PLR2004  # the version of IPv6
            scope = _RT_SCOPE_UNIVERSE
        body = _ROUTE.pack(
            family, network.prefixlen, 0, 0,
            _RT_TABLE_MAIN, _RTPROT_STATIC, scope, _RTN_UNICAST, 0,
        )  # fmt: skip
        body += _attribute(_RTA_DST, network.network_address.packed)
        body += _attribute(_RTA_OIF, struct.pack("=I", socket.if_nametoindex(interface)))
        self._request(_RTM_NEWROUTE, _NLM_F_CREATE_EXCLUSIVE, body)

    def _request(self, kind: int, flags: int, body: bytes, *, forgive: int = 0) -> None:
        size = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(size, kind, flags | _NLM_F_REQUEST_ACK, 1, 0) + body)
        answer = self._socket.recv(65536)
        _, answer_kind, _, _, _ = _HEADER.unpack_from(answer)
        code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        if answer_kind == _NLMSG_ERROR and code not in (0, forgive):
            raise OSError(code, f"rtnetlink request {kind}: {os.strerror(code)}")


def _address_body(address: IPAddress, interface: str) -> bytes:
    index = socket.if_nametoindex(interface)
    header = _ADDRESS.pack(
        _family(address.version), address.max_prefixlen, _IFA_F_NODAD, _RT_SCOPE_UNIVERSE, index
    )
    return (
        header + _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)
    )


def _family(version: int) -> int:
    return socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004  # IPv4


def _text_attribute(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + b"\0" * (-size % 4)
