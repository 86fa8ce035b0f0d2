"""The codec agrees with pysnmp byte for byte and value for value, and refuses what is not SNMP."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type.univ import Null
from pysnmp.proto import api, rfc1902, rfc1905

from netmon.probes.snmp.ber import (
    MalformedError,
    OidReader,
    decode_integer,
    encode,
    encode_integer,
    encode_oid,
    encode_varbinds,
)
from netmon.probes.snmp.message import (
    CommunityMessage,
    Pdu,
    PduType,
    UsmMessage,
    Version,
    encode_community_message,
    encode_pdu,
    encode_scoped_pdu,
    encode_usm_message,
    read_header,
    read_pdu,
    read_scoped_pdu,
)
from netmon.probes.snmp.values import Missing, Oid, Tag, Value, VarBind

V2C = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
V1 = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
REFERENCE_PDUS: dict[PduType, Any] = {
    PduType.GET: rfc1905.GetRequestPDU,
    PduType.GET_NEXT: rfc1905.GetNextRequestPDU,
    PduType.RESPONSE: rfc1905.ResponsePDU,
    PduType.SET: rfc1905.SetRequestPDU,
    PduType.GET_BULK: rfc1905.GetBulkRequestPDU,
    PduType.INFORM: rfc1905.InformRequestPDU,
    PduType.TRAP: rfc1905.SNMPv2TrapPDU,
    PduType.REPORT: rfc1905.ReportPDU,
}
REFERENCE_VALUES: dict[Tag, Any] = {
    Tag.INTEGER: rfc1902.Integer32,
    Tag.OCTET_STRING: rfc1902.OctetString,
    Tag.OBJECT_IDENTIFIER: rfc1902.ObjectIdentifier,
    Tag.COUNTER32: rfc1902.Counter32,
    Tag.GAUGE32: rfc1902.Gauge32,
    Tag.TIME_TICKS: rfc1902.TimeTicks,
    Tag.OPAQUE: rfc1902.Opaque,
    Tag.COUNTER64: rfc1902.Counter64,
}
MISSING: dict[Tag, tuple[Missing, Any]] = {
    Tag.NULL: (Missing.NULL, rfc1905.unSpecified),
    Tag.NO_SUCH_OBJECT: (Missing.NO_SUCH_OBJECT, rfc1905.noSuchObject),
    Tag.NO_SUCH_INSTANCE: (Missing.NO_SUCH_INSTANCE, rfc1905.noSuchInstance),
    Tag.END_OF_MIB_VIEW: (Missing.END_OF_MIB_VIEW, rfc1905.endOfMibView),
}

integers32 = st.integers(-(2**31), 2**31 - 1)
unsigned32 = st.integers(0, 2**32 - 1)
oids = st.builds(
    lambda root, rest: (*root, *rest),
    st.one_of(
        st.tuples(st.integers(0, 1), st.integers(0, 39)),
        st.tuples(st.just(2), st.integers(0, 1000)),
    ),
    st.lists(unsigned32 | st.integers(0, 200), max_size=30),
)


def binds(tag: Tag, values: st.SearchStrategy[Any]) -> st.SearchStrategy[VarBind]:
    return st.builds(VarBind, oids, st.just(int(tag)), values)


varbinds = st.one_of(
    binds(Tag.INTEGER, integers32),
    binds(Tag.OCTET_STRING, st.binary(max_size=300)),
    binds(Tag.OBJECT_IDENTIFIER, oids),
    binds(Tag.IP_ADDRESS, st.ip_addresses(v=4)),
    binds(Tag.COUNTER32, unsigned32),
    binds(Tag.GAUGE32, unsigned32),
    binds(Tag.TIME_TICKS, unsigned32),
    binds(Tag.OPAQUE, st.binary(max_size=40)),
    binds(Tag.COUNTER64, st.integers(0, 2**64 - 1)),
    *(binds(tag, st.just(missing)) for tag, (missing, _) in MISSING.items()),
)
pdus = st.builds(
    Pdu,
    st.sampled_from([int(pdu_type) for pdu_type in PduType]),
    integers32,
    st.integers(0, 18),
    st.integers(0, 2**31 - 1),
    st.lists(varbinds, max_size=8),
)


def reference_value(tag: int, value: Value) -> Any:  # noqa: ANN401  # pyasn1 is not typed
    if isinstance(value, Missing):
        return MISSING[Tag(tag)][1]
    if isinstance(value, IPv4Address):
        return rfc1902.IpAddress(str(value))
    return REFERENCE_VALUES[Tag(tag)](value)


def reference_message(pdu: Pdu, community: bytes) -> bytes:
    reference = REFERENCE_PDUS[PduType(pdu.type)]()
    is_bulk = pdu.type == PduType.GET_BULK
    access = V2C.apiBulkPDU if is_bulk else V2C.apiPDU
    access.set_defaults(reference)
    access.set_request_id(reference, pdu.request_id)
    reference.setComponentByPosition(1, pdu.error_status)
    reference.setComponentByPosition(2, pdu.error_index)
    access.set_varbinds(
        reference, [(oid, reference_value(tag, value)) for oid, tag, value in pdu.varbinds]
    )
    message = V2C.Message()
    V2C.apiMessage.set_defaults(message)
    V2C.apiMessage.set_community(message, community)
    V2C.apiMessage.set_pdu(message, reference)
    return bytes(encoder.encode(message))


def our_message(pdu: Pdu, community: bytes) -> bytes:
    kind, request_id, first, second, rows = pdu
    encoded = encode_pdu(kind, request_id, first, second, encode_varbinds(rows))
    return encode_community_message(Version.V2C, community, encoded)


def is_written_rightly_by_pyasn1(value: object) -> bool:
    """-128, -32768 … take an octet more than X.690 8.3.2 allows when pyasn1 writes them."""
    return value not in (-(2**7), -(2**15), -(2**23), -(2**31))


@settings(max_examples=80, deadline=None)
@given(pdus, st.binary(max_size=140))
def test_encodings_agree_with_pysnmp_byte_for_byte(pdu: Pdu, community: bytes) -> None:
    assume(is_written_rightly_by_pyasn1(pdu.request_id))
    assume(all(is_written_rightly_by_pyasn1(row.value) for row in pdu.varbinds))
    assert our_message(pdu, community) == reference_message(pdu, community)


@settings(max_examples=80, deadline=None)
@given(pdus, st.binary(max_size=40))
def test_what_pysnmp_writes_is_read_value_for_value(pdu: Pdu, community: bytes) -> None:
    header = read_header(reference_message(pdu, community))

    assert isinstance(header, CommunityMessage)
    assert (header.version, header.community) == (Version.V2C, community)
    assert header.message_id == pdu.request_id
    assert read_pdu(header.data, header.position, OidReader()) == pdu


@settings(max_examples=60, deadline=None)
@given(pdus)
def test_what_we_write_is_read_by_pysnmp_value_for_value(pdu: Pdu) -> None:
    message, rest = decoder.decode(our_message(pdu, b"public"), asn1Spec=V2C.Message())

    read = V2C.apiMessage.get_pdu(message)
    values = read.getComponentByPosition(3)
    assert not rest
    assert int(V2C.apiPDU.get_request_id(read)) == pdu.request_id
    for ours, theirs in zip(pdu.varbinds, values, strict=True):
        assert ours.oid == tuple(theirs.getComponentByPosition(0))
        value = theirs.getComponentByPosition(1).getComponent()
        while hasattr(value, "getComponent"):
            value = value.getComponent()
        assert encoder.encode(value) == encoder.encode(reference_value(ours.tag, ours.value))


def test_a_version_1_message_agrees_with_pysnmp() -> None:
    reference = V1.GetRequestPDU()
    V1.apiPDU.set_defaults(reference)
    V1.apiPDU.set_request_id(reference, 77)
    V1.apiPDU.set_varbinds(reference, [((1, 3, 6, 1, 2, 1, 1, 1, 0), Null(""))])
    message = V1.Message()
    V1.apiMessage.set_defaults(message)
    V1.apiMessage.set_community(message, b"public")
    V1.apiMessage.set_pdu(message, reference)

    names = encode_varbinds([VarBind((1, 3, 6, 1, 2, 1, 1, 1, 0), Tag.NULL, Missing.NULL)])
    ours = encode_community_message(Version.V1, b"public", encode_pdu(PduType.GET, 77, 0, 0, names))
    assert ours == bytes(encoder.encode(message))


@pytest.mark.parametrize("value", [-128, -129, 127, 128, -32768, -(2**31), 2**31 - 1, 0])
def test_integers_take_the_fewest_octets(value: int) -> None:
    octets = encode_integer(value)
    size = octets[1]
    assert decode_integer(octets, 0) == (value, len(octets))
    assert size == 1 or not -(2 ** (8 * size - 9)) <= value < 2 ** (8 * size - 9)


@settings(max_examples=60, deadline=None)
@given(pdus, st.binary(max_size=32), st.binary(max_size=48), integers32, st.integers(0, 2**31 - 1))
def test_a_version_3_message_is_read_as_it_was_written(
    pdu: Pdu, engine_id: bytes, digest: bytes, message_id: int, time: int
) -> None:
    kind, request_id, first, second, rows = pdu
    inner = encode_pdu(kind, request_id, first, second, encode_varbinds(rows))
    body = encode_scoped_pdu(engine_id, b"context", inner)
    header = UsmMessage(message_id, 5, engine_id, 3, time, b"user", digest, 0, b"salt", b"", 0)

    message, position = encode_usm_message(header, body)
    read = read_header(message)

    assert isinstance(read, UsmMessage)
    assert position == read.digest_position
    assert read == header._replace(
        digest_position=position, data=message, position=len(message) - len(body)
    )
    scoped = read_scoped_pdu(message, read.position, OidReader())
    assert scoped.pdu == pdu
    assert (scoped.context_engine_id, scoped.context) == (engine_id, b"context")


def answer(value: bytes, name: bytes = b"\x06\x03\x2b\x06\x01") -> bytes:
    """Return a v2c answer of one variable whose value is the given element."""
    rows = encode(0x30, encode(0x30, name + value))
    return encode_community_message(
        Version.V2C, b"public", encode_pdu(PduType.RESPONSE, 1, 0, 0, rows)
    )


def read(data: bytes) -> list[VarBind]:
    header = read_header(data)
    assert isinstance(header, CommunityMessage)
    return read_pdu(header.data, header.position, OidReader()).varbinds


@pytest.mark.parametrize(
    ("element", "value"),
    [
        pytest.param(b"\x41\x04\xff\xff\xff\xff", 2**32 - 1, id="a Counter32 without its zero"),
        pytest.param(b"\x41\x05\x00\xff\xff\xff\xff", 2**32 - 1, id="a Counter32 with it"),
        pytest.param(b"\x46\x08" + b"\xff" * 8, 2**64 - 1, id="a Counter64 without its zero"),
        pytest.param(b"\x46\x09\x00" + b"\xff" * 8, 2**64 - 1, id="a Counter64 with it"),
        pytest.param(b"\x02\x02\x00\x05", 5, id="a padded INTEGER"),
        pytest.param(b"\x02\x05\xff\x80\x00\x00\x00", -(2**31), id="an INTEGER of pyasn1"),
        pytest.param(b"\x02\x05\x00\xff\xff\xff\xff", 2**32 - 1, id="an unsigned INTEGER"),
        pytest.param(b"\x02\x01\xff", -1, id="a negative INTEGER"),
        pytest.param(b"\x04\x82\x00\x02ab", b"ab", id="a length in its long form"),
        pytest.param(b"\x06\x00", (0, 0), id="an OID of nothing"),
        pytest.param(b"\x06\x02\x88\x37", (2, 999), id="an OID below joint-iso"),
    ],
)
def test_values_of_lenient_agents_are_understood(element: bytes, value: object) -> None:
    assert [row.value for row in read(answer(element))] == [value]


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(b"\x02\x00", id="an INTEGER of nothing"),
        pytest.param(b"\x02\x05\x01\x00\x00\x00\x00", id="an INTEGER of 33 bits"),
        pytest.param(b"\x02\x09" + b"\x01" * 9, id="an INTEGER of 9 octets"),
        pytest.param(b"\x41\x00", id="a Counter32 of nothing"),
        pytest.param(b"\x41\x05\x01\x00\x00\x00\x00", id="a Counter32 of 33 bits"),
        pytest.param(b"\x46\x09\x01" + b"\x00" * 8, id="a Counter64 of 65 bits"),
        pytest.param(b"\x46\x0c" + b"\x01" * 12, id="a Counter64 of 12 octets"),
        pytest.param(b"\x40\x03\x0a\x00\x00", id="an IpAddress of 3 octets"),
        pytest.param(b"\x40\x10" + b"\x00" * 16, id="an IpAddress of 16 octets"),
        pytest.param(b"\x05\x01\x00", id="a NULL with a value"),
        pytest.param(b"\x80\x01\x00", id="a noSuchObject with a value"),
        pytest.param(b"\x04\x80ab\x00\x00", id="an indefinite length"),
        pytest.param(b"\x04\x85\x00\x00\x00\x00\x01a", id="a length of 5 octets"),
        pytest.param(b"\x04\x7f", id="a value that passes its end"),
        pytest.param(b"\x0c\x01a", id="an unknown syntax"),
        pytest.param(b"\x06\x01\x80", id="a cut arc"),
        pytest.param(b"\x06\x02\x80\x01", id="a padded arc"),
        pytest.param(b"\x06\x06\x90\x80\x80\x80\x80\x00", id="an arc over 32 bits"),
        pytest.param(b"\x06\x81\x82" + b"\x01" * 130, id="an OID of 131 arcs"),
        pytest.param(b"\x06\x82\x0f\xa0" + b"\x81" * 4000, id="an OID of 4,000 octets"),
        pytest.param(b"\x05\x00\x05\x00", id="two values"),
        pytest.param(b"", id="no value"),
    ],
)
def test_values_that_are_none_are_refused(element: bytes) -> None:
    with pytest.raises(MalformedError):
        read(answer(element))


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(MalformedError, match="no octets"):
        read(answer(b"\x05\x00", name=b"\x06\x00"))


def nested(depth: int) -> bytes:
    """Return sequences within sequences."""
    data = b""
    for _ in range(depth):
        data = encode(0x30, data)
    return data


GOOD = answer(b"\x41\x01\x05")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cut"),
        (b"\x30", "cut"),
        (b"\x30\x84\xff", "within a length"),
        (GOOD + b"\x00", "after the end of the message"),
        (b"\x31" + GOOD[1:], "tag 0x31"),
        (encode(0x30, b"\x02\x01\x02"), "unknown version 2"),
        (b"\x30\x80" + GOOD[2:] + b"\x00\x00", "indefinite"),
        (GOOD.replace(b"\xa2", b"\xa4"), "unknown type"),
        (b"\x30" * 5000, "after the end"),
        (nested(2000), "where 0x02 must be"),
    ],
)
def test_messages_that_are_none_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read(data)


def test_an_error_status_that_no_rfc_knows_is_refused() -> None:
    pdu = encode_pdu(PduType.RESPONSE, 1, 99, 0, b"\x30\x00")
    with pytest.raises(MalformedError, match="error status 99"):
        read(encode_community_message(Version.V2C, b"public", pdu))


@settings(max_examples=150, deadline=None)
@given(st.data(), pdus)
def test_a_damaged_message_is_read_or_refused_and_nothing_else(
    data: st.DataObject, pdu: Pdu
) -> None:
    message = bytearray(our_message(pdu, b"public"))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(message) - 1))
        message[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(message)))
    for damaged in (bytes(message), bytes(message[:cut])):
        try:
            header = read_header(damaged)
            read_pdu(damaged, header.position, OidReader())
        except MalformedError:
            pass


@pytest.mark.parametrize("oid", [(), (1,), (3, 1), (1, 40), (1, 3, 2**33), (1, 3) + (1,) * 127])
def test_an_oid_that_snmp_cannot_carry_is_not_written(oid: Oid) -> None:
    with pytest.raises(ValueError, match=r"cannot|can carry|too large"):
        encode_oid(oid)


def test_the_memory_of_oids_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netmon.probes.snmp.ber._OID_CACHE_LIMIT", 10)
    reader = OidReader()
    for arc in range(100):
        rows = [VarBind((1, 3, arc), Tag.NULL, Missing.NULL)]
        assert reader.varbinds(encode_varbinds(rows), 0)[0] == rows
    assert len(reader._known) <= 10
