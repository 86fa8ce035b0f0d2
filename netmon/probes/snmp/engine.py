"""The SNMP engine: every router asked through one socket per address family.

    engine = SnmpEngine(clock)
    await engine.start()
    session = engine.session(address, 161, credential, secrets, module)
    variables = await session.get([(1, 3, 6, 1, 2, 1, 1, 3, 0)])

A session is cheap, and remembers what it has learnt of its router: keep it while the router is
polled, and drop it with the router; nothing else holds on to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.model import IPAddress, SnmpStatus
from netmon.probes.snmp.exchange import Exchange, Route
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS, KeyRing
from netmon.probes.snmp.message import Version
from netmon.probes.snmp.security import CommunitySecurity, Security
from netmon.probes.snmp.session import Manner, SnmpSession
from netmon.probes.snmp.transport import UdpSocketFactory, open_udp_socket
from netmon.probes.snmp.usm import User, UserSecurity
from netmon.probes.snmp.values import SnmpError, SnmpSecrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.clock import Clock
    from netmon.config.settings import SnmpCredential, SnmpModule
    from netmon.state import SnmpFigures

__all__ = ["SnmpEngine", "SnmpSession"]


class SnmpEngine:
    """Makes sessions, and carries their questions and answers."""

    def __init__(self, clock: Clock, sockets: UdpSocketFactory = open_udp_socket) -> None:
        self._clock = clock
        self._exchange = Exchange(sockets)
        self._keys = KeyRing()

    async def start(self) -> None:
        """Open the sockets. A family that is not to be had is told when a router needs it."""
        self._exchange.start()

    async def close(self) -> None:
        """Close the sockets; whoever still waits for an answer gets an `SnmpError`."""
        self._exchange.close()

    def session(
        self,
        address: IPAddress,
        port: int,
        credential: SnmpCredential,
        secrets: SnmpSecrets,
        module: SnmpModule,
    ) -> SnmpSession:
        """Return a session with a router. Nothing is sent yet.

        Raises:
            SnmpError: the credential does not say enough; its status is NO_SECRET where a secret
                is missing, FAULT where a protocol's name is not known.
        """
        route = Route(address, port, self._security(credential, secrets))
        manner = Manner(module, has_bulk=credential.version != "1")
        return SnmpSession(self._exchange, route, manner, self._clock)

    def figures(self) -> SnmpFigures:
        """Return what was counted since the start: questions, answers, and all that was ignored."""
        return self._exchange.figures()

    def _security(self, credential: SnmpCredential, secrets: SnmpSecrets) -> Security:
        match credential.version:
            case "3":
                user = user_of(credential, secrets)
                return UserSecurity(user, self._keys, self._clock.monotonic_us)
            case "1" | "2c":
                if not secrets.community:
                    raise SnmpError(SnmpStatus.NO_SECRET, "the credential has no community")
                version = Version.V1 if credential.version == "1" else Version.V2C
                return CommunitySecurity(version, secrets.community.encode())
            case other:
                raise SnmpError(SnmpStatus.FAULT, f"SNMP version {other!r}: write 1, 2c or 3")


def user_of(credential: SnmpCredential, secrets: SnmpSecrets) -> User:
    """Return the SNMPv3 user that a credential and its secrets describe.

    Raises:
        SnmpError: a protocol is not known, or lacks its password.
    """
    auth, priv = credential.auth_protocol, credential.priv_protocol
    if auth and auth not in AUTH_PROTOCOLS:
        raise _unknown("auth_protocol", auth, AUTH_PROTOCOLS)
    if priv and priv not in PRIV_PROTOCOLS:
        raise _unknown("priv_protocol", priv, PRIV_PROTOCOLS)
    if priv and not auth:
        raise SnmpError(SnmpStatus.FAULT, "privacy needs authentication: add an auth_protocol")
    if (auth and not secrets.auth_password) or (priv and not secrets.priv_password):
        raise SnmpError(SnmpStatus.NO_SECRET, "the credential lacks a password of its protocols")
    return User(
        name=credential.user.encode(),
        context=credential.context.encode(),
        auth=AUTH_PROTOCOLS[auth] if auth else None,
        auth_password=secrets.auth_password.encode(),
        priv=PRIV_PROTOCOLS[priv] if priv else None,
        priv_password=secrets.priv_password.encode(),
    )


def _unknown(key: str, name: str, known: Iterable[str]) -> SnmpError:
    return SnmpError(SnmpStatus.FAULT, f"unknown {key} {name!r}: write {', '.join(known)}")
