"""The regular poll of a router: one cheap question, and a thorough one when something changed.

A router that is known is asked in one GET for its clocks and for the interfaces that are watched.
Who it is and where its uplink lies is found out at the first poll, after a restart, when a
watched ifIndex has another name than before, and once a day.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS
from netmon.model import RestartKind, RouterFacts, RouterReading, SnmpStatus
from netmon.probes.snmp import facts, mib, uplink
from netmon.probes.snmp.decode import number, text
from netmon.probes.snmp.gauges import Recipes, find_gauges, read_gauges
from netmon.probes.snmp.interfaces import IDENTITY_COLUMNS, InterfaceTable, read_table
from netmon.probes.snmp.uptime import (
    TICKS,
    RouterClocks,
    agent_wraps,
    compare,
    is_of_host,
    uptime_seconds,
)
from netmon.probes.snmp.values import Oid, SnmpError
from netmon.probes.snmp.watch import (
    Moment,
    WatchedInterface,
    carry_over,
    choose_watched,
    finish,
    is_at_its_place,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netmon.clock import Timeline
    from netmon.model import Agency, InterfaceReading, IPAddress, Restart
    from netmon.probes.snmp.profiles import Profile, Profiles
    from netmon.probes.snmp.values import Session, Value

IDENTIFY_EVERY_SECONDS = 86_400
IDENTIFY_AGAIN_SECONDS = 3_600
"""After an identification that was not complete."""
IDENTIFY_YOUNG_SECONDS = 600
"""After an identification right after the router's start."""
CHANGED_AT_MOST_EVERY_SECONDS = 300
"""How often a router that seems changed is identified again: some never tell the same twice."""

_SYSTEM: tuple[Oid, ...] = (
    mib.SYS_UP_TIME, mib.SNMP_ENGINE_BOOTS, mib.SNMP_ENGINE_TIME, mib.HR_SYSTEM_UPTIME,
    mib.SYS_OBJECT_ID, mib.SYS_NAME,
)  # fmt: skip
_YOUNG_TICKS = 300 * TICKS
_RESTARTS = (RestartKind.ROUTER, RestartKind.AGENT)
_NO_UPTIME = "the router does not tell its uptime"


@dataclass(slots=True)
class RouterMemory:
    """What is remembered of one router between polls. Some 2 KB: there may be 20,000."""

    facts: RouterFacts = field(default=RouterFacts())
    profile: str = ""
    object_id: Oid = ()
    identified_at_us: int | None = None
    """On the monotonic clock; None: not yet."""
    changed: bool = False
    """It is no longer what it was when it was identified."""
    young: bool = False
    """It had just started when it was identified: agents fill their tables in the minutes after."""
    trouble: str = ""
    """What the last identification could not read."""
    clocks: RouterClocks = field(default=RouterClocks())
    clocks_at_us: int | None = None
    """When `clocks` were read, on the monotonic clock."""
    wraps: int = 0
    uplink_index: int | None = None
    uplink_reason: str = ""
    watched: tuple[WatchedInterface, ...] = ()
    gauges: Recipes = field(default=Recipes())


@dataclass(frozen=True, slots=True)
class FoundInterfaces:
    """What an identification found to watch, and in words what was in the way."""

    uplink: uplink.Choice
    watched: tuple[WatchedInterface, ...]
    trouble: str = ""


