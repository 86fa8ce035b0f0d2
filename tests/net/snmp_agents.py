"""SNMP agents on loopback that answer as they are told to, rightly or wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest

from netmon.clock import SystemClock
from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.probes.snmp.ber import OidReader, encode_varbinds
from netmon.probes.snmp.engine import SnmpEngine, SnmpSession, user_of
from netmon.probes.snmp.keys import KeyRing
from netmon.probes.snmp.message import (
    CommunityMessage,
    Pdu,
    PduType,
    UsmMessage,
    encode_community_message,
    encode_pdu,
    read_header,
    read_pdu,
)
from netmon.probes.snmp.security import ReportError
from netmon.probes.snmp.usm import NOT_IN_TIME_WINDOW, UNKNOWN_ENGINE_ID, UserSecurity
from netmon.probes.snmp.values import Missing, Oid, SnmpError, SnmpSecrets, Tag, VarBind

if TYPE_CHECKING:
    from pathlib import Path

    from netmon.model import IPAddress

LOOPBACK = IPv4Address("127.0.0.1")
SECRETS = SnmpSecrets("public", "authpassword", "privpassword")
V2C = SnmpCredential("2c")
V1 = SnmpCredential("1")


@dataclass(frozen=True)
class Reply:
    """A datagram to send back; `source` is the address and port that it comes from."""

    data: bytes
    delay_seconds: float = 0.0
    source: tuple[str, int] | None = None


Respond: TypeAlias = Callable[[bytes], Iterable[Reply]]
Answer: TypeAlias = Callable[[Pdu], Pdu | None]


@dataclass
class Agent(asyncio.DatagramProtocol):
    """Answers every datagram with what `respond` makes of it."""

    respond: Respond
    requests: int = 0
    port: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.requests += 1
        loop = asyncio.get_running_loop()
        for reply in self.respond(data):
            loop.call_later(reply.delay_seconds, self._send, reply, addr)

    def _send(self, reply: Reply, addr: tuple[str, int]) -> None:
        if reply.source is None:
            self._transport.sendto(reply.data, addr)
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(reply.source)
            other.sendto(reply.data, addr)


@contextlib.asynccontextmanager
async def agent(respond: Respond) -> AsyncIterator[Agent]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Agent(respond), local_addr=(str(LOOPBACK), 0)
    )
    try:
        yield protocol
    finally:
        transport.close()


@contextlib.asynccontextmanager
async def running_engine() -> AsyncIterator[SnmpEngine]:
    engine = SnmpEngine(SystemClock())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def session_with(
    engine: SnmpEngine,
    port: int,
    credential: SnmpCredential = V2C,
    *,
    secrets: SnmpSecrets = SECRETS,
    address: IPAddress = LOOPBACK,
    module: SnmpModule | None = None,
) -> SnmpSession:
    asked = module or SnmpModule("test", timeout_seconds=0.2, retries=1)
    return engine.session(address, port, credential, secrets, asked)


# --- Right answers -------------------------------------------------------------------------------


def request_of(data: bytes) -> tuple[CommunityMessage, Pdu]:
    message = read_header(data)
    assert isinstance(message, CommunityMessage)
    return message, read_pdu(data, message.position, OidReader())


def encoded(pdu: Pdu) -> bytes:
    kind, request_id, first, second, rows = pdu
    return encode_pdu(kind, request_id, first, second, encode_varbinds(rows))


def answer_to(data: bytes, answer: Answer, *, community: bytes | None = None) -> list[bytes]:
    message, pdu = request_of(data)
    response = answer(pdu)
    if response is None:
        return []
    name = message.community if community is None else community
    return [encode_community_message(message.version, name, encoded(response))]


def answering(answer: Answer) -> Respond:
    return lambda data: [Reply(octets) for octets in answer_to(data, answer)]


def response(pdu: Pdu, rows: Sequence[VarBind], status: int = 0, index: int = 0) -> Pdu:
    return Pdu(PduType.RESPONSE, pdu.request_id, status, index, list(rows))


def number(oid: Oid) -> VarBind:
    return VarBind(oid, Tag.INTEGER, oid[-1])


def good(pdu: Pdu) -> Pdu:
    """Give each variable its last arc as a value."""
    return response(pdu, [number(row.oid) for row in pdu.varbinds])


def table(names: Sequence[Oid]) -> Callable[[Pdu], Pdu]:
    """Serve rows in the order given, as an agent does whose table is in that order."""
    order = list(names)

    def answer(pdu: Pdu) -> Pdu:
        asked = pdu.varbinds[0].oid
        if asked in order:
            start = order.index(asked) + 1
        else:
            start = next((i for i, oid in enumerate(order) if oid > asked), len(order))
        count = pdu.error_index if pdu.type == PduType.GET_BULK else 1
        rows = [number(oid) for oid in order[start : start + count]]
        if len(rows) < count:
            last = rows[-1].oid if rows else asked
            rows.append(VarBind(last, Tag.END_OF_MIB_VIEW, Missing.END_OF_MIB_VIEW))
        return response(pdu, rows)

    return answer


# --- SNMPv3 --------------------------------------------------------------------------------------


class V3Agent:
    """Answers one user as an SNMPv3 engine does, with a clock that can be set."""

    def __init__(self, credential: SnmpCredential, answer: Answer = good) -> None:
        self._credential = credential
        self._answer = answer
        self.engine_id = b"\x80\x00\x1f\x88\x04test"
        self.boots = 1
        self.time = 1000
        self.reports: list[Oid] = []
        self.refusal: Oid = ()
        """What is reported of every request, once the engine is known."""
        self.restart()

    def restart(self, engine_id: bytes | None = None) -> None:
        """Take on a new life, if given with another engine id."""
        self.engine_id = engine_id or self.engine_id
        keys, clock = KeyRing(), SystemClock()
        self._security = UserSecurity(user_of(self._credential, SECRETS), keys, clock.monotonic_us)
        self._security.heed(ReportError(UNKNOWN_ENGINE_ID, self._header()))

    def respond(self, data: bytes) -> list[Reply]:
        message = read_header(data)
        assert isinstance(message, UsmMessage)
        if message.engine_id != self.engine_id:
            return [Reply(self._report(message, UNKNOWN_ENGINE_ID))]
        if self.refusal:
            return [Reply(self._report(message, self.refusal))]
        if message.boots != self.boots or abs(message.time - self.time) > 150:
            return [Reply(self._report(message, NOT_IN_TIME_WINDOW))]
        pdu = self._security._scoped_pdu(message, OidReader())
        answered = self._answer(pdu)
        if answered is None:
            return []
        return [Reply(self._security.seal(message.message_id, encoded(answered)))]

    def _report(self, message: UsmMessage, kind: Oid) -> bytes:
        self.reports.append(kind)
        rows = [VarBind(kind, Tag.COUNTER32, len(self.reports))]
        pdu = encoded(Pdu(PduType.REPORT, 0, 0, 0, rows))
        security = self._security
        if kind != NOT_IN_TIME_WINDOW:  # the only one that is signed (RFC 3414 section 3.2)
            nobody = SnmpCredential("3")
            security = UserSecurity(user_of(nobody, SECRETS), KeyRing(), SystemClock().monotonic_us)
            security.heed(ReportError(UNKNOWN_ENGINE_ID, self._header()))
        security._set_clock(self._header())
        return security.seal(message.message_id, pdu)

    def _header(self) -> UsmMessage:
        return UsmMessage(0, 0, self.engine_id, self.boots, self.time, b"", b"", 0, b"", b"", 0)


# --- net-snmp's snmpd ----------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((str(LOOPBACK), 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def snmpd(folder: Path, configuration: str) -> Iterator[int]:
    """Run a real agent on a free port of loopback, with nothing of the machine's own settings."""
    port = free_port()
    config = folder / "snmpd.conf"
    config.write_text(f"agentaddress udp:127.0.0.1:{port},udp6:[::1]:{port}\n{configuration}")
    log = folder / "snmpd.log"
    program = shutil.which("snmpd") or "/usr/sbin/snmpd"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                program,
                "-f",
                "-Lo",
                "-C",
                "-c",
                str(config),
                "-I",
                "-smux",
                "-p",
                str(folder / "pid"),
            ],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""},
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def failure_of(call: Coroutine[None, None, object]) -> SnmpError:
    """Await a call that must fail, and return how it did."""
    with pytest.raises(SnmpError) as caught:
        await call
    return caught.value
