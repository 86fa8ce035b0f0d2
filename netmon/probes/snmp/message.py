"""SNMP messages and PDUs: RFC 1157, RFC 3416 and RFC 3412, without the v1 trap.

Reading comes in two steps, so that a stranger's datagram costs little: the header, enough to find
the request that it may answer; then the variables. Every function that reads raises
`MalformedError` and nothing else, whatever the bytes are.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from netmon.probes.snmp.ber import (
    OCTETS_TAG,
    SEQUENCE,
    MalformedError,
    OidReader,
    content_span,
    decode_integer,
    encode,
    encode_integer,
)

if TYPE_CHECKING:
    from netmon.probes.snmp.values import VarBind

MAX_MESSAGE_OCTETS: Final = 65_507
"""What UDP over IPv4 can carry; told to SNMPv3 agents as what we accept."""
_USM: Final = 3
"""msgSecurityModel of RFC 3414."""
_CLOCK_LIMIT: Final = 0x7FFFFFFF
"""Of snmpEngineBoots and snmpEngineTime (RFC 3414 section 2.2)."""
_ERROR_NAMES: Final = (
    "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType",
    "wrongLength", "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue",
    "resourceUnavailable", "commitFailed", "undoFailed", "authorizationError", "notWritable",
    "inconsistentName",
)  # fmt: skip
"""By error status (RFC 3416 section 3)."""


class Version(IntEnum):
    """The version field of a message."""

    V1 = 0
    V2C = 1
    V3 = 3


class PduType(IntEnum):
    """The tags of PDUs."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP = 0xA7
    REPORT = 0xA8


