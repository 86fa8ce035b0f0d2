"""Keys and messages of SNMPv3 hold to the RFCs' vectors, and let nothing in that is not theirs."""

from __future__ import annotations

import hashlib

import pytest
from pysnmp.proto import rfc1902
from pysnmp.proto.secmod.rfc3414 import localkey

from netmon.config.settings import SnmpCredential
from netmon.model import SnmpStatus
from netmon.probes.snmp.ber import MalformedError, OidReader, encode_varbinds
from netmon.probes.snmp.engine import user_of
from netmon.probes.snmp.keys import (
    AUTH_PROTOCOLS,
    PRIV_PROTOCOLS,
    KeyRing,
    localize,
    password_to_key,
)
from netmon.probes.snmp.message import (
    PduType,
    UsmMessage,
    encode_pdu,
    encode_scoped_pdu,
    encode_usm_message,
    read_header,
)
from netmon.probes.snmp.privacy import AesCryptor, DesCryptor
from netmon.probes.snmp.security import ForgedError, ReportError
from netmon.probes.snmp.usm import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID, User, UserSecurity
from netmon.probes.snmp.values import Oid, SnmpError, SnmpSecrets, Tag, VarBind

ENGINE_ID = bytes.fromhex("000000000000000000000002")
PASSWORD = b"maplesyrup"


@pytest.mark.parametrize(
    ("name", "master", "localized"),
    [
        pytest.param(
            "MD5",
            "9faf3283884e92834ebc9847d8edd963",
            "526f5eed9fcce26f8964c2930787d82b",
            id="RFC 3414 A.3.1",
        ),
        pytest.param(
            "SHA",
            "9fb5cc0381497b3793528939ff788d5d79145211",
            "6695febc9288e36282235fc7151f128497b38f3f",
            id="RFC 3414 A.3.2",
        ),
    ],
)
def test_keys_from_a_password_are_those_of_the_rfc(name: str, master: str, localized: str) -> None:
    auth = AUTH_PROTOCOLS[name]
    key = password_to_key(auth, PASSWORD)
    assert key.hex() == master
    assert localize(auth, key, ENGINE_ID).hex() == localized


@pytest.mark.parametrize("name", AUTH_PROTOCOLS)
def test_keys_of_every_hash_are_those_of_pysnmp(name: str) -> None:
    """RFC 7860 has no vectors of keys: another implementation is the witness."""
    auth = AUTH_PROTOCOLS[name]
    constructor = getattr(hashlib, auth.hash)
    master = localkey.hash_passphrase(PASSWORD, constructor)
    theirs = localkey.localize_key(master, rfc1902.OctetString(ENGINE_ID), constructor)
    key = password_to_key(auth, PASSWORD)
    assert key == master.asOctets()
    assert localize(auth, key, ENGINE_ID) == theirs.asOctets()


def test_keys_too_short_for_the_cipher_are_lengthened_by_either_draft() -> None:
    ring, auth = KeyRing(), AUTH_PROTOCOLS["SHA"]
    first = localize(auth, password_to_key(auth, PASSWORD), ENGINE_ID)
    blumenthal = ring.privacy(auth, PRIV_PROTOCOLS["AES-256"], PASSWORD, ENGINE_ID)
    reeder = ring.privacy(auth, PRIV_PROTOCOLS["AES-256-C"], PASSWORD, ENGINE_ID)
    second = localize(auth, password_to_key(auth, first), ENGINE_ID)
    assert blumenthal == (first + hashlib.sha1(first, usedforsecurity=False).digest())[:32]
    assert reeder == (first + second)[:32]
    assert ring.privacy(auth, PRIV_PROTOCOLS["AES"], PASSWORD, ENGINE_ID) == first[:16]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 15, 16, 17, 400])
def test_what_was_encrypted_is_decrypted(size: int) -> None:
    plain = bytes(range(256)) * 2
    for key in (AesCryptor(bytes(16)), AesCryptor(bytes(32)), DesCryptor(bytes(range(16)))):
        hidden, salt = key.encrypt(plain[:size], 3, 77)
        again, other_salt = key.encrypt(plain[:size], 3, 77)
        assert salt != other_salt
        assert hidden != again or size < 2
        assert key.decrypt(hidden, salt, 3, 77)[:size] == plain[:size]


def test_salts_and_blocks_of_wrong_sizes_are_refused() -> None:
    with pytest.raises(MalformedError, match="salt of 7"):
        AesCryptor(bytes(16)).decrypt(b"12345678", bytes(7), 1, 1)
    with pytest.raises(MalformedError, match="9 octets"):
        DesCryptor(bytes(16)).decrypt(b"123456789", bytes(8), 1, 1)


class StandingClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_us = 5_000_000

    def monotonic_us(self) -> int:
        return self.now_us


USER = User(
    name=b"netmon",
    auth=AUTH_PROTOCOLS["SHA-256"],
    auth_password=b"authpassword",
    priv=PRIV_PROTOCOLS["AES"],
    priv_password=b"privpassword",
)
RESPONSE = encode_pdu(
    PduType.RESPONSE, 9, 0, 0, encode_varbinds([VarBind((1, 3, 6, 1), Tag.INTEGER, 7)])
)


def reported(engine_id: bytes, boots: int, time: int, kind: Oid = UNKNOWN_ENGINE_ID) -> ReportError:
    message = UsmMessage(1, 0, engine_id, boots, time, b"", b"", 0, b"", b"", 0)
    return ReportError(kind, message)


def discovered(clock: StandingClock, user: User = USER) -> UserSecurity:
    security = UserSecurity(user, KeyRing(), clock.monotonic_us)
    security.heed(reported(ENGINE_ID, 3, 1000))
    return security


def header(data: bytes) -> UsmMessage:
    message = read_header(data)
    assert isinstance(message, UsmMessage)
    return message


def test_a_discovery_request_names_nobody() -> None:
    security = UserSecurity(USER, KeyRing(), StandingClock().monotonic_us)
    message = header(security.seal(9, RESPONSE))
    assert (message.engine_id, message.user, message.digest, message.flags) == (b"", b"", b"", 4)


def test_an_answer_of_the_same_user_is_let_in() -> None:
    clock = StandingClock()
    sealed = discovered(clock).seal(9, RESPONSE)
    assert RESPONSE not in sealed
    assert discovered(clock).open(header(sealed), OidReader()).varbinds == [
        VarBind((1, 3, 6, 1), Tag.INTEGER, 7)
    ]


def test_any_octet_changed_on_the_way_keeps_an_answer_out() -> None:
    clock = StandingClock()
    sealed = discovered(clock).seal(9, RESPONSE)
    gate = discovered(clock)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 0x01
        with pytest.raises((MalformedError, ForgedError)):
            gate.open(header(bytes(damaged)), OidReader())


@pytest.mark.parametrize(
    ("answerer", "words"),
    [
        (User(b"other", b"", USER.auth, b"authpassword", USER.priv, b"privpassword"), "user"),
        (User(b"netmon", b"", USER.auth, b"wrongwrong", USER.priv, b"privpassword"), "digest"),
        (User(b"netmon", b"", USER.auth, b"authpassword"), "security level"),
        (User(b"netmon"), "security level"),
    ],
)
def test_answers_of_others_are_kept_out(answerer: User, words: str) -> None:
    clock = StandingClock()
    sealed = discovered(clock, answerer).seal(9, RESPONSE)
    with pytest.raises(ForgedError, match=words):
        discovered(clock).open(header(sealed), OidReader())


def test_an_answer_in_another_cipher_is_unreadable() -> None:
    clock = StandingClock()
    other = User(b"netmon", b"", USER.auth, b"authpassword", USER.priv, b"wrongwrong")
    sealed = discovered(clock, other).seal(9, RESPONSE)
    with pytest.raises(MalformedError):
        discovered(clock).open(header(sealed), OidReader())


@pytest.mark.parametrize(("octets", "is_read"), [(0, True), (7, True), (15, True), (16, False)])
def test_the_padding_of_one_block_is_overlooked(
    octets: int, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
) -> None:
    clock = StandingClock()
    with monkeypatch.context() as patch:
        patch.setattr(
            "netmon.probes.snmp.usm.encode_scoped_pdu",
            lambda *parts: encode_scoped_pdu(*parts) + bytes(octets),
        )
        sealed = header(discovered(clock).seal(9, RESPONSE))
    if is_read:
        assert discovered(clock).open(sealed, OidReader()).request_id == 9
        return
    with pytest.raises(MalformedError, match="stands after"):
        discovered(clock).open(sealed, OidReader())


def test_an_answer_more_than_150_seconds_old_is_kept_out() -> None:
    clock = StandingClock()
    gate = discovered(clock)
    sealed = header(discovered(clock).seal(9, RESPONSE))
    clock.now_us += 149_000_000
    assert gate.open(sealed, OidReader()).request_id == 9
    clock.now_us += 2_000_000
    with pytest.raises(ForgedError, match="past"):
        gate.open(sealed, OidReader())


