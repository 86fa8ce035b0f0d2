"""Who may answer: sealing requests and opening answers; here by community, in `usm` by user.

`open` is the gate: what it lets through was made by somebody who holds the credential, as far as
the version can tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from netmon.probes.snmp.message import (
    CommunityMessage,
    Pdu,
    PduType,
    UsmMessage,
    Version,
    encode_community_message,
    read_pdu,
)

if TYPE_CHECKING:
    from netmon.probes.snmp.ber import OidReader
    from netmon.probes.snmp.values import Oid

_RESPONSE: Final = int(PduType.RESPONSE)


class ForgedError(Exception):
    """A well-formed message that does not answer ours: ignored, and the true answer awaited."""


class ReportError(Exception):
    """The agent's SNMPv3 engine reported instead of answering."""

    def __init__(self, kind: Oid, message: UsmMessage) -> None:
        self.kind = kind
        self.message = message
        super().__init__(f"report {kind}")


class Security(Protocol):
    """Seals requests and opens answers."""

    @property
    def silence(self) -> str:
        """What it may mean that no answer comes, in words."""
        ...

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """Return the message that asks the PDU."""
        ...

    def open(self, message: CommunityMessage | UsmMessage, oids: OidReader) -> Pdu:
        """Return the answer in a message.

        Raises:
            MalformedError: it cannot be read.
            ForgedError: it is not from the agent asked, or no answer.
            ReportError: it is a report.
        """
        ...


class CommunitySecurity:
    """SNMPv1 and v2c: a word in clear text."""

    __slots__ = ("_community", "_version")

    def __init__(self, version: Version, community: bytes) -> None:
        self._version = version
        self._community = community

    @property
    def silence(self) -> str:
        """See `Security`."""
        return "wrong community, an access list on the router, or no agent"

    def seal(self, request_id: int, pdu: bytes) -> bytes:
        """See `Security`."""
        del request_id
        return encode_community_message(self._version, self._community, pdu)

    def open(self, message: CommunityMessage | UsmMessage, oids: OidReader) -> Pdu:
        """See `Security`."""
        if not isinstance(message, CommunityMessage) or message.version != self._version:
            raise ForgedError("an answer of another SNMP version")
        if message.community != self._community:
            raise ForgedError("an answer with another community")
        pdu = read_pdu(message.data, message.position, oids)
        return checked_response(pdu, message.message_id)


def checked_response(pdu: Pdu, request_id: int) -> Pdu:
    """Return the PDU if it is the response to that request.

    Raises:
        ForgedError: it is a request, a trap or a report, or answers another request.
    """
    if pdu.type != _RESPONSE:
        raise ForgedError(f"a {PduType(pdu.type).name} where an answer must be")
    if pdu.request_id != request_id:
        raise ForgedError("an answer to another request")
    return pdu
