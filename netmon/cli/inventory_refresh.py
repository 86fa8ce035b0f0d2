"""`netmon inventory refresh`: visit routers now, and see how it goes."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from netmon.clock import SystemClock, Timeline
from netmon.errors import CapabilityError
from netmon.inventory.overview import Standing, described
from netmon.inventory.tables import fact_word, status_word
from netmon.ledger.desk import Desk
from netmon.messages import Catalogue
from netmon.probes.ssh.collector import Limits
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import InventoryRound, RoundResult
from netmon.probes.ssh.targets import Targets
from netmon.probes.ssh.visit import SshStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from netmon.config import LoadedAll
    from netmon.ledger.facts import FactChange, Told
    from netmon.probes.ssh.collector import Target
    from netmon.probes.ssh.visit import Visit


def refresh(
    loaded: LoadedAll,
    known: Mapping[str, Standing],
    wanted: Collection[str],
    language: str,
    *,
    insist: bool,
) -> int:
    """Visit the routers of the wanted agencies; return 1 if one of them could not be read.

    Raises:
        CapabilityError: none of them can be visited at all.
    """
    targets = Targets(loaded.settings, load_platforms(), lambda agency: described(known[agency]))
    to_visit, hindered = targets.of(loaded.inventory, wanted)
    if not to_visit and not hindered:
        raise CapabilityError("no router to visit: write router: {ssh: NAME} in the inventory")
    visits = loaded.settings.router_visits
    limits = Limits(visits.threads, visits.deadline_seconds, insist=insist)
    desk = Desk.open(loaded.settings.storage.path)

    async def enter(told: Told) -> Sequence[FactChange]:
        return desk.enter_facts(told)

    zone = ZoneInfo(loaded.inventory.province.timezone)
    round_ = InventoryRound(visits.path, Timeline(SystemClock()), enter, zone)
    troubles: list[Visit] = []
    try:
        with _bar(language, len(to_visit) + len(hindered)) as advance:

            def seen(visit: Visit) -> None:
                advance(visit)
                if visit.status is not SshStatus.OK:
                    troubles.append(visit)

            result = asyncio.run(_until_signal(round_, (to_visit, hindered, limits), seen))
    finally:
        desk.close()
    for visit in sorted(troubles, key=lambda each: (each.status, each.agency)):
        print(f"{visit.agency}: {status_word(language, visit.status)}: {visit.detail}")
    if result is None:
        print(Catalogue.load().text(language, "inventory.stopped"))
        return 1
    _summary(language, result, visits.path)
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
    console = Console(stderr=True, markup=False)
    with Progress(*columns, TextColumn("{task.description}"), console=console) as bar:
        task = bar.add_task("", total=count)

        def advance(visit: Visit) -> None:
            status = status_word(language, visit.status)
            bar.update(task, advance=1, description=f"{visit.agency} {status}")

        yield advance


def _summary(language: str, result: RoundResult, directory: Path) -> None:
    words = Catalogue.load()
    visited = ", ".join(
        f"{count} {status_word(language, status)}"
        for status, count in result.statuses.most_common()
    )
    kinds = ", ".join(
        f"{count} {fact_word(language, kind)}" for kind, count in result.changes.most_common()
    )
    changed = f"{sum(result.changes.values())}"
    text = words.text(language, "inventory.summary", visited=visited, changed=changed)
    print(f"{text} ({kinds})" if kinds else text)
    if result.unread:
        place = directory / "last"
        print(words.text(language, "inventory.unread_note", count=result.unread, place=place))
