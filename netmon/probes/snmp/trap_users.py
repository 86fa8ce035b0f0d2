"""Who may send SNMPv3 notifications: checked before pysnmp spends milliseconds on them.

The engine that a trap speaks for is the sender's, and its id is not known before the first one
comes: the users' keys are bound to it then (RFC 3414 section 1.5.1). An inform speaks to our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netmon.probes.snmp.ber import MalformedError, OidReader
from netmon.probes.snmp.keys import KeyRing, localize
from netmon.probes.snmp.message import Flag, UsmMessage
from netmon.probes.snmp.security import ForgedError
from netmon.probes.snmp.trap import TrapRefusal
from netmon.probes.snmp.usm import User, UserSecurity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ENGINES_LIMIT: Final = 50_000
"""So many senders are remembered; more there are not in a country."""
ENGINE_ID_OCTETS: Final = range(5, 33)
"""SnmpEngineID of RFC 3411."""
_LEVEL: Final = int(Flag.AUTH) | int(Flag.PRIV)


class RefusedError(Exception):
    """A notification that is not believed, and why."""

    def __init__(self, reason: TrapRefusal, words: str) -> None:
        self.reason = reason
        self.wants_answer = False
        """The sender of an inform waits, and is told by a report what is wrong."""
        super().__init__(words)


@dataclass(frozen=True, slots=True)
class BoundUser:
    """A user at one engine, with the keys that hold there. They never show in a repr."""

    user: User
    engine_id: bytes

    def keys(self, ring: KeyRing) -> tuple[bytes, bytes]:
        """Return the keys for signing and encrypting; empty where there are none."""
        user = self.user
        if user.auth is None:
            return b"", b""
        signing = localize(user.auth, ring.master(user.auth, user.auth_password), self.engine_id)
        if user.priv is None:
            return signing, b""
        hiding = ring.privacy(user.auth, user.priv, user.priv_password, self.engine_id)
        return signing, hiding


class TrapUsers:
    """Checks what users send, by their credentials."""

    def __init__(
        self, users: Iterable[User], ring: KeyRing, own: bytes, monotonic_us: Callable[[], int]
    ) -> None:
        self.users = tuple(users)
        self._by_name = {user.name: user for user in self.users}
        self._ring = ring
        self._own = own
        self._monotonic_us = monotonic_us
        self._oids = OidReader()
        self._senders: dict[tuple[bytes, bytes], UserSecurity] = {}

    def check(self, message: UsmMessage) -> BoundUser | None:
        """Return who sent it, if new; None: known before, or somebody only asks who we are.

        Raises:
            RefusedError: it is not believed.
        """
        if len(message.engine_id) not in ENGINE_ID_OCTETS:
            return None  # discovery, or nonsense: pysnmp knows what to answer
        try:
            return self._check(message)
        except RefusedError as error:
            error.wants_answer = message.engine_id == self._own
            raise

    def _check(self, message: UsmMessage) -> BoundUser | None:
        user = self._by_name.get(message.user)
        if user is None:
            name = message.user.decode("utf-8", "replace")
            raise RefusedError(
                TrapRefusal.USER, f"the user {name!r} is in no credential of snmp_traps"
            )
        self._check_level(message, user)
        known = self._senders.get((message.engine_id, message.user))
        sender = known or self._sender(user, message.engine_id)
        self._check_proof(message, sender, user)
        if known is not None or message.engine_id == self._own:
            return None
        if len(self._senders) >= ENGINES_LIMIT:
            self._senders.clear()
        self._senders[message.engine_id, message.user] = sender
        return BoundUser(user, message.engine_id)

    def _sender(self, user: User, engine_id: bytes) -> UserSecurity:
        sender = UserSecurity(user, self._ring, self._monotonic_us)
        sender.meet(engine_id)
        return sender

    def _check_level(self, message: UsmMessage, user: User) -> None:
        asks_for_time = message.engine_id == self._own and not (message.boots or message.time)
        asks_for_time = asks_for_time and not message.flags & ~user.flags & _LEVEL
        if message.flags & _LEVEL != user.flags and not asks_for_time:
            raise RefusedError(
                TrapRefusal.LEVEL,
                f"the user {_name(user)} {_did(message.flags)}, and its credential says that it"
                f" {_did(user.flags)}",
            )

    def _check_proof(self, message: UsmMessage, sender: UserSecurity, user: User) -> None:
        try:
            if message.flags & Flag.AUTH:
                sender.verify(message)
        except ForgedError:
            raise RefusedError(
                TrapRefusal.SECRET,
                f"the user {_name(user)} has another authentication password or protocol there",
            ) from None
        try:
            sender.read(message, self._oids)
        except MalformedError as error:
            if not message.flags & Flag.PRIV:
                raise
            raise RefusedError(
                TrapRefusal.PRIVACY,
                f"the user {_name(user)} has another privacy password or protocol there ({error})",
            ) from None
        if message.engine_id == self._own:
            return  # our own clock counts, which pysnmp keeps
        try:
            sender.follow(message)
        except ForgedError:
            raise RefusedError(
                TrapRefusal.REPLAY, f"from the past of {message.engine_id.hex()}, perhaps replayed"
            ) from None


def _name(user: User) -> str:
    return repr(user.name.decode("utf-8", "replace"))


def _did(flags: int) -> str:
    if flags & Flag.PRIV:
        return "signs and encrypts"
    return "signs without encrypting" if flags & Flag.AUTH else "does not sign"
