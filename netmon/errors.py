"""The exceptions of netmon.

NetmonError
├── ConfigError          one or more findings in YAML, each with its place and remedy
├── SecretError          a credential's file, variable or systemd credential cannot be read
├── ProbeFault           we could not send or read: evidence about us, never about the target
├── InventoryError       what is kept of routers cannot be read or written
├── LedgerError          the ledger cannot be opened, read or written
│   └── StorageError     the disk under it is full, read-only or failing: the same may work later
└── CapabilityError      this machine or user lacks something that a command needs

A silent target is a value (`Outcome.SILENT`), not an exception. Every message tells the place,
the problem and the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netmon.model import Finding


class NetmonError(Exception):
    """Base of everything netmon raises on purpose."""


class ConfigError(NetmonError):
    """YAML that netmon refuses; holds every finding, not only the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class SecretError(NetmonError):
    """A referenced secret cannot be read. The message names the reference, never the value."""


class ProbeFault(NetmonError):  # noqa: N818  # "fault" is the project's word, see Outcome.FAULT
    """We could not probe; says nothing about the target."""


class InventoryError(NetmonError):
    """What is kept of routers cannot be had: no such agency, no configuration, no repository."""


class LedgerError(NetmonError):
    """The ledger cannot be opened, read or written."""


class StorageError(LedgerError):
    """The disk under the ledger refuses; what was refused may be tried again."""


class CapabilityError(NetmonError):
    """Something the command needs is missing on this machine, said in one sentence."""
