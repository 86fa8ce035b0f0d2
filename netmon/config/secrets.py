"""Reads secrets from where they lie, and masks them wherever they might be shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.config.settings import SecretReference, SecretSource
from netmon.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MASK = "********"
_MAX_SECRET_BYTES = 4096


class Secret:
    """A secret that no repr, log line, format string or pickle gives away."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the secret itself, for the one library call that needs it."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, _format: str) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __reduce_ex__(self, _protocol: object) -> str:
        raise TypeError("a Secret is not pickled: pass its reference")


def read_secret(reference: SecretReference, environment: Mapping[str, str] | None = None) -> Secret:
    """Return the secret that `reference` names; one final line break is not part of it.

    Raises:
        SecretError: it is not there, not readable, empty, or not text.
    """
    variables = os.environ if environment is None else environment
    match reference.source:
        case SecretSource.ENVIRONMENT:
            return _from_environment(reference, variables)
        case SecretSource.FILE:
            return _from_file(reference, Path(reference.name))
        case SecretSource.CREDENTIAL:
            directory = variables.get("CREDENTIALS_DIRECTORY")
            if not directory:
                raise SecretError(
                    f"{reference}: CREDENTIALS_DIRECTORY is not set: start netmon by systemd with "
                    f"LoadCredential={reference.name}:PATH"
                )
            return _from_file(reference, Path(directory) / reference.name)


def _from_environment(reference: SecretReference, variables: Mapping[str, str]) -> Secret:
    value = variables.get(reference.name)
    if value is None:
        raise SecretError(
            f"{reference}: the environment variable is not set: set {reference.name}, "
            "for example in the unit's EnvironmentFile"
        )
    if not value:
        raise SecretError(f"{reference}: the environment variable is empty: put the secret in it")
    return Secret(value)


def _from_file(reference: SecretReference, path: Path) -> Secret:
    try:
        if not path.is_file():
            raise SecretError(f"{reference}: there is no file {path}: put the secret in it")
        with path.open("rb") as file:
            content = file.read(_MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "bad path"
        )
        raise SecretError(
            f"{reference}: {path} cannot be read ({reason}): let netmon's user read it"
        ) from None
    if len(content) > _MAX_SECRET_BYTES:
        raise SecretError(f"{reference}: {path} has more than {_MAX_SECRET_BYTES} bytes: no secret")
    try:
        # The message of a decoding error would show the secret's bytes.
        value = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{reference}: {path} is not UTF-8 text") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretError(f"{reference}: {path} is empty: put the secret in it")
    return Secret(value)
