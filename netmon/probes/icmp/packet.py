"""Echo packets as columns: built and read a batch at a time (RFC 792, RFC 4443).

    0      type  code  checksum      the ICMP header
    4      identifier  sequence
    8      serial                    64 bits: which echo request of this process it is
    16     proof                     64 bits: only this process can tell it for a serial
    24     padding up to the module's size

The sequence number is the serial's low 16 bits, so that an ICMP error that quotes only the first
8 bytes (all that RFC 792 asks for) still names its echo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IPV4 = 4
"""IPv4 as `ipaddress` numbers it."""
HEADER_BYTES = 8
MINIMUM_PAYLOAD_BYTES = 16
"""Serial and proof. A module that asks for less is sent with this much."""
MINIMUM_PACKET_BYTES = HEADER_BYTES + MINIMUM_PAYLOAD_BYTES
IPV4_HEADER_BYTES = 20
IPV4_HEADER_BYTES_LONGEST = 60

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}

_ONES_COMPLEMENT = np.uint64(0xFFFF)
_SHIFT = np.uint64(32)
_HEAD = np.dtype(
    [
        ("type_and_code", "<u2"),
        ("checksum", "u2"),
        ("identifier", ">u2"),
        ("sequence", ">u2"),
        ("serial", ">u8"),
        ("proof", ">u8"),
    ]
)


class Cookie:
    """Proves that a reply answers an echo request of this process.

    A keyed mix of the serial, not cryptography: who sees our packets can answer them anyway, and
    who does not see them cannot guess 64 bits.
    """

    def __init__(self, secret: bytes) -> None:
        addend, *factors = np.frombuffer(secret, np.uint64, 3)
        self._addend = addend
        # Odd factors lose no bits.
        self._factors = [factor | np.uint64(1) for factor in factors]

    def proof(self, serials: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the proof of each serial."""
        mixed = serials + self._addend
        for factor in self._factors:
            mixed *= factor
            mixed ^= mixed >> _SHIFT
        return np.asarray(mixed, np.uint64)


def packet_bytes(size_bytes: int) -> int:
    """Return the length of an ICMP message with so much payload asked for."""
    return HEADER_BYTES + max(size_bytes, MINIMUM_PAYLOAD_BYTES)


def template(family: int, identifier: int, size_bytes: int) -> NDArray[np.uint8]:
    """Return an echo request whose checksum, sequence, serial and proof are still zero."""
    packet = np.zeros(packet_bytes(size_bytes), np.uint8)
    packet[0] = ECHO_REQUEST[family]
    packet[4:6] = divmod(identifier, 256)
    padding = len(packet) - MINIMUM_PACKET_BYTES
    packet[MINIMUM_PACKET_BYTES:] = np.arange(padding) & 0xFF
    return packet


