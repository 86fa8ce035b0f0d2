"""Socket filters (classic BPF): the kernel hands us replies to our own echoes only."""

from __future__ import annotations

import struct

from netmon.probes.icmp.packet import ECHO_REPLY, HEADER_BYTES, IPV4

_LOAD_BYTE = 0x30  # ld  A <- packet[k]
_LOAD_BYTE_AT_X = 0x50  # ld  A <- packet[X + k]
_LOAD_HALF = 0x28  # ldh A <- packet[k : k+2]
_LOAD_HALF_AT_X = 0x48  # ldh A <- packet[X + k : X + k + 2]
_LOAD_HEADER_LENGTH = 0xB1  # ldxb X <- 4 * (packet[k] & 0xf)
_JUMP_EQUAL = 0x15
_RETURN = 0x06
_WHOLE_PACKET = 0x40000
_ERRORS = {4: (3, 11), 6: (1, 3)}
_IP_HEADER_BYTES = {4: 20, 6: 40}


def echo_reply_filter(family: int, identifier: int) -> bytes:
    """Return a program that passes echo replies with our ICMP ID.

    A raw IPv4 socket shows packets from the IP header on, a raw IPv6 socket from the ICMPv6
    header on (RFC 3542 section 3). A packet too short for a load is dropped.
    """
    tail = [
        (_JUMP_EQUAL, 0, 1, identifier),
        (_RETURN, 0, 0, _WHOLE_PACKET),
        (_RETURN, 0, 0, 0),
    ]
    kind = (_JUMP_EQUAL, 0, 3, ECHO_REPLY[family])
    if family == IPV4:
        program = [
            (_LOAD_HEADER_LENGTH, 0, 0, 0),
            (_LOAD_BYTE_AT_X, 0, 0, 0),
            kind,
            (_LOAD_HALF_AT_X, 0, 0, 4),
            *tail,
        ]
    else:
        program = [(_LOAD_BYTE, 0, 0, 0), kind, (_LOAD_HALF, 0, 0, 4), *tail]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def path_filter(family: int, identifier: int) -> bytes:
    """Return a program that also passes ICMP errors which quote an echo request with our ICMP ID.

    Quoted headers are taken to carry no options, as ours do not.
    """
    load_byte, load_half = (
        (_LOAD_BYTE_AT_X, _LOAD_HALF_AT_X) if family == IPV4 else (_LOAD_BYTE, _LOAD_HALF)
    )
    unreachable, time_exceeded = _ERRORS[family]
    quoted_identifier = HEADER_BYTES + _IP_HEADER_BYTES[family] + 4
    program = [
        (_LOAD_HEADER_LENGTH, 0, 0, 0),
        (load_byte, 0, 0, 0),
        (_JUMP_EQUAL, 0, 2, ECHO_REPLY[family]),
        (load_half, 0, 0, 4),
        (_JUMP_EQUAL, 4, 5, identifier),
        (_JUMP_EQUAL, 1, 0, unreachable),
        (_JUMP_EQUAL, 0, 3, time_exceeded),
        (load_half, 0, 0, quoted_identifier),
        (_JUMP_EQUAL, 0, 1, identifier),
        (_RETURN, 0, 0, _WHOLE_PACKET),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
