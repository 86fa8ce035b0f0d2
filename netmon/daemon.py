"""The daemon: builds every object, and knows the order of starting, reloading and stopping."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from netmon import __version__
from netmon.alerting.drill import Drills
from netmon.clock import Timeline
from netmon.config import LoadedAll, load_all
from netmon.errors import NetmonError
from netmon.inventory.diff import diff
from netmon.inventory.recurring import coming
from netmon.judge.judge import Judge
from netmon.ledger.account import Account
from netmon.ledger.facts import TRAP
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import Fact, LedgerReader
from netmon.ledger.writer import LedgerWriter
from netmon.model import (
    Event,
    Inventory,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageStart,
    RouterReading,
    Transition,
)
from netmon.probes.icmp import EchoEngine, Tracer
from netmon.probes.icmp.outage_paths import OutagePaths
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.poller import RouterPoller
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.rounds import SnmpRounds
from netmon.probes.snmp.trap_watch import TrapWatch
from netmon.publication import Publication
from netmon.schedule import Scheduler
from netmon.state import DaemonFigures, OutageBook, Snapshot
from netmon.tasks import Tasks
from netmon.visits import LOOK_EVERY_SECONDS, Visits
from netmon.watch import Parts, Watch
from netmon.web import ReloadResult, WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netmon.config.settings import Settings, SnmpModule
    from netmon.judge.columns import EchoBatch
    from netmon.ledger.facts import FactChange, Told
    from netmon.ledger.restoration import RestoredLink
    from netmon.probes.snmp.trap import Trap
    from netmon.surroundings import Options, Surroundings

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.2
_LEDGER_PATIENCE_SECONDS = 5.0
_WINDOWS_EVERY_SECONDS = 5.0
_SURVEY_EVERY_SECONDS = 6 * 3600
_RETENTION_EVERY_SECONDS = 24 * 3600
_MEMORY_EVERY_SECONDS = 60
_DRAIN_SECONDS = 5.0
SWITCH_SECONDS = 0.000_05
"""Every NumPy call of the event loop may lose the interpreter lock to a scrape that is being
rendered: at Python's 5 ms a tick took 330 ms beside it, at 0.2 ms 40 ms, at this 8 ms."""


