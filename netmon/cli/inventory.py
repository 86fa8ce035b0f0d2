"""`netmon inventory` and `netmon config`: what stands where, and what changed on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console

from netmon.cli.accounts import moment
from netmon.cli.inventory_refresh import refresh
from netmon.cli.options import Commands, add_config, config_file
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError
from netmon.inventory import sheets, tables
from netmon.inventory.configs import ConfigStore
from netmon.inventory.coverage import coverage, software, total
from netmon.inventory.journal import changes
from netmon.inventory.latest import LastVisits
from netmon.inventory.overview import Standing, standing
from netmon.ledger import report
from netmon.ledger.reader import LedgerReader
from netmon.messages import Catalogue
from netmon.probes.ssh.hosts import HostKeys
from netmon.probes.ssh.round import configurations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from netmon.inventory.sheets import Record

_PIPED_COLUMNS = 200
_FORMATS = ("table", "csv", "json", "xlsx")
_ACTIONS = ("changes", "refresh", "coverage", "software", "trust")


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    inventory = commands.add_parser(
        "inventory",
        help="what stands where, what changed on it, and how far the network has come",
        epilog="netmon inventory changes: what changed; refresh: visit the routers now; coverage: "
        "the indicators; software: how many routers run what; trust AGENCY: forget a router's "
        "pinned host key",
    )
    add_config(inventory)
    inventory.add_argument(
        "words", nargs="*", metavar="ACTION|AGENCY", help=f"one of {', '.join(_ACTIONS)}; or ids"
    )
    inventory.add_argument("--kind", help="only agencies of this kind")
    inventory.add_argument("--since", metavar="DATE|TIME", help="only changes from then on")
    inventory.add_argument("--format", choices=_FORMATS, default="table")
    inventory.add_argument("--output", type=Path, metavar="FILE", help="needed for xlsx")
    inventory.add_argument("--lang", choices=("vi", "en"), default="vi")
    inventory.add_argument(
        "--insist", action="store_true", help="visit routers too that refused the last login"
    )
    inventory.set_defaults(command=_inventory)

    config = commands.add_parser("config", help="configurations of routers: what changed when")
    add_config(config)
    config.add_argument("action", choices=("diff", "show", "log"))
    config.add_argument("agency")
    config.add_argument("--since", metavar="DATE|TIME", help="default: the last change")
    config.add_argument("--lang", choices=("vi", "en"), default="vi")
    config.set_defaults(command=_config)


def _inventory(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    action, agencies = "", list(options.words)
    if agencies and agencies[0] in _ACTIONS:
        action = agencies.pop(0)
    for agency in agencies:
        if agency not in loaded.inventory.agencies:
            raise CapabilityError(f"{agency}: no such agency in the inventory")
    kinds = loaded.inventory.kinds
    if options.kind is not None and options.kind not in kinds:
        raise CapabilityError(f"--kind {options.kind}: no such kind; known: {', '.join(kinds)}")
    options.agencies = agencies
    actions: dict[str, Callable[[argparse.Namespace, LoadedAll], int]] = {
        "": _standing,
        "changes": _changes,
        "refresh": _refresh,
        "coverage": _coverage,
        "software": _software,
        "trust": _trust,
    }
    return actions[action](options, loaded)


def _config(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    zone = ZoneInfo(loaded.inventory.province.timezone)
    if options.since is not None and options.action != "diff":
        raise CapabilityError("--since goes with netmon config diff")
    if options.agency not in loaded.inventory.agencies:
        raise CapabilityError(f"{options.agency}: no such agency in the inventory")
    store = ConfigStore.open(configurations(loaded.settings.router_visits.path))
    try:
        if options.action == "show":
            text = store.text(options.agency)
            if text is None:
                raise CapabilityError(f"{options.agency}: no configuration was kept yet")
        elif options.action == "log":
            text = "".join(
                f"{report.instant(each.at_us, zone)} {each.content} {each.message}\n"
                for each in store.versions(options.agency)
            )
        else:
            since_us = None if options.since is None else moment(options.since, zone)
            text = store.diff(options.agency, since_us)
            text = text or Catalogue.load().text(options.lang, "inventory.same") + "\n"
    finally:
        store.close()
    sys.stdout.write(text)
    return 0


def _standing(options: argparse.Namespace, loaded: LoadedAll) -> int:
    zone = ZoneInfo(loaded.inventory.province.timezone)
    rows = [row for row in _known(loaded) if _wanted(options, loaded, row.agency.id)]
    if options.format == "table" and len(options.agencies) == 1 and rows:
        detail = tables.detail_table(rows[0], zone, options.lang)
        return _print(options, lambda: detail, ())
    made = tables.standing_trees if options.format == "json" else tables.standing_records
    return _print(
        options, lambda: tables.standing_table(rows, zone, options.lang), made(rows, zone)
    )


def _changes(options: argparse.Namespace, loaded: LoadedAll) -> int:
    zone = ZoneInfo(loaded.inventory.province.timezone)
    since_us = 0 if options.since is None else moment(options.since, zone)
    reader = LedgerReader.open(loaded.settings.storage.path)
    try:
        history = reader.facts(history=True)
    finally:
        reader.close()
    rows = [
        row
        for row in changes(history)
        if row.at_us >= since_us and _wanted(options, loaded, row.agency)
    ]
    if not rows and options.format == "table":
        print(Catalogue.load().text(options.lang, "inventory.no_changes"))
        return 0
    return _print(
        options,
        lambda: tables.changes_table(rows, zone, options.lang),
        tables.changes_records(rows, zone),
    )


def _coverage(options: argparse.Namespace, loaded: LoadedAll) -> int:
    rows = [row for row in coverage(loaded.inventory) if options.kind in {None, row.kind}]
    rows.append(total(rows))
    names = {
        kind.id: kind.name if options.lang == "vi" else kind.name_en
        for kind in loaded.inventory.kinds.values()
    }
    return _print(
        options,
        lambda: tables.coverage_table(rows, names, options.lang),
        tables.coverage_records(rows),
    )


def _software(options: argparse.Namespace, loaded: LoadedAll) -> int:
    rows = [row for row in _known(loaded) if _wanted(options, loaded, row.agency.id)]
    records = tables.software_records(software(row.identity for row in rows))
    return _print(options, lambda: tables.software_table(records, options.lang), records)


def _trust(options: argparse.Namespace, loaded: LoadedAll) -> int:
    if not options.agencies:
        raise CapabilityError("inventory trust: name the agency whose host key is to be forgotten")
    directory = loaded.settings.router_visits.path / "known_hosts"
    for agency in options.agencies:
        forgotten = HostKeys(directory, agency).forget()
        what = "its key is forgotten: the next visit pins a new one" if forgotten else "none pinned"
        print(f"{agency}: {what}")
    return 0


def _refresh(options: argparse.Namespace, loaded: LoadedAll) -> int:
    known = {row.agency.id: row for row in _known(loaded)}
    wanted = {agency for agency in known if _wanted(options, loaded, agency)}
    return refresh(loaded, known, wanted, options.lang, insist=options.insist)


def _known(loaded: LoadedAll) -> list[Standing]:
    reader = LedgerReader.open(loaded.settings.storage.path)
    try:
        facts = reader.facts()
    finally:
        reader.close()
    last = LastVisits(loaded.settings.router_visits.path / "last")
    found = ((agency, last.of(agency)) for agency in loaded.inventory.agencies)
    return standing(
        loaded.inventory, facts, {agency: visit for agency, visit in found if visit is not None}
    )


def _wanted(options: argparse.Namespace, loaded: LoadedAll, agency_id: str) -> bool:
    agency = loaded.inventory.agencies.get(agency_id)
    kind_fits = options.kind is None or (agency is not None and agency.kind == options.kind)
    return kind_fits and (not options.agencies or agency_id in options.agencies)


def _print(
    options: argparse.Namespace, table: Callable[[], Table], records: Sequence[Record]
) -> int:
    if options.output is None and options.format == "xlsx":
        raise CapabilityError("--format xlsx: name the file with --output")
    if options.output is not None and options.format == "table":
        raise CapabilityError("--output: choose --format csv, json or xlsx")
    if options.format == "table":
        # What routers say is shown as it is: no markup, no smileys.
        _console().print(table())
    elif options.format == "xlsx":
        options.output.write_bytes(sheets.to_xlsx(records, "netmon"))
    elif options.format == "json":
        _write(options.output, report.to_json(records) + "\n", "")
    else:
        _write(options.output, sheets.to_safe_csv(records), sheets.BYTE_ORDER_MARK)
    return 0


def _write(path: Path | None, text: str, mark: str) -> None:
    if path is None:
        sys.stdout.write(text)
    else:
        path.write_bytes((mark + text).encode())


def _console() -> Console:
    """Return where tables go: as wide as the terminal, and wide enough to read in a file."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(
        width=_PIPED_COLUMNS if piped else None, markup=False, emoji=False, highlight=False
    )
