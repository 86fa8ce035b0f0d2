"""SNMPv3's user-based security model, as the one who asks (RFC 3414)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from netmon.clock import MICROSECONDS
from netmon.model import SnmpStatus
from netmon.probes.snmp.ber import OCTETS_TAG, MalformedError, OidReader, content_span, encode
from netmon.probes.snmp.keys import AuthProtocol, KeyRing, PrivProtocol, localize
from netmon.probes.snmp.message import (
    CommunityMessage,
    Flag,
    Pdu,
    PduType,
    UsmMessage,
    encode_scoped_pdu,
    encode_usm_message,
    read_scoped_pdu,
)
from netmon.probes.snmp.privacy import Cryptor, cryptor
from netmon.probes.snmp.security import ForgedError, ReportError, checked_response
from netmon.probes.snmp.values import Oid, SnmpError, oid_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_USM_STATS: Final = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_MPD_STATS: Final = (1, 3, 6, 1, 6, 3, 11, 2, 1)
_TARGET_STATS: Final = (1, 3, 6, 1, 6, 3, 12, 1)
NOT_IN_TIME_WINDOW: Final = (*_USM_STATS, 2, 0)
UNKNOWN_ENGINE_ID: Final = (*_USM_STATS, 4, 0)
_REPORTS: Final[Mapping[Oid, str]] = MappingProxyType(
    {
        (*_USM_STATS, 1, 0): "unsupported security level: the user may not ask with this "
        "authentication and privacy; compare auth_protocol and priv_protocol",
        NOT_IN_TIME_WINDOW: "not in time window, though its own clock was followed: "
        "its engine boots may be exhausted, or a copy of it answers",
        (*_USM_STATS, 3, 0): "unknown user: create the user on the router, or correct its name",
        UNKNOWN_ENGINE_ID: "unknown engine id, though its own was used",
        (*_USM_STATS, 5, 0): "wrong digest: the authentication password or protocol differs",
        (*_USM_STATS, 6, 0): "decryption error: the privacy password or protocol differs",
        (*_MPD_STATS, 1, 0): "unknown security model: it does not support SNMPv3 users",
        (*_MPD_STATS, 2, 0): "invalid message",
        (*_MPD_STATS, 3, 0): "it cannot treat this kind of request",
        (*_TARGET_STATS, 4, 0): "the context is not available",
        (*_TARGET_STATS, 5, 0): "unknown context: correct the credential's context",
    }
)
_WINDOW_SECONDS: Final = 150
"""RFC 3414 section 2.2.3."""
_PADDING_OCTETS: Final = 15
"""DES fills its last block; some fill one of AES too, which needs none (RFC 3826, gufo-snmp)."""
_AUTH: Final = int(Flag.AUTH)
_PRIV: Final = int(Flag.PRIV)
_REPORTABLE: Final = int(Flag.REPORTABLE)
_REPORT: Final = int(PduType.REPORT)
_ENGINE_ID_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and how it is proved. The passwords never show in a repr."""

    name: bytes
    context: bytes = b""
    auth: AuthProtocol | None = None
    auth_password: bytes = field(default=b"", repr=False)
    priv: PrivProtocol | None = None
    priv_password: bytes = field(default=b"", repr=False)

    @property
    def flags(self) -> int:
        """The security level, as bits of msgFlags."""
        return (_AUTH if self.auth else 0) | (_PRIV if self.priv else 0)


