"""Loads inventories and settings: all findings at once, and nothing but ConfigError raised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netmon.config.alerting_file import check_selectors
from netmon.config.calendar_file import read_calendar
from netmon.config.inventory_build import build_inventory
from netmon.config.inventory_checks import check_inventory
from netmon.config.inventory_fields import INVENTORY
from netmon.config.inventory_file import Draft, read_inventory
from netmon.config.report import Report
from netmon.config.secrets import read_secret
from netmon.config.settings import Settings
from netmon.config.settings_fields import CALENDAR, SETTINGS
from netmon.config.settings_file import read_settings
from netmon.config.source import MAX_FILE_BYTES, read_text
from netmon.errors import SecretError
from netmon.model import Finding, Inventory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netmon.config.settings_file import SettingsDraft

_TOP_LEVEL_KEY = re.compile(r"^[{]?\s*([a-z_]+)\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Loaded:
    """An inventory that may be put in force, and the files it came from."""

    inventory: Inventory
    warnings: tuple[Finding, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class LoadedSettings:
    """Settings that may be put in force, and the files they came from."""

    settings: Settings
    warnings: tuple[Finding, ...]
    files: tuple[Path, ...]


class LoadedAll(NamedTuple):
    """Settings and the inventory they name, checked against each other."""

    settings: Settings
    inventory: Inventory
    warnings: tuple[Finding, ...]
    files: tuple[Path, ...]


def load_inventory(path: Path, settings: Settings | None = None) -> Loaded:
    """Load an inventory with all it includes; names of modules and credentials need `settings`.

    Raises:
        ConfigError: anything in it is wrong; it holds every finding.
    """
    report = Report()
    draft = _read_inventory(path, settings, report)
    root = report.require(draft.root)
    return Loaded(build_inventory(root, draft), report.findings(), tuple(draft.files))


def load_settings(path: Path) -> LoadedSettings:
    """Load settings with their calendar; the inventory that they name is not looked at.

    Raises:
        ConfigError: anything in it is wrong; it holds every finding.
    """
    report = Report()
    draft = read_settings(path, report)
    settings = report.require(draft.settings)
    return LoadedSettings(settings, report.findings(), tuple(draft.files))


def load_all(settings_path: Path) -> LoadedAll:
    """Load settings and the inventory they name, each checked against the other.

    Raises:
        ConfigError: anything in either is wrong; it holds every finding of both.
    """
    report = Report()
    settings_draft, draft = _read_all(settings_path, report)
    settings = report.require(settings_draft.settings)
    inventory = build_inventory(report.require(draft.root), draft)
    files = (*settings_draft.files, *draft.files)
    return LoadedAll(settings, inventory, report.findings(), files)


def check(paths: Sequence[Path]) -> tuple[Finding, ...]:
    """Return every finding in files of either kind, told apart by their keys. Never raises.

    Settings are checked together with the inventory they name; secrets that cannot be read are
    warnings, because they may be there only on the machine that runs the daemon.
    """
    findings: set[Finding] = set()
    for path in paths:
        report = Report()
        _check_one(path, report)
        findings.update(report.findings())
    return tuple(sorted(findings))


def _check_one(path: Path, report: Report) -> None:
    kind = _kind_of(path, report)
    if kind == SETTINGS.name:
        draft, _ = _read_all(path, report)
        _check_secrets(draft, report)
    elif kind == CALENDAR.name:
        read_calendar(path, report)
    elif kind == INVENTORY.name:
        _read_inventory(path, None, report)


def _kind_of(path: Path, report: Report) -> str | None:
    """Return the name of the table whose keys a file has most of; None if it cannot be read.

    The keys are looked for without parsing, so that a file with a syntax error is told apart too.
    """
    text = read_text(path, report)
    if text is None:
        return None
    keys = set(_TOP_LEVEL_KEY.findall(text))
    tables = (INVENTORY, SETTINGS, CALENDAR)
    shared = [len(keys & {f.key for f in table.fields}) for table in tables]
    return tables[shared.index(max(shared))].name


def _read_all(path: Path, report: Report) -> tuple[SettingsDraft, Draft]:
    settings_draft = read_settings(path, report)
    if settings_draft.inventory is None:
        return settings_draft, Draft()
    draft = _read_inventory(settings_draft.inventory, settings_draft.settings, report)
    if settings_draft.alerting is not None and draft.complete:
        check_selectors(settings_draft.alerting, draft, report)
    return settings_draft, draft


def _read_inventory(path: Path, settings: Settings | None, report: Report) -> Draft:
    max_bytes = MAX_FILE_BYTES if settings is None else settings.inventory_max_bytes
    draft = read_inventory(path, report, max_bytes)
    check_inventory(draft, settings, report)
    return draft


def _check_secrets(draft: SettingsDraft, report: Report) -> None:
    for reference, place in draft.secrets:
        try:
            read_secret(reference)
        except SecretError as error:
            report.warn(place, str(error))