def word_sum(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the sum of each row's words, to be taken modulo 65,535.

    The Internet checksum does not care for byte order and adds with end-around carry (RFC 1071
    section 2): words of 32 bits in this machine's order do as well, being the same modulo 65,535.
    """
    short = -rows.shape[1] % 4
    if short:
        rows = np.pad(rows, ((0, 0), (0, short)))
    words = np.ascontiguousarray(rows).view(np.uint32)
    return np.asarray(words.sum(axis=1, dtype=np.uint64), np.uint64)


def checksum(sums: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the checksums for sums of words, which are not 0, in this machine's byte order."""
    return _ONES_COMPLEMENT - np.uint64(1) - (sums - np.uint64(1)) % _ONES_COMPLEMENT


class RequestRows:
    """Rows of echo requests in one buffer; the changing fields are written for many at once."""

    def __init__(self, rows: int, pattern: NDArray[np.uint8]) -> None:
        self.packets = np.tile(pattern, (rows, 1))
        fixed = pattern.copy()
        fixed[4:MINIMUM_PACKET_BYTES] = 0
        self._identifier = pattern[4:6]
        self._constant = word_sum(fixed[np.newaxis])[0]
        self._checksum = self.packets[:, 2:4].view(np.uint16)[:, 0]
        self._sequence = self.packets[:, 6:8].view(">u2")[:, 0]
        self._serial = self.packets[:, 8:16].view(">u8")[:, 0]
        self._proof = self.packets[:, 16:24].view(">u8")[:, 0]

    def fill(
        self, serials: NDArray[np.uint64], proofs: NDArray[np.uint64], *, sums: bool = True
    ) -> None:
        """Write the first rows; without `sums` the checksum is left to the kernel.

        It computes that of a datagram socket and of ICMPv6 in any case.
        """
        count = len(serials)
        self._sequence[:count] = serials & np.uint64(0xFFFF)
        self._serial[:count] = serials
        self._proof[:count] = proofs
        if sums:
            varying = word_sum(self.packets[:count, 4:MINIMUM_PACKET_BYTES])
            self._checksum[:count] = checksum(varying + self._constant)

    def checksums(
        self, serials: NDArray[np.uint64], proofs: NDArray[np.uint64]
    ) -> NDArray[np.uint64]:
        """Return the ICMPv4 checksums that such requests were sent with, as read in a packet."""
        fields = np.zeros((len(serials), MINIMUM_PACKET_BYTES - 4), np.uint8)
        fields[:, :2] = self._identifier
        fields[:, 2:4].view(">u2")[:, 0] = serials & np.uint64(0xFFFF)
        fields[:, 4:12].view(">u8")[:, 0] = serials
        fields[:, 12:].view(">u8")[:, 0] = proofs
        return checksum(word_sum(fields) + self._constant)


@dataclass(frozen=True, slots=True)
class Messages:
    """ICMP messages of one batch, one element per packet; fields of bad ones mean nothing."""

    sound: NDArray[np.bool_]
    """Long enough, of the wanted type and with a right checksum."""
    checksum: NDArray[np.uint16]
    """In this machine's byte order."""
    identifier: NDArray[np.uint16]
    sequence: NDArray[np.uint16]
    serial: NDArray[np.uint64]
    proof: NDArray[np.uint64]


def strip_ipv4_headers(
    packets: NDArray[np.uint8], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the ICMP part of IPv4 packets and its lengths; too short a header: length -1.

    Rows must end in zero bytes, at least as many as IPv4 options can take.
    """
    header = (packets[:, 0] & 0x0F).astype(np.int64) * 4
    if not (header == IPV4_HEADER_BYTES).all():
        width = packets.shape[1] - IPV4_HEADER_BYTES_LONGEST
        sane = np.where(header < IPV4_HEADER_BYTES, IPV4_HEADER_BYTES, header)
        moved = np.take_along_axis(packets, sane[:, np.newaxis] + np.arange(width), axis=1)
        return moved, np.where(header < IPV4_HEADER_BYTES, -1, lengths - header)
    return packets[:, IPV4_HEADER_BYTES:], lengths - IPV4_HEADER_BYTES


def read_messages(
    packets: NDArray[np.uint8], lengths: NDArray[np.int64], message_type: int
) -> Messages:
    """Read the fields of ICMP messages. The checksum is not looked at.

    Rows must be zero beyond their length.
    """
    head = np.ascontiguousarray(packets[:, :MINIMUM_PACKET_BYTES]).view(_HEAD)[:, 0]
    return Messages(
        (lengths >= MINIMUM_PACKET_BYTES) & (head["type_and_code"] == message_type),
        head["checksum"],
        head["identifier"],
        head["sequence"],
        head["serial"].astype(np.uint64),
        head["proof"].astype(np.uint64),
    )


def sums_to_zero(packets: NDArray[np.uint8], longest_bytes: int | None = None) -> NDArray[np.bool_]:
    """Tell which ICMPv4 messages carry a right checksum. Rows must be zero beyond their length.

    Nothing beyond the longest of them need be looked at.
    """
    sums = word_sum(packets[:, :longest_bytes])
    return np.asarray((sums % _ONES_COMPLEMENT == 0) & (sums != 0), np.bool_)
