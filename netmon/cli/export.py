"""`netmon export`: files for Prometheus and Alertmanager, made from the inventory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from netmon.alerting.alertmanager import configuration
from netmon.alerting.discovery import EXPORTERS, target_groups
from netmon.alerting.mail import templates
from netmon.alerting.prometheus_files import rules_file, utc_offset_seconds
from netmon.cli.options import Commands, add_config, config_file
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_FILES = {
    "rules": "recording and alerting rules of Prometheus",
    "alertmanager": "configuration of Alertmanager: receivers, routes, inhibition",
    "alertmanager-templates": "Alertmanager's templates for mail",
    "prometheus-sd": "targets of stock exporters (file_sd)",
}


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("export", help="write files for Prometheus and Alertmanager")
    files = parser.add_subparsers(title="files", metavar="FILE", required=True)
    makers: dict[str, Callable[[LoadedAll, argparse.Namespace], str]] = {
        "rules": _rules,
        "alertmanager": lambda loaded, _: configuration(loaded.inventory, loaded.settings),
        "alertmanager-templates": lambda loaded, _: templates(_offset_seconds(loaded)),
        "prometheus-sd": lambda loaded, options: target_groups(loaded.inventory, options.exporter),
    }
    for name, maker in makers.items():
        this = files.add_parser(name, help=_FILES[name])
        add_config(this)
        this.add_argument(
            "-o", "--output", type=Path, metavar="PATH", help="write there, not to the terminal"
        )
        if name == "prometheus-sd":
            this.add_argument("--for", dest="exporter", choices=EXPORTERS, help="only for this one")
        this.set_defaults(command=_export, maker=maker)


def _rules(loaded: LoadedAll, _: argparse.Namespace) -> str:
    return rules_file(loaded.settings.alerting, _offset_seconds(loaded))


def _offset_seconds(loaded: LoadedAll) -> int:
    return utc_offset_seconds(loaded.inventory.province)


def _export(options: argparse.Namespace) -> int:
    text: str = options.maker(load_all(config_file(options)), options)
    output: Path | None = options.output
    if output is None:
        print(text, end="")
        return 0
    try:
        _replace(output, text)
    except OSError as error:
        message = f"{output}: {error.strerror}; name a file in a folder that may be written"
        raise CapabilityError(message) from error
    return 0


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all: Prometheus reads it while it changes."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
