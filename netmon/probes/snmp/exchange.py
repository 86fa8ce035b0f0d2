"""Questions and answers: request ids, time-outs, retries, and what counts as an answer.

An answer is taken only if its id is that of a request under way, the datagram comes from the
address and port asked, and the request's `Security` lets it through. Everything else is counted
and ignored, and the true answer awaited.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from dataclasses import dataclass, replace
from enum import Enum, auto
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from netmon.model import IPAddress, SnmpStatus
from netmon.probes.snmp.ber import MalformedError, OidReader, encode_varbinds
from netmon.probes.snmp.message import (
    CommunityMessage,
    Pdu,
    UsmMessage,
    encode_pdu,
    read_header,
)
from netmon.probes.snmp.security import ForgedError, ReportError, Security
from netmon.probes.snmp.timers import TimerWheel
from netmon.probes.snmp.transport import (
    Peer,
    SocketEvents,
    UdpSocketFactory,
    UdpTransport,
    error_text,
)
from netmon.probes.snmp.values import Missing, Oid, SnmpError, Tag, VarBind
from netmon.state import SnmpFigures

if TYPE_CHECKING:
    from collections.abc import Sequence

_BACK_OFF: Final = 1.5
"""Each try waits so many times longer than the one before."""
_LINGER_SECONDS: Final = 10.0
"""How long a request that was given up is remembered, to tell a late answer from a stranger's."""
_FIRST_REQUEST_ID: Final = 1 << 24
_LAST_REQUEST_ID: Final = (1 << 31) - 1
_ENCODED_LIMIT: Final = 4096
_PASSING_ERRORS: Final = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
"""Our own kernel is short of room: the next try may find some."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a PDU without its request id. `first`, `second`: see `encode_pdu`."""

    pdu_type: int
    varbinds: bytes
    first: int = 0
    second: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask, and how long to wait for an answer the first time."""

    timeout_seconds: float
    tries: int


class Route:
    """Whom to ask, and how.

    `peer` is where answers must come from, as the kernel writes it: without a zone.
    """

    __slots__ = ("destination", "family", "peer", "security")

    def __init__(self, address: IPAddress, port: int, security: Security) -> None:
        self.family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
        self.destination = (str(address), port)
        self.peer = (socket.inet_ntop(self.family, address.packed), port)
        self.security = security

    def __str__(self) -> str:
        host, port = self.destination
        return f"{host}:{port}" if self.family is socket.AF_INET else f"[{host}]:{port}"


class Exchange:
    """Asks questions of many routers at a time, through one socket per address family."""

    def __init__(self, sockets: UdpSocketFactory) -> None:
        self._sockets = sockets
        self._transports: dict[int, UdpTransport] = {}
        self._faults: dict[int, str] = {}
        self._wheel: TimerWheel[_Request] | None = None
        self._requests: dict[int, _Request] = {}
        self._by_peer: dict[Peer, _Request] = {}
        self._oids = OidReader()
        self._encoded: dict[tuple[Oid, ...], bytes] = {}
        self._next_id = _FIRST_REQUEST_ID + secrets.randbelow(_LAST_REQUEST_ID - _FIRST_REQUEST_ID)
        self._figures = SnmpFigures()

    def start(self) -> None:
        """Open the sockets. A family that is not to be had is told when a router needs it."""
        loop = asyncio.get_running_loop()
        self._wheel = TimerWheel(loop, self._on_due)
        events = SocketEvents(self._on_datagram, self._on_error)
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                self._transports[family] = UdpTransport(loop, self._sockets(family), events)
            except OSError as error:
                self._faults[family] = str(error)

    def close(self) -> None:
        """Close the sockets; whoever still waits gets an `SnmpError`."""
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()
        if self._wheel is not None:
            self._wheel.close()
        for request in self._requests.values():
            if request.state is _State.WAITING:
                self._fail(request, SnmpStatus.FAULT, "the SNMP engine was stopped")
        self._requests.clear()
        self._by_peer.clear()

    def figures(self) -> SnmpFigures:
        """Return a copy of what was counted since the start."""
        return replace(self._figures)

    def names(self, oids: Sequence[Oid]) -> bytes:
        """Return the variable-bindings list that asks for these OIDs."""
        key = tuple(oids)
        encoded = self._encoded.get(key)
        if encoded is None:
            if len(self._encoded) >= _ENCODED_LIMIT:
                self._encoded.clear()
            encoded = encode_varbinds(VarBind(oid, Tag.NULL, Missing.NULL) for oid in key)
            self._encoded[key] = encoded
        return encoded

    async def ask(self, question: Question, route: Route, patience: Patience) -> Pdu:
        """Return the answer to a question.

        Raises:
            SnmpError: there was none.
            ReportError: the agent's SNMPv3 engine reported.
        """
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        request = _Request(self._new_id(), question, route, patience, future)
        self._requests[request.id] = self._by_peer[request.peer] = request
        self._figures.requests += 1
        self._try(request)
        try:
            return await future
        finally:
            if request.state is _State.WAITING:  # the caller was cancelled
                request.state = _State.GIVEN_UP

    def _new_id(self) -> int:
        while self._next_id in self._requests or self._next_id > _LAST_REQUEST_ID:
            self._next_id = (
                _FIRST_REQUEST_ID if self._next_id >= _LAST_REQUEST_ID else self._next_id + 1
            )
        self._next_id += 1
        return self._next_id - 1

    def _try(self, request: _Request) -> None:
        transport = self._transports.get(request.route.family)
        if transport is None or self._wheel is None:
            reason = self._faults.get(request.route.family, "the SNMP engine is not started")
            self._figures.send_faults += 1
            self._fail(request, SnmpStatus.FAULT, f"no socket to ask from: {reason}")
            return
        question = request.question
        pdu = encode_pdu(
            question.pdu_type, request.id, question.first, question.second, question.varbinds
        )
        wait_seconds = request.patience.timeout_seconds * _BACK_OFF**request.tries
        request.tries += 1
        request.waited_seconds += wait_seconds
        self._wheel.add(request, wait_seconds)
        try:
            transport.send(request.route.security.seal(request.id, pdu), request.route.destination)
        except OSError as error:
            self._on_send_error(request, error)

    def _on_send_error(self, request: _Request, error: OSError) -> None:
        self._figures.send_faults += 1
        request.unsent += 1
        reason = f"we could not send: {error.strerror}"
        if error.errno not in _PASSING_ERRORS or request.unsent == request.patience.tries:
            self._fail(request, SnmpStatus.FAULT, reason)
        request.notes[reason] = None

    def _on_due(self, request: _Request) -> None:
        if request.state is not _State.WAITING:
            self._forget(request)
        elif request.tries < request.patience.tries:
            self._figures.retransmissions += 1
            self._try(request)
        else:
            self._figures.timeouts += 1
            self._fail(request, *request.silence())
            if self._wheel is not None:
                self._wheel.add(request, _LINGER_SECONDS)

    def _forget(self, request: _Request) -> None:
        self._requests.pop(request.id, None)
        if self._by_peer.get(request.peer) is request:
            del self._by_peer[request.peer]

    def _on_error(self, peer: Peer, code: int, offender: str) -> None:
        request = self._by_peer.get(peer)
        if request is None or request.state is not _State.WAITING:
            return
        told = f"{offender or 'the network'} reports {error_text(code)}"
        if code == errno.ECONNREFUSED:
            self._figures.refused += 1
            self._fail(request, SnmpStatus.REFUSED, f"nothing listens there: {told}")
        else:
            request.notes[told] = None

    def _on_datagram(self, data: bytes, peer: Peer) -> None:
        try:
            message = read_header(data)
        except MalformedError as error:
            self._on_malformed(self._by_peer.get(peer), error)
            return
        request = self._requests.get(message.message_id)
        if request is None or request.peer != peer:
            self._figures.strangers += 1
            if request is not None:
                request.notes[f"an answer came from {peer[0]}, which was not asked"] = None
        elif request.state is _State.WAITING:
            self._on_answer(request, message)
        elif request.state is _State.ANSWERED:
            self._figures.duplicates += 1
        else:
            self._figures.late += 1

    def _on_answer(self, request: _Request, message: CommunityMessage | UsmMessage) -> None:
        try:
            pdu = request.route.security.open(message, self._oids)
        except MalformedError as error:
            self._on_malformed(request, error)
        except ForgedError as error:
            self._figures.forged += 1
            request.notes[f"ignored: {error}"] = None
        except ReportError as report:
            request.state = _State.ANSWERED
            request.future.set_exception(report)
        else:
            self._figures.answers += 1
            request.state = _State.ANSWERED
            if not request.future.done():
                request.future.set_result(pdu)

    def _on_malformed(self, request: _Request | None, error: MalformedError) -> None:
        self._figures.malformed += 1
        if request is not None:
            request.malformed = str(error)

    def _fail(self, request: _Request, status: SnmpStatus, words: str) -> None:
        request.state = _State.GIVEN_UP
        if not request.future.done():
            request.future.set_exception(SnmpError(status, f"{request.route}: {words}"))


class _State(Enum):
    WAITING = auto()
    ANSWERED = auto()
    GIVEN_UP = auto()


class _Request:
    """A question under way, or just over."""

    __slots__ = (
        "future", "id", "malformed", "notes", "patience", "peer", "question", "route",
        "state", "tries", "unsent", "waited_seconds",
    )  # fmt: skip

    def __init__(
        self,
        request_id: int,
        question: Question,
        route: Route,
        patience: Patience,
        future: asyncio.Future[Pdu],
    ) -> None:
        self.id = request_id
        self.question = question
        self.route = route
        self.peer = route.peer
        self.patience = patience
        self.future = future
        self.state = _State.WAITING
        self.tries = 0
        self.unsent = 0
        self.waited_seconds = 0.0
        self.malformed = ""
        self.notes: dict[str, None] = {}
        """What was odd, each once, in the order seen."""

    def silence(self) -> tuple[SnmpStatus, str]:
        """Return what no usable answer means, in words."""
        tries = f"{self.tries} tries" if self.tries > 1 else "1 try"
        span = f"{tries} over {self.waited_seconds:g} s"
        if self.malformed:
            return SnmpStatus.MALFORMED, f"no readable answer in {span}: {self.malformed}"
        seen = "; ".join(self.notes) or self.route.security.silence
        return SnmpStatus.TIMEOUT, f"no answer in {span}: {seen}"
