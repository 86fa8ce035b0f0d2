"""Secrets are read from where they lie, and given away by nothing but reveal()."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING

import pytest

from netmon.config.secrets import Secret, read_secret
from netmon.config.settings import SecretReference, SecretSource, SnmpCredential
from netmon.errors import SecretError

if TYPE_CHECKING:
    from pathlib import Path

_VALUE = "hunter2-ünïcode"


def _reference(source: SecretSource, name: object) -> SecretReference:
    return SecretReference(source, str(name))


def test_a_secret_is_masked_wherever_it_might_be_shown(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(_VALUE)
    logging.getLogger("test").warning("%s %r %s", secret, secret, {"key": secret})
    shown = [str(secret), repr(secret), f"{secret:>99}", f"{secret!r}", "%s" % secret, caplog.text]  # noqa: UP031  # every way of formatting
    assert not any(_VALUE in text or "hunter" in text for text in shown)
    assert secret.reveal() == _VALUE


def test_a_secret_has_no_open_attributes_and_is_not_pickled() -> None:
    secret = Secret(_VALUE)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_credential_shows_only_where_its_secret_lies() -> None:
    reference = _reference(SecretSource.ENVIRONMENT, "NETMON_X")
    assert "env" in repr(SnmpCredential("2c", community=reference))
    assert str(reference) == "env:NETMON_X"


def test_a_secret_is_read_from_each_place(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{_VALUE}\n", encoding="utf-8")
    environment = {"NETMON_X": _VALUE, "CREDENTIALS_DIRECTORY": str(tmp_path)}
    for reference in (
        _reference(SecretSource.ENVIRONMENT, "NETMON_X"),
        _reference(SecretSource.FILE, file),
        _reference(SecretSource.CREDENTIAL, "secret"),
    ):
        assert read_secret(reference, environment).reveal() == _VALUE


@pytest.mark.parametrize(
    ("content", "value"), [(b"a", "a"), (b"a\n", "a"), (b"a\r\n", "a"), (b" a \n\n", " a \n")]
)
def test_only_one_final_line_break_is_not_part_of_the_secret(
    tmp_path: Path, content: bytes, value: str
) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert read_secret(_reference(SecretSource.FILE, tmp_path / "secret")).reveal() == value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: put the secret in it"),
        (b"\n", "is empty: put the secret in it"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (b"hunter2" * 1000, "has more than 4096 bytes: no secret"),
    ],
)
def test_a_bad_file_is_told_by_its_name_without_its_content(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(SecretError) as raised:
        read_secret(_reference(SecretSource.FILE, file))
    assert str(raised.value) == f"file:{file}: {file} {problem}"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_what_is_not_there_is_told_with_the_remedy(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for reference, words in (
        (
            _reference(SecretSource.ENVIRONMENT, "NETMON_X"),
            (
                "env:NETMON_X: the environment variable is not set: set NETMON_X, "
                "for example in the unit's EnvironmentFile"
            ),
        ),
        (
            _reference(SecretSource.FILE, missing),
            f"file:{missing}: there is no file {missing}: put the secret in it",
        ),
        (
            _reference(SecretSource.FILE, tmp_path),
            f"file:{tmp_path}: there is no file {tmp_path}: put the secret in it",
        ),
        (
            _reference(SecretSource.CREDENTIAL, "snmp"),
            (
                "credential:snmp: CREDENTIALS_DIRECTORY is not set: start netmon by systemd with "
                "LoadCredential=snmp:PATH"
            ),
        ),
    ):
        with pytest.raises(SecretError) as raised:
            read_secret(reference, {})
        assert str(raised.value) == words


def test_an_empty_variable_is_no_secret() -> None:
    with pytest.raises(SecretError, match="env:X: the environment variable is empty"):
        read_secret(_reference(SecretSource.ENVIRONMENT, "X"), {"X": ""})
