"""The subset of BER that SNMP uses (RFC 3417 section 8), strict in what it reads.

Definite lengths only, of any length form, since agents write `82 00 10`. Nothing is recursive, so
that nesting costs nothing. Functions that read take `data` and positions in it, and let
IndexError out where the data ends early: `message` turns it into `MalformedError`, once a message.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from netmon.probes.snmp.values import Missing, Oid, Tag, Value, VarBind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SEQUENCE: Final = 0x30
INTEGER_TAG: Final = 0x02
OCTETS_TAG: Final = 0x04
_OID_TAG: Final = 0x06
"""Plain numbers beside `Tag`, for the hot path: a member of an enum takes longer to look up."""
_LONG_FORM: Final = 0x80
_OID_ARCS_LIMIT: Final = 128
"""RFC 2578 section 3.5."""
_ARC_LIMIT: Final = 0xFFFFFFFF
_ARCS_PER_ROOT: Final = 40
_JOINT_ROOT: Final = 2
"""The first two arcs share a number (X.690 8.19.4); only below 2 may the second pass 39."""
_LENGTH_OCTETS: Final = 4
_OCTETS_32_BITS: Final = 4
_HALF_32_BITS: Final = 1 << 31
_OCTETS_64_BITS: Final = 8
_ADDRESS_OCTETS: Final = 4
_OID_CACHE_LIMIT: Final = 20_000
"""Some 6 MB: the columns of a country's routers repeat from poll to poll."""


class MalformedError(Exception):
    """Bytes that are not the SNMP message they should be."""


# --- Writing -------------------------------------------------------------------------------------


def encode(tag: int, content: bytes) -> bytes:
    """Return tag, length and content, the length in its shortest form."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(length))) + length + content


def encode_integer(value: int, tag: int = INTEGER_TAG) -> bytes:
    """Return an integer in the fewest octets of two's complement."""
    size = (value.bit_length() if value >= 0 else (value + 1).bit_length()) // 8 + 1
    return bytes((tag, size)) + value.to_bytes(size, "big", signed=True)


def encode_oid(oid: Oid) -> bytes:
    """Return an OBJECT IDENTIFIER, tag and length included.

    Raises:
        ValueError: no such OID can be written.
    """
    root, second = oid[:2] if len(oid) > 1 else (_JOINT_ROOT + 1, 0)
    is_writable = (root < _JOINT_ROOT and second < _ARCS_PER_ROOT) or root == _JOINT_ROOT
    if not is_writable or len(oid) > _OID_ARCS_LIMIT:
        message = f"{oid} is not an OID that SNMP can carry"
        raise ValueError(message)
    return encode(Tag.OBJECT_IDENTIFIER, _arcs((root * _ARCS_PER_ROOT + second, *oid[2:])))


def encode_value(tag: int, value: Value) -> bytes:
    """Return the value of a variable as its syntax writes it."""
    if isinstance(value, Missing):
        return bytes((_TAG_OF_MISSING[value], 0))
    if isinstance(value, int):
        return encode_integer(value, tag)
    if isinstance(value, bytes):
        return encode(tag, value)
    if isinstance(value, IPv4Address):
        return encode(tag, value.packed)
    return encode_oid(value)


def encode_varbinds(varbinds: Iterable[VarBind]) -> bytes:
    """Return a variable-bindings list."""
    return encode(
        SEQUENCE,
        b"".join(
            encode(SEQUENCE, encode_oid(oid) + encode_value(tag, value))
            for oid, tag, value in varbinds
        ),
    )


def _arcs(arcs: tuple[int, ...]) -> bytes:
    if max(arcs) < _LONG_FORM:
        return bytes(arcs)
    content = bytearray()
    for arc in arcs:
        if not 0 <= arc <= _ARC_LIMIT + 80:
            message = f"{arc} is too large for an arc of an OID"
            raise ValueError(message)
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(_LONG_FORM | (arc & 0x7F))
        content += bytes(reversed(septets))
    return bytes(content)


# --- Reading -------------------------------------------------------------------------------------


