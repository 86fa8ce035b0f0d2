"""What the sockets hold, as columns: replies with the kernel's time stamps, and ICMP errors."""

from __future__ import annotations

import errno
import select
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netmon.probes.icmp.departures import Stamps
from netmon.probes.icmp.kernel import CMSG_HEADER_BYTES, MSG_ERRQUEUE, Received, ReceiveRing
from netmon.probes.icmp.packet import (
    ECHO_REPLY,
    ECHO_REQUEST,
    HEADER_BYTES,
    IPV4,
    IPV4_HEADER_BYTES_LONGEST,
    Messages,
    packet_bytes,
    read_messages,
    strip_ipv4_headers,
    sums_to_zero,
)
from netmon.probes.icmp.reasons import icmp_error_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.probes.icmp.sockets import EchoSocket

_ROWS = 1024
_BATCHES_PER_TICK = 4
"""So that a flood cannot hold the loop: what is left is taken in the next tick."""
_ERROR_ROWS = 256
_ERROR_ATTEMPTS = 64
_TIMESTAMP_BYTES = 32
"""A control message of 16 bytes with its header: SCM_TIMESTAMPNS."""
_TIMESTAMPING_BYTES = 64
"""The same of 48 bytes: SCM_TIMESTAMPING. It follows where sending is stamped."""
_ERROR_BYTES = 64
"""Room for sock_extended_err and a sockaddr_in6 with the header."""
_SOL_SOCKET, _SCM_TIMESTAMPNS = 1, 35
_ORIGIN_STAMP = 4
_ERROR_LEVEL = {4: (0, 11), 6: (41, 25)}
_ORIGIN_ICMP = {4: 2, 6: 3}


Addresses: TypeAlias = NDArray[np.uint64]
"""Rows of 16 address bytes, as two words to be compared; IPv4 addresses stand in the last 4."""


