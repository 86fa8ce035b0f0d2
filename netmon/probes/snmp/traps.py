"""Traps and informs of routers: the adapter to pysnmp, which is imported here and nowhere else.

A trap is a hint to look at once, never evidence: below version 3, its community is all that proves
who sent it. pysnmp takes milliseconds for each, so a storm of them is cut, and what is not believed
refused, before it gets there.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine as PysnmpEngine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.proto.rfc1902 import OctetString

from netmon.clock import MICROSECONDS, Clock
from netmon.errors import CapabilityError
from netmon.probes.snmp.allowance import TokenBucket
from netmon.probes.snmp.ber import MalformedError
from netmon.probes.snmp.keys import KeyRing
from netmon.probes.snmp.message import UsmMessage, read_community, read_header
from netmon.probes.snmp.trap import RefusedTrap, Trap, TrapKind, TrapRefusal
from netmon.probes.snmp.trap_users import BoundUser, RefusedError, TrapUsers
from netmon.probes.snmp.usm import User
from netmon.probes.snmp.values import Oid, oid_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from netmon.model import IPAddress

_TRAP_OID: Final = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
"""snmpTrapOID of SNMPv2-MIB: which trap it is."""
_STANDARD_TRAPS: Final = (1, 3, 6, 1, 6, 3, 1, 1, 5)
_INTERFACE_INDEX: Final = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
_TRAP_COMMUNITY: Final = (1, 3, 6, 1, 6, 3, 18, 1, 4, 0)
"""snmpTrapCommunity, which pysnmp adds to v1 traps: a secret."""
_TEXT_LIMIT: Final = 1000
_ENGINE_ID_PREFIX: Final = bytes.fromhex("80004fb805")
"""RFC 3411: pysnmp's enterprise number, and octets of our own choice behind it."""
_EPOCH_SECONDS: Final = 1_577_836_800
"""2020: seconds since then are our engine's boots, which grow with every start for 68 years."""
_TRAPS_PER_SECOND: Final = 20
_TRAPS_AT_ONCE: Final = 100


@dataclass(slots=True)
class ReceiverFigures:
    """What the receiver has counted since it started."""

    received: int = 0
    dropped: int = 0
    """Left unread, because there were too many at a time."""
    malformed: int = 0
    refused: Counter[TrapRefusal] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Senders:
    """Who is listened to. Communities are secrets, and users hold some: neither shows in a repr."""

    communities: tuple[str, ...] = field(default=(), repr=False)
    users: tuple[User, ...] = field(default=(), repr=False)