class RouterPoller:
    """Polls routers; what it remembers of each is in that router's `RouterMemory`."""

    def __init__(
        self, profiles: Profiles, timeline: Timeline, *, centre: IPAddress | None = None
    ) -> None:
        self.profiles = profiles
        self._timeline = timeline
        self._centre = centre
        self._recipes: dict[Recipes, Recipes] = {}
        """One copy of each: routers of one make have the same."""

    async def poll(self, session: Session, agency: Agency, memory: RouterMemory) -> RouterReading:
        """Poll an agency's router once.

        Whatever the agent says or does not say ends in the reading's status and words; nothing is
        raised for it. `memory` is the router's own and must not be shared by two polls at a time.
        """
        begun_us = self._timeline.monotonic_us()
        try:
            reading = await self._poll(session, agency, memory)
        except SnmpError as error:
            reading = RouterReading(
                agency.id,
                self._timeline.now_us(),
                error.status,
                str(error),
                facts=memory.facts,
                uplink_index=memory.uplink_index,
                uplink_reason=memory.uplink_reason,
            )
        duration_us = self._timeline.monotonic_us() - begun_us
        return replace(reading, duration_seconds=duration_us / MICROSECONDS)

    async def _poll(self, session: Session, agency: Agency, memory: RouterMemory) -> RouterReading:
        if self._is_due(memory):
            await self._identify(session, agency, memory)
            return await self._read(session, agency, memory)
        reading = await self._read(session, agency, memory)
        if not self._is_due(memory):
            return reading
        # The router restarted, was replaced, or numbered its interfaces anew.
        try:
            await self._identify(session, agency, memory)
            again = await self._read(session, agency, memory)
        except SnmpError as error:
            return replace(reading, status=SnmpStatus.PARTIAL, detail=str(error))
        return replace(again, restart=reading.restart)

    def _is_due(self, memory: RouterMemory) -> bool:
        if memory.identified_at_us is None:
            return True
        every_seconds = IDENTIFY_EVERY_SECONDS
        if memory.changed:
            every_seconds = CHANGED_AT_MOST_EVERY_SECONDS
        elif memory.young:
            every_seconds = IDENTIFY_YOUNG_SECONDS
        elif memory.trouble:
            every_seconds = IDENTIFY_AGAIN_SECONDS
        age_us = self._timeline.monotonic_us() - memory.identified_at_us
        return age_us >= every_seconds * MICROSECONDS

    async def _identify(self, session: Session, agency: Agency, memory: RouterMemory) -> None:
        """Find out who the router is and what to watch, and commit it in one go."""
        system = await facts.read_system(session)
        identity = await facts.read_facts(session, system, self.profiles)
        found = await find_interfaces(session, agency, self._centre)
        recipes, gauge_trouble = await _find_gauges(session, identity.explanation.profile)
        carry_over(memory.watched, found.watched)
        memory.facts = _shared(identity.facts)
        memory.object_id = system.object_id
        memory.profile = identity.explanation.profile.name
        memory.uplink_index = found.uplink.index
        memory.uplink_reason = sys.intern(found.uplink.reason)
        memory.watched = found.watched
        memory.gauges = self._recipes.setdefault(recipes, recipes)
        memory.trouble = _joined(identity.trouble, found.trouble, gauge_trouble)
        memory.changed = False
        memory.young = system.agent_ticks is not None and system.agent_ticks < _YOUNG_TICKS
        memory.identified_at_us = self._timeline.monotonic_us()

    async def _read(self, session: Session, agency: Agency, memory: RouterMemory) -> RouterReading:
        asked = [*_SYSTEM]
        for watched in memory.watched:
            asked += watched.variables
        gauges_place = len(asked)
        asked += memory.gauges.variables
        answers = [variable.value for variable in await session.get(asked)]
        at_us, now_us = self._timeline.now_us(), self._timeline.monotonic_us()
        clocks = _clocks(answers)
        moment, restart = _advance_clocks(memory, clocks, now_us)
        rows, lacking = _take_rows(memory, answers[len(_SYSTEM) : gauges_place], moment)
        doubtful = any(_may_be_made_anew(watched, rows) for watched in memory.watched)
        _notice_change(memory, answers, restart, moved=bool(lacking) or doubtful)
        silent_clock = "" if moment.uptime_seconds is not None else _NO_UPTIME
        detail = _joined(memory.trouble, *lacking, silent_clock)
        return RouterReading(
            agency=agency.id,
            at_us=at_us,
            status=SnmpStatus.PARTIAL if detail else SnmpStatus.OK,
            detail=detail,
            uptime_seconds=moment.uptime_seconds,
            host_uptime=moment.host_uptime,
            engine_boots=clocks.engine_boots,
            facts=memory.facts,
            uplink_index=memory.uplink_index,
            uplink_reason=memory.uplink_reason,
            interfaces=rows,
            restart=restart,
            gauges=read_gauges(memory.gauges, answers[gauges_place:]),
        )


async def find_interfaces(
    session: Session, agency: Agency, centre: IPAddress | None
) -> FoundInterfaces:
    """Find a router's uplink and the interfaces that carry the agency's links.

    Trouble is told, not raised: what was found before stays good.
    """
    table, evidence = InterfaceTable({}, {}), uplink.Evidence()
    watched: tuple[WatchedInterface, ...] = ()
    trouble = ""
    try:
        table = await read_table(session, IDENTITY_COLUMNS)
        evidence = await uplink.gather(session, agency, centre)
    except SnmpError as error:
        trouble = str(error)
    choice = uplink.choose(table, agency, evidence, centre)
    try:
        watched = await choose_watched(
            session,
            table,
            _links_by_index(agency, evidence, choice.index),
            evidence.witnesses,
        )
    except SnmpError as error:
        trouble = str(error)
    no_uplink = "" if choice.index is not None else choice.reason
    return FoundInterfaces(choice, watched, _joined(table.trouble, trouble, no_uplink))


