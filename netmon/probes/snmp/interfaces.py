"""Interfaces as IF-MIB (RFC 2863) tells them, and counters that never go back falsely."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netmon.model import InterfaceReading
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number, text
from netmon.probes.snmp.uptime import TICKS, WRAP_TICKS
from netmon.probes.snmp.values import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netmon.probes.snmp.values import Oid, Session, Value

IDENTITY_COLUMNS: Final[tuple[Oid, ...]] = (
    mib.IF_DESCR, mib.IF_TYPE, mib.IF_OPER_STATUS, mib.IF_NAME, mib.IF_ALIAS,
)  # fmt: skip
"""What tells interfaces apart."""
ALL_COLUMNS: Final[tuple[Oid, ...]] = (
    *IDENTITY_COLUMNS, mib.IF_ADMIN_STATUS, mib.IF_LAST_CHANGE, mib.IF_SPEED, mib.IF_HIGH_SPEED,
    mib.IF_IN_OCTETS, mib.IF_OUT_OCTETS, mib.IF_HC_IN_OCTETS, mib.IF_HC_OUT_OCTETS,
    mib.IF_IN_ERRORS, mib.IF_OUT_ERRORS, mib.IF_IN_DISCARDS, mib.IF_OUT_DISCARDS,
)  # fmt: skip
WATCHED_COLUMNS: Final[tuple[Oid, ...]] = (
    mib.IF_ADMIN_STATUS, mib.IF_OPER_STATUS, mib.IF_LAST_CHANGE, mib.IF_HIGH_SPEED,
    mib.IF_IN_ERRORS, mib.IF_OUT_ERRORS, mib.IF_IN_DISCARDS, mib.IF_OUT_DISCARDS,
)  # fmt: skip
"""What is asked of a watched interface at every poll, besides its name and its octets."""

_ROWS_AT_ONCE = 500
"""Rows that are read before the loop may do its other work: 9,000 held it for 76 ms."""
_WRAP_32 = 2**32
_IF_SPEED_OVERFLOW = 2**32 - 1
"""ifSpeed of an interface too fast for it (RFC 2863 §3.1.8)."""
_MEGABIT = 1_000_000
_UP = 1
_NOT_UP = frozenset({2, 3, 5, 6, 7})
"""down, testing, dormant, notPresent, lowerLayerDown; unknown(4) says nothing."""
_ADMIN_NOT_UP = frozenset({2, 3})
_SPEED_MARGIN = 1.25
"""Counters are read a moment before or after the clock, and some count framing as well."""
_SLOWEST_CEILING_BITS = 1_000_000_000
"""Interfaces that do not tell their speed are taken to be no faster than this."""


@dataclass(frozen=True, slots=True)
class InterfaceTable:
    """The interfaces of a router. `trouble` says in words what is missing."""

    readings: Mapping[int, InterfaceReading]
    types: Mapping[int, int]
    """ifType by ifIndex."""
    trouble: str = ""


async def read_table(
    session: Session, columns: Sequence[Oid] = ALL_COLUMNS, *, limit_rows: int = 10_000
) -> InterfaceTable:
    """Walk the columns of IF-MIB and put their rows together.

    Rows of ifXTable without one in ifTable are left out where ifTable has any: agents keep them
    for interfaces that are gone.

    Raises:
        SnmpError: the agent did not answer at all.
    """
    cells: dict[int, dict[Oid, Value]] = {}
    troubles: dict[str, None] = {}
    for column in columns:
        # Once ifTable has rows, ifXTable adds to them and makes none.
        extends = bool(cells) and column[: len(mib.IF_ENTRY)] != mib.IF_ENTRY
        walk = await session.walk(column, limit_rows=limit_rows)
        if not walk.complete:
            troubles[walk.trouble] = None
        for oid, _, value in walk.rows:
            index = oid[-1]
            if len(oid) == len(column) + 1 and (index in cells or not extends):
                cells.setdefault(index, {})[column] = value
    readings: dict[int, InterfaceReading] = {}
    types: dict[int, int] = {}
    for place, index in enumerate(sorted(cells), 1):
        row = cells[index]
        readings[index] = decode(index, row)
        kind = number(row.get(mib.IF_TYPE, Missing.NO_SUCH_INSTANCE))
        if kind is not None:
            types[index] = kind
        if place % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return InterfaceTable(readings, types, "; ".join(troubles))


def decode(index: int, cells: Mapping[Oid, Value]) -> InterfaceReading:
    """Return one row, by column, as the agent shows it.

    Counters are raw (see `CounterTrack`), and `last_change_seconds` is on the clock of sysUpTime
    (see `changed_at_seconds`).
    """

    def figure(column: Oid) -> int | None:
        return number(cells.get(column, Missing.NO_SUCH_INSTANCE))

    description = text(cells.get(mib.IF_DESCR, b""))
    changed = figure(mib.IF_LAST_CHANGE)
    return InterfaceReading(
        index=index,
        name=text(cells.get(mib.IF_NAME, b"")) or description,
        description=description,
        alias=text(cells.get(mib.IF_ALIAS, b"")),
        admin_up=admin_up(figure(mib.IF_ADMIN_STATUS)),
        oper_up=oper_up(figure(mib.IF_OPER_STATUS)),
        speed_bits_per_second=speed(figure(mib.IF_SPEED), figure(mib.IF_HIGH_SPEED)),
        receive_bytes=octets(figure(mib.IF_HC_IN_OCTETS), figure(mib.IF_IN_OCTETS)),
        transmit_bytes=octets(figure(mib.IF_HC_OUT_OCTETS), figure(mib.IF_OUT_OCTETS)),
        receive_errors=figure(mib.IF_IN_ERRORS),
        transmit_errors=figure(mib.IF_OUT_ERRORS),
        receive_discards=figure(mib.IF_IN_DISCARDS),
        transmit_discards=figure(mib.IF_OUT_DISCARDS),
        last_change_seconds=None if changed is None else changed / TICKS,
    )


def admin_up(status: int | None) -> bool | None:
    """Tell what ifAdminStatus means; None: it says nothing that the standard knows."""
    return True if status == _UP else False if status in _ADMIN_NOT_UP else None


def oper_up(status: int | None) -> bool | None:
    """Tell what ifOperStatus means; None: unknown, or nothing that the standard knows."""
    return True if status == _UP else False if status in _NOT_UP else None


def speed(if_speed: int | None, if_high_speed: int | None) -> int | None:
    """Return an interface's bits per second; None: it does not say, or it is 0.

    ifHighSpeed counts megabits and is what fast interfaces have; below its resolution, ifSpeed
    is the exact one.
    """
    exact = if_speed if if_speed and 0 < if_speed < _IF_SPEED_OVERFLOW else None
    if if_high_speed is None or if_high_speed <= 0:
        return exact
    coarse = if_high_speed * _MEGABIT
    if exact is not None and exact != coarse and abs(exact - coarse) <= _MEGABIT // 2:
        return exact
    return coarse


def changed_at_seconds(
    last_change_ticks: int | None, agent_ticks: int | None, uptime_seconds: float | None
) -> float | None:
    """Return ifLastChange on the clock of the router's uptime; None: nobody can say.

    It is stamped with sysUpTime, which may have wrapped since, or may be younger than the router.
    0 says that the state is older than the agent, and stays 0.
    """
    if last_change_ticks is None or agent_ticks is None or uptime_seconds is None:
        return None
    if last_change_ticks == 0:
        return 0.0
    ago_seconds = (agent_ticks - last_change_ticks) % WRAP_TICKS / TICKS
    return uptime_seconds - ago_seconds if ago_seconds <= uptime_seconds else None


def octets(high_capacity: int | None, low_capacity: int | None) -> int | None:
    """Return the counter to go by: the 64-bit one where it exists and counts.

    Some agents have the 64-bit column and leave it at 0.
    """
    if high_capacity is None or (high_capacity == 0 and low_capacity):
        return low_capacity
    return high_capacity


@dataclass(slots=True)
class CounterTrack:
    """A counter that goes on over the wraps of a 32-bit one.

    The sum is what the agent's counter would show if it were wide enough. A wrap is added up; a
    reset (the router restarted, the interface was made anew) is a true reset: the sum starts
    again at what the agent shows. A step back of a 32-bit counter is a wrap only if the interface
    could have carried that much in the time, else a reset. More than one wrap between two polls
    (at 1 Gbit/s after 34 s) cannot be seen in 32 bits: the sum is then too small, never too large.
    """

    raw: int
    wraps: bool = True
    """It is a 32-bit counter."""
    total: int = -1
    """The counter as it goes on."""

    def __post_init__(self) -> None:
        if self.total < 0:
            self.total = self.raw

    def advance(self, raw: int, elapsed_seconds: float, bits_per_second: int | None) -> int:
        """Take in the next value that the agent shows and return the sum."""
        carried = raw - self.raw
        if carried < 0 and self.wraps:
            carried += _WRAP_32
            most_bits = (bits_per_second or _SLOWEST_CEILING_BITS) * _SPEED_MARGIN * elapsed_seconds
            if carried * 8 > most_bits:
                carried = -1
        self.total = self.total + carried if carried >= 0 else raw
        self.raw = raw
        return self.total


def find_by_name(readings: Iterable[InterfaceReading], name: str) -> InterfaceReading | None:
    """Return the interface of that ifName or ifDescr; of several rows, the one that lives.

    An interface that was made anew may stand there twice: the row that is up, else the one with
    the highest index, is the present one.
    """
    wanted = name.casefold()
    same = [
        reading
        for reading in readings
        if wanted in (reading.name.casefold(), reading.description.casefold())
    ]
    return max(same, key=liveliness, default=None)


def liveliness(reading: InterfaceReading) -> tuple[bool, int]:
    """Order rows of one name: up before not up, then the latest made."""
    return bool(reading.oper_up), reading.index
