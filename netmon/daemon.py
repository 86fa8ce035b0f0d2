"""The daemon: builds every object, and knows the order of starting, reloading and stopping."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from netmon import __version__
from netmon.clock import Clock, SystemClock, Timeline
from netmon.config import LoadedAll, load_all
from netmon.config.settings import Settings
from netmon.errors import ConfigError, NetmonError
from netmon.inventory.diff import diff
from netmon.judge.judge import Judge
from netmon.ledger.account import Account
from netmon.ledger.ledger import Ledger
from netmon.ledger.writer import LedgerWriter
from netmon.model import Event, Inventory, OutageStart, Transition
from netmon.probes.icmp import EchoEngine, IcmpSockets, SocketFactory
from netmon.probes.icmp.tracing import OutageTracer
from netmon.probes.snmp.engine import SnmpEngine, UdpSocketFactory, UdpSockets
from netmon.probes.snmp.rounds import SnmpRounds
from netmon.schedule import Scheduler
from netmon.state import DaemonFigures, OutageBook, Snapshot
from netmon.watch import Parts, Watch
from netmon.web import Exporter, ReloadResult, WebServer

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_PUBLISH_SECONDS = 1.0
_LEDGER_PATIENCE_SECONDS = 5.0
"""So long a snapshot waits to be durable before it is published with the trouble on top."""
_DRAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; None: what the settings say."""

    config_file: Path
    listen_address: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What the daemon stands in; the demo and the tests bring their own."""

    exporters: Sequence[Exporter]
    clock: Clock = field(default_factory=SystemClock)
    icmp_sockets: SocketFactory = field(default_factory=IcmpSockets)
    udp_sockets: UdpSocketFactory = field(default_factory=UdpSockets)
    notice: str = ""
    on_inventory: Callable[[Inventory], None] = lambda _: None
    """Called with each inventory before it is put in force."""


class Daemon:
    """One netmon. `run()` returns the exit code after SIGTERM, SIGINT or `stop()`."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._snapshot: Snapshot | None = None
        self._reload = ReloadResult(ok=True, text="not reloaded yet")
        self._reload_success_us = 0
        self._alive_us = 0

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
        loaded = load_all(self._options.config_file)
        _warn(loaded)
        self._build(loaded)
        try:
            await self._start(loaded)
            await self._stopping.wait()
            _log.info("stopping: draining for at most %.0f s", _DRAIN_SECONDS)
        finally:
            await self._stop()
        _log.info("stopped")
        return 0

    async def reload(self) -> ReloadResult:
        """Read the YAML again and put it in force; a bad file changes nothing and says so."""
        async with self._reloading:
            try:
                loaded = await asyncio.to_thread(load_all, self._options.config_file)
            except ConfigError as error:
                count = len(error.findings)
                _log.warning("reload refused, %d findings, the first: %s", count, error.findings[0])
                self._reload = ReloadResult(ok=False, text=str(error))
                return self._reload
            _warn(loaded)
            text = self._put_in_force(loaded)
            _log.info("reloaded: %s", text)
            self._reload = ReloadResult(ok=True, text=text)
            return self._reload

    # --- Building and starting -------------------------------------------------------------------

    def _build(self, loaded: LoadedAll) -> None:
        settings, clock = loaded.settings, self._around.clock
        self._ledger = Ledger.open(settings.storage.path)
        self._timeline = Timeline(clock, self._ledger.last_us())
        self._started_us = self._alive_us = self._timeline.now_us()
        self._restoration = self._ledger.restore(self._started_us)
        self._writer = LedgerWriter(self._ledger)
        self._engine = EchoEngine(
            self._timeline, clock, self._observe, sockets=self._around.icmp_sockets
        )
        parts = Parts(
            self._timeline,
            self._engine,
            Judge(settings.policy),
            Account(settings.calendar),
            OutageBook(self._restoration.open_outages, self._restoration.recent_outages),
        )
        self._watch = Watch(parts, self._record)
        self._snmp_engine = SnmpEngine(clock, sockets=self._around.udp_sockets)
        self._scheduler = Scheduler(clock, self._timeline)
        self._snmp = SnmpRounds(
            self._snmp_engine, self._scheduler, self._timeline, self._watch.take_reading
        )
        self._web = WebServer(
            self._options.listen_address or settings.web.listen_address,
            self._around.exporters,
            lambda: self._snapshot,
            self.reload,
        )

    async def _start(self, loaded: LoadedAll) -> None:
        await self._web.start()
        await self._snmp_engine.start()
        self._scheduler.start()
        self._put_in_force(loaded)
        self._spawn(self._engine.run(), "echo engine")
        self._spawn(self._tick(), "tick")
        self._spawn(self._publish(), "publish")
        _log.info(
            "netmon %s: %d agencies, %d links, page at http://%s/",
            __version__,
            len(loaded.inventory.agencies),
            len(loaded.inventory.links),
            self._web.address,
        )

    def _put_in_force(self, loaded: LoadedAll) -> str:
        """Make the inventory and settings current, without an await; return what changed."""
        before = self._watch.inventory
        self._around.on_inventory(loaded.inventory)
        restored = self._restoration.links if before is None else None
        self._watch.set_inventory(loaded.inventory, loaded.settings, restored)
        self._snmp.set_inventory(loaded.inventory, loaded.settings)
        self._reload_success_us = self._timeline.now_us()
        if before is None:
            return "first inventory"
        return diff(before, loaded.inventory).text()

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Without its heart the daemon must not pretend to live: the supervisor restarts it.
            _log.error("%s is broken: stopping", task.get_name(), exc_info=task.exception())
            self._stopping.set()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(
            signal.SIGHUP, lambda: self._spawn(self._reload_on_signal(), "reload")
        )

    async def _reload_on_signal(self) -> None:
        await self.reload()

    # --- While it runs ---------------------------------------------------------------------------

    def _observe(self, batch: EchoBatch) -> None:
        self._watch.observe(batch)

    def _record(self, events: Sequence[Event]) -> None:
        self._writer.submit(events, on_durable=self._tell)
        for event in events:
            if isinstance(event, OutageStart):
                self._tracer.trace(event)

    def _tell(self, events: Sequence[Event]) -> None:
        """Log what has become durable; pages and scrapes learn it from the next snapshot."""
        for event in events:
            if isinstance(event, Transition):
                because = f" ({event.evidence.text})" if event.evidence.text else ""
                _log.info("%s: %s → %s%s", event.key, event.before, event.after, because)

    async def _tick(self) -> None:
        while True:
            self._watch.tick()
            await asyncio.sleep(_TICK_SECONDS)

    async def _publish(self) -> None:
        while True:
            await self._publish_once()
            await asyncio.sleep(_PUBLISH_SECONDS)

    async def _publish_once(self) -> None:
        """Gather, wait until everything decided so far is durable, and only then tell it."""
        now_us = self._timeline.now_us()
        snapshot = self._watch.gather(now_us, self._figures())
        try:
            async with asyncio.timeout(_LEDGER_PATIENCE_SECONDS):
                await self._writer.beat(now_us, self._timeline.wall_offset_us())
            self._alive_us = now_us
        except TimeoutError:
            snapshot = self._watch.gather(self._alive_us, self._figures())
        self._snapshot = snapshot

    def _figures(self) -> DaemonFigures:
        ledger = self._writer.status()
        return DaemonFigures(
            version=__version__,
            started_us=self._started_us,
            wall_offset_us=self._timeline.wall_offset_us(),
            rounds=self._scheduler.figures() + self._engine.revolutions(),
            engine=self._engine.figures(),
            reload_successful=self._reload.ok,
            reload_success_us=self._reload_success_us,
            reload_message="" if self._reload.ok else self._reload.text,
            ledger_writable=ledger.writable,
            ledger_message=ledger.message,
            ledger_pending=ledger.pending,
            canaries=self._watch.canaries,
            notice=self._around.notice,
        )

    async def _stop(self) -> None:
        """Drain: no new probes, what is under way may end, everything decided becomes durable."""
        self._web.drain()
        await self._scheduler.stop(_DRAIN_SECONDS)
        await self._engine.drain(1.0)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watch.inventory is not None:
            await self._publish_once()
        await self._snmp_engine.close()
        await self._writer.close()
        await self._web.stop()


def _warn(loaded: LoadedAll) -> None:
    for finding in loaded.warnings:
        _log.warning("%s", finding)
