"""The interfaces of a router that are watched at every poll."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netmon.model import InterfaceReading
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number, text
from netmon.probes.snmp.interfaces import (
    WATCHED_COLUMNS,
    CounterTrack,
    admin_up,
    changed_at_seconds,
    octets,
    oper_up,
    speed,
)
from netmon.probes.snmp.values import Missing, Oid, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netmon.probes.snmp.interfaces import InterfaceTable
    from netmon.probes.snmp.values import Session, Value, VarBind

WATCHED_AT_MOST = 4
"""The uplink and those of backup links: they must fit into one request."""

_KINDS: tuple[Oid, ...] = (
    mib.IF_HC_IN_OCTETS, mib.IF_HC_OUT_OCTETS, mib.IF_IN_OCTETS, mib.IF_OUT_OCTETS,
    mib.IF_NAME, mib.IF_SPEED,
)  # fmt: skip
_WIDE = (Tag.COUNTER64, Tag.OCTET_STRING)
"""Syntaxes of 64-bit counters as agents send them; others in a 64-bit column have 32 bits."""


@dataclass(slots=True)
class WatchedInterface:
    """One of them, and what must be remembered of it."""

    index: int
    name: str
    description: str
    alias: str
    links: tuple[str, ...]
    columns: tuple[Oid, ...]
    """What is asked at every poll: the name, the octets received and sent, and the rest."""
    counter_wraps: tuple[bool, bool]
    """Whether the octets are counted in 32 bits: received, sent."""
    witness: Oid
    """The variable that tells which interface holds its address; empty: it holds none."""
    if_speed: int | None
    """ifSpeed as it was at identification, for interfaces without ifHighSpeed."""
    receive: CounterTrack | None = None
    transmit: CounterTrack | None = None

    @property
    def variables(self) -> list[Oid]:
        """The names of the variables to ask for."""
        own = [(*column, self.index) for column in self.columns]
        return [*own, self.witness] if self.witness else own


@dataclass(frozen=True, slots=True)
class Moment:
    """When an answer was given, on the router's clocks and on ours."""

    agent_ticks: int | None = None
    uptime_seconds: float | None = None
    host_uptime: bool = False
    """Whether that is the host's own clock."""
    elapsed_seconds: float | None = None
    """Since the answer before; None: there was none."""
    restarted: bool = False
    """The router restarted in between: its counters began at 0."""


async def choose_watched(
    session: Session,
    table: InterfaceTable,
    links: Mapping[int, tuple[str, ...]],
    witnesses: Mapping[int, Oid],
) -> tuple[WatchedInterface, ...]:
    """Look which name and which counters the interfaces to watch have.

    Args:
        session: The conversation with the router.
        table: Its interfaces.
        links: The ifIndexes to watch, each with the ids of the links that it carries.
        witnesses: Variables that tell which interface holds an address, by ifIndex.

    Raises:
        SnmpError: the agent stopped answering.
    """
    indexes = [index for index in links if index in table.readings][:WATCHED_AT_MOST]
    if not indexes:
        return ()
    variables = await session.get([(*kind, index) for index in indexes for kind in _KINDS])
    width = len(_KINDS)
    return tuple(
        _watched(
            replace(table.readings[index], links=links[index]),
            witnesses.get(index, ()),
            variables[place * width : (place + 1) * width],
        )
        for place, index in enumerate(indexes)
    )


def carry_over(before: Sequence[WatchedInterface], after: Sequence[WatchedInterface]) -> None:
    """Let counters go on where the same interface is watched again.

    One of another ifIndex was made anew, and so were its counters.
    """
    known = {(old.index, old.name, old.columns): old for old in before}
    for new in after:
        old = known.get((new.index, new.name, new.columns))
        if old is not None:
            new.receive, new.transmit = old.receive, old.transmit


def is_at_its_place(watched: WatchedInterface, values: Sequence[Value]) -> bool:
    """Tell whether an answer is that of the interface: the router may number them anew.

    An agent may keep the row of an interface that was made anew under another ifIndex, with the
    same name and down: who holds the address tells.
    """
    there = any(not isinstance(value, Missing) for value in values[: len(watched.columns)])
    if watched.witness:
        holder = number(values[-1])
        there = there and holder in (None, watched.index)
    return there and text(values[0]) == watched.name


def finish(watched: WatchedInterface, values: Sequence[Value], moment: Moment) -> InterfaceReading:
    """Return the interface as it is now; its octets go on over the wraps of 32-bit counters.

    This is done for every router every minute, so the values are taken by their places: the name,
    the octets received and sent, then `WATCHED_COLUMNS`.
    """
    receive, transmit, admin, oper, changed, high_speed, *counts = map(
        number, values[1 : len(watched.columns)]
    )
    bits_per_second = speed(watched.if_speed, high_speed)
    wraps = watched.counter_wraps
    watched.receive = _follow(
        watched.receive, _track(receive, wraps=wraps[0]), bits_per_second, moment
    )
    watched.transmit = _follow(
        watched.transmit, _track(transmit, wraps=wraps[1]), bits_per_second, moment
    )
    return InterfaceReading(
        index=watched.index,
        name=watched.name,
        description=watched.description,
        alias=watched.alias,
        admin_up=admin_up(admin),
        oper_up=oper_up(oper),
        speed_bits_per_second=bits_per_second,
        receive_bytes=_total(watched.receive),
        transmit_bytes=_total(watched.transmit),
        receive_errors=counts[0],
        transmit_errors=counts[1],
        receive_discards=counts[2],
        transmit_discards=counts[3],
        last_change_seconds=changed_at_seconds(changed, moment.agent_ticks, moment.uptime_seconds),
        links=watched.links,
    )


def _track(raw: int | None, *, wraps: bool) -> CounterTrack | None:
    return None if raw is None else CounterTrack(raw, wraps=wraps)


def _follow(
    before: CounterTrack | None,
    fresh: CounterTrack | None,
    bits_per_second: int | None,
    moment: Moment,
) -> CounterTrack | None:
    """Let a counter go on where it can, else begin with what the agent shows."""
    if fresh is None or before is None or moment.elapsed_seconds is None or moment.restarted:
        return fresh
    before.advance(fresh.raw, moment.elapsed_seconds, bits_per_second)
    return before


def _total(track: CounterTrack | None) -> int | None:
    return None if track is None else track.total


def _watched(reading: InterfaceReading, witness: Oid, row: Sequence[VarBind]) -> WatchedInterface:
    hc_in, hc_out, low_in, low_out, name, if_speed = row
    receive = _counter(hc_in, low_in)
    transmit = _counter(hc_out, low_out)
    return WatchedInterface(
        index=reading.index,
        name=reading.name,
        description=reading.description,
        alias=reading.alias,
        links=reading.links,
        witness=witness,
        columns=(
            mib.IF_NAME if text(name.value) else mib.IF_DESCR,
            receive.oid[:-1],
            transmit.oid[:-1],
            *WATCHED_COLUMNS,
        ),
        counter_wraps=(receive.tag not in _WIDE, transmit.tag not in _WIDE),
        if_speed=number(if_speed.value),
    )


def _counter(high: VarBind, low: VarBind) -> VarBind:
    """Choose the counter that counts; the 64-bit one where both stand at 0."""
    wide = number(high.value)
    return high if wide is not None and octets(wide, number(low.value)) == wide else low
