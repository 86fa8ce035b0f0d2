"""The ciphers of SNMPv3: CBC-DES (RFC 3414 section 8) and CFB128-AES (RFC 3826).

The only importer of cryptography. CFB and single DES live in its corner for the decrepit; SNMP
has nothing better.
"""

from __future__ import annotations

import itertools
import secrets
from typing import Final, Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from netmon.probes.snmp.ber import MalformedError

_SALT_OCTETS: Final = 8
_DES_BLOCK_OCTETS: Final = 8


class Cryptor(Protocol):
    """Encrypts and decrypts with the key of one user at one engine."""

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """Return the encrypted octets and the salt that goes with them."""
        ...

    def decrypt(self, hidden: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """Return the plain octets; of a wrong key, garbage.

        Raises:
            MalformedError: salt or octets are not of a size that the cipher makes.
        """
        ...


def cryptor(name: str, key: bytes) -> Cryptor:
    """Return what encrypts by a protocol of `keys.PRIV_PROTOCOLS`."""
    return DesCryptor(key) if name == "DES" else AesCryptor(key)


class AesCryptor:
    """AES in CFB with 128 bits of feedback; the vector is boots, time and a counter."""

    def __init__(self, key: bytes) -> None:
        self._key = AES(key)
        self._salts = itertools.count(secrets.randbits(63))

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """See `Cryptor`."""
        salt = next(self._salts).to_bytes(8, "big")
        encryptor = self._cipher(salt, boots, time).encryptor()
        return encryptor.update(plain) + encryptor.finalize(), salt

    def decrypt(self, hidden: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """See `Cryptor`."""
        if len(salt) != _SALT_OCTETS:
            raise MalformedError(f"a salt of {len(salt)} octets")
        decryptor = self._cipher(salt, boots, time).decryptor()
        return decryptor.update(hidden) + decryptor.finalize()

    def _cipher(self, salt: bytes, boots: int, time: int) -> Cipher[CFB]:
        return Cipher(self._key, CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))


class DesCryptor:
    """DES in CBC: the key's second half, mixed with the salt, is the vector."""

    def __init__(self, key: bytes) -> None:
        # Three times the same key is single DES.
        self._key = TripleDES(key[:8] * 3)
        self._mask = int.from_bytes(key[8:16], "big")
        self._salts = itertools.count(secrets.randbits(31))

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """See `Cryptor`. The time does not matter to DES."""
        del time
        salt = boots.to_bytes(4, "big") + (next(self._salts) & 0xFFFFFFFF).to_bytes(4, "big")
        encryptor = self._cipher(salt).encryptor()
        padded = plain + bytes(-len(plain) % _DES_BLOCK_OCTETS)
        return encryptor.update(padded) + encryptor.finalize(), salt

    def decrypt(self, hidden: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """See `Cryptor`."""
        del boots, time
        if len(salt) != _SALT_OCTETS or len(hidden) % _DES_BLOCK_OCTETS:
            raise MalformedError(f"{len(hidden)} octets of DES with a salt of {len(salt)} octets")
        decryptor = self._cipher(salt).decryptor()
        return decryptor.update(hidden) + decryptor.finalize()

    def _cipher(self, salt: bytes) -> Cipher[CBC]:
        vector = self._mask ^ int.from_bytes(salt, "big")
        return Cipher(self._key, CBC(vector.to_bytes(8, "big")))
