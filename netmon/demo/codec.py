"""SNMP messages of the toy agents, by pysnmp. The only module of the demo that imports it.

pysnmp decodes requests and encodes every value; the pieces of an answer are joined here, because
what never changes (names, constant values) need not be encoded again for every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto import api, rfc1902, rfc1905

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Oid: TypeAlias = tuple[int, ...]

_V2C = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
_SEQUENCE, _RESPONSE = 0x30, 0xA2
_LONG_LENGTH = 0x80

END_OF_MIB_VIEW = encoder.encode(rfc1905.endOfMibView)
NO_SUCH_OBJECT = encoder.encode(rfc1905.noSuchObject)
NULL = encoder.encode(rfc1905.unSpecified)


class Syntax(StrEnum):
    """The types of values in SMIv2 (RFC 2578)."""

    INTEGER = "Integer32"
    OCTETS = "OctetString"
    OBJECT_ID = "ObjectIdentifier"
    ADDRESS = "IpAddress"
    COUNTER32 = "Counter32"
    COUNTER64 = "Counter64"
    GAUGE = "Gauge32"
    TICKS = "TimeTicks"


class Request(StrEnum):
    """What a manager may ask of a toy agent (RFC 3416)."""

    GET = "get"
    NEXT = "next"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Query:
    """A decoded request."""

    request: Request
    request_id: int
    community: bytes
    names: tuple[Oid, ...]
    non_repeaters: int = 0
    max_repetitions: int = 0


def decode_query(message: bytes) -> Query | None:
    """Decode a message of version 2c; None for anything that a read-only agent ignores."""
    try:
        decoded, _ = decoder.decode(message, asn1Spec=_V2C.Message())
        if int(_V2C.apiMessage.get_version(decoded)) != api.SNMP_VERSION_2C:
            return None
        pdu = _V2C.apiMessage.get_pdu(decoded)
        community = bytes(_V2C.apiMessage.get_community(decoded))
        names = tuple(tuple(name) for name, _ in _V2C.apiPDU.get_varbinds(pdu))
        return _query(pdu, community, names)
    except PyAsn1Error:
        return None


def encode_value(syntax: Syntax, value: int | bytes | Oid) -> bytes:
    """Encode one value with its type."""
    return bytes(encoder.encode(getattr(rfc1902, syntax.value)(value)))


@lru_cache(maxsize=65536)
def encode_name(name: Oid) -> bytes:
    """Encode an object's name."""
    return bytes(encoder.encode(rfc1902.ObjectName(name)))


def encode_binding(name: Oid, value: bytes) -> bytes:
    """Join a name and an encoded value to a variable binding."""
    return _wrap(_SEQUENCE, (encode_name(name), value))


def encode_response(
    query: Query, bindings: Sequence[bytes], error_status: int = 0, error_index: int = 0
) -> bytes:
    """Join variable bindings to the answer to a query."""
    pdu = _wrap(
        _RESPONSE,
        (
            encode_value(Syntax.INTEGER, query.request_id),
            encode_value(Syntax.INTEGER, error_status),
            encode_value(Syntax.INTEGER, error_index),
            _wrap(_SEQUENCE, bindings),
        ),
    )
    version = encode_value(Syntax.INTEGER, int(api.SNMP_VERSION_2C))
    return _wrap(_SEQUENCE, (version, encode_value(Syntax.OCTETS, query.community), pdu))


def _query(pdu: object, community: bytes, names: tuple[Oid, ...]) -> Query | None:
    if isinstance(pdu, rfc1905.GetBulkRequestPDU):
        return Query(
            request=Request.BULK,
            request_id=int(_V2C.apiBulkPDU.get_request_id(pdu)),
            community=community,
            names=names,
            non_repeaters=max(0, int(_V2C.apiBulkPDU.get_non_repeaters(pdu))),
            max_repetitions=max(0, int(_V2C.apiBulkPDU.get_max_repetitions(pdu))),
        )
    request_id = int(_V2C.apiPDU.get_request_id(pdu))
    if isinstance(pdu, rfc1905.GetRequestPDU):
        return Query(Request.GET, request_id, community, names)
    if isinstance(pdu, rfc1905.GetNextRequestPDU):
        return Query(Request.NEXT, request_id, community, names)
    return None


def _wrap(tag: int, parts: Iterable[bytes]) -> bytes:
    body = b"".join(parts)
    if len(body) < _LONG_LENGTH:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH | len(size))) + size + body
