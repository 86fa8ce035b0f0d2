"""Options that several commands share, spelt as Prometheus' own tools spell theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from netmon.errors import CapabilityError
from netmon.logs import FORMATS, LEVELS

if TYPE_CHECKING:
    import argparse

# argparse gives what add_subparsers() returns no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001

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
    parser.add_argument("--log.level", dest="log_level", choices=LEVELS, default="info")
    parser.add_argument("--log.format", dest="log_format", choices=FORMATS, default="logfmt")


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
