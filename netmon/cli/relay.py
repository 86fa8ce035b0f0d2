"""`netmon relay`: passes pages on to SMS and chat gateways."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from netmon.cli.options import add_config, add_log, config_file
from netmon.config import load_settings
from netmon.errors import CapabilityError
from netmon.logs import configure
from netmon.relay import Relay

if TYPE_CHECKING:
    import argparse

    from netmon.cli.options import Commands


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "relay", help="pass Alertmanager's pages on to SMS and chat gateways"
    )
    add_config(parser)
    add_log(parser)
    parser.set_defaults(command=_relay)


def _relay(options: argparse.Namespace) -> int:
    configure(options.log_level, options.log_format)
    # The settings alone: a mistake in the inventory must not keep pages from being sent.
    settings = load_settings(config_file(options)).settings
    alerting = settings.alerting
    if not alerting.gateways:
        message = "the settings name no gateway: write one under alerting: gateways:"
        raise CapabilityError(message)
    relay = Relay(alerting.relay_address, alerting.gateways, settings.calendar.zone)

    def stop(*_: object) -> None:
        # serve() runs in this thread: waiting for its end here would wait for ever.
        threading.Thread(target=relay.stop).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print(f"netmon relay: http://{alerting.relay_address}/", flush=True)
    relay.serve()
    return 0
