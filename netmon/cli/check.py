"""`netmon check` tells every mistake in the YAML; `netmon schema` helps editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli.options import Commands, add_config, config_file
from netmon.config import check, load_settings
from netmon.config.schema import SCHEMAS
from netmon.errors import ConfigError
from netmon.model import Finding, Severity
from netmon.probes.snmp.profile_files import load_profiles

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    checking = commands.add_parser("check", help="check the YAML files; exit 1 on any error")
    add_config(checking)
    checking.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="default: the settings and their files"
    )
    checking.add_argument("--format", choices=("text", "json"), default="text")
    checking.set_defaults(command=_check)
    schema = commands.add_parser("schema", help="print the JSON Schema of a file, for editors")
    schema.add_argument("file", choices=tuple(SCHEMAS), help="of which file")
    schema.set_defaults(command=_schema)


def _check(options: argparse.Namespace) -> int:
    files: list[Path] = options.files or [config_file(options)]
    in_profiles = (finding for file in files for finding in _in_profiles(file))
    findings = (*check(files), *in_profiles)
    if options.format == "json":
        _print_json(findings)
    else:
        _print_text(files, findings)
    return int(any(finding.severity is Severity.ERROR for finding in findings))


def _in_profiles(file: Path) -> Sequence[Finding]:
    """Find mistakes in the operator's own SNMP profiles, where a file of settings names any."""
    try:
        own = load_settings(file).settings.profiles
    except ConfigError:
        return ()  # check() tells what is wrong with it, or it is no file of settings
    try:
        load_profiles(own)
    except ConfigError as error:
        return error.findings
    return ()


def _print_text(files: Sequence[Path], findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(finding)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    summary = f"{errors} errors, {len(findings) - errors} warnings"
    print(f"{', '.join(map(str, files))}: {summary}", file=sys.stderr)


def _print_json(findings: Sequence[Finding]) -> None:
    rows = [
        {
            "file": finding.file,
            "line": finding.line,
            "column": finding.column,
            "severity": finding.severity.value,
            "message": finding.message,
        }
        for finding in findings
    ]
    print(json.dumps(rows, ensure_ascii=False, indent=2))


def _schema(options: argparse.Namespace) -> int:
    print(json.dumps(SCHEMAS[options.file](), ensure_ascii=False, indent=2))
    return 0
