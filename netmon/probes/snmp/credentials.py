"""The secrets of SNMP credentials, read where the settings say that they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.secrets import read_secret
from netmon.probes.snmp.values import SnmpSecrets

if TYPE_CHECKING:
    from netmon.config.settings import SecretReference, SnmpCredential


def read_secrets(credential: SnmpCredential) -> SnmpSecrets:
    """Return a credential's secrets.

    Raises:
        SecretError: one of them cannot be read.
    """
    return SnmpSecrets(
        community=_revealed(credential.community),
        auth_password=_revealed(credential.auth_password),
        priv_password=_revealed(credential.priv_password),
    )


def _revealed(reference: SecretReference | None) -> str:
    return "" if reference is None else read_secret(reference).reveal()
