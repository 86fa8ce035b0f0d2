"""`netmon reclassify`: seconds that belong to another class, by an entry that says who and why."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.cli.accounts import moment, month
from netmon.cli.options import Commands, add_author, add_config, config_file, print_table
from netmon.clock import SystemClock
from netmon.config import load_all
from netmon.errors import CapabilityError
from netmon.ledger import report, tables
from netmon.ledger.desk import Desk
from netmon.ledger.reader import LedgerReader
from netmon.model import LinkKey, Reclassification, State

if TYPE_CHECKING:
    import argparse

_STATES = tuple(state.value for state in State)


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "reclassify", help="move seconds of the account to another class, with who and why"
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="only seconds that have the class --before are moved")
    adding.add_argument("link", metavar="AGENCY/LINK")
    adding.add_argument("reason", help="why, and where that is written")
    adding.add_argument("--from", dest="start", metavar="TIME", required=True)
    adding.add_argument("--to", dest="end", metavar="TIME", required=True)
    adding.add_argument("--before", choices=_STATES, default=State.DOWN.value)
    adding.add_argument("--after", choices=_STATES, default=State.MAINTENANCE.value)
    add_author(adding)
    adding.set_defaults(command=_add)
    listing = actions.add_parser("list", help="what was moved in a month, by people and by netmon")
    listing.set_defaults(command=_list)
    for action in (adding, listing):
        add_config(action)
        action.add_argument("--month", metavar="YYYY-MM", help="default: the present month")
        action.add_argument("--lang", choices=("vi", "en"), default="vi")


def _add(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    zone = ZoneInfo(loaded.inventory.province.timezone)
    agency, _, link = options.link.partition("/")
    if options.before == options.after:
        raise CapabilityError("--before and --after are the same: nothing would move")
    entry = Reclassification(
        key=LinkKey(agency, link or "primary"),
        start_us=moment(options.start, zone),
        end_us=moment(options.end, zone),
        before=State(options.before),
        after=State(options.after),
        decided_us=SystemClock().wall_us(),
        author=options.author,
        reason=options.reason,
    )
    desk = Desk.open(loaded.settings.storage.path)
    try:
        desk.reclassify(entry)
    finally:
        desk.close()
    options.month = options.month or report.iso(entry.start_us, zone)[:7]
    return _list(options)


def _list(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    zone = ZoneInfo(loaded.inventory.province.timezone)
    reader = LedgerReader.open(loaded.settings.storage.path)
    try:
        entries = reader.reclassifications(month(options.month, zone, reader.status().beat_us))
    finally:
        reader.close()
    print_table(tables.reclassifications_table(entries, zone, options.lang))
    return 0
