"""Keys of SNMPv3's user-based security model, from passwords (RFC 3414 A.2, RFC 7860)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPANDED_OCTETS: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class AuthProtocol:
    """How messages are signed: the hash's name in hashlib, and how much of the digest is sent."""

    name: str
    hash: str
    digest_octets: int


@dataclass(frozen=True, slots=True)
class PrivProtocol:
    """How messages are encrypted.

    `reeder` lengthens a key that is too short for the cipher as draft-reeder-snmpv3-usm-3desede
    and Cisco do; else draft-blumenthal-aes-usm is followed, as net-snmp does.
    """

    name: str
    key_octets: int
    reeder: bool = False


AUTH_PROTOCOLS: Final[Mapping[str, AuthProtocol]] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            AuthProtocol("MD5", "md5", 12),
            AuthProtocol("SHA", "sha1", 12),
            AuthProtocol("SHA-224", "sha224", 16),
            AuthProtocol("SHA-256", "sha256", 24),
            AuthProtocol("SHA-384", "sha384", 32),
            AuthProtocol("SHA-512", "sha512", 48),
        )
    }
)
PRIV_PROTOCOLS: Final[Mapping[str, PrivProtocol]] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            PrivProtocol("DES", 16),
            PrivProtocol("AES", 16),
            PrivProtocol("AES-192", 24),
            PrivProtocol("AES-256", 32),
            PrivProtocol("AES-192-C", 24, reeder=True),
            PrivProtocol("AES-256-C", 32, reeder=True),
        )
    }
)


class KeyRing:
    """Turns passwords into keys, each password once: a megabyte is hashed for it.

    Holds keys: it has no repr of its own contents, and must not be logged.
    """

    def __init__(self) -> None:
        self._masters: dict[tuple[str, bytes], bytes] = {}

    def master(self, auth: AuthProtocol, password: bytes) -> bytes:
        """Return the key of a password, not yet bound to an engine (Ku)."""
        known = self._masters.get((auth.hash, password))
        if known is None:
            known = self._masters[auth.hash, password] = password_to_key(auth, password)
        return known

    def privacy(
        self, auth: AuthProtocol, priv: PrivProtocol, password: bytes, engine_id: bytes
    ) -> bytes:
        """Return the key of a password for a cipher at one engine, lengthened where needed."""
        key = localize(auth, self.master(auth, password), engine_id)
        while len(key) < priv.key_octets:
            if priv.reeder:
                key += localize(auth, password_to_key(auth, key), engine_id)
            else:
                key += hashlib.new(auth.hash, key, usedforsecurity=False).digest()
        return key[: priv.key_octets]


def password_to_key(auth: AuthProtocol, password: bytes) -> bytes:
    """Return the digest of the password repeated to a megabyte."""
    repeated = password * (_EXPANDED_OCTETS // len(password) + 1)
    return hashlib.new(auth.hash, repeated[:_EXPANDED_OCTETS], usedforsecurity=False).digest()


def localize(auth: AuthProtocol, master: bytes, engine_id: bytes) -> bytes:
    """Return a key bound to an engine (Kul): of no use at another."""
    return hashlib.new(auth.hash, master + engine_id + master, usedforsecurity=False).digest()
