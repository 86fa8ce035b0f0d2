"""sendmmsg(2) and recvmmsg(2) on arrays: a batch of packets per system call.

The structures are those of 64-bit Linux (`struct msghdr`, `struct mmsghdr`, `struct iovec`). All
pointers in them point into arrays that the same object owns.
"""

from __future__ import annotations

import ctypes
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.probes.icmp.packet import RequestRows

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls that never block keep the interpreter lock: to give it up and wait for it again behind a
# busy thread (a scrape being rendered) would cost milliseconds for every few packets.
_LIBC = ctypes.PyDLL(None, use_errno=True)
_SENDMMSG = _LIBC.sendmmsg
_SENDMMSG.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
_RECVMMSG = _LIBC.recvmmsg
_RECVMMSG.argtypes = (
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_uint,
    ctypes.c_int,
    ctypes.c_void_p,
)

MSG_DONTWAIT = 0x40
MSG_TRUNC = 0x20
MSG_ERRQUEUE = 0x2000
CMSG_HEADER_BYTES = 16
SOCKADDR_BYTES = 32
"""Room for a sockaddr_in (16 bytes) or a sockaddr_in6 (28 bytes)."""

_IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
_MMSGHDR = np.dtype(
    [
        ("name", "u8"),
        ("name_length", "u4"),
        ("pad_1", "u4"),
        ("vectors", "u8"),
        ("vector_count", "u8"),
        ("control", "u8"),
        ("control_length", "u8"),
        ("flags", "i4"),
        ("pad_2", "u4"),
        ("length", "u4"),
        ("pad_3", "u4"),
    ]
)
_HEADER_BYTES = _MMSGHDR.itemsize

_LARGEST_CHUNK = 64
_CHUNKS = 16
"""Packets go out in about so many calls: the clock is read in between, which bounds the error of
their send times. A few packets can afford calls of their own, thousands cannot."""
_SLOWEST_SEND_US = 25.0
_UNSURE_US = 250.0
"""A chunk that took so much longer than its packets need was interrupted, before any of them."""
# Asynchronous ICMP errors are told by the next call on the socket, whichever packet it carries:
# a fault is the packet's own only if it comes back when the packet is tried again at once.
_ASYNCHRONOUS = frozenset(
    {
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ECONNREFUSED,
        errno.EMSGSIZE,
        errno.EACCES,
        errno.EPROTO,
        errno.ENOPROTOOPT,
        errno.EHOSTDOWN,
        errno.ENONET,
        errno.EOPNOTSUPP,
    }
)
_SEND_ATTEMPTS = 4


