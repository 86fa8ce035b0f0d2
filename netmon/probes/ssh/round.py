"""The inventory round: every router visited, its facts in the journal, its configuration kept."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, TypeAlias

from netmon.errors import InventoryError, NetmonError
from netmon.inventory.blame import told_instant_us
from netmon.inventory.configs import ConfigStore
from netmon.inventory.latest import LastVisit, LastVisits
from netmon.ledger.facts import FactChange, Told
from netmon.probes.ssh.adapter import Session
from netmon.probes.ssh.collector import Collector, Limits, Sessions, Target
from netmon.probes.ssh.visit import SshStatus, Visit, broken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from netmon.clock import Timeline

_log = logging.getLogger(__name__)

Enter: TypeAlias = "Callable[[Told], Awaitable[Sequence[FactChange]]]"
"""Stores facts; the ledger has one writer, and who that is depends."""

SOURCE = "ssh"
_JOURNALED = ("interface", "address", "neighbour")
"""Tables whose rows are facts; ARP changes with every computer that is switched on."""


class RoundUnderWayError(InventoryError):
    """Another process visits routers."""


@dataclass
class RoundResult:
    """What a round came to."""

    statuses: Counter[SshStatus] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    """By kind."""
    unread: int = 0
    """Answers whose template did not fit."""


@dataclass(frozen=True)
class _Kept:
    """The repository, and the one thread that writes to it."""

    store: ConfigStore
    thread: ThreadPoolExecutor

    async def save(self, visit: Visit, at_us: int) -> str:
        """Keep the configuration; return its content's hash."""
        text = visit.configuration or ""
        content, _ = await asyncio.get_running_loop().run_in_executor(
            self.thread, self.store.save, visit.agency, text, at_us, visit.changed_by
        )
        return content


class InventoryRound:
    """Visits routers and keeps what they tell, in `directory`."""

    def __init__(
        self,
        directory: Path,
        timeline: Timeline,
        enter: Enter,
        zone: tzinfo = UTC,
        on_change: Callable[[FactChange, int], None] = lambda _change, _changed_us: None,
        sessions: Sessions = Session,
    ) -> None:
        self._directory = directory
        self._timeline = timeline
        self._enter = enter
        self._zone = zone
        self._on_change = on_change
        self._last = LastVisits(directory / "last")
        self._sessions = sessions

    async def run(
        self,
        targets: Sequence[Target],
        hindered: Sequence[Visit],
        limits: Limits,
        progress: Callable[[Visit], None] = lambda _visit: None,
    ) -> RoundResult:
        """Visit `targets`, and note why the others are not.

        Raises:
            RoundUnderWayError: another process has not come to the end of its round.
            InventoryError: the directory or the repository cannot be used.
        """
        result = RoundResult()
        with self._alone():
            store = ConfigStore.open(configurations(self._directory), create=True)
            keeper = ThreadPoolExecutor(1, thread_name_prefix="configurations")
            collector = Collector(self._directory, self._timeline, self._sessions)

            async def take(visit: Visit) -> None:
                progress(await self._kept(_Kept(store, keeper), visit, result))

            try:
                for each in hindered:
                    await take(each)
                await collector.round(targets, limits, take)
            finally:
                # What is being written is written to its end: a few milliseconds.
                keeper.shutdown(wait=True)
                store.close()
        return result

    async def _kept(self, kept: _Kept, visit: Visit, result: RoundResult) -> Visit:
        """Keep one visit; where that fails the others go on, and it is told of this one."""
        try:
            await self._keep(kept, visit, result)
        except (NetmonError, OSError) as error:
            visit = self._left(Visit(visit.agency, SshStatus.NOT_KEPT, str(error), visit.platform))
        except Exception as error:  # noqa: BLE001  # our bug on one router must not end the round
            visit = self._left(broken(visit.agency, visit.platform, error))
        result.statuses[visit.status] += 1
        return visit

    def _left(self, visit: Visit) -> Visit:
        """Note a visit of which nothing could be kept: it is not made again tonight."""
        with suppress(OSError):
            self._last.save(_last_visit(visit, self._timeline.now_us(), "", None))
        return visit

    async def _keep(self, kept: _Kept, visit: Visit, result: RoundResult) -> None:
        """The configuration first, so that no fact names one that is not there."""
        at_us = self._timeline.now_us()
        facts, within = _facts(visit)
        if visit.configuration is not None:
            facts["config"] = await kept.save(visit, at_us)
        changed_us = told_instant_us(visit.changed_at, self._zone, at_us)
        if changed_us is not None:
            facts["configured"] = str(changed_us)
        if facts or within:
            changes = await self._enter(Told(visit.agency, SOURCE, at_us, facts, within))
            for change in changes:
                self._note(change, changed_us or at_us, result)
        self._last.save(_last_visit(visit, at_us, facts.get("config", ""), changed_us))
        result.unread += len(visit.unread)

    def _note(self, change: FactChange, changed_us: int, result: RoundResult) -> None:
        if change.elsewhere:
            _log.warning(
                "%s: its router has serial %s, which was at %s until now",
                change.agency,
                change.after,
                change.elsewhere,
            )
        if change.news or change.elsewhere:
            result.changes[change.kind] += 1
            self._on_change(change, changed_us)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off other rounds: two sessions at a time are one too many for a small router."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self._directory / "round.lock").open("w")
        except OSError as error:
            raise InventoryError(
                f"{self._directory}: cannot be written ({error.strerror}): check visits.path"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RoundUnderWayError(
                    f"{self._directory}: another round is under way: wait for its end"
                ) from None
            yield


def configurations(directory: Path) -> Path:
    """Return where the repository of configurations lies."""
    return directory / "configurations.git"


def _facts(visit: Visit) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return facts by key, and the sorts of which all is told."""
    told = visit.answers
    facts = {key: value for key, value in told.facts.items() if key not in {"uptime", "booted"}}
    for sort in _JOURNALED:
        for name, text in told.tables.get(sort, {}).items():
            facts[f"{sort}/{name}"] = text or "-"
    # A table that is empty because its answer was not understood must not tell that all is gone.
    trusted = visit.status is SshStatus.OK
    return facts, tuple(
        sort for sort in _JOURNALED if sort in told.tables and (told.tables[sort] or trusted)
    )


def _last_visit(visit: Visit, at_us: int, configuration: str, changed_us: int | None) -> LastVisit:
    return LastVisit(
        agency=visit.agency,
        at_us=at_us,
        status=visit.status.value,
        detail=visit.detail,
        platform=visit.platform,
        facts=visit.answers.facts,
        tables=visit.answers.tables,
        configuration=configuration,
        changed_at=visit.changed_at,
        changed_by=visit.changed_by,
        changed_us=changed_us,
        unread=visit.unread,
    )
