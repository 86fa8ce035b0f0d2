"""The nightly inventory round of the daemon, and what the page and Prometheus learn of it."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from netmon.clock import MICROSECONDS, Timeline, from_datetime, utc
from netmon.errors import NetmonError
from netmon.inventory.blame import ConfigChange, noted
from netmon.inventory.journal import KINDS
from netmon.ledger.facts import FactChange, Told
from netmon.probes.ssh.collector import Limits
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import InventoryRound
from netmon.probes.ssh.targets import Targets
from netmon.probes.ssh.visit import SshStatus, Visit
from netmon.state import Snapshot, VisitFigures

if TYPE_CHECKING:
    from netmon.config.settings import RouterVisits, Settings
    from netmon.model import Inventory, RouterFacts, RouterReading

_log = logging.getLogger(__name__)

EnterFacts: TypeAlias = Callable[[Told], Awaitable[Sequence[FactChange]]]

LOOK_EVERY_SECONDS = 60.0
_LATEST_START_SECONDS = 4 * 3600
"""A daemon that starts later than this after `at` waits for the next night."""
_REMEMBERED_CHANGES = 1000


class Visits:
    """Knows when the round is due, runs it, and takes facts from SNMP polls too."""

    def __init__(
        self, timeline: Timeline, enter: EnterFacts, changes: Sequence[ConfigChange] = ()
    ) -> None:
        self._timeline = timeline
        self._enter = enter
        self._platforms = load_platforms()
        self._inventory: Inventory | None = None
        self._settings: Settings | None = None
        self._snmp: dict[str, RouterFacts] = {}
        self._statuses: dict[str, SshStatus] = {}
        self._changes: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._unread = 0
        self._config_changes = list(changes)[-_REMEMBERED_CHANGES:]

    def set_inventory(self, inventory: Inventory, settings: Settings) -> None:
        """Put inventory and settings in force; a round under way ends with those it began with."""
        self._inventory, self._settings = inventory, settings
        for known in (self._snmp, self._statuses):
            for agency in known.keys() - inventory.agencies.keys():
                del known[agency]

    async def take_reading(self, reading: RouterReading) -> None:
        """Enter the facts of an SNMP poll, if they are others than at the last one."""
        facts = reading.facts
        if self._snmp.get(reading.agency) == facts:
            return
        told = {name: getattr(facts, name) for name in _SNMP_FACTS if getattr(facts, name)}
        if told:
            self._snmp[reading.agency] = facts
            now_us = self._timeline.now_us()
            self._count(await self._enter(Told(reading.agency, "snmp", now_us, told)))

    async def run_if_due(self) -> None:
        """Run tonight's round, unless it ran already or nothing can be visited."""
        inventory, settings = self._inventory, self._settings
        if inventory is None or settings is None:
            return
        visits = settings.router_visits
        begin_us = self._begin_us(visits, inventory)
        if begin_us is None or self._last_round_us(visits) >= begin_us:
            return
        targets = Targets(settings, self._platforms, self._describe)
        if not targets.any_secret():
            return
        self._note_round(visits)
        await self._round(targets, inventory, visits)

    def figures(self) -> VisitFigures:
        """Return what is known of visits."""
        counts = Counter(status.value for status in self._statuses.values())
        return VisitFigures(
            changes=dict(self._changes),
            statuses={status.value: counts[status.value] for status in SshStatus},
            changed_keys=tuple(
                sorted(a for a, s in self._statuses.items() if s is SshStatus.HOST_KEY)
            ),
            unread=self._unread,
        )

    def noted(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with changes of configurations beside the outages they precede."""
        if not self._config_changes:
            return snapshot
        zone, language = self._zone(snapshot.inventory), snapshot.daemon.language
        known = self._config_changes
        return replace(
            snapshot,
            open_outages=tuple(noted(snapshot.open_outages, known, zone, language)),
            recent_outages=tuple(noted(snapshot.recent_outages, known, zone, language)),
        )

    async def _round(self, targets: Targets, inventory: Inventory, visits: RouterVisits) -> None:
        to_visit, hindered = targets.of(inventory)
        zone = self._zone(inventory)
        round_ = InventoryRound(visits.path, self._timeline, self._enter, zone, self._took)
        limits = Limits(visits.threads, visits.deadline_seconds, visits.splay_seconds)
        _log.info(
            "inventory round: %d routers to visit, %d cannot be", len(to_visit), len(hindered)
        )
        try:
            result = await round_.run(to_visit, hindered, limits, self._saw)
        except NetmonError as error:
            _log.warning("inventory round: %s", error)
            return
        self._unread = result.unread
        counted = ", ".join(f"{count} {status}" for status, count in result.statuses.most_common())
        _log.info("inventory round: %s; %d changes", counted, sum(result.changes.values()))

    def _saw(self, visit: Visit) -> None:
        self._statuses[visit.agency] = visit.status

    def _took(self, change: FactChange, changed_us: int) -> None:
        self._count([change])
        if change.kind == "config":
            self._config_changes.append(ConfigChange(change.agency, changed_us))
            del self._config_changes[:-_REMEMBERED_CHANGES]

    def _count(self, changes: Sequence[FactChange]) -> None:
        for change in changes:
            if (change.news or change.elsewhere) and change.kind in KINDS:
                self._changes[change.kind] += 1

    def _describe(self, agency: str) -> str:
        facts = self._snmp.get(agency)
        return "" if facts is None else f"{facts.vendor} {facts.os} {facts.description}"

    def _begin_us(self, visits: RouterVisits, inventory: Inventory) -> int | None:
        """Return when the round that may run now was to begin; None: none may."""
        if visits.at_minutes is None:
            return None
        now_us = self._timeline.now_us()
        local = utc(now_us).astimezone(self._zone(inventory))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for day in (midnight, midnight - timedelta(days=1)):
            begin_us = from_datetime(_at(day, visits.at_minutes))
            if 0 <= now_us - begin_us <= _LATEST_START_SECONDS * MICROSECONDS:
                return begin_us
        return None

    @staticmethod
    def _zone(inventory: Inventory) -> ZoneInfo:
        return ZoneInfo(inventory.province.timezone)

    @staticmethod
    def _last_round_us(visits: RouterVisits) -> int:
        path = visits.path / "last-round.json"
        return int(json.loads(path.read_text("utf-8"))["begun_us"]) if path.exists() else 0

    def _note_round(self, visits: RouterVisits) -> None:
        visits.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = visits.path / ".last-round.json.new"
        temporary.write_text(json.dumps({"begun_us": self._timeline.now_us()}), "utf-8")
        temporary.replace(visits.path / "last-round.json")


_SNMP_FACTS = ("name", "vendor", "model", "serial", "os", "version", "location")


def _at(day: datetime, minutes: int) -> datetime:
    return day.replace(hour=minutes // 60, minute=minutes % 60)
