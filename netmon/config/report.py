"""Where findings are gathered: all of them, sorted, each with its place."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from netmon.config.words import Guesser
from netmon.errors import ConfigError
from netmon.model import Finding, Severity

T = TypeVar("T")

MAX_FINDINGS = 1000
"""More than a person reads at once; a hostile file must not fill the memory with messages."""


class Place(NamedTuple):
    """A place in a file as editors count: from 1, in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Report:
    """Gathers findings. One bad entry never stops the reading of the others."""

    def __init__(self) -> None:
        self._findings: set[Finding] = set()
        self._overflow: Finding | None = None
        self.has_errors = False
        self.guesser = Guesser()
        """Shared, because its work is bounded for all files of one report together."""

    @property
    def full(self) -> bool:
        """Whether further findings would not be kept."""
        return self._overflow is not None

    def error(self, place: Place, message: str) -> None:
        """Note something that keeps the file out."""
        self.has_errors = True
        self._note(place, message, Severity.ERROR)

    def warn(self, place: Place, message: str) -> None:
        """Note something that the operator should know and that stops nothing."""
        self._note(place, message, Severity.WARNING)

    def findings(self) -> tuple[Finding, ...]:
        """Return what was found, in the order of files, lines and columns."""
        found = tuple(sorted(self._findings))
        return found if self._overflow is None else (*found, self._overflow)

    def require(self, value: T | None) -> T:
        """Return what was read, if it may be used.

        Raises:
            ConfigError: at least one finding is an error; it holds all of them, warnings too.
        """
        if self.has_errors or value is None:
            raise ConfigError(self.findings())
        return value

    def _note(self, place: Place, message: str, severity: Severity) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.add(Finding(*place, message, severity))
        elif self._overflow is None:
            told = f"there are more than {MAX_FINDINGS} findings: mend these first"
            self._overflow = Finding(*place, told, Severity.ERROR)
            self.has_errors = True
