"""`netmon run`: the daemon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from netmon.cli.options import Commands, add_config, add_daemon, config_file
from netmon.daemon import Daemon
from netmon.logs import configure
from netmon.surroundings import Options, Surroundings
from netmon.web import find_exporters

if TYPE_CHECKING:
    import argparse


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("run", help="run the daemon; SIGHUP reloads, SIGTERM ends it")
    add_config(parser)
    add_daemon(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    configure(options.log_level, options.log_format)
    daemon_options = Options(config_file(options), options.listen_address)
    surroundings = Surroundings(find_exporters(), early=options.early_signals)
    return asyncio.run(_serve(daemon_options, surroundings))


async def _serve(options: Options, surroundings: Surroundings) -> int:
    return await Daemon(options, surroundings).run()
