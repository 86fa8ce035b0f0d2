"""What the settings say of SNMP beyond modules: traps, own profiles, and every cipher there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netmon.config import load_settings
from netmon.config.settings import SecretReference, SecretSource, Settings, SnmpTraps
from netmon.config.settings_fields import SnmpCredentialKeys
from netmon.probes.snmp.keys import AUTH_PROTOCOLS, PRIV_PROTOCOLS

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = "inventory: a.yaml\nstorage: {path: x}\n"


def load(folder: Path, more: str = "") -> Settings:
    path = folder / "netmon.yaml"
    path.write_text(NEEDED + more, encoding="utf-8")
    return load_settings(path).settings


def test_traps_are_received_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "x")
    settings = load(tmp_path, "snmp_traps: {communities: [{env: WORD}, {file: word}]}")
    references = (
        SecretReference(SecretSource.ENVIRONMENT, "WORD"),
        SecretReference(SecretSource.FILE, str(tmp_path / "word")),
    )
    assert settings.snmp_traps == SnmpTraps("0.0.0.0:162", references)


def test_the_users_of_traps_are_named_by_their_credentials(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "credentials: {snmp: {main: {version: 3, user: u, auth_protocol: SHA,"
        " auth_password: {env: A}}}}\nsnmp_traps: {credentials: [main]}",
    )
    assert settings.snmp_traps == SnmpTraps("0.0.0.0:162", (), (settings.snmp_credentials["main"],))


def test_own_profiles_lie_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    assert load(tmp_path, "profiles: own").profiles == tmp_path / "own"


def test_without_them_nothing_listens_and_the_shipped_profiles_count(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.snmp_traps, settings.profiles) == (None, None)


@pytest.mark.parametrize("name", PRIV_PROTOCOLS)
def test_every_cipher_of_the_engine_can_be_written(name: str, tmp_path: Path) -> None:
    credential = (
        "credentials: {snmp: {s: {version: 3, user: u, auth_protocol: SHA,"
        f" auth_password: {{env: A}}, priv_protocol: {name}, priv_password: {{env: P}}}}}}}}"
    )
    assert load(tmp_path, credential).snmp_credentials["s"].priv_protocol == name


def test_settings_and_engine_know_the_same_protocols() -> None:
    for field, known in (
        (SnmpCredentialKeys.AUTH_PROTOCOL, AUTH_PROTOCOLS),
        (SnmpCredentialKeys.PRIV_PROTOCOL, PRIV_PROTOCOLS),
    ):
        names = field.schema()["enum"]
        assert isinstance(names, list)
        assert set(names) == set(known)
