"""An SNMP agent for benchmarks: any community, one v3 user, a number for every variable asked.

Runs as a process of its own, so that its CPU time is not counted with the client's; prints its
port and answers until it is stopped.
"""

from __future__ import annotations

import socket
import time

from netmon.clock import SystemClock
from netmon.probes.snmp.ber import MalformedError, OidReader, encode_varbinds
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS, KeyRing
from netmon.probes.snmp.message import (
    CommunityMessage,
    Flag,
    Pdu,
    PduType,
    UsmMessage,
    encode_community_message,
    encode_pdu,
    encode_scoped_pdu,
    encode_usm_message,
    read_header,
    read_pdu,
    read_scoped_pdu,
)
from netmon.probes.snmp.security import ReportError
from netmon.probes.snmp.usm import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID, User, UserSecurity
from netmon.probes.snmp.values import Oid, Tag, VarBind

USER, AUTH_PASSWORD, PRIV_PASSWORD = "bench", "authpassword", "privpassword"
ENGINE_ID = b"\x80\x00\x1f\x88\x04bench"
BOOTS = 1


class Responder:
    """Makes the answer to a datagram."""

    def __init__(self) -> None:
        self._oids = OidReader()
        self._rows: dict[tuple[Oid, ...], bytes] = {}
        user = User(
            USER.encode(),
            b"",
            AUTH_PROTOCOLS["SHA-256"],
            AUTH_PASSWORD.encode(),
            PRIV_PROTOCOLS["AES"],
            PRIV_PASSWORD.encode(),
        )
        self._user = UserSecurity(user, KeyRing(), SystemClock().monotonic_us)
        self._user.heed(ReportError(UNKNOWN_ENGINE_ID, self._header(0)))

    def answer(self, data: bytes) -> bytes:
        """Return the answer to a request.

        Raises:
            MalformedError: it cannot be read.
        """
        message = read_header(data)
        if isinstance(message, CommunityMessage):
            pdu = read_pdu(data, message.position, self._oids)
            return encode_community_message(message.version, message.community, self._response(pdu))
        return self._answer_user(message)

    def _answer_user(self, message: UsmMessage) -> bytes:
        if not message.flags & Flag.PRIV:
            return self._report(message)
        if message.boots != BOOTS:
            rows = encode_varbinds([VarBind(NOT_IN_TIME_WINDOW, Tag.COUNTER32, 1)])
            report = encode_pdu(PduType.REPORT, message.message_id, 0, 0, rows)
            return self._user.seal(message.message_id, report)
        return self._user.seal(message.message_id, self._response(self._decrypted(message)))

    def _decrypted(self, message: UsmMessage) -> Pdu:
        return self._user._scoped_pdu(message, self._oids)  # noqa: SLF001  # the other side of it

    def _report(self, message: UsmMessage) -> bytes:
        rows = encode_varbinds([VarBind(UNKNOWN_ENGINE_ID, Tag.COUNTER32, 1)])
        scoped = read_scoped_pdu(message.data, message.position, self._oids)
        pdu = encode_pdu(PduType.REPORT, scoped.pdu.request_id, 0, 0, rows)
        body = encode_scoped_pdu(ENGINE_ID, b"", pdu)
        return encode_usm_message(self._header(message.message_id), body)[0]

    def _response(self, pdu: Pdu) -> bytes:
        names = tuple(row.oid for row in pdu.varbinds)
        rows = self._rows.get(names)
        if rows is None:
            rows = self._rows[names] = encode_varbinds(
                VarBind(oid, Tag.COUNTER32, 3_000_000_000 + number)
                for number, oid in enumerate(names)
            )
        return encode_pdu(PduType.RESPONSE, pdu.request_id, 0, 0, rows)

    def _header(self, message_id: int) -> UsmMessage:
        seconds = int(time.monotonic())
        return UsmMessage(message_id, 0, ENGINE_ID, BOOTS, seconds, b"", b"", 0, b"", b"", 0)


def main() -> None:
    """Answer on a free port until stopped."""
    responder = Responder()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        listening.bind(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        while True:
            data, peer = listening.recvfrom(65535)
            try:
                listening.sendto(responder.answer(data), peer)
            except MalformedError:
                continue


if __name__ == "__main__":
    main()