def content_span(data: bytes, position: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `position` begins and ends.

    Raises:
        MalformedError: another tag stands there, or the content would pass the end of the data.
    """
    if data[position] != tag:
        raise MalformedError(f"tag {data[position]:#04x} where {tag:#04x} must be")
    length = data[position + 1]
    start = position + 2
    if length >= _LONG_FORM:
        length, start = _long_length(data, position + 1)
    end = start + length
    if end > len(data):
        raise MalformedError(f"an element of {length} octets passes the end of the message")
    return start, end


def decode_integer(data: bytes, position: int) -> tuple[int, int]:
    """Return the INTEGER at `position` and where it ends."""
    size = data[position + 1]
    end = position + 2 + size
    if data[position] == INTEGER_TAG and 1 <= size <= _OCTETS_32_BITS and end <= len(data):
        return int.from_bytes(data[position + 2 : end], "big", signed=True), end
    start, end = content_span(data, position, INTEGER_TAG)
    return _signed(data, start, end), end


class OidReader:
    """Reads OIDs, and remembers the ones it has read: agents repeat themselves every poll."""

    def __init__(self) -> None:
        self._known: dict[bytes, Oid] = {}
        self._readers = dict(_READERS)

    def varbinds(self, data: bytes, position: int) -> tuple[list[VarBind], int]:
        """Return the variable-bindings list at `position`, and where it ends.

        The hot path of polling: short lengths are read in place.

        Raises:
            MalformedError: the list is not one of names and values.
        """
        position, end = content_span(data, position, SEQUENCE)
        known, readers, new = self._known, self._readers, tuple.__new__
        varbinds = []
        while position < end:
            # Nearly every variable has short lengths: name and value stand where these say. Where
            # the sum is not that of the whole, the long way finds out what is the matter.
            bind_end = position + 2 + data[position + 1]
            name_start = position + 4
            value = name_start + data[position + 3]
            short = data[position] == SEQUENCE and data[position + 2] == _OID_TAG
            if short and value + 2 + data[value + 1] == bind_end <= end:
                name, tag, start = data[name_start:value], data[value], value + 2
            else:
                name, tag, start, bind_end = _long_varbind(data, position, end)
            read = readers.get(tag)
            if read is None:
                raise MalformedError(f"a value of the unknown syntax {tag:#04x}")
            oid = known.get(name) or self._learn(name)
            # The same as VarBind(…), at half the price.
            varbinds.append(new(VarBind, (oid, tag, read(data, start, bind_end))))
            position = bind_end
        return varbinds, end

    def _learn(self, name: bytes) -> Oid:
        if len(self._known) >= _OID_CACHE_LIMIT:
            self._known.clear()
        oid = decode_oid(name)
        self._known[name] = oid
        return oid


def decode_oid(content: bytes) -> Oid:
    """Return the OID whose content octets these are.

    Raises:
        MalformedError: a cut or padded arc, an arc over 32 bits, or more than 128 arcs.
    """
    if not content:
        raise MalformedError("an OID of no octets")
    if len(content) > _OID_ARCS_LIMIT * 5:
        raise MalformedError(f"an OID of {len(content)} octets")
    arcs = tuple(content) if content.isascii() else tuple(_wide_arcs(content))
    root = min(arcs[0] // _ARCS_PER_ROOT, _JOINT_ROOT)
    oid = (root, arcs[0] - _ARCS_PER_ROOT * root, *arcs[1:])
    if len(oid) > _OID_ARCS_LIMIT:
        raise MalformedError(f"an OID of {len(oid)} arcs; SNMP allows {_OID_ARCS_LIMIT}")
    return oid


def _long_varbind(data: bytes, position: int, end: int) -> tuple[bytes, int, int, int]:
    """Return name, syntax, and where the value begins and ends, whatever the lengths' form."""
    position, bind_end = content_span(data, position, SEQUENCE)
    name_start, name_end = content_span(data, position, Tag.OBJECT_IDENTIFIER)
    tag = data[name_end]
    start, value_end = content_span(data, name_end, tag)
    if value_end != bind_end or bind_end > end:
        raise MalformedError("the lengths of a variable do not add up")
    return data[name_start:name_end], tag, start, bind_end


def _wide_arcs(content: bytes) -> Iterable[int]:
    arc = 0
    inside = False
    for octet in content:
        if octet == _LONG_FORM and not inside:
            raise MalformedError("an arc of an OID begins with padding")
        arc = arc << 7 | octet & 0x7F
        inside = octet >= _LONG_FORM
        if arc > _ARC_LIMIT:
            raise MalformedError("an arc of an OID is over 32 bits")
        if not inside:
            yield arc
            arc = 0
    if inside:
        raise MalformedError("the last arc of an OID is cut")


def _long_length(data: bytes, position: int) -> tuple[int, int]:
    size = data[position] & 0x7F
    if size == 0:
        raise MalformedError("an indefinite length")
    if size > _LENGTH_OCTETS:
        raise MalformedError(f"a length of {size} octets")
    start = position + 1 + size
    if start > len(data):
        raise MalformedError("the message ends within a length")
    return int.from_bytes(data[position + 1 : start], "big"), start


def _signed(data: bytes, start: int, end: int) -> int:
    """Read an INTEGER; also from agents that pad it, or mean 32 bits without a sign."""
    size = end - start
    value = int.from_bytes(data[start:end], "big", signed=True)
    if 1 <= size <= _OCTETS_32_BITS:
        return value
    if not size or size > _OCTETS_64_BITS or not -_HALF_32_BITS <= value < 2 * _HALF_32_BITS:
        raise MalformedError(f"an INTEGER of {size} octets")
    return value


def _unsigned32(data: bytes, start: int, end: int) -> int:
    """Read Counter32 and its like; also from agents that leave out the leading zero octet."""
    size = end - start
    if not 1 <= size <= _OCTETS_32_BITS and (size != _OCTETS_32_BITS + 1 or data[start]):
        raise MalformedError(f"a 32-bit number of {size} octets")
    return int.from_bytes(data[start:end], "big")


def _unsigned64(data: bytes, start: int, end: int) -> int:
    size = end - start
    if not 1 <= size <= _OCTETS_64_BITS and (size != _OCTETS_64_BITS + 1 or data[start]):
        raise MalformedError(f"a 64-bit number of {size} octets")
    return int.from_bytes(data[start:end], "big")


def _octets(data: bytes, start: int, end: int) -> bytes:
    return data[start:end]


def _oid_value(data: bytes, start: int, end: int) -> Oid:
    # Some agents write sysObjectID as nothing at all; net-snmp calls that 0.0 (zeroDotZero).
    return decode_oid(data[start:end]) if end > start else (0, 0)


def _address(data: bytes, start: int, end: int) -> IPv4Address:
    if end - start != _ADDRESS_OCTETS:
        raise MalformedError(f"an IpAddress of {end - start} octets")
    return IPv4Address(data[start:end])


def _missing(reason: Missing) -> Callable[[bytes, int, int], Missing]:
    def read(_data: bytes, start: int, end: int) -> Missing:
        if end != start:
            raise MalformedError(f"{reason} with a value")
        return reason

    return read


_TAG_OF_MISSING: Final[Mapping[Missing, Tag]] = MappingProxyType(
    {
        Missing.NULL: Tag.NULL,
        Missing.NO_SUCH_OBJECT: Tag.NO_SUCH_OBJECT,
        Missing.NO_SUCH_INSTANCE: Tag.NO_SUCH_INSTANCE,
        Missing.END_OF_MIB_VIEW: Tag.END_OF_MIB_VIEW,
    }
)
_READERS: Final[Mapping[int, Callable[[bytes, int, int], Value]]] = MappingProxyType(
    {
        int(Tag.INTEGER): _signed,
        int(Tag.OCTET_STRING): _octets,
        int(Tag.OBJECT_IDENTIFIER): _oid_value,
        int(Tag.IP_ADDRESS): _address,
        int(Tag.COUNTER32): _unsigned32,
        int(Tag.GAUGE32): _unsigned32,
        int(Tag.TIME_TICKS): _unsigned32,
        int(Tag.OPAQUE): _octets,
        int(Tag.COUNTER64): _unsigned64,
        **{int(tag): _missing(reason) for reason, tag in _TAG_OF_MISSING.items()},
    }
)
