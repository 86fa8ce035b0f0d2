"""Echo packets: built and read as RFC 792 and RFC 4443 say, and as icmplib does."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icmplib import ICMPv4Socket

from netmon.probes.icmp.packet import (
    ECHO_REPLY,
    IPV4_HEADER_BYTES_LONGEST,
    Cookie,
    RequestRows,
    packet_bytes,
    read_messages,
    strip_ipv4_headers,
    sums_to_zero,
    template,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

serials = st.integers(0, 2**48)
words = st.integers(0, 2**64 - 1)
identifiers = st.integers(0, 0xFFFF)


def build(family: int, identifier: int, size: int, serial: int, proof: int) -> bytes:
    rows = RequestRows(1, template(family, identifier, size))
    rows.fill(np.array([serial], np.uint64), np.array([proof], np.uint64))
    return bytes(rows.packets[0])


def test_an_ipv4_echo_request_is_the_one_worked_out_by_hand() -> None:
    # RFC 792: 0800 + 1234 + 0004 + 1 + 2 + ... + 8 = 1A5C, and its complement is E5A3.
    packet = build(4, 0x1234, 16, 0x0001_0002_0003_0004, 0x0005_0006_0007_0008)
    assert packet.hex(" ", 2) == "0800 e5a3 1234 0004 0001 0002 0003 0004 0005 0006 0007 0008"


def test_an_ipv6_echo_request_has_type_128_and_leaves_the_checksum_to_the_kernel() -> None:
    # RFC 4443 section 4.1; the checksum covers a pseudo-header that only the kernel knows.
    packet = build(6, 0xABCD, 18, 0x0001_0002_0003_FFFE, 1)
    assert packet[:2].hex() == "8000"
    assert packet[4:].hex(" ", 2) == "abcd fffe 0001 0002 0003 fffe 0000 0000 0000 0001 0001"


@given(identifiers, st.integers(0, 1500), serials, words)
@settings(max_examples=60, deadline=None)
def test_packets_are_byte_for_byte_those_of_icmplib(
    identifier: int, size: int, serial: int, proof: int
) -> None:
    packet = build(4, identifier, size, serial, proof)
    peer = ICMPv4Socket.__new__(ICMPv4Socket)
    peer._sock = None
    assert packet == peer._create_packet(identifier, serial & 0xFFFF, packet[8:])


@given(identifiers, st.integers(16, 200), serials, words, st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_replies_are_read_as_icmplib_reads_them(
    identifier: int, size: int, serial: int, proof: int, option_words: int
) -> None:
    reply = b"\0" + build(4, identifier, size, serial, proof)[1:]
    header = bytes([0x45 + option_words]) + bytes(19 + 4 * option_words)
    rows, lengths = row_of(header + reply)
    messages_rows, messages_lengths = strip_ipv4_headers(rows, lengths)
    messages = read_messages(messages_rows, messages_lengths, ECHO_REPLY[4])
    peer = ICMPv4Socket.__new__(ICMPv4Socket)
    peer._sock, peer._privileged = None, True
    theirs = peer._parse_reply(header[:1] + bytes(19) + reply, "192.0.2.1", 0.0)
    assert messages.sound[0]
    assert (messages.identifier[0], messages.sequence[0]) == (theirs.id, theirs.sequence)
    assert (messages.serial[0], messages.proof[0]) == (serial, proof)
    assert messages_lengths[0] == theirs.bytes_received


@given(st.lists(words, min_size=1, max_size=20, unique=True), st.integers(0, 2999), st.binary())
@settings(max_examples=60, deadline=None)
def test_a_checksum_is_right_and_one_changed_byte_makes_it_wrong(
    numbers: list[int], place: int, payload: bytes
) -> None:
    rows = RequestRows(len(numbers), template(4, 7, len(payload)))
    values = np.array(numbers, np.uint64)
    rows.fill(values, values[::-1])
    assert sums_to_zero(rows.packets).all()
    assert (rows.checksums(values, values[::-1]) == rows._checksum).all()
    rows.packets[0, place % rows.packets.shape[1]] ^= 0x10
    assert not sums_to_zero(rows.packets)[0]


def row_of(packet: bytes, width: int = 400) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    rows = np.zeros((1, width + IPV4_HEADER_BYTES_LONGEST), np.uint8)
    rows[0, : len(packet)] = np.frombuffer(packet, np.uint8)
    return rows, np.array([len(packet)])


def is_sound(packet: bytes) -> bool:
    """Say the same in scalar words: an IPv4 packet that holds an echo reply with our fields."""
    if not packet or (header := 4 * (packet[0] & 15)) < 20 or len(packet) < header + 24:
        return False
    message = packet[header:]
    if message[:2] != b"\0\0":
        return False
    total: int = sum(
        struct.unpack(f"!{(len(message) + 1) // 2}H", message + bytes(len(message) % 2))
    )
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """Noise, and good replies cut short, grown or bent."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=300))
    reply = b"\0" + build(4, 9, draw(st.integers(0, 99)), draw(serials), 5)[1:]
    fixed = bytearray(reply)
    fixed[2:4] = b"\0\0"
    total = sum(struct.unpack(f"!{(len(fixed) + 1) // 2}H", bytes(fixed) + bytes(len(fixed) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    fixed[2:4] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
    packet = bytearray(bytes([0x40 + draw(st.sampled_from([0, 4, 5, 5, 5, 6, 15]))]) + bytes(19))
    packet += fixed
    if draw(st.booleans()):
        packet[draw(st.integers(0, len(packet) - 1))] ^= 1 << draw(st.integers(0, 7))
    length = draw(st.integers(0, len(packet))) if draw(st.booleans()) else len(packet)
    return bytes(packet[:length])


@given(st.lists(hostile(), min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_hostile_packets_are_told_from_sound_ones(packets: list[bytes]) -> None:
    rows = np.concatenate([row_of(packet)[0] for packet in packets])
    lengths = np.array([len(packet) for packet in packets])
    messages_rows, messages_lengths = strip_ipv4_headers(rows, lengths)
    messages = read_messages(messages_rows, messages_lengths, ECHO_REPLY[4])
    sound = messages.sound & sums_to_zero(messages_rows)
    assert sound.tolist() == [is_sound(packet) for packet in packets]


@given(st.lists(serials, min_size=2, unique=True), st.binary(min_size=24, max_size=24))
@settings(max_examples=50)
def test_no_two_serials_have_one_proof(numbers: list[int], secret: bytes) -> None:
    proofs = Cookie(secret).proof(np.array(numbers, np.uint64))
    assert len(set(proofs.tolist())) == len(numbers)


def test_another_process_cannot_tell_our_proofs() -> None:
    values = np.arange(1000, dtype=np.uint64)
    ours, theirs = Cookie(bytes(range(24))).proof(values), Cookie(bytes(24)).proof(values)
    assert not np.isin(ours, theirs).any()


@pytest.mark.parametrize(("asked", "sent"), [(0, 24), (15, 24), (16, 24), (17, 25), (56, 64)])
def test_a_packet_never_lacks_room_for_the_cookie(asked: int, sent: int) -> None:
    assert packet_bytes(asked) == sent == len(template(4, 1, asked))
