"""`netmon outages`, `availability`, `spans` and `ledger`: questions to the account."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.cli.options import Commands, add_config, config_file, print_table
from netmon.clock import from_datetime
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError
from netmon.inventory.blame import config_changes, noted
from netmon.judge.availability import Period
from netmon.judge.availability_rows import Group as By
from netmon.judge.groups import Group, together
from netmon.ledger import report, tables
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.model import Cause, Hours, Inventory, LinkKey

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

_FORMATS = ("table", "csv", "json")


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    outages = _command(commands, "outages", "who was down, when, for how long and why")
    outages.add_argument("agency", nargs="?")
    outages.add_argument("--link")
    outages.add_argument("--provider")
    outages.add_argument("--cause", type=Cause, choices=tuple(Cause))
    outages.add_argument("--since", metavar="DATE|TIME", help="leave out what was over before")
    outages.add_argument("--until", metavar="DATE|TIME", help="leave out what began later")
    outages.add_argument("--open", action="store_true", help="only what is not over")
    outages.add_argument(
        "--groups",
        action="store_true",
        help="only what struck several links of one carrier in one area within a minute",
    )
    outages.set_defaults(command=_outages)

    availability = _command(commands, "availability", "availability of a month, with its coverage")
    availability.add_argument("--month", metavar="YYYY-MM", help="default: the present month")
    availability.add_argument("--by", type=By, choices=tuple(By), default=By.AGENCY)
    availability.add_argument("--hours", type=Hours, choices=tuple(Hours), help="default: all")
    availability.set_defaults(command=_availability)

    spans = _command(commands, "spans", "whose second it was: every span of one link")
    spans.add_argument("agency")
    spans.add_argument("link", nargs="?", default="primary")
    spans.add_argument("--month", metavar="YYYY-MM", help="default: the present month")
    spans.set_defaults(command=_spans)

    ledger = commands.add_parser("ledger", help="verify or back up the ledger")
    add_config(ledger)
    ledger.add_argument("action", choices=("verify", "backup"))
    ledger.add_argument("file", nargs="?", type=Path, help="where the backup goes")
    ledger.set_defaults(command=_ledger)


def _command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text)
    add_config(parser)
    parser.add_argument("--format", choices=_FORMATS, default="table")
    parser.add_argument("--lang", choices=("vi", "en"), default="vi")
    return parser


@contextlib.contextmanager
def _opened(options: argparse.Namespace) -> Iterator[tuple[LoadedAll, LedgerReader, ZoneInfo]]:
    loaded = load_all(config_file(options))
    reader = LedgerReader.open(loaded.settings.storage.path)
    try:
        yield loaded, reader, ZoneInfo(loaded.inventory.province.timezone)
    finally:
        reader.close()


def _outages(options: argparse.Namespace) -> int:
    with _opened(options) as (loaded, reader, zone):
        _demand_known(options, loaded.inventory, reader)
        wanted = OutageFilter(
            agency=options.agency,
            link=options.link,
            provider=options.provider,
            since_us=None if options.since is None else moment(options.since, zone),
            until_us=None if options.until is None else moment(options.until, zone),
            open_only=options.open,
            cause=options.cause,
        )
        known = config_changes(reader.facts(options.agency, history=True))
        found = noted(reader.outages(wanted, loaded.inventory), known, zone, options.lang)
        # Who belongs together does not depend on what is asked for.
        every = reader.outages(OutageFilter(since_us=wanted.since_us, until_us=wanted.until_us))
        groups = together(every, loaded.inventory)
        at_us = reader.status().beat_us
    if options.groups:
        found = [outage for outage in found if (outage.key, outage.start_us) in groups]
    if options.format == "table":
        words = {name: _words(group, loaded.inventory) for name, group in groups.items()}
        print_table(tables.outages_table(found, zone, at_us, options.lang, words))
        return 0
    records = report.outages_records(found, zone, at_us, groups)
    _print_records(records, options.format)
    return 0


def _words(group: Group, inventory: Inventory) -> str:
    names = [inventory.providers[group.provider].name]
    if group.area is not None:
        names.append(inventory.agencies[group.area].name)
    return f"{len(group.keys)} × {', '.join(names)}"


def _demand_known(options: argparse.Namespace, inventory: Inventory, reader: LedgerReader) -> None:
    """Refuse a name that nobody ever had; an agency that is gone still has its outages."""
    if options.provider is not None and options.provider not in inventory.providers:
        known = ", ".join(inventory.providers)
        message = f"--provider {options.provider}: not in the inventory; known: {known}"
        raise CapabilityError(message)
    agency = options.agency
    if agency is None or agency in inventory.agencies:
        return
    if not reader.outages(OutageFilter(agency=agency)):
        close = difflib.get_close_matches(agency, inventory.agencies, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        message = f"{agency}: neither in the inventory nor in the ledger{hint}"
        raise CapabilityError(message)


def _availability(options: argparse.Namespace) -> int:
    with _opened(options) as (loaded, reader, zone):
        period = month(options.month, zone, reader.status().beat_us)
        result = reader.availability(loaded.inventory, period, loaded.settings.calendar)
    if options.format == "json":
        print(report.availability_json(result))
    elif options.format == "csv":
        _print_records(report.availability_records(result), "csv")
    else:
        table = tables.availability_table(result, options.by, options.hours, options.lang)
        print_table(table)
    return 0


def _spans(options: argparse.Namespace) -> int:
    with _opened(options) as (loaded, reader, zone):
        key = LinkKey(options.agency, options.link)
        if key not in loaded.inventory.links:
            message = f"{key}: no such link in the inventory"
            raise CapabilityError(message)
        period = month(options.month, zone, reader.status().beat_us)
        spans = reader.spans(key, period.start_us, period.end_us)
    records = [
        {
            "start": report.iso(span.start_us, zone),
            "end": report.iso(span.end_us, zone),
            "seconds": (span.end_us - span.start_us) / 1e6,
            "state": span.state.value,
            "cause": None if span.cause is None else span.cause.value,
        }
        for span in spans
    ]
    if options.format == "table":
        print_table(tables.spans_table(spans, zone, options.lang))
    else:
        _print_records(records, options.format)
    return 0


def _ledger(options: argparse.Namespace) -> int:
    with _opened(options) as (loaded, reader, _):
        if options.action == "backup":
            if options.file is None:
                raise CapabilityError("ledger backup: name the file that the backup goes to")
            reader.backup(options.file)
            print(f"{loaded.settings.storage.path}: backed up to {options.file}")
            return 0
        problems = reader.verify()
        status = reader.status()
    for problem in problems:
        print(problem)
    print(f"{status.last_id} rows, {len(problems)} problems, head {status.hash.hex()}")
    return int(bool(problems))


def _print_records(records: Sequence[Mapping[str, object]], form: str) -> None:
    if form == "csv":
        # RFC 4180 ends lines by CR LF, on every system.
        sys.stdout.write(report.to_csv(records))
    else:
        print(report.to_json(records))


def moment(text: str, zone: ZoneInfo) -> int:
    """Return the instant that a date or time means; without an offset it is the province's.

    Raises:
        CapabilityError: it is neither.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text}: write a date as 2026-10-31 or a time as 2026-10-31T07:30"
        raise CapabilityError(message) from None
    return from_datetime(at if at.tzinfo else at.replace(tzinfo=zone))


def month(text: str | None, zone: ZoneInfo, now_us: int) -> Period:
    """Return the period of a month; None: the present one.

    Raises:
        CapabilityError: it is no month.
    """
    if text is None:
        text = report.iso(now_us, zone)[:7]
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        message = f"--month {text}: write it as 2026-10"
        raise CapabilityError(message)
    first = date.fromisoformat(f"{text}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    start, end = (from_datetime(datetime.combine(day, time(), zone)) for day in (first, after))
    return Period(start, end)
