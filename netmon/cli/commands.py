"""The parser of all commands."""

from __future__ import annotations

import argparse

from netmon import __version__
from netmon.cli import (
    accounts,
    check,
    demo,
    drill,
    export,
    inventory,
    maintenance,
    probe,
    reclassify,
    relay,
    run,
    status,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it returns has the command's function as `command`."""
    this = argparse.ArgumentParser(
        prog="netmon",
        description="Who was reachable when, and why not.",
        epilog="netmon COMMAND --help tells the options of a command.",
    )
    this.add_argument("--version", action="version", version=f"netmon {__version__}")
    commands = this.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        run, check, probe, status, accounts, inventory, maintenance, reclassify, export, relay,
        drill, demo,
    ):  # fmt: skip
        module.add(commands)
    return this
