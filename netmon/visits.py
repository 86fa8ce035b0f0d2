"""The nightly inventory round of the daemon, and what the page and Prometheus learn of it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from netmon.clock import MICROSECONDS
from netmon.errors import NetmonError
from netmon.inventory.blame import ConfigChange, config_changes, noted
from netmon.inventory.journal import KINDS, changes
from netmon.inventory.latest import LastVisit, LastVisits
from netmon.ledger.facts import FactChange, Told
from netmon.model import RouterFacts
from netmon.probes.ssh.collector import Limits
from netmon.probes.ssh.nights import Night, Nights, due_us
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import SOURCE, InventoryRound, RoundUnderWayError
from netmon.probes.ssh.targets import Targets
from netmon.probes.ssh.visit import SshStatus, Visit
from netmon.state import Snapshot, VisitFigures

if TYPE_CHECKING:
    from netmon.clock import Timeline
    from netmon.config.settings import RouterVisits, Settings
    from netmon.ledger.reader import Fact
    from netmon.model import Inventory, RouterReading

_log = logging.getLogger(__name__)

EnterFacts: TypeAlias = Callable[[Told], Awaitable[Sequence[FactChange]]]
ReadHistory: TypeAlias = Callable[[], Iterable["Fact"]]
"""Every fact that was ever entered. Blocking: called in a thread while the daemon runs."""

LOOK_EVERY_SECONDS = 60.0
_SETTLE_US = 5 * 60 * MICROSECONDS
"""So long after the start a round waits for what SNMP tells of routers whose platform is not
known."""
_REMEMBERED_CHANGES = 1000


@dataclass(frozen=True)
class _Past:
    """What the ledger tells of the time before."""

    config_changes: list[ConfigChange]
    described: dict[str, dict[str, str]]
    """Agency → vendor, os, version as SNMP told them last."""
    visited: Counter[str]
    """Changes that visits found after an instant, by kind."""


class Visits:
    """Knows when the round is due, runs it, and takes facts from SNMP polls too."""

    def __init__(self, timeline: Timeline, enter: EnterFacts, history: ReadHistory = tuple) -> None:
        self._timeline = timeline
        self._enter = enter
        self._history = history
        self._platforms = load_platforms()
        self._inventory: Inventory | None = None
        self._settings: Settings | None = None
        self._snmp: dict[str, RouterFacts] = {}
        self._told: dict[str, dict[str, str]] = {}
        """What was last entered of SNMP polls."""
        self._last: dict[str, LastVisit] = {}
        self._changes: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self._seen_version = 0
        """Of the directory of last visits, when it was read."""
        self._started_us = timeline.now_us()
        self._counted_until_us = self._started_us
        """What visits told after this instant is not counted yet."""
        past = _past(history)
        self._config_changes = past.config_changes
        self._described = past.described
        """What SNMP polls told before the start: vendor, os, version."""

    def set_inventory(self, inventory: Inventory, settings: Settings) -> None:
        """Put inventory and settings in force; a round under way ends with those it began with."""
        self._inventory, self._settings = inventory, settings
        visited = _visited(inventory)
        for agency in self._told.keys() - inventory.agencies.keys():
            del self._told[agency]
            self._snmp.pop(agency, None)
        for agency in self._last.keys() - visited:
            del self._last[agency]

    async def take_reading(self, reading: RouterReading) -> None:
        """Enter what an SNMP poll told, if it is something else than before."""
        before = self._told.get(reading.agency, {})
        # A poll that was cut short tells nothing new of what it leaves out.
        told = {**before, **_identity(reading.facts)}
        if reading.interfaces:
            told = {key: told[key] for key in told if not key.startswith("interface/")}
            told |= _interfaces(reading)
        if told == before:
            return
        self._told[reading.agency] = told
        if reading.facts != RouterFacts():
            self._snmp[reading.agency] = reading.facts
        within = ("interface",) if reading.interfaces else ()
        now_us = self._timeline.now_us()
        try:
            self._count(await self._enter(Told(reading.agency, "snmp", now_us, told, within)))
        except NetmonError as error:
            # That the ledger takes nothing is told on the page: the next poll tries again.
            self._told.pop(reading.agency, None)
            _log.debug("%s: facts are not stored: %s", reading.agency, error)

    async def look(self) -> None:
        """Run tonight's round if it is due, and take notice of rounds that people ran by hand."""
        inventory, settings = self._inventory, self._settings
        if inventory is None or settings is None:
            return
        visits = settings.router_visits
        try:
            await self._notice(visits, inventory)
            night = self._due(visits, self._zone(inventory))
            if night is not None and self._awaits_snmp(inventory):
                return
            targets = Targets(settings, self._platforms, self._describe)
            if night is not None and targets.any_secret():
                await self._round(targets, inventory, visits, night)
                await self._notice(visits, inventory, counted=True)
        except OSError as error:
            _log.warning("inventory round: %s: check visits.path", error)

    def figures(self) -> VisitFigures:
        """Return what is known of visits."""
        counts = Counter(last.status for last in self._last.values())
        return VisitFigures(
            changes=dict(self._changes),
            statuses={status.value: counts[status.value] for status in SshStatus},
            changed_keys=tuple(
                sorted(a for a, last in self._last.items() if last.status == SshStatus.HOST_KEY)
            ),
            unread=sum(len(last.unread) for last in self._last.values()),
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

    def _due(self, visits: RouterVisits, zone: ZoneInfo) -> Night | None:
        """Return the night whose round is to be run, or to be gone on with; None: none is."""
        now_us = self._timeline.now_us()
        begin_us = due_us(visits.at_minutes, now_us, zone)
        if begin_us is None:
            return None
        last = Nights(visits.path).last()
        if last is None or last.begun_us < begin_us:
            return Night(now_us, ended=False)
        return None if last.ended else last

    async def _round(
        self, targets: Targets, inventory: Inventory, visits: RouterVisits, night: Night
    ) -> None:
        """Visit whom this night's round has not visited yet."""
        nights = Nights(visits.path)
        nights.note(night)
        left = {
            agency
            for agency in inventory.agencies
            if agency not in self._last or self._last[agency].at_us < night.begun_us
        }
        to_visit, hindered = targets.of(inventory, left)
        zone = self._zone(inventory)
        round_ = InventoryRound(visits.path, self._timeline, self._enter, zone, self._took)
        limits = Limits(visits.threads, visits.deadline_seconds, visits.splay_seconds)
        _log.info(
            "inventory round: %d routers to visit, %d cannot be", len(to_visit), len(hindered)
        )
        try:
            result = await round_.run(to_visit, hindered, limits, self._saw)
        except RoundUnderWayError as error:
            # People were faster: tonight's round begins when theirs has ended.
            _log.info("inventory round: %s", error)
            return
        except NetmonError as error:
            _log.warning("inventory round: %s", error)
        else:
            counted = ", ".join(f"{count} {kind}" for kind, count in result.statuses.most_common())
            _log.info("inventory round: %s; %d changes", counted, sum(result.changes.values()))
        # Not where netmon was stopped: it goes on after the next start, if that is soon.
        nights.note(replace(night, ended=True))

    async def _notice(
        self, visits: RouterVisits, inventory: Inventory, *, counted: bool = False
    ) -> None:
        """Read what visits left behind, of other processes too; `counted`: all was our own."""
        store = LastVisits(visits.path / "last")
        version = store.version()
        if version == self._seen_version:
            return
        known = await asyncio.to_thread(store.all)
        self._seen_version = version
        visited = _visited(inventory)
        self._last = {agency: last for agency, last in known.items() if agency in visited}
        newest_us = max((each.at_us for each in known.values()), default=0)
        if not counted and newest_us > self._counted_until_us:
            past = await asyncio.to_thread(_past, self._history, self._counted_until_us)
            self._changes.update(past.visited)
            self._config_changes = past.config_changes
        self._counted_until_us = max(self._counted_until_us, newest_us)

    def _awaits_snmp(self, inventory: Inventory) -> bool:
        """Tell whether a poll may yet tell how to speak to a router's terminal."""
        if self._timeline.now_us() - self._started_us > _SETTLE_US:
            return False
        unknown = (
            agency
            for agency in inventory.agencies.values()
            if agency.router and agency.router.ssh and agency.router.snmp
            if agency.router.platform is None
        )
        return any(not self._describe(agency.id) for agency in unknown)

    def _saw(self, visit: Visit) -> None:
        """Show how a visit ended as soon as it did; the rest is read at the round's end."""
        _tell(visit)
        status, detail = visit.status.value, visit.detail
        self._last[visit.agency] = LastVisit(
            visit.agency, self._timeline.now_us(), status, detail, unread=visit.unread
        )

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
        if facts is not None:
            return f"{facts.vendor} {facts.os} {facts.description}"
        before = self._described.get(agency, {})
        return " ".join(before.get(key, "") for key in _DESCRIPTION).strip()

    @staticmethod
    def _zone(inventory: Inventory) -> ZoneInfo:
        return ZoneInfo(inventory.province.timezone)


def _tell(visit: Visit) -> None:
    match visit.status:
        case SshStatus.OK | SshStatus.NO_SECRET | SshStatus.NOT_CONFIGURED:
            _log.debug("%s: ssh %s %s", visit.agency, visit.status, visit.detail)
        case SshStatus.HOST_KEY | SshStatus.NOT_KEPT:
            _log.error("%s: ssh %s: %s", visit.agency, visit.status, visit.detail)
        case _:
            _log.warning("%s: ssh %s: %s", visit.agency, visit.status, visit.detail)


def _past(history: ReadHistory, since_us: int | None = None) -> _Past:
    """Read all of it: seconds for a country, so in a thread while the daemon runs.

    Without an instant no changes are counted.
    """
    facts = tuple(history())
    described: dict[str, dict[str, str]] = {}
    for fact in facts:
        if fact.source == "snmp" and fact.key in _DESCRIPTION:
            described.setdefault(fact.agency, {})[fact.key] = fact.value
    visited: Counter[str] = Counter()
    if since_us is not None:
        found = (change for change in changes(facts) if change.source == SOURCE)
        visited.update(change.kind for change in found if change.at_us > since_us)
    return _Past(config_changes(facts)[-_REMEMBERED_CHANGES:], described, visited)


def _visited(inventory: Inventory) -> set[str]:
    """Return the agencies whose router has a credential for visits."""
    return {a.id for a in inventory.agencies.values() if a.router and a.router.ssh}


def _identity(facts: RouterFacts) -> dict[str, str]:
    return {name: getattr(facts, name) for name in _SNMP_FACTS if getattr(facts, name)}


def _interfaces(reading: RouterReading) -> dict[str, str]:
    """Return the interfaces that are watched at every poll, with what is written on them."""
    return {
        f"interface/{each.name}": each.alias or each.description or "-"
        for each in reading.interfaces
        if each.name
    }


_DESCRIPTION = ("vendor", "os", "version")
_SNMP_FACTS = ("name", "vendor", "model", "serial", "os", "version", "location")
