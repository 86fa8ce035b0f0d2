"""The commands. Exit codes: 0 all well, 1 findings, 2 wrong usage or something is missing."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from netmon import __version__
from netmon.cli import accounts, check, demo, probe, run, status
from netmon.errors import ConfigError, NetmonError

if TYPE_CHECKING:
    from collections.abc import Sequence

FINDINGS, TROUBLE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return FINDINGS
    except NetmonError as error:
        print(f"netmon: {error}", file=sys.stderr)
        return TROUBLE
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="netmon",
        description="Who was reachable when, and why not.",
        epilog="netmon COMMAND --help tells the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"netmon {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (run, check, probe, status, accounts, demo):
        module.add(commands)
    return parser