class TrapReceiver:
    """Listens for traps and informs of versions 1, 2c and 3, and acknowledges the informs.

    `on_trap` and `on_refused` are called on the event loop. Port 0 lets the kernel choose; `port`
    then tells which. `engine_id` is what routers that send SNMPv3 informs may have to be told.
    """

    def __init__(
        self,
        clock: Clock,
        listen: tuple[IPAddress, int],
        senders: Senders,
        on_trap: Callable[[Trap], None],
        on_refused: Callable[[RefusedTrap], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._address, self.port = listen
        self._on_trap, self._on_refused = on_trap, on_refused
        self._communities = tuple(word.encode() for word in senders.communities)
        self._keys = KeyRing()
        self.engine_id = own_engine_id(socket.gethostname())
        self._users = TrapUsers(senders.users, self._keys, self.engine_id, clock.monotonic_us)
        self._engine: PysnmpEngine | None = None
        self._figures = ReceiverFigures()
        self._allowance = TokenBucket(_TRAPS_PER_SECOND, _TRAPS_AT_ONCE)

    async def start(self) -> None:
        """Open the socket and begin to listen.

        Raises:
            CapabilityError: the port cannot be had.
        """
        is_ipv6 = isinstance(self._address, ipaddress.IPv6Address)
        listening = self._open_socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
        self.port = listening.getsockname()[1]
        engine = self._make_engine()
        transport = (_GatedUdp6 if is_ipv6 else _GatedUdp)(self._receive)
        domain = udp6.DOMAIN_NAME if is_ipv6 else udp.DOMAIN_NAME
        config.add_transport(engine, domain, transport.open_server_mode(sock=listening))
        ntfrcv.NotificationReceiver(engine, self._on_notification)
        self._engine = engine
        for user in self._users.users:
            self._let_in(BoundUser(user, self.engine_id))
        await transport.is_listening.wait()

    async def close(self) -> None:
        """Stop listening."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None
            # asyncio closes the socket on the loop's next turn.
            await asyncio.sleep(0)

    def figures(self) -> ReceiverFigures:
        """Return a copy of what was counted."""
        return replace(self._figures, refused=self._figures.refused.copy())

    def _make_engine(self) -> PysnmpEngine:
        engine = PysnmpEngine()
        # Set here: an id that is passed makes pysnmp keep files below /tmp.
        engine_id, boots = engine.get_mib_builder().import_symbols(
            "__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots"
        )
        engine_id.syntax = engine.snmpEngineID = engine_id.syntax.clone(self.engine_id)
        # With an id that stays, a restart must show in the boots, or else senders that remember
        # our clock of before take us for a replay.
        since = self._clock.wall_us() // MICROSECONDS - _EPOCH_SECONDS
        boots.syntax = boots.syntax.clone(max(1, since))
        for number, community in enumerate(self._communities):
            config.add_v1_system(engine, f"community-{number}", community)
        return engine

    def _let_in(self, bound: BoundUser) -> None:
        """Have pysnmp know a user at an engine, by the keys that hold there."""
        signing, hiding = bound.keys(self._keys)
        auth, priv = bound.user.auth, bound.user.priv
        config.add_v3_user(
            self._engine,
            bound.user.name.decode(),
            _AUTH_PROTOCOLS[auth.name] if auth else config.USM_AUTH_NONE,
            signing or None,
            _PRIV_PROTOCOLS[priv.name] if priv else config.USM_PRIV_NONE,
            hiding or None,
            securityEngineId=OctetString(bound.engine_id),
            authKeyType=config.USM_KEY_TYPE_LOCALIZED,
            privKeyType=config.USM_KEY_TYPE_LOCALIZED,
        )

    def _open_socket(self, family: socket.AddressFamily) -> socket.socket:
        listening = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            listening.bind((str(self._address), self.port))
        except OSError as error:
            listening.close()
            raise CapabilityError(
                f"traps cannot be received on {self._address} port {self.port}: {error.strerror};"
                " free the port, choose one above 1023, or grant CAP_NET_BIND_SERVICE"
            ) from error
        return listening

    def _receive(self, data: bytes, peer: str, hand_to_pysnmp: Callable[[], None]) -> None:
        if not self._allowance.take(self._clock.monotonic_us()):
            self._figures.dropped += 1
            return
        try:
            if self._is_believed(data, peer):
                hand_to_pysnmp()
        except MalformedError:
            self._figures.malformed += 1
        except Exception:  # noqa: BLE001  # pysnmp raises all sorts of things at a stranger's bytes
            self._figures.malformed += 1

    def _is_believed(self, data: bytes, peer: str) -> bool:
        """Tell whether pysnmp may have a datagram; it tells senders of informs what is wrong."""
        try:
            self._check(data)
        except RefusedError as error:
            self._figures.refused[error.reason] += 1
            refused = RefusedTrap(error.reason, ipaddress.ip_address(peer), str(error))
            asyncio.get_running_loop().call_soon(self._on_refused, refused)
            return error.wants_answer
        return True

    def _check(self, data: bytes) -> None:
        community = read_community(data)
        if community is not None:
            if community not in self._communities:
                words = "its community is none of those of snmp_traps"
                raise RefusedError(TrapRefusal.COMMUNITY, words)
            return
        message = read_header(data)
        bound = self._users.check(message) if isinstance(message, UsmMessage) else None
        if bound is not None:
            self._let_in(bound)

    def _on_notification(
        self,
        engine: PysnmpEngine,
        reference: int,
        *context_and_variables: Any,  # noqa: ANN401  # pysnmp is not typed
    ) -> None:
        _, address = engine.message_dispatcher.get_transport_info(reference)
        variables = context_and_variables[2]
        trap = make_trap(
            [(tuple(name), value) for name, value in variables],
            ipaddress.ip_address(str(address[0])),
            self._clock.monotonic_us(),
        )
        self._figures.received += 1
        # In a call of its own: its errors are not those of a malformed trap.
        asyncio.get_running_loop().call_soon(self._on_trap, trap)


def own_engine_id(host: str) -> bytes:
    """Return the SNMPv3 engine id of netmon on a host: the same after every start."""
    return _ENGINE_ID_PREFIX + hashlib.sha256(f"netmon {host}".encode()).digest()[:8]


def make_trap(
    variables: Iterable[tuple[Oid, Any]], source: IPAddress, at_monotonic_us: int
) -> Trap:
    """Return the trap that these variables, as pysnmp reads them, tell."""
    kind, index, shown = TrapKind.OTHER, None, []
    for name, value in variables:
        if name == _TRAP_COMMUNITY:
            continue
        if name == _TRAP_OID:
            kind = _KINDS.get(tuple(value), TrapKind.OTHER)
        elif name[: len(_INTERFACE_INDEX)] == _INTERFACE_INDEX:
            index = int(value)
        shown.append(f"{oid_text(name)}={_printable(value.prettyPrint())}")
    if kind not in (TrapKind.LINK_DOWN, TrapKind.LINK_UP):
        index = None
    return Trap(kind, source, at_monotonic_us, ", ".join(shown)[:_TEXT_LIMIT], index)


_KINDS: Final = {
    (*_STANDARD_TRAPS, 1): TrapKind.COLD_START,
    (*_STANDARD_TRAPS, 2): TrapKind.WARM_START,
    (*_STANDARD_TRAPS, 3): TrapKind.LINK_DOWN,
    (*_STANDARD_TRAPS, 4): TrapKind.LINK_UP,
    (*_STANDARD_TRAPS, 5): TrapKind.AUTHENTICATION_FAILURE,
}


_AUTH_PROTOCOLS: Final = {
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIV_PROTOCOLS: Final = {
    "DES": config.USM_PRIV_CBC56_DES,
    "AES": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-C": config.USM_PRIV_CFB192_AES,
    "AES-256-C": config.USM_PRIV_CFB256_AES,
}


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)


class _Gate:
    """Stands before pysnmp's transport: what arrives goes through `receive` first."""

    def __init__(self, receive: Callable[[bytes, str, Callable[[], None]], None]) -> None:
        self._receive = receive
        self.is_listening = asyncio.Event()
        super().__init__()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[misc]  # as below
        self.is_listening.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._receive(data, addr[0], lambda: self._callback_function(self, addr, data))  # type: ignore[attr-defined]  # of the transport that it is mixed into


class _GatedUdp(_Gate, udp.UdpTransport):  # type: ignore[misc]  # pysnmp is not typed
    pass


class _GatedUdp6(_Gate, udp6.Udp6Transport):  # type: ignore[misc]  # pysnmp is not typed
    pass
