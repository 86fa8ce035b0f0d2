"""Who is at the other end of a router's cables: LLDP (IEEE 802.1AB) and Cisco's CDP."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number, text

if TYPE_CHECKING:
    from netmon.probes.snmp.interfaces import InterfaceTable
    from netmon.probes.snmp.values import Oid, Session, Value

_ROWS_AT_MOST = 4000
_CHASSIS_SUBTYPE, _CHASSIS_ID, _PORT_SUBTYPE, _PORT_ID, _PORT_DESC, _SYS_NAME, _SYS_DESC = range(
    4, 11
)
_CHASSIS_IS_MAC = 4
_PORT_IS_MAC = 3
_CDP_ADDRESS, _CDP_VERSION, _CDP_DEVICE, _CDP_PORT, _CDP_PLATFORM = range(4, 9)
_IPV4_BYTES = 4


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour, as it says of itself. Empty text: it does not say."""

    protocol: str
    """LLDP or CDP."""
    local_port: str
    """Our router's interface, by name where that can be told."""
    name: str
    port: str = ""
    """The neighbour's interface."""
    description: str = ""
    address: str = ""


async def read_neighbours(session: Session, table: InterfaceTable) -> tuple[Neighbour, ...]:
    """Read both tables; a neighbour that speaks both protocols is told once.

    Raises:
        SnmpError: the agent stopped answering.
    """
    lldp = await _read_lldp(session, table)
    cdp = await _read_cdp(session, table)
    told = {(one.local_port.casefold(), _short(one.name)) for one in lldp}
    return (
        *lldp,
        *(one for one in cdp if (one.local_port.casefold(), _short(one.name)) not in told),
    )


async def _read_lldp(session: Session, table: InterfaceTable) -> list[Neighbour]:
    walk = await session.walk(mib.LLDP_REM_ENTRY, limit_rows=_ROWS_AT_MOST)
    rows = _rows(mib.LLDP_REM_ENTRY, [(oid, value) for oid, _, value in walk.rows])
    if not rows:
        return []
    ports: dict[int, str] = {}
    for column in (mib.LLDP_LOC_PORT_DESC, mib.LLDP_LOC_PORT_ID):
        found = await session.walk(column, limit_rows=_ROWS_AT_MOST)
        ports |= {oid[-1]: text(value) for oid, _, value in found.rows if text(value)}
    names = {reading.name for reading in table.readings.values()}
    neighbours = []
    for index, cells in rows.items():
        # lldpRemTimeMark.lldpRemLocalPortNum.lldpRemIndex
        local = index[-2] if len(index) > 1 else 0
        neighbours.append(_lldp(_local_port(local, ports, names, table), cells))
    return neighbours


def _local_port(number_: int, ports: dict[int, str], names: set[str], table: InterfaceTable) -> str:
    """Name a local port: as LLDP does where that is an interface, else by ifIndex."""
    said = ports.get(number_, "")
    if said in names or number_ not in table.readings:
        return said or str(number_)
    return table.readings[number_].name


def _lldp(local_port: str, cells: dict[int, Value]) -> Neighbour:
    chassis = _identifier(cells, _CHASSIS_ID, is_mac=_CHASSIS_IS_MAC, subtype=_CHASSIS_SUBTYPE)
    port = _identifier(cells, _PORT_ID, is_mac=_PORT_IS_MAC, subtype=_PORT_SUBTYPE)
    return Neighbour(
        protocol="LLDP",
        local_port=local_port,
        name=text(cells.get(_SYS_NAME, b"")) or chassis,
        port=text(cells.get(_PORT_DESC, b"")) or port,
        description=text(cells.get(_SYS_DESC, b"")),
    )


async def _read_cdp(session: Session, table: InterfaceTable) -> list[Neighbour]:
    walk = await session.walk(mib.CDP_CACHE_ENTRY, limit_rows=_ROWS_AT_MOST)
    neighbours = []
    rows = _rows(mib.CDP_CACHE_ENTRY, [(oid, value) for oid, _, value in walk.rows])
    for index, cells in rows.items():
        local = table.readings.get(index[0])
        neighbours.append(
            Neighbour(
                protocol="CDP",
                local_port=local.name if local else str(index[0]),
                name=text(cells.get(_CDP_DEVICE, b"")),
                port=text(cells.get(_CDP_PORT, b"")),
                description=text(cells.get(_CDP_PLATFORM, b""))
                or text(cells.get(_CDP_VERSION, b"")),
                address=_address(cells.get(_CDP_ADDRESS, b"")),
            )
        )
    return neighbours


def _rows(entry: Oid, variables: list[tuple[Oid, Value]]) -> dict[Oid, dict[int, Value]]:
    """Put the columns of a table together, by index."""
    rows: dict[Oid, dict[int, Value]] = {}
    for oid, value in variables:
        column, index = oid[len(entry)], oid[len(entry) + 1 :]
        if index:
            rows.setdefault(index, {})[column] = value
    return rows


def _identifier(cells: dict[int, Value], column: int, *, subtype: int, is_mac: int) -> str:
    raw = cells.get(column, b"")
    if number(cells.get(subtype, b"")) == is_mac and isinstance(raw, bytes):
        return raw.hex(":")
    return text(raw)


def _address(raw: Value) -> str:
    if isinstance(raw, bytes) and len(raw) == _IPV4_BYTES:
        return str(IPv4Address(raw))
    return ""


def _short(name: str) -> str:
    """Compare names without their domain: CDP tells it, LLDP often does not."""
    return name.casefold().partition(".")[0].partition("(")[0]