def address_of(array: NDArray[np.generic]) -> int:
    """Return where an array's data lies in memory."""
    return int(array.ctypes.data)


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a batch of packets, one element each."""

    sent_us: NDArray[np.int64]
    unsure: NDArray[np.bool_]
    """When it went out is not known well enough to measure a round trip from it."""
    fault: NDArray[np.int32]
    """errno, or 0."""


class SendRing:
    """Rows of packets with their message headers, filled in place and sent in chunks."""

    def __init__(
        self,
        rows: int,
        pattern: NDArray[np.uint8],
        name_bytes: int,
        control: bytes = b"",
        stamp_control: bytes = b"",
    ) -> None:
        self.rows = rows
        self.requests = RequestRows(rows, pattern)
        packets = self.requests.packets
        # The request for a stamp comes last, so that leaving it out is a matter of length.
        self._control = np.frombuffer(bytearray(control + stamp_control or b"\0"), np.uint8)
        self._control_lengths = (len(control), len(control) + len(stamp_control))
        self._vectors = np.zeros(rows, _IOVEC)
        self._vectors["base"] = address_of(packets) + np.arange(rows) * packets.shape[1]
        self._vectors["length"] = packets.shape[1]
        self._headers = np.zeros(rows, _MMSGHDR)
        self._headers["vectors"] = address_of(self._vectors) + np.arange(rows) * _IOVEC.itemsize
        self._headers["vector_count"] = 1
        self._headers["name_length"] = name_bytes
        self._headers["control"] = address_of(self._control)
        self._headers["control_length"] = len(control)
        self._stamped = False
        self._names = self._headers["name"]
        self._base = address_of(self._headers)

    def send(
        self,
        file_descriptor: int,
        names: NDArray[np.uint64],
        now_us: Callable[[], int],
        *,
        stamped: bool = False,
    ) -> SendResult:
        """Send the first rows, one to each of the socket addresses that lie at `names`.

        `stamped`: the kernel is to tell when each of them leaves.
        """
        if stamped is not self._stamped:
            self._headers["control_length"] = self._control_lengths[stamped]
            self._stamped = stamped
        count = len(names)
        self._names[:count] = names
        fault = np.zeros(count, np.int32)
        starts: list[int] = []
        clock: list[int] = [now_us()]
        position = 0
        largest = min(max(count // _CHUNKS, 1), _LARGEST_CHUNK)
        while position < count:
            starts.append(position)
            chunk = min(largest, count - position)
            done, number = self._send_chunk(file_descriptor, position, chunk)
            if done == 0:
                fault[position] = number
                done = 1
            position += done
            clock.append(now_us())
        sent_us, unsure = _spread(np.array([*starts, count]), np.array(clock))
        return SendResult(sent_us, unsure, fault)

    def _send_chunk(self, file_descriptor: int, position: int, count: int) -> tuple[int, int]:
        """Return how many packets went out, and if none did, why the first could not."""
        where = self._base + position * _HEADER_BYTES
        number = 0
        for _ in range(_SEND_ATTEMPTS):
            done = _SENDMMSG(file_descriptor, where, count, MSG_DONTWAIT)
            if done > 0:
                return done, 0
            number = ctypes.get_errno()
            if number not in _ASYNCHRONOUS and number != errno.EINTR:
                break
        return 0, number


def _spread(
    starts: NDArray[np.int64], clock: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each packet's send time, spread over the time that its chunk took, and the unsure.

    A chunk that took long was interrupted somewhere: its packets count as sent at the usual pace.
    """
    sizes, took_us = starts[1:] - starts[:-1], clock[1:] - clock[:-1]
    pace = np.minimum(took_us / sizes, _SLOWEST_SEND_US)
    # An arithmetic series for each chunk: clock + pace * (place - start).
    series = np.repeat(clock[:-1] - pace * starts[:-1], sizes)
    series += np.repeat(pace, sizes) * np.arange(starts[-1])
    unsure = np.repeat(took_us - pace * sizes > _UNSURE_US, sizes)
    return series.astype(np.int64), unsure


@dataclass(frozen=True, slots=True)
class Received:
    """One batch from the kernel. The arrays are views: they hold until the next call."""

    packets: NDArray[np.uint8]
    """Zero beyond each packet's length."""
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    names: NDArray[np.uint8]
    controls: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.lengths)


class ReceiveRing:
    """Room for a batch of packets, their sources and control messages.

    `slack` bytes at the end of each row are never written: they stay zero.
    """

    def __init__(self, rows: int, width: int, slack: int, control_bytes: int) -> None:
        self.rows = rows
        self._packets = np.zeros((rows, width + slack), np.uint8)
        self._controls = np.zeros((rows, control_bytes), np.uint8)
        self._names = np.zeros((rows, SOCKADDR_BYTES), np.uint8)
        self._vectors = np.zeros(rows, _IOVEC)
        self._headers = np.zeros(rows, _MMSGHDR)
        index = np.arange(rows)
        self._vectors["base"] = address_of(self._packets) + index * (width + slack)
        self._vectors["length"] = width
        self._headers["vectors"] = address_of(self._vectors) + index * _IOVEC.itemsize
        self._headers["vector_count"] = 1
        self._headers["name"] = address_of(self._names) + index * SOCKADDR_BYTES
        self._headers["control"] = address_of(self._controls) + index * control_bytes
        self._base = address_of(self._headers)
        self._dirty = rows

    def receive(self, file_descriptor: int, flags: int = 0) -> Received:
        """Take what the socket holds, at most a ring full.

        Raises:
            OSError: `recvmmsg` failed; BlockingIOError where the socket holds nothing.
        """
        self._packets[: self._dirty] = 0
        self._controls[: self._dirty] = 0
        self._headers["name_length"][: self._dirty] = SOCKADDR_BYTES
        self._headers["control_length"][: self._dirty] = self._controls.shape[1]
        self._dirty = 0
        count = _RECVMMSG(file_descriptor, self._base, self.rows, flags | MSG_DONTWAIT, None)
        if count < 0:
            number = ctypes.get_errno()
            raise OSError(number, "recvmmsg failed")
        self._dirty = count
        headers = self._headers[:count]
        return Received(
            self._packets[:count],
            headers["length"].astype(np.int64),
            (headers["flags"] & MSG_TRUNC) != 0,
            self._names[:count],
            self._controls[:count],
        )