def test_the_agents_clock_is_followed() -> None:
    clock = StandingClock()
    security = discovered(clock)
    clock.now_us += 60_500_000
    message = header(security.seal(9, RESPONSE))
    assert (message.boots, message.time) == (3, 1060)
    security.heed(reported(ENGINE_ID, 4, 12, NOT_IN_TIME_WINDOW))
    message = header(security.seal(9, RESPONSE))
    assert (message.boots, message.time) == (4, 12)
    assert security.boots == 4


def test_an_answer_to_another_request_is_kept_out() -> None:
    clock = StandingClock()
    sealed = discovered(clock).seal(10, RESPONSE)
    with pytest.raises(ForgedError, match="another request"):
        discovered(clock).open(header(sealed), OidReader())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "security level"),
        (3, "unknown user"),
        (4, "unknown engine id"),
        (5, "wrong digest"),
        (6, "decryption error"),
    ],
)
def test_each_report_is_told_in_its_own_words(number: int, words: str) -> None:
    kind = (1, 3, 6, 1, 6, 3, 15, 1, 1, number, 0)
    with pytest.raises(SnmpError, match=words) as caught:
        discovered(StandingClock()).heed(reported(ENGINE_ID, 3, 1000, kind))
    assert caught.value.status is SnmpStatus.AUTHENTICATION


def test_a_report_that_no_rfc_knows_is_told_by_its_number() -> None:
    with pytest.raises(SnmpError, match=r"1\.3\.9") as caught:
        discovered(StandingClock()).heed(reported(ENGINE_ID, 3, 1000, (1, 3, 9)))
    assert caught.value.status is SnmpStatus.MALFORMED


def test_an_engine_id_that_is_too_long_is_refused() -> None:
    security = UserSecurity(USER, KeyRing(), StandingClock().monotonic_us)
    with pytest.raises(SnmpError) as caught:
        security.heed(reported(bytes(33), 1, 1))
    assert caught.value.status is SnmpStatus.MALFORMED


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"boots": -1}, "cannot be"),
        ({"time": -1}, "cannot be"),
        ({"boots": 2**31}, "cannot be"),
        ({"flags": 2}, "privacy without authentication"),
        ({"flags": 6, "boots": -1}, "cannot be"),
    ],
)
def test_a_header_that_cannot_be_is_refused(changed: dict[str, int], words: str) -> None:
    good = UsmMessage(1, 3, ENGINE_ID, 1, 1, b"netmon", bytes(24), 0, bytes(8), b"", 0)
    octets, _ = encode_usm_message(good._replace(**changed), b"\x04\x00")  # type: ignore[arg-type]  # numbers only
    with pytest.raises(MalformedError, match=words):
        read_header(octets)


def test_secrets_show_in_no_repr() -> None:
    secrets = SnmpSecrets("S3cret-community", "S3cret-auth", "S3cret-priv")
    credential = SnmpCredential("3", user="netmon", auth_protocol="SHA", priv_protocol="AES")
    user = user_of(credential, secrets)
    ring = KeyRing()
    security = UserSecurity(user, ring, StandingClock().monotonic_us)
    security.heed(reported(ENGINE_ID, 1, 1))
    for shown in (secrets, user, ring, security):
        assert "S3cret" not in repr(shown) + str(shown)


@pytest.mark.parametrize(
    ("auth", "priv", "secrets", "status", "words"),
    [
        ("SHA-3", "", SnmpSecrets(), SnmpStatus.FAULT, "SHA-256"),
        ("SHA", "3DES", SnmpSecrets(), SnmpStatus.FAULT, "AES-256"),
        ("", "AES", SnmpSecrets(), SnmpStatus.FAULT, "auth_protocol"),
        ("SHA", "", SnmpSecrets(), SnmpStatus.NO_SECRET, "password"),
        ("SHA", "AES", SnmpSecrets(auth_password="x"), SnmpStatus.NO_SECRET, "password"),
    ],
)
def test_a_credential_that_does_not_say_enough_is_refused_in_words(
    auth: str, priv: str, secrets: SnmpSecrets, status: SnmpStatus, words: str
) -> None:
    credential = SnmpCredential("3", user="u", auth_protocol=auth, priv_protocol=priv)
    with pytest.raises(SnmpError, match=words) as caught:
        user_of(credential, secrets)
    assert caught.value.status is status
