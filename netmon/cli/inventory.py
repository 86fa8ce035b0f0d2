"""`netmon inventory` and `netmon config`: what stands where, and what changed on it."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from netmon.cli.accounts import moment
from netmon.cli.options import Commands, add_config, config_file
from netmon.clock import SystemClock, Timeline
from netmon.config import LoadedAll, load_all
from netmon.errors import CapabilityError
from netmon.inventory import tables
from netmon.inventory.configs import ConfigStore
from netmon.inventory.coverage import coverage, total
from netmon.inventory.journal import changes
from netmon.inventory.latest import LastVisits
from netmon.inventory.overview import Standing, described, standing
from netmon.ledger import report
from netmon.ledger.desk import Desk
from netmon.ledger.reader import LedgerReader
from netmon.messages import Catalogue
from netmon.probes.ssh.collector import Limits
from netmon.probes.ssh.hosts import HostKeys
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import InventoryRound, RoundResult, configurations
from netmon.probes.ssh.targets import Targets
from netmon.probes.ssh.visit import SshStatus

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from rich.table import Table

    from netmon.inventory.tables import Record
    from netmon.ledger.facts import FactChange, Told
    from netmon.probes.ssh.collector import Target
    from netmon.probes.ssh.visit import Visit

_FORMATS = ("table", "csv", "json", "xlsx")
_ACTIONS = ("changes", "refresh", "coverage", "trust")


def add(commands: Commands) -> None:
    """Add the commands to the parser."""
    inventory = commands.add_parser(
        "inventory",
        help="what stands where, what changed on it, and how far the network has come",
        epilog="netmon inventory changes: what changed; refresh: visit the routers now; coverage: "
        "the indicators; trust AGENCY: forget a router's pinned host key",
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
    options.agencies = agencies
    actions: dict[str, Callable[[argparse.Namespace, LoadedAll], int]] = {
        "": _standing,
        "changes": _changes,
        "refresh": _refresh,
        "coverage": _coverage,
        "trust": _trust,
    }
    return actions[action](options, loaded)


def _config(options: argparse.Namespace) -> int:
    loaded = load_all(config_file(options))
    zone = ZoneInfo(loaded.inventory.province.timezone)
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
        Console().print(tables.detail_table(rows[0], zone, options.lang))
        return 0
    return _print(
        options,
        lambda: tables.standing_table(rows, zone, options.lang),
        tables.standing_records(rows, zone),
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
    rows = {row.agency.id: row for row in _known(loaded)}
    targets = Targets(loaded.settings, load_platforms(), lambda agency: described(rows[agency]))
    wanted = {agency for agency in rows if _wanted(options, loaded, agency)}
    to_visit, hindered = targets.of(loaded.inventory, wanted)
    if not to_visit and not hindered:
        raise CapabilityError("no router to visit: write router: {ssh: NAME} in the inventory")
    visits = loaded.settings.router_visits
    limits = Limits(visits.threads, visits.deadline_seconds, insist=options.insist)
    desk = Desk.open(loaded.settings.storage.path)

    async def enter(told: Told) -> Sequence[FactChange]:
        return desk.enter_facts(told)

    zone = ZoneInfo(loaded.inventory.province.timezone)
    round_ = InventoryRound(visits.path, Timeline(SystemClock()), enter, zone)
    troubles: list[Visit] = []
    try:
        with _bar(options.lang, len(to_visit) + len(hindered)) as advance:

            def seen(visit: Visit) -> None:
                advance(visit)
                if visit.status is not SshStatus.OK:
                    troubles.append(visit)

            result = asyncio.run(_until_signal(round_, (to_visit, hindered, limits), seen))
    finally:
        desk.close()
    for visit in troubles:
        print(f"{visit.agency}: {visit.status}: {visit.detail}")
    if result is None:
        print("stopped: what was visited so far is kept")
        return 1
    _summary(options, result, visits.path)
    return int(bool(troubles))


async def _until_signal(
    round_: InventoryRound,
    work: tuple[Sequence[Target], Sequence[Visit], Limits],
    seen: Callable[[Visit], None],
) -> RoundResult | None:
    """Run the round; None: a signal ended it, and what was visited so far is kept."""
    running = asyncio.create_task(round_.run(*work, seen))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return None


@contextmanager
def _bar(language: str, count: int) -> Iterator[Callable[[Visit], None]]:
    title = Catalogue.load().text(language, "inventory.visiting")
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=count)

        def advance(visit: Visit) -> None:
            bar.update(task, advance=1, description=f"{visit.agency} {visit.status}")

        yield advance


def _summary(options: argparse.Namespace, result: RoundResult, directory: Path) -> None:
    counted = ", ".join(f"{count} {status}" for status, count in result.statuses.most_common())
    changed = ", ".join(f"{count} {kind}" for kind, count in result.changes.most_common())
    print(f"{counted}; {changed or '0'} changed")
    if result.unread:
        text = Catalogue.load().text(
            options.lang, "inventory.unread_note", count=result.unread, place=directory / "last"
        )
        print(text)


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
    if options.format == "xlsx":
        if options.output is None:
            raise CapabilityError("--format xlsx: name the file with --output")
        options.output.write_bytes(tables.to_xlsx(records, "netmon"))
        return 0
    if options.format == "table":
        Console().print(table())
        return 0
    text = report.to_csv(records) if options.format == "csv" else report.to_json(records)
    if options.output is None:
        print(text)
    else:
        options.output.write_text(text, encoding="utf-8")
    return 0