class UserSecurity:
    """One user at one agent, whose engine is discovered and whose clock is followed."""

    __slots__ = (
        "_auth_key",
        "_cryptor",
        "_engine_time",
        "_heard_us",
        "_keys",
        "_monotonic_us",
        "_user",
        "boots",
        "engine_id",
    )

    def __init__(self, user: User, keys: KeyRing, monotonic_us: Callable[[], int]) -> None:
        self._user = user
        self._keys = keys
        self._monotonic_us = monotonic_us
        self._auth_key = b""
        self._cryptor: Cryptor | None = None
        self._engine_time = 0
        self._heard_us = 0
        self.engine_id = b""
        self.boots = 0

    @property
    def is_discovered(self) -> bool:
        """Whether the agent's engine is known; until then `seal` makes discovery requests."""
        return bool(self.engine_id)

    @property
    def silence(self) -> str:
        """See `security.Security`."""
        if not self.engine_id:
            return "an access list on the router, no agent, or one without SNMPv3"
        if self._user.priv:
            return "wrong privacy password (agents say nothing then), or the router fell silent"
        return "the agent fell silent"

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """See `security.Security`."""
        user = self._user
        flags = user.flags if self.engine_id else 0
        boots, time = self._clock() if flags else (0, 0)
        body = encode_scoped_pdu(self.engine_id, user.context, pdu)
        salt = b""
        if flags & _PRIV and self._cryptor:
            hidden, salt = self._cryptor.encrypt(body, boots, time)
            body = encode(OCTETS_TAG, hidden)
        digest = bytes(user.auth.digest_octets) if flags and user.auth else b""
        name = user.name if self.engine_id else b""
        header = UsmMessage(
            request_id, flags | _REPORTABLE, self.engine_id, boots, time, name, digest, 0,
            salt, b"", 0,
        )  # fmt: skip
        message, position = encode_usm_message(header, body)
        if not digest:
            return message
        return message[:position] + self._sign(message) + message[position + len(digest) :]

    def open(self, message: CommunityMessage | UsmMessage, oids: OidReader) -> Pdu:
        """See `security.Security`."""
        if not isinstance(message, UsmMessage):
            raise ForgedError("an answer of another SNMP version")
        if message.flags & _AUTH:
            self._verify(message)
        pdu = self._scoped_pdu(message, oids)
        if pdu.type == _REPORT:
            if not pdu.varbinds:
                raise MalformedError("a report of nothing")
            raise ReportError(pdu.varbinds[0].oid, message)
        user = self._user
        if message.engine_id != self.engine_id or message.user != user.name:
            raise ForgedError("an answer of another engine or for another user")
        if message.flags & (_AUTH | _PRIV) != user.flags:
            raise ForgedError("an answer of another security level")
        if user.auth:
            self._follow_clock(message)
        return checked_response(pdu, message.message_id)

    def meet(self, engine_id: bytes) -> None:
        """Be about this engine, without having asked it: it speaks for itself, as in traps.

        Raises:
            SnmpError: it cannot be an engine id.
        """
        self._adopt(engine_id)

    def verify(self, message: UsmMessage) -> None:
        """Check the signature of a message, if its user signs.

        Raises:
            ForgedError: it is not by the user's key at this engine.
        """
        if self._user.auth:
            self._verify(message)

    def follow(self, message: UsmMessage) -> None:
        """Follow the clock of an engine that speaks for itself.

        Raises:
            ForgedError: the message is from the past.
        """
        if not self._heard_us:
            self._set_clock(message)
        elif self._user.auth:
            self._follow_clock(message)

    def read(self, message: UsmMessage, oids: OidReader) -> Pdu:
        """Return what a message says, decrypted.

        Raises:
            MalformedError: it cannot be read: if it was encrypted, perhaps by another key.
            ForgedError: it is encrypted, and the user does not encrypt.
        """
        return self._scoped_pdu(message, oids)

    def heed(self, report: ReportError) -> None:
        """Learn from a report what the next request needs.

        Raises:
            SnmpError: another request would fare no better.
        """
        message = report.message
        is_engine_new = bool(message.engine_id) and message.engine_id != self.engine_id
        if is_engine_new and (not self.engine_id or report.kind == UNKNOWN_ENGINE_ID):
            self._adopt(message.engine_id)
        elif report.kind != NOT_IN_TIME_WINDOW:
            raise report_failure(report.kind)
        self._set_clock(message)

    def _sign(self, message: bytes) -> bytes:
        auth = self._user.auth
        if auth is None:
            return b""
        return hmac.digest(self._auth_key, message, auth.hash)[: auth.digest_octets]

    def _verify(self, message: UsmMessage) -> None:
        auth = self._user.auth
        if auth is None or message.engine_id != self.engine_id:
            raise ForgedError("a signature of somebody else")
        start, size = message.digest_position, len(message.digest)
        data = message.data
        signature = self._sign(data[:start] + bytes(size) + data[start + size :])
        if not hmac.compare_digest(signature, message.digest):
            raise ForgedError("an answer with a wrong digest")

    def _scoped_pdu(self, message: UsmMessage, oids: OidReader) -> Pdu:
        data, position, padding = message.data, message.position, 0
        if message.flags & _PRIV:
            if self._cryptor is None:
                raise ForgedError("an encrypted answer to a request that was not")
            data = self._decrypt(message, self._cryptor)
            position, padding = 0, _PADDING_OCTETS
        scoped = read_scoped_pdu(data, position, oids)
        if len(data) - scoped.octets > padding:
            raise MalformedError("something stands after the scoped PDU")
        return scoped.pdu

    def _decrypt(self, message: UsmMessage, key: Cryptor) -> bytes:
        try:
            start, end = content_span(message.data, message.position, OCTETS_TAG)
        except IndexError:
            raise MalformedError("the message is cut") from None
        if end != len(message.data):
            raise MalformedError("something stands after the encrypted part")
        return key.decrypt(message.data[start:end], message.salt, message.boots, message.time)

    def _adopt(self, engine_id: bytes) -> None:
        if len(engine_id) > _ENGINE_ID_OCTETS:
            raise SnmpError(
                SnmpStatus.MALFORMED, f"the agent tells an engine id of {len(engine_id)} octets"
            )
        user = self._user
        self.engine_id = engine_id
        if user.auth:
            master = self._keys.master(user.auth, user.auth_password)
            self._auth_key = localize(user.auth, master, engine_id)
        if user.auth and user.priv:
            key = self._keys.privacy(user.auth, user.priv, user.priv_password, engine_id)
            self._cryptor = cryptor(user.priv.name, key)

    def _clock(self) -> tuple[int, int]:
        passed = (self._monotonic_us() - self._heard_us) // MICROSECONDS
        return self.boots, self._engine_time + passed

    def _set_clock(self, message: UsmMessage) -> None:
        self.boots, self._engine_time = message.boots, message.time
        self._heard_us = self._monotonic_us()

    def _follow_clock(self, message: UsmMessage) -> None:
        boots, time = self._clock()
        is_old = message.boots == boots and message.time < time - _WINDOW_SECONDS
        if message.boots < boots or is_old:
            raise ForgedError("an answer from the past, perhaps replayed")
        # Only forward, or else a replay could pull the clock back step by step.
        if (message.boots, message.time) > (self.boots, self._engine_time):
            self._set_clock(message)


def report_failure(kind: Oid) -> SnmpError:
    """Return the error that a report means."""
    words = _REPORTS.get(kind)
    if words is None:
        return SnmpError(
            SnmpStatus.MALFORMED, f"the agent reports {oid_text(kind)}, which is not known"
        )
    return SnmpError(SnmpStatus.AUTHENTICATION, f"the agent reports {words}")