class Daemon:
    """One netmon. `run()` returns the exit code after SIGTERM, SIGINT or `stop()`."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings
        self.started = asyncio.Event()
        """Set with the first snapshot."""
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._reloading = asyncio.Lock()
        self._tasks = Tasks(self._give_up)
        self._reload = ReloadResult(ok=True, text="not reloaded yet")
        self._reload_success_us = 0
        self._windows: tuple[MaintenanceWindow, ...] = ()

    def stop(self) -> None:
        """Ask the daemon to drain and end."""
        self._stopping.set()

    async def run(self) -> int:
        """Start, serve until asked to stop, drain, and return the exit code.

        Raises:
            ConfigError: the YAML cannot be used; there is no earlier inventory to keep.
            NetmonError: the ledger, a socket or the web address cannot be had.
        """
        self._catch_signals()
        sys.setswitchinterval(SWITCH_SECONDS)
        loaded = self._load()
        _warn(loaded)
        self._build(loaded)
        try:
            await self._start(loaded)
            await self._stopping.wait()
            _log.info("stopping: draining for at most %.0f s", _DRAIN_SECONDS)
        finally:
            await self._stop()
        _log.info("stopped")
        return self._exit_code

    async def reload(self) -> ReloadResult:
        """Read the YAML again and put it in force; a bad file changes nothing and says so."""
        async with self._reloading:
            try:
                loaded = await asyncio.to_thread(self._load)
                profiles = await asyncio.to_thread(load_profiles, loaded.settings.profiles)
                known = await self._known_before(loaded.inventory)
                await self._traps.listen(loaded.settings.snmp_traps)
            except NetmonError as error:
                _log.warning("reload refused: %s", str(error).partition("\n")[0])
                self._reload = ReloadResult(ok=False, text=str(error))
                return self._reload
            _warn(loaded)
            self._snmp.set_profiles(profiles)
            text = self._put_in_force(loaded, known)
            self._reload_success_us = self._timeline.now_us()
            _log.info("reloaded: %s", text)
            self._reload = ReloadResult(ok=True, text=text)
            return self._reload

    def _load(self) -> LoadedAll:
        loaded = load_all(self._options.config_file)
        return loaded._replace(inventory=self._around.adapt(loaded.inventory))

    async def _known_before(self, inventory: Inventory) -> Mapping[LinkKey, RestoredLink]:
        """Return where the ledger left links that are new to the inventory in force."""
        current = self._watch.inventory
        added = inventory.links.keys() - (current.links.keys() if current else frozenset())
        if not added:
            return {}
        try:
            async with asyncio.timeout(_LEDGER_PATIENCE_SECONDS):
                restoration = await self._writer.call(lambda ledger: ledger.restored(added))
        except TimeoutError:
            _log.warning("the ledger is busy: new links begin their counters anew")
            return {}
        return restoration.links

    # --- Building and starting -------------------------------------------------------------------

    def _build(self, loaded: LoadedAll) -> None:
        self._loaded = loaded
        settings, clock = loaded.settings, self._around.clock
        ledger = Ledger.open(settings.storage.path, calendar=settings.calendar)
        self._timeline = Timeline(clock, ledger.last_us())
        self._started_us = self._timeline.now_us()
        self._restoration = ledger.restore(self._started_us, loaded.inventory.links.keys())
        self._writer = LedgerWriter(ledger, asyncio.get_running_loop())
        self._publication = Publication(self._writer, self._timeline, self._gather)
        self._engine = EchoEngine(
            self._timeline, clock, self._observe, sockets=self._around.icmp_sockets
        )
        self._watch = Watch(
            Parts(
                self._timeline,
                self._engine,
                Judge(settings.policy),
                Account(settings.calendar),
                OutageBook(
                    (link.outage for link in self._restoration.links.values() if link.outage),
                    self._restoration.recent_outages,
                ),
            ),
            self._record,
        )
        self._snmp_engine = SnmpEngine(clock, sockets=self._around.udp_sockets)
        self._snmp = SnmpRounds(
            self._snmp_engine,
            RouterPoller(load_profiles(settings.profiles), self._timeline),
            self._timeline,
            self._take_reading,
        )
        self._traps = TrapWatch(clock, self._look_at, self._note_trap)
        self._visits = Visits(self._timeline, self._enter_facts, partial(_facts, settings))
        self._paths = OutagePaths(
            Tracer(self._around.icmp_sockets), self._timeline, self._watch.enter_note
        )
        self._scheduler = Scheduler(clock, self._timeline)
        self._web = WebServer(
            self._options.listen_address or settings.web.listen_address,
            self._around.exporters,
            lambda: self._publication.snapshot,
            self.reload,
        )
        self._drills = Drills(clock)
        self._web.add_action("/-/drill", self._drill)

    async def _start(self, loaded: LoadedAll) -> None:
        await self._web.start()
        await self._snmp_engine.start()
        await self._traps.listen(loaded.settings.snmp_traps)
        self._scheduler.start()
        self._watch.recall(self._restoration.readings)
        self._put_in_force(loaded, self._restoration.links)
        self._reload_success_us = self._timeline.now_us()
        # The inventory lives as long as we do: the collector need not walk it, stopping all.
        gc.freeze()
        self._tasks.spawn(self._engine.run(), "echo engine", vital=True)
        self._tasks.spawn(self._tick(), "tick", vital=True)
        self._tasks.spawn(self._publication.run(), "publication", vital=True)
        _log.info(
            "netmon %s: %d agencies, %d links, page at http://%s:%d/",
            __version__,
            len(loaded.inventory.agencies),
            len(loaded.inventory.links),
            *self._web.address,
        )

    def _put_in_force(self, loaded: LoadedAll, restored: Mapping[LinkKey, RestoredLink]) -> str:
        """Make the inventory and settings current, without an await; return what changed."""
        before = self._watch.inventory
        inventory = self._with_windows(loaded.inventory)
        removed = self._watch.set_inventory(inventory, loaded.settings, restored)
        if removed:
            self._writer.retire(removed, self._timeline.now_us())
        self._traps.set_inventory(inventory)
        self._schedule(self._snmp.set_inventory(inventory, loaded.settings))
        self._visits.set_inventory(inventory, loaded.settings)
        self._loaded = loaded
        return "first inventory" if before is None else diff(before, inventory).text()

    def _schedule(self, modules: Mapping[str, SnmpModule]) -> None:
        rounds = {f"snmp {name}": module for name, module in modules.items()}
        fixed = {"paths", "maintenance", "retention", "inventory", "memory"}
        self._scheduler.forget(self._scheduler.names - rounds.keys() - fixed)
        for name, module in rounds.items():
            job = partial(self._snmp.run, module.name)
            self._scheduler.every(name, module.interval_seconds, job)
        self._scheduler.every("paths", _SURVEY_EVERY_SECONDS, self._survey, drained=False)
        self._scheduler.every("maintenance", _WINDOWS_EVERY_SECONDS, self._take_windows)
        # A round may be under way for hours: its sessions are ended at once, nothing of it is lost.
        self._scheduler.every("inventory", LOOK_EVERY_SECONDS, self._visits.look, drained=False)
        self._scheduler.every("memory", _MEMORY_EVERY_SECONDS, self._remember, at_once=False)
        self._scheduler.every("retention", _RETENTION_EVERY_SECONDS, self._retain, at_once=False)

    def _with_windows(self, inventory: Inventory) -> Inventory:
        """Return the inventory with the work that was planned by hand, or recurs."""
        more = (*self._windows, *coming(inventory, self._timeline.now_us()))
        return replace(inventory, maintenance=(*inventory.maintenance, *more))

    async def _take_windows(self) -> None:
        """Put in force what `netmon maintenance` planned, and each day what recurs."""
        self._windows = await self._writer.call(lambda ledger: ledger.windows())
        planned = self._with_windows(self._loaded.inventory).maintenance
        if self._watch.inventory is None or planned != self._watch.inventory.maintenance:
            self._put_in_force(self._loaded, {})

    async def _survey(self) -> None:
        inventory = self._watch.inventory
        if inventory is not None:
            await self._paths.survey(inventory.links.values())

    async def _retain(self) -> None:
        days, now_us = self._loaded.settings.storage.retention_days, self._timeline.now_us()
        rows = await self._writer.call(lambda ledger: ledger.retain(now_us, days))
        _log.info("retention: %d rows older than %d days left the ledger", rows, days)

    async def _remember(self) -> None:
        if memory := self._watch.news():
            self._writer.remember(memory)

    def _give_up(self) -> None:
        """Stop as failed: the supervisor restarts us."""
        self._exit_code = 1
        self._stopping.set()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._stopping.set,
            signal.SIGINT: self._stopping.set,
            signal.SIGHUP: lambda: self._tasks.spawn(self._reload_on_signal(), "reload"),
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        if self._around.early is not None and self._around.early.asked_to_stop:
            self._stopping.set()

    async def _reload_on_signal(self) -> None:
        await self.reload()

    # --- While it runs ---------------------------------------------------------------------------

    def _observe(self, batch: EchoBatch) -> None:
        # The engine is built before the watch that its batches go to.
        self._watch.observe(batch)

    def _take_reading(self, reading: RouterReading) -> None:
        self._watch.take_reading(reading)
        self._tasks.spawn(self._visits.take_reading(reading), f"facts {reading.agency}")

    async def _enter_facts(self, told: Told) -> Sequence[FactChange]:
        return await self._writer.call(lambda ledger: ledger.enter_facts(told))

    def _record(self, events: Sequence[Event]) -> None:
        self._publication.record(events, self._tell)

    def _tell(self, events: Sequence[Event]) -> None:
        """Tell the log and those who act on it; pages learn it from the next snapshot."""
        self._watch.settle(events)
        inventory = self._watch.inventory
        for event in events:
            if isinstance(event, Transition):
                because = f" ({event.evidence.text})" if event.evidence.text else ""
                _log.info("%s: %s → %s%s", event.key, event.before, event.after, because)
            elif isinstance(event, OutageStart) and inventory and event.key in inventory.links:
                self._paths.outage(inventory.links[event.key], event.start_us)
            elif isinstance(event, OutageEnd):
                # Its cause is told by the router's clock: the sooner it is asked, the better.
                self._tasks.spawn(self._snmp.poll_now(event.key.agency), f"poll {event.key.agency}")

    def _note_trap(self, agency_id: str, trap: Trap) -> None:
        at_us = self._timeline.at_monotonic_us(trap.at_monotonic_us)
        told = {f"{TRAP}/{trap.kind}": trap.text}
        self._writer.record_facts(agency_id, told, at_us, source=TRAP)

    def _look_at(self, agency_id: str) -> None:
        """Look at a router that sent a trap: a hint, and no evidence."""
        self._tasks.spawn(self._snmp.poll_now(agency_id), f"poll {agency_id}")
        self._watch.look_closely(agency_id)

    async def _tick(self) -> None:
        while True:
            self._watch.tick()
            await asyncio.sleep(_TICK_SECONDS)

    def _gather(self, durable_us: int) -> Snapshot:
        self.started.set()
        return self._visits.noted(self._watch.gather(durable_us, self._figures()))

    def _figures(self) -> DaemonFigures:
        writable, message, pending = self._writer.status()
        drills = self._drills.figures()
        return DaemonFigures(
            version=__version__,
            started_us=self._started_us,
            wall_offset_us=self._timeline.wall_offset_us(),
            rounds=self._scheduler.figures() + self._engine.revolutions(),
            engine=self._engine.figures(),
            snmp=self._snmp_engine.figures(),
            traps=self._traps.figures(),
            reload_successful=self._reload.ok,
            reload_success_us=self._reload_success_us,
            reload_message="" if self._reload.ok else self._reload.text,
            ledger_writable=writable,
            ledger_message=message,
            ledger_pending=pending,
            canaries=self._watch.canaries,
            exporter_failures=self._web.failures,
            visits=self._visits.figures(),
            language=self._loaded.settings.web.language,
            drills={each.agency: each.delivered_seconds for each in drills},
            active_drills=tuple(each.agency for each in drills if each.active),
            notice=self._around.notice,
        )

    def _drill(self, method: str, query: Mapping[str, str], body: bytes) -> ReloadResult:
        agencies = self._watch.inventory.agencies if self._watch.inventory else {}
        return ReloadResult(*self._drills.asked(method, query, body, agencies))

    async def _stop(self) -> None:
        """Drain: no new probes, what is under way may end, everything decided becomes durable."""
        self._web.drain()
        await self._scheduler.stop(_DRAIN_SECONDS)
        await self._engine.drain(1.0)
        await self._tasks.cancel()
        if self._watch.inventory is not None:
            await self._publication.publish()
            self._writer.remember(self._watch.all_news())
        self._paths.close()
        await self._traps.close()
        await self._snmp_engine.close()
        await self._writer.close()
        await self._web.stop()


def _warn(loaded: LoadedAll) -> None:
    for finding in loaded.warnings:
        _log.warning("%s", finding)


def _facts(settings: Settings) -> list[Fact]:
    """Return every fact that the ledger knows."""
    reader = LedgerReader.open(settings.storage.path)
    try:
        return reader.facts(history=True)
    finally:
        reader.close()
