"""Answers to SNMP requests, for every toy router from one socket per address family."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from netmon.demo.codec import (
    END_OF_MIB_VIEW,
    NO_SUCH_OBJECT,
    NULL,
    Oid,
    Query,
    Request,
    decode_query,
    encode_binding,
    encode_response,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.demo.device import ToyDevice
    from netmon.model import IPAddress

_IP_PKTINFO = 8  # Linux's number; Python names it from 3.14 on only
_PKTINFO4 = struct.Struct("=i4s4s")
_PKTINFO6 = struct.Struct("=16si")
_MAX_REQUEST_BYTES = 8192
_MAX_RESPONSE_BYTES = 1400
"""Room for variable bindings in one unfragmented packet."""
_TOO_BIG = 1
_REQUESTS_A_TURN = 64


class DeviceFinder(Protocol):
    """Tells whose router, if any, answers at an address at this moment."""

    def __call__(self, address: IPAddress) -> ToyDevice | None:
        """Return the device, or None for silence."""
        ...


class ToyAgent:
    """Answers on a socket that receives requests to many addresses, from the address asked."""

    def __init__(self, udp: socket.socket, community: bytes, find_device: DeviceFinder) -> None:
        self._socket = udp
        self._community = community
        self._find_device = find_device
        if udp.family == socket.AF_INET:
            udp.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def serve(self) -> None:
        """Answer what has arrived; call it when the socket can be read."""
        for _ in range(_REQUESTS_A_TURN):
            try:
                message, ancillary, _, sender = self._socket.recvmsg(_MAX_REQUEST_BYTES, 256)
            except BlockingIOError:
                return
            for level, kind, data in ancillary:
                self._answer(message, (level, kind, bytes(data)), sender)

    def _answer(
        self, message: bytes, control: tuple[int, int, bytes], sender: tuple[str, int]
    ) -> None:
        device = self._find_device(_asked_address(control[2]))
        if device is None or device.agent_hangs:
            return
        query = decode_query(message)
        # A real agent says nothing to a stranger either: silence is all a wrong community gets.
        if query is None or query.community != self._community:
            return
        try:
            self._socket.sendmsg([respond(device, query)], [_source(control)], 0, sender)
        except OSError:
            return  # the router was cut while it answered: its reply is lost, as in life


def respond(device: ToyDevice, query: Query) -> bytes:
    """Return a device's answer to a query (RFC 3416, section 4.2)."""
    match query.request:
        case Request.GET:
            bindings = [
                encode_binding(name, device.get(name) or NO_SUCH_OBJECT) for name in query.names
            ]
        case Request.NEXT:
            bindings = [next(_walk(device, name)) for name in query.names]
        case Request.BULK:
            return encode_response(query, _fit(_bulk(device, query)))
    if sum(map(len, bindings)) > _MAX_RESPONSE_BYTES:
        return encode_response(query, [encode_binding(n, NULL) for n in query.names], _TOO_BIG)
    return encode_response(query, bindings)


def _bulk(device: ToyDevice, query: Query) -> Iterator[bytes]:
    for name in query.names[: query.non_repeaters]:
        yield next(_walk(device, name))
    columns = [_walk(device, name) for name in query.names[query.non_repeaters :]]
    for row in islice(zip(*columns, strict=True), query.max_repetitions):
        yield from row


def _walk(device: ToyDevice, name: Oid) -> Iterator[bytes]:
    """Yield the bindings behind a name, then endOfMibView without end."""
    for name_behind, value in device.after(name):
        name = name_behind
        yield encode_binding(name_behind, value())
    while True:
        yield encode_binding(name, END_OF_MIB_VIEW)


def _fit(bindings: Iterator[bytes]) -> list[bytes]:
    """Take bindings while they fit: a GETBULK response may stop early (RFC 3416, 4.2.3)."""
    taken: list[bytes] = []
    room = _MAX_RESPONSE_BYTES
    for binding in bindings:
        room -= len(binding)
        if room < 0:
            break
        taken.append(binding)
    return taken


def _asked_address(packet_info: bytes) -> IPAddress:
    if len(packet_info) == _PKTINFO4.size:
        return IPv4Address(_PKTINFO4.unpack(packet_info)[2])
    return IPv6Address(_PKTINFO6.unpack(packet_info)[0])


def _source(control: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """Return the control message that makes an answer leave from the address asked."""
    level, kind, data = control
    if len(data) == _PKTINFO4.size:
        return level, kind, _PKTINFO4.pack(0, _PKTINFO4.unpack(data)[2], bytes(4))
    return level, kind, _PKTINFO6.pack(_PKTINFO6.unpack(data)[0], 0)