class ErrorStatus(IntEnum):
    """The error statuses that are treated one by one (RFC 3416)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    GENERAL_ERROR = 5
    AUTHORIZATION_ERROR = 16


class Flag(IntEnum):
    """Bits of msgFlags (RFC 3412)."""

    AUTH = 1
    PRIV = 2
    REPORTABLE = 4


class Pdu(NamedTuple):
    """A PDU. In a GETBULK the two errors are non-repeaters and max-repetitions."""

    type: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: list[VarBind]


class CommunityMessage(NamedTuple):
    """The header of an SNMPv1 or v2c message. `position` is where the PDU begins.

    `message_id` is the PDU's request id: these versions have no other.
    """

    message_id: int
    version: int
    community: bytes
    data: bytes
    position: int


class UsmMessage(NamedTuple):
    """The header of an SNMPv3 message with USM security (RFC 3414 section 2.4)."""

    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    digest_position: int
    salt: bytes
    data: bytes
    position: int


class ScopedPdu(NamedTuple):
    """The inside of an SNMPv3 message. `octets` tells padding after it, which DES leaves."""

    context_engine_id: bytes
    context: bytes
    pdu: Pdu
    octets: int


def error_status_text(error_status: int) -> str:
    """Return an error status as RFC 3416 names it."""
    return _ERROR_NAMES[error_status]


# --- Writing -------------------------------------------------------------------------------------


def encode_pdu(pdu_type: int, request_id: int, first: int, second: int, varbinds: bytes) -> bytes:
    """Return a PDU; `first` and `second` are the error fields, or those of a GETBULK."""
    return encode(
        pdu_type,
        encode_integer(request_id) + encode_integer(first) + encode_integer(second) + varbinds,
    )


def encode_community_message(version: int, community: bytes, pdu: bytes) -> bytes:
    """Return an SNMPv1 or v2c message."""
    return encode(SEQUENCE, encode_integer(version) + encode(OCTETS_TAG, community) + pdu)


def encode_scoped_pdu(context_engine_id: bytes, context: bytes, pdu: bytes) -> bytes:
    """Return a PDU with the context that it is about."""
    return encode(
        SEQUENCE,
        encode(OCTETS_TAG, context_engine_id) + encode(OCTETS_TAG, context) + pdu,
    )


def encode_usm_message(header: UsmMessage, body: bytes) -> tuple[bytes, int]:
    """Return an SNMPv3 message, and where in it the digest stands.

    `body` is a scoped PDU, or the OCTET STRING of an encrypted one; `data` and the positions in
    `header` are not looked at.
    """
    after_digest = encode(OCTETS_TAG, header.salt)
    security = encode(
        SEQUENCE,
        encode(OCTETS_TAG, header.engine_id)
        + encode_integer(header.boots)
        + encode_integer(header.time)
        + encode(OCTETS_TAG, header.user)
        + encode(OCTETS_TAG, header.digest)
        + after_digest,
    )
    tail = encode(OCTETS_TAG, security) + body
    globals_ = encode(
        SEQUENCE,
        encode_integer(header.message_id)
        + _ENCODED_MAX_MESSAGE_OCTETS
        + encode(OCTETS_TAG, bytes((header.flags,)))
        + _ENCODED_USM,
    )
    message = encode(SEQUENCE, _ENCODED_V3 + globals_ + tail)
    position = len(message) - len(body) - len(after_digest) - len(header.digest)
    return message, position


# --- Reading -------------------------------------------------------------------------------------


def read_header(data: bytes) -> CommunityMessage | UsmMessage:
    """Return the header of a message of any version.

    Raises:
        MalformedError: it is none.
    """
    try:
        position, end = content_span(data, 0, SEQUENCE)
        if end != len(data):
            raise MalformedError(f"{len(data) - end} octets after the end of the message")
        version, position = decode_integer(data, position)
        if version == _V3:
            return _usm_header(data, position)
        if version not in _COMMUNITY_VERSIONS:
            raise MalformedError(f"a message of the unknown version {version}")
        start, position = content_span(data, position, OCTETS_TAG)
        inside, _ = content_span(data, position, data[position])
        request_id, _ = decode_integer(data, inside)
        return CommunityMessage(request_id, version, data[start:position], data, position)
    except IndexError:
        raise MalformedError("the message is cut") from None


def read_community(data: bytes) -> bytes | None:
    """Return the community of a message of version 1 or 2c, whatever PDU it holds; None: version 3.

    Raises:
        MalformedError: it is no message.
    """
    try:
        position, _ = content_span(data, 0, SEQUENCE)
        version, position = decode_integer(data, position)
        if version == _V3:
            return None
        start, end = content_span(data, position, OCTETS_TAG)
    except IndexError:
        raise MalformedError("the message is cut") from None
    return data[start:end]


def read_pdu(data: bytes, position: int, oids: OidReader, *, at_end: bool = True) -> Pdu:
    """Return the PDU at `position`, which must be the last thing in the data if `at_end`.

    Raises:
        MalformedError: it is none that this module knows.
    """
    try:
        pdu_type = data[position]
        if pdu_type not in _PDU_TYPES:
            raise MalformedError(f"a PDU of the unknown type {pdu_type:#04x}")
        position, end = content_span(data, position, pdu_type)
        request_id, position = decode_integer(data, position)
        first, position = decode_integer(data, position)
        second, position = decode_integer(data, position)
        varbinds, position = oids.varbinds(data, position)
    except IndexError:
        raise MalformedError("the message is cut") from None
    if position != end or (at_end and end != len(data)):
        raise MalformedError("something stands after the variables")
    if pdu_type == _RESPONSE and not 0 <= first < len(_ERROR_NAMES):
        raise MalformedError(f"an answer with the unknown error status {first}")
    return Pdu(pdu_type, request_id, first, second, varbinds)


def read_scoped_pdu(data: bytes, position: int, oids: OidReader) -> ScopedPdu:
    """Return the scoped PDU at `position`, whatever stands after it.

    Raises:
        MalformedError: it is none.
    """
    try:
        position, end = content_span(data, position, SEQUENCE)
        engine_start, engine_end = content_span(data, position, OCTETS_TAG)
        context_start, context_end = content_span(data, engine_end, OCTETS_TAG)
    except IndexError:
        raise MalformedError("the message is cut") from None
    pdu = read_pdu(data[context_end:end], 0, oids)
    return ScopedPdu(data[engine_start:engine_end], data[context_start:context_end], pdu, end)


def _usm_header(data: bytes, position: int) -> UsmMessage:
    position, end = content_span(data, position, SEQUENCE)
    message_id, position = decode_integer(data, position)
    _, position = decode_integer(data, position)
    flags_start, flags_end = content_span(data, position, OCTETS_TAG)
    model, position = decode_integer(data, flags_end)
    if position != end or flags_end == flags_start:
        raise MalformedError("the header of an SNMPv3 message does not add up")
    if model != _USM:
        raise MalformedError(f"the unknown security model {model}")
    return _with_security(message_id, data[flags_start], data, position)


def _with_security(message_id: int, flags: int, data: bytes, position: int) -> UsmMessage:
    start, outer_end = content_span(data, position, OCTETS_TAG)
    start, end = content_span(data, start, SEQUENCE)
    engine_start, engine_end = content_span(data, start, OCTETS_TAG)
    boots, position = decode_integer(data, engine_end)
    time, position = decode_integer(data, position)
    user_start, user_end = content_span(data, position, OCTETS_TAG)
    digest_start, digest_end = content_span(data, user_end, OCTETS_TAG)
    salt_start, salt_end = content_span(data, digest_end, OCTETS_TAG)
    if not salt_end == end == outer_end:
        raise MalformedError("the security parameters do not add up")
    if not (0 <= boots <= _CLOCK_LIMIT and 0 <= time <= _CLOCK_LIMIT):
        raise MalformedError(f"the engine's clock cannot be: {boots} boots, {time} s")
    if flags & _PRIV and not flags & _AUTH:
        raise MalformedError("privacy without authentication")
    engine_id, user = data[engine_start:engine_end], data[user_start:user_end]
    digest, salt = data[digest_start:digest_end], data[salt_start:salt_end]
    return UsmMessage(
        message_id, flags, engine_id, boots, time, user, digest, digest_start, salt, data, outer_end
    )


# Plain numbers and ready octets for the hot path.
_PDU_TYPES: Final = frozenset(map(int, PduType))
_RESPONSE: Final = int(PduType.RESPONSE)
_V3: Final = int(Version.V3)
_COMMUNITY_VERSIONS: Final = frozenset({int(Version.V1), int(Version.V2C)})
_AUTH: Final = int(Flag.AUTH)
_PRIV: Final = int(Flag.PRIV)
_ENCODED_V3: Final = encode_integer(_V3)
_ENCODED_MAX_MESSAGE_OCTETS: Final = encode_integer(MAX_MESSAGE_OCTETS)
_ENCODED_USM: Final = encode_integer(_USM)