async def _find_gauges(session: Session, profile: Profile) -> tuple[Recipes, str]:
    try:
        return await find_gauges(session, profile), ""
    except SnmpError as error:
        return Recipes(), str(error)


def _links_by_index(
    agency: Agency, evidence: uplink.Evidence, uplink_index: int | None
) -> dict[int, tuple[str, ...]]:
    """Return the interfaces to watch, the uplink first, with the links that they carry."""
    by_index: dict[int, tuple[str, ...]] = {} if uplink_index is None else {uplink_index: ()}
    for link in agency.links:
        for address in link.addresses:
            index = evidence.holders.get(address)
            if index is not None:
                held = by_index.get(index, ())
                by_index[index] = held if link.key.link in held else (*held, link.key.link)
    return by_index


def _shared(facts_read: RouterFacts) -> RouterFacts:
    """Keep one copy of what thousands of routers of one make say alike."""
    return replace(
        facts_read,
        description=sys.intern(facts_read.description),
        object_id=sys.intern(facts_read.object_id),
        vendor=sys.intern(facts_read.vendor),
        model=sys.intern(facts_read.model),
        os=sys.intern(facts_read.os),
        version=sys.intern(facts_read.version),
    )


def _joined(*troubles: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, troubles)))


def _clocks(answers: Sequence[Value]) -> RouterClocks:
    agent, boots, engine, host = (number(answer) for answer in answers[:4])
    return RouterClocks(agent, boots, engine, host)


def _advance_clocks(
    memory: RouterMemory, clocks: RouterClocks, now_us: int
) -> tuple[Moment, Restart | None]:
    """Compare a reading's clocks with those remembered, and remember them instead."""
    if uptime_seconds(clocks) is None:
        return Moment(), None
    elapsed_seconds = restart = None
    if memory.clocks_at_us is not None:
        elapsed_seconds = (now_us - memory.clocks_at_us) / MICROSECONDS
        restart = compare(memory.clocks, clocks, elapsed_seconds)
    wraps = memory.wraps
    if restart is not None and restart.kind in _RESTARTS:
        wraps = 0
    elif restart is not None and restart.kind is RestartKind.WRAP:
        wraps += 1
    memory.wraps = max(wraps, agent_wraps(clocks))
    memory.clocks, memory.clocks_at_us = clocks, now_us
    moment = Moment(
        agent_ticks=clocks.agent_ticks,
        uptime_seconds=uptime_seconds(clocks, memory.wraps),
        host_uptime=is_of_host(clocks, memory.wraps),
        elapsed_seconds=elapsed_seconds,
        restarted=restart is not None and restart.kind is RestartKind.ROUTER,
    )
    return moment, restart


def _take_rows(
    memory: RouterMemory, values: Sequence[Value], moment: Moment
) -> tuple[tuple[InterfaceReading, ...], list[str]]:
    """Return the watched interfaces as they are now, and in words which are not at their place."""
    rows, lacking, place = [], [], 0
    for watched in memory.watched:
        row = values[place : place + len(watched.variables)]
        place += len(row)
        if is_at_its_place(watched, row):
            rows.append(finish(watched, row, moment))
        else:
            lacking.append(f"interface {watched.name!r} is no longer at index {watched.index}")
    return tuple(rows), lacking


def _may_be_made_anew(watched: WatchedInterface, rows: Sequence[InterfaceReading]) -> bool:
    """Tell whether an interface that is down may live on in another row that nothing points to."""
    return not watched.witness and any(
        row.index == watched.index and row.oper_up is False for row in rows
    )


def _notice_change(
    memory: RouterMemory, answers: Sequence[Value], restart: Restart | None, *, moved: bool
) -> None:
    """Have the router identified again where it is no longer what is remembered."""
    if restart is not None and restart.kind in _RESTARTS:
        memory.identified_at_us = None
    object_id, name = answers[4], answers[5]
    replaced = isinstance(object_id, tuple) and object_id != memory.object_id
    renamed = isinstance(name, bytes) and text(name) != memory.facts.name
    memory.changed = moved or replaced or renamed
