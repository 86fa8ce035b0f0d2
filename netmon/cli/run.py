"""`netmon run`: the daemon."""

from __future__ import annotations

import argparse
import asyncio

from netmon.cli.options import Commands, add_config, add_daemon, config_file
from netmon.daemon import Daemon, Options, Surroundings
from netmon.logs import configure
from netmon.web import find_exporters


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("run", help="run the daemon; SIGHUP reloads, SIGTERM ends it")
    add_config(parser)
    add_daemon(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    configure(options.log_level, options.log_format)
    daemon_options = Options(config_file(options), options.listen_address)
    return asyncio.run(_serve(daemon_options))


async def _serve(options: Options) -> int:
    return await Daemon(options, Surroundings(find_exporters())).run()
