"""`netmon maintenance`: planned work, entered by hand; the running daemon takes it up by itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.cli.accounts import moment
from netmon.cli.options import Commands, add_author, add_config, config_file, print_table
from netmon.clock import MICROSECONDS, SystemClock
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError
from netmon.ledger import tables
from netmon.ledger.desk import Desk
from netmon.ledger.reader import LedgerReader
from netmon.model import Inventory, LinkKey, MaintenanceWindow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection

_UNITS = {"m": 60, "h": 3600, "d": 86_400}


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("maintenance", help="plan work, list it, end it")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="plan work, from now on unless --from is given")
    adding.add_argument("id", help="a name for it")
    adding.add_argument("reason")
    adding.add_argument("--from", dest="start", metavar="TIME")
    ends = adding.add_mutually_exclusive_group(required=True)
    ends.add_argument("--to", dest="end", metavar="TIME")
    ends.add_argument("--for", dest="length", metavar="LENGTH", help="30m, 2h, 1d")
    adding.add_argument("--agency", action="append", default=[])
    adding.add_argument("--subtree", action="store_true", help="and everything below the agencies")
    adding.add_argument("--link", action="append", default=[], metavar="AGENCY/LINK")
    adding.add_argument("--provider", action="append", default=[])
    adding.add_argument("--province", action="store_true", help="everything")
    ending = actions.add_parser("end", help="end it now, or call it off")
    ending.add_argument("id")
    listing = actions.add_parser("list", help="what was planned by hand")
    commands_of: tuple[tuple[argparse.ArgumentParser, Callable[..., int]], ...] = (
        (adding, _add),
        (ending, _end),
        (listing, _list),
    )
    for action, command in commands_of:
        add_config(action)
        action.add_argument("--lang", choices=("vi", "en"), default="vi")
        action.set_defaults(command=command)
    for action in (adding, ending):
        add_author(action)


def _add(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    now_us = SystemClock().wall_us()
    window = _window(options, loaded, now_us)
    desk = Desk.open(loaded.settings.storage.path)
    try:
        desk.add_window(window, options.author, now_us)
    finally:
        desk.close()
    return _list(options)


def _end(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    desk = Desk.open(loaded.settings.storage.path)
    try:
        desk.end_window(options.id, options.author, SystemClock().wall_us())
    finally:
        desk.close()
    return _list(options)


def _list(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    reader = LedgerReader.open(loaded.settings.storage.path)
    try:
        windows = reader.windows()
    finally:
        reader.close()
    zone = ZoneInfo(loaded.inventory.province.timezone)
    print_table(tables.maintenance_table(windows, zone, options.lang))
    return 0


def _window(options: argparse.Namespace, loaded: LoadedAll, now_us: int) -> MaintenanceWindow:
    zone = ZoneInfo(loaded.inventory.province.timezone)
    start_us = now_us if options.start is None else moment(options.start, zone)
    if options.end is not None:
        end_us = moment(options.end, zone)
    else:
        end_us = start_us + round(_length(options.length).total_seconds() * MICROSECONDS)
    links = frozenset(_link(text, loaded.inventory) for text in options.link)
    _demand_known("--agency", options.agency, loaded.inventory.agencies.keys())
    _demand_known("--provider", options.provider, loaded.inventory.providers.keys())
    chosen = bool(options.agency or links or options.provider)
    if chosen == options.province:
        raise CapabilityError(
            "say what the work covers: --agency, --link or --provider, or all of it: --province"
        )
    return MaintenanceWindow(
        id=options.id,
        start_us=start_us,
        end_us=end_us,
        reason=options.reason,
        agencies=frozenset(options.agency),
        subtree=options.subtree,
        links=links,
        providers=frozenset(options.provider),
    )


def _link(text: str, inventory: Inventory) -> LinkKey:
    agency, _, link = text.partition("/")
    key = LinkKey(agency, link or "primary")
    _demand_known("--link", [str(key)], {str(known) for known in inventory.links})
    return key


def _demand_known(option: str, names: list[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            message = f"{option} {name}: not in the inventory"
            raise CapabilityError(message)


def _length(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([mhd])", text)
    if match is None:
        message = f"--for {text}: write a length as 30m, 2h or 1d"
        raise CapabilityError(message)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
