"""Options that several commands share, spelt as Prometheus' own tools spell theirs."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console

from netmon.errors import CapabilityError
from netmon.logs import FORMATS, LEVELS

if TYPE_CHECKING:
    import argparse

    from rich.table import Table

# argparse gives what add_subparsers() returns no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001

_WIDE = 160
_PLACES = (Path("config/netmon.yaml"), Path("/etc/netmon/netmon.yaml"))


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config.file."""
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help=f"the settings (default: the first there of {', '.join(map(str, _PLACES))})",
    )


def add_daemon(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that runs the daemon."""
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help="where the page and the metrics are (default: what the settings say)",
    )
    add_log(parser)


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is logged, and how."""
    parser.add_argument("--log.level", dest="log_level", choices=LEVELS, default="info")
    parser.add_argument("--log.format", dest="log_format", choices=FORMATS, default="logfmt")


def add_author(parser: argparse.ArgumentParser) -> None:
    """Add --author, of those commands that enter something in somebody's name."""
    parser.add_argument("--author", default=_user(), help="default: who you are")


def print_table(table: Table) -> None:
    """Print a table; what reads it in place of a terminal gets it as wide as it likes."""
    # What people wrote is shown as it is: a reason may hold brackets.
    console = Console(markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDE
    # Figures that run over the edge are read more easily than figures that are not there.
    console.print(table, crop=False)


def config_file(options: argparse.Namespace) -> Path:
    """Return the settings file that was named, or the first of the usual ones.

    Raises:
        CapabilityError: none was named and none of the usual ones is there.
    """
    named: Path | None = options.config_file
    if named is not None:
        return named
    for place in _PLACES:
        if place.is_file():
            return place
    message = (
        f"no settings: none of {', '.join(map(str, _PLACES))} is there; name one with --config.file"
    )
    raise CapabilityError(message)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no name; the ledger asks for one when something is entered.
        return ""