@dataclass(frozen=True, slots=True)
class Replies:
    """A batch of echo replies."""

    messages: Messages
    source: Addresses
    wall_ns: NDArray[np.int64]
    """When the kernel received it; 0: it did not say."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """A batch of ICMP errors, each with the echo request that it quotes."""

    messages: Messages
    """`sound` where the whole cookie is quoted."""
    short: NDArray[np.bool_]
    """Only the ICMP header of an echo request is quoted."""
    destination: Addresses
    """Where the quoted request went."""
    error: NDArray[np.int8]
    offender: Addresses


def addresses_of(names: NDArray[np.uint8], family: int) -> Addresses:
    """Return the addresses in rows of socket addresses."""
    addresses = np.zeros((len(names), 2), np.uint64)
    if family == IPV4:
        addresses.view(np.uint32)[:, 3] = names[:, 4:8].view(np.uint32)[:, 0]
    else:
        addresses.view(np.uint8)[:] = names[:, 8:24]
    return addresses


class Receiver:
    """Empties one socket and its error queue."""

    def __init__(self, sock: EchoSocket, largest_payload_bytes: int) -> None:
        self._sock = sock
        self._strips = sock.privileged and sock.family == IPV4
        headers = IPV4_HEADER_BYTES_LONGEST if self._strips else 0
        # A multiple of 8 keeps rows aligned.
        width = (packet_bytes(largest_payload_bytes) + headers + 7) // 8 * 8
        self._ring = ReceiveRing(_ROWS, width, headers, _TIMESTAMP_BYTES)
        controls = _TIMESTAMP_BYTES + _TIMESTAMPING_BYTES + _ERROR_BYTES
        self._error_ring = ReceiveRing(_ERROR_ROWS, width, 0, controls)
        self._codes = icmp_error_codes(sock.family)
        self._poll = select.poll()
        self._poll.register(sock.file_descriptor, select.POLLIN)
        self.emptied = False
        """Whether the last reading left nothing behind."""
        self.newest_wall_ns = 0
        """When the kernel received the last of what was read; 0: it did not say."""
        self.stamps: list[Stamps] = []
        """What the last reading of the error queue told of when echoes left."""

    def replies(self) -> Iterator[Replies]:
        """Take what has arrived."""
        self.emptied = False
        for _ in range(_BATCHES_PER_TICK):
            batch = self._take(self._ring, 0)
            if batch is None:
                self.emptied = True
                return
            yield self._read_replies(batch)

    def quotes(self) -> Iterator[Quotes]:
        """Take the ICMP errors that have arrived; the stamps beside them go to `stamps`."""
        self.stamps.clear()
        for _ in range(_BATCHES_PER_TICK):
            batch = self._take(self._error_ring, MSG_ERRQUEUE)
            if batch is None:
                return
            yield from self._read_quotes(batch)

    def _take(self, ring: ReceiveRing, flags: int) -> Received | None:
        for _ in range(_ERROR_ATTEMPTS):
            try:
                return ring.receive(self._sock.file_descriptor, flags)
            except BlockingIOError:
                # The kernel says the same of a packet with a wrong checksum that it threw away:
                # only a socket that is not readable is empty.
                if flags or not self._readable():
                    return None
            except OSError as error:
                # An ICMP error also makes the next call fail once; its story is in the queue.
                if error.errno in {errno.EBADF, errno.EFAULT, errno.EINVAL}:
                    raise
        return None

    def _readable(self) -> bool:
        return any(event & select.POLLIN for _, event in self._poll.poll(0))

    def _read_replies(self, batch: Received) -> Replies:
        family = self._sock.family
        packets, lengths = batch.packets, batch.lengths
        if self._strips:
            packets, lengths = strip_ipv4_headers(packets, lengths)
        messages = read_messages(packets, lengths, ECHO_REPLY[family])
        messages.sound[batch.truncated] = False
        if self._strips:
            messages.sound[:] &= sums_to_zero(packets, max(0, int(lengths.max())))
        stamps = batch.controls.view(np.int64)
        told = _is_control(batch.controls, 0, _SOL_SOCKET, _SCM_TIMESTAMPNS)
        wall_ns = np.where(told, stamps[:, 2] * 1_000_000_000 + stamps[:, 3], 0)
        self.newest_wall_ns = int(wall_ns[-1])
        return Replies(messages, addresses_of(batch.names, family), wall_ns)

    def _read_quotes(self, batch: Received) -> Iterator[Quotes]:
        for offset in (_TIMESTAMP_BYTES, _TIMESTAMP_BYTES + _TIMESTAMPING_BYTES):
            told = _is_control(batch.controls, offset, *_ERROR_LEVEL[self._sock.family])
            body = batch.controls[:, offset + CMSG_HEADER_BYTES :]
            stamped = told & (body[:, 4] == _ORIGIN_STAMP)
            if stamped.any():
                stamps = batch.controls[stamped].view(np.int64)
                wall_ns = stamps[:, 2] * 1_000_000_000 + stamps[:, 3]
                number = body[stamped, 12:16].copy().view(np.uint32)[:, 0]
                self.stamps.append(Stamps(number.astype(np.int64), wall_ns))
            ours = told & (body[:, 4] == _ORIGIN_ICMP[self._sock.family])
            if ours.any():
                yield self._quotes(batch, ours, body[ours])

    def _quotes(self, batch: Received, ours: NDArray[np.bool_], body: NDArray[np.uint8]) -> Quotes:
        family = self._sock.family
        packets, lengths = batch.packets[ours], batch.lengths[ours]
        messages = read_messages(packets, lengths, ECHO_REQUEST[family])
        is_request = (lengths >= HEADER_BYTES) & (packets[:, 0] == ECHO_REQUEST[family])
        return Quotes(
            messages,
            is_request & ~messages.sound,
            addresses_of(batch.names[ours], family),
            self._codes[body[:, 5], body[:, 6]],
            addresses_of(body[:, 16:], family),
        )


def _is_control(
    controls: NDArray[np.uint8], offset: int, level: int, kind: int
) -> NDArray[np.bool_]:
    """Tell which rows hold a control message of this kind at an offset."""
    words = controls.view(np.int32)
    index = (offset + 8) // 4
    return np.asarray((words[:, index] == level) & (words[:, index + 1] == kind), np.bool_)
