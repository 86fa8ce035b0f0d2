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
WORD_BITS = 16

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}

_FACTOR_1 = np.uint64(0xBF58476D1CE4E5B9)
_FACTOR_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)


class Cookie:
    """Proves that a reply answers an echo request of this process."""

    def __init__(self, secret: bytes) -> None:
        self._keys = np.frombuffer(secret, np.uint64, 2)

    def proof(self, serials: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the proof of each serial: two keyed rounds of the splitmix64 finaliser."""
        mixed = serials
        for key in self._keys:
            mixed = mixed ^ key
            mixed = (mixed ^ (mixed >> _SHIFT_30)) * _FACTOR_1
            mixed = (mixed ^ (mixed >> _SHIFT_27)) * _FACTOR_2
            mixed = mixed ^ (mixed >> _SHIFT_31)
        return mixed


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


def word_sum(packets: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the sum of the big-endian 16-bit words of each row, not folded."""
    length = packets.shape[-1]
    even = length & ~1
    words = np.ascontiguousarray(packets[..., :even]).view(">u2")
    total = words.sum(axis=-1, dtype=np.uint32)
    if length > even:
        total = total + (packets[..., even].astype(np.uint32) << 8)
    return np.asarray(total, np.uint32)


def checksum(sums: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Fold sums of words into Internet checksums (RFC 1071)."""
    folded = (sums & 0xFFFF) + (sums >> WORD_BITS)
    folded = (folded & 0xFFFF) + (folded >> WORD_BITS)
    return np.asarray(~folded & 0xFFFF, np.uint32)


class RequestRows:
    """Rows of echo requests in one buffer; the changing fields are written for many at once."""

    def __init__(self, rows: int, pattern: NDArray[np.uint8]) -> None:
        self.packets = np.tile(pattern, (rows, 1))
        self._constant = word_sum(pattern[np.newaxis])[0]
        self._checksum = self.packets[:, 2:4].view(">u2")[:, 0]
        self._sequence = self.packets[:, 6:8].view(">u2")[:, 0]
        self._serial = self.packets[:, 8:16].view(">u8")[:, 0]
        self._proof = self.packets[:, 16:24].view(">u8")[:, 0]

    def fill(self, serials: NDArray[np.uint64], proofs: NDArray[np.uint64]) -> None:
        """Write the first rows. The kernel replaces the checksum where it computes it itself."""
        count = len(serials)
        self._sequence[:count] = serials & np.uint64(0xFFFF)
        self._serial[:count] = serials
        self._proof[:count] = proofs
        self._checksum[:count] = 0
        varying = word_sum(self.packets[:count, 6:MINIMUM_PACKET_BYTES])
        self._checksum[:count] = checksum(varying + self._constant)

    def checksums(
        self, serials: NDArray[np.uint64], proofs: NDArray[np.uint64]
    ) -> NDArray[np.uint32]:
        """Return the ICMPv4 checksums that such requests were sent with."""
        fields = np.empty((len(serials), 18), np.uint8)
        fields[:, :2].view(">u2")[:, 0] = serials & np.uint64(0xFFFF)
        fields[:, 2:10].view(">u8")[:, 0] = serials
        fields[:, 10:].view(">u8")[:, 0] = proofs
        return checksum(word_sum(fields) + self._constant)


@dataclass(frozen=True, slots=True)
class Messages:
    """ICMP messages of one batch, one element per packet; fields of bad ones mean nothing."""

    sound: NDArray[np.bool_]
    """Long enough, of the wanted type and with a right checksum."""
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
    sound = (
        (lengths >= MINIMUM_PACKET_BYTES) & (packets[:, 0] == message_type) & (packets[:, 1] == 0)
    )
    head = np.ascontiguousarray(packets[:, 4:MINIMUM_PACKET_BYTES])
    return Messages(
        sound,
        head[:, :2].view(">u2")[:, 0].astype(np.uint16),
        head[:, 2:4].view(">u2")[:, 0].astype(np.uint16),
        head[:, 4:12].view(">u8")[:, 0].astype(np.uint64),
        head[:, 12:].view(">u8")[:, 0].astype(np.uint64),
    )


def sums_to_zero(packets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which ICMPv4 messages carry a right checksum. Rows must be zero beyond their length."""
    return np.asarray(checksum(word_sum(packets)) == 0, np.bool_)
