"""Everything that can be found out about one router, for `netmon probe`: thorough, not cheap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netmon.model import InterfaceReading, RouterGauges
from netmon.probes.snmp import mib, uplink
from netmon.probes.snmp.decode import number
from netmon.probes.snmp.facts import Identity, read_facts, read_system
from netmon.probes.snmp.gauges import find_gauges, read_gauges
from netmon.probes.snmp.interfaces import InterfaceTable, changed_at_seconds, read_table
from netmon.probes.snmp.neighbours import Neighbour, read_neighbours
from netmon.probes.snmp.uplink import Choice
from netmon.probes.snmp.uptime import TICKS, RouterClocks, uptime_seconds
from netmon.probes.snmp.values import SnmpError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from netmon.model import Agency, IPAddress
    from netmon.probes.snmp.profiles import Profiles
    from netmon.probes.snmp.values import Session

    _Part = TypeVar("_Part")

CLOCKS = (mib.SYS_UP_TIME, mib.SNMP_ENGINE_BOOTS, mib.SNMP_ENGINE_TIME, mib.HR_SYSTEM_UPTIME)
"""The variables of `RouterClocks`, in the order of its fields as `clocks_of` takes them."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a router says, all of it. `troubles` are in words what could not be read."""

    identity: Identity
    uptime_seconds: float | None
    interfaces: tuple[InterfaceReading, ...]
    uplink: Choice
    gauges: RouterGauges
    neighbours: tuple[Neighbour, ...]
    troubles: tuple[str, ...]


async def inspect_router(
    session: Session,
    agency: Agency,
    profiles: Profiles,
    *,
    centre: IPAddress | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Inspection:
    """Read all of a router: facts, every interface, uplink, figures and neighbours.

    `tell` is called with what is read next, in words.

    Raises:
        SnmpError: the agent did not answer at all. What fails later is told in `troubles`.
    """
    troubles: list[str] = []

    async def attempt(what: str, part: Awaitable[_Part], otherwise: _Part) -> _Part:
        tell(what)
        try:
            return await part
        except SnmpError as error:
            troubles.append(str(error))
            return otherwise

    tell("who it is")
    identity = await read_facts(session, await read_system(session), profiles)
    clocks = await attempt("clocks", _read_clocks(session), RouterClocks())
    table = await attempt("interfaces", read_table(session), InterfaceTable({}, {}))
    evidence = await attempt(
        "routes and addresses", uplink.gather(session, agency, centre), uplink.Evidence()
    )
    gauges = await attempt("processor and memory", _read_gauges(session, identity), RouterGauges())
    neighbours = await attempt("neighbours", read_neighbours(session, table), ())
    uptime = uptime_seconds(clocks)
    return Inspection(
        identity=identity,
        uptime_seconds=uptime,
        interfaces=tuple(_dated(row, clocks, uptime) for row in table.readings.values()),
        uplink=uplink.choose(table, agency, evidence, centre),
        gauges=gauges,
        neighbours=neighbours,
        troubles=tuple(dict.fromkeys(filter(None, (identity.trouble, table.trouble, *troubles)))),
    )


async def _read_clocks(session: Session) -> RouterClocks:
    agent, boots, engine, host = (number(variable.value) for variable in await session.get(CLOCKS))
    return RouterClocks(agent, boots, engine, host)


async def _read_gauges(session: Session, identity: Identity) -> RouterGauges:
    recipes = await find_gauges(session, identity.explanation.profile)
    if not recipes.variables:
        return RouterGauges()
    answers = await session.get(recipes.variables)
    return read_gauges(recipes, [variable.value for variable in answers])


def _dated(row: InterfaceReading, clocks: RouterClocks, uptime: float | None) -> InterfaceReading:
    """Put the time of an interface's last change on the clock of the uptime."""
    ticks = None if row.last_change_seconds is None else round(row.last_change_seconds * TICKS)
    return replace(row, last_change_seconds=changed_at_seconds(ticks, clocks.agent_ticks, uptime))
