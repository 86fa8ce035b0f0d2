"""Finds the interface that leads to the centre, and says why it is that one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from netmon.model import IPAddress
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number
from netmon.probes.snmp.interfaces import find_by_name, liveliness
from netmon.probes.snmp.values import Missing, Oid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.model import Agency, Uplink
    from netmon.probes.snmp.interfaces import InterfaceTable
    from netmon.probes.snmp.values import Session

_ROUTES_AT_MOST = 500
"""A router of an agency has a few dozen; one with the Internet's table is not read to its end."""
_ADDRESSES_AT_MOST = 500
_NAMES_SHOWN = 8
_IPV4_ARCS = 4
_IPV4_PREFIX = (1, _IPV4_ARCS)
"""InetAddressType ipv4 and the address's length, as they stand in an index (RFC 4001)."""
_INET_POLICY_PLACE = 7


@dataclass(frozen=True, slots=True)
class Route:
    """One IPv4 route of the router. `index` 0: it names only the next hop."""

    network: IPv4Network
    index: int
    next_hop: IPv4Address | None = None
    metric: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the router says about its ways and addresses."""

    routes: Sequence[Route] = ()
    holders: Mapping[IPAddress, int] = field(default_factory=dict)
    """The interface that holds each of the agency's addresses, where one does."""
    witnesses: Mapping[int, Oid] = field(default_factory=dict)
    """For each of these interfaces a variable that says so."""
    connected: Sequence[tuple[IPv4Network, int]] = ()
    """Networks of the router's own addresses, with their interfaces."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The uplink and why it is that one. No index: `reason` says why there is none."""

    index: int | None
    reason: str


async def gather(session: Session, agency: Agency, centre: IPAddress | None) -> Evidence:
    """Ask the router for its routes and for the holders of the agency's addresses.

    Args:
        session: The conversation with the router.
        agency: Whose router it is.
        centre: netmon's own address, where it is known: the route to it is better evidence than
            the default route.

    Raises:
        SnmpError: the agent stopped answering.
    """
    addresses = agency_addresses(agency)
    holders, witnesses = await _find_holders(session, addresses)
    routes = await _read_routes(session, centre)
    connected = await _read_connected(session) if any(r.index == 0 for r in routes) else ()
    return Evidence(routes, holders, witnesses, connected)


def agency_addresses(agency: Agency) -> tuple[IPAddress, ...]:
    """Return the addresses by which netmon knows the router, without repetition."""
    own = (agency.router.address,) if agency.router else ()
    links = (address for link in agency.links for address in link.addresses)
    return tuple(dict.fromkeys((*links, *own)))


def choose(
    table: InterfaceTable, agency: Agency, evidence: Evidence, centre: IPAddress | None = None
) -> Choice:
    """Choose the uplink: what the operator says, else the route to the centre, else the address.

    What the operator names and the router does not have is no uplink at all: figures of another
    interface would be believed.
    """
    wanted = agency.router.uplink if agency.router else None
    if wanted is not None:
        return _choose_named(table, wanted)
    return (
        _choose_by_route(table, evidence, centre)
        or _choose_by_address(table, agency, evidence)
        or _choose_only(table)
        or Choice(
            None,
            "no uplink found: the router shows neither its routes nor its addresses; name the "
            "interface as `uplink` in agencies.yaml",
        )
    )


def _choose_named(table: InterfaceTable, wanted: Uplink) -> Choice:
    readings = table.readings
    if wanted.index is not None:
        if wanted.index in readings:
            return Choice(wanted.index, f"agencies.yaml: index {wanted.index}")
        return _not_there("index", str(wanted.index), map(str, readings))
    if wanted.name is not None:
        named = find_by_name(readings.values(), wanted.name)
        if named is not None:
            return Choice(named.index, f"agencies.yaml: name {wanted.name!r}")
        return _not_there("name", wanted.name, (reading.name for reading in readings.values()))
    alias = (wanted.alias or "").casefold()
    aliased = [reading for reading in readings.values() if reading.alias.casefold() == alias]
    if alias and aliased:
        live = max(aliased, key=liveliness)
        return Choice(live.index, f"agencies.yaml: alias {wanted.alias!r}")
    aliases = (reading.alias for reading in readings.values() if reading.alias)
    return _not_there("alias", wanted.alias or "", aliases)


def _not_there(what: str, wanted: str, present: Iterable[str]) -> Choice:
    names = list(dict.fromkeys(present))
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    return Choice(
        None,
        f"agencies.yaml names the uplink by {what} {wanted!r}, which the router does not "
        f"have{hint} (it has: {shown or 'none'})",
    )


def _choose_by_route(
    table: InterfaceTable, evidence: Evidence, centre: IPAddress | None
) -> Choice | None:
    """Take the longest matching route; of equals one whose interface is up, then the cheapest."""
    if isinstance(centre, IPv4Address):
        matching = [route for route in evidence.routes if centre in route.network]
    else:
        matching = [route for route in evidence.routes if route.network.prefixlen == 0]
    ways = [
        (-route.network.prefixlen, not _is_up(table, index), route.metric, index, route)
        for route in matching
        if (index := _interface_of(route, evidence)) in table.readings
        and table.types.get(index) != mib.IF_TYPE_LOOPBACK
    ]
    if not ways:
        return None
    _, _, _, index, route = min(ways, key=lambda way: way[:4])
    what = "default route" if route.network.prefixlen == 0 else f"route to {route.network}"
    via = f" via {route.next_hop}" if route.next_hop and int(route.next_hop) else ""
    return Choice(index, f"{what}{via}")


def _interface_of(route: Route, evidence: Evidence) -> int:
    """Return a route's interface, by the network of its next hop where it names none."""
    if route.index or route.next_hop is None:
        return route.index
    near = [(net, index) for net, index in evidence.connected if route.next_hop in net]
    return max(near, key=lambda pair: pair[0].prefixlen, default=(None, 0))[1]


def _choose_by_address(table: InterfaceTable, agency: Agency, evidence: Evidence) -> Choice | None:
    for address in agency_addresses(agency):
        index = evidence.holders.get(address, 0)
        if index in table.readings and table.types.get(index) != mib.IF_TYPE_LOOPBACK:
            return Choice(index, f"holds {address}")
    return None


def _choose_only(table: InterfaceTable) -> Choice | None:
    real = [i for i in table.readings if table.types.get(i) != mib.IF_TYPE_LOOPBACK]
    return Choice(real[0], "the only interface") if len(real) == 1 else None


def _is_up(table: InterfaceTable, index: int) -> bool:
    return bool(table.readings[index].oper_up)


async def _find_holders(
    session: Session, addresses: Sequence[IPAddress]
) -> tuple[dict[IPAddress, int], dict[int, Oid]]:
    """Ask ipAddrTable and ipAddressTable for the addresses' rows directly: no walk is needed."""
    asked: list[tuple[IPAddress, Oid]] = []
    for address in addresses:
        arcs = tuple(address.packed)
        if len(arcs) == _IPV4_ARCS:
            asked.append((address, (*mib.IP_AD_ENT_IF_INDEX, *arcs)))
            asked.append((address, (*mib.IP_ADDRESS_IF_INDEX, 1, len(arcs), *arcs)))
        else:
            asked.append((address, (*mib.IP_ADDRESS_IF_INDEX, 2, len(arcs), *arcs)))
    if not asked:
        return {}, {}
    variables = await session.get([oid for _, oid in asked])
    holders: dict[IPAddress, int] = {}
    witnesses: dict[int, Oid] = {}
    for (address, oid), variable in zip(asked, variables, strict=True):
        index = number(variable.value)
        if index:
            holders.setdefault(address, index)
            witnesses.setdefault(index, oid)
    return holders, witnesses


async def _read_routes(session: Session, centre: IPAddress | None) -> list[Route]:
    """Read the routes that may lead to the centre, from the first table that the router has."""
    suffix: Oid = () if isinstance(centre, IPv4Address) else (0,) * 8
    walk = await session.walk((*mib.IP_CIDR_ROUTE_IF_INDEX, *suffix), limit_rows=_ROUTES_AT_MOST)
    routes = [
        route
        for oid, _, value in walk.rows
        if (route := _cidr_route(oid, number(value))) is not None
    ]
    if routes:
        return routes
    suffix = (1, 4) if isinstance(centre, IPv4Address) else (1, 4, 0, 0, 0, 0, 0)
    walk = await session.walk((*mib.INET_CIDR_ROUTE_IF_INDEX, *suffix), limit_rows=_ROUTES_AT_MOST)
    routes = [
        route
        for oid, _, value in walk.rows
        if (route := _inet_route(oid, number(value))) is not None
    ]
    return routes or await _read_old_default(session)


def _cidr_route(oid: Oid, index: int | None) -> Route | None:
    """Read ipCidrRouteIfIndex.<destination>.<mask>.<tos>.<next hop> (RFC 2096)."""
    arcs = oid[len(mib.IP_CIDR_ROUTE_IF_INDEX) :]
    if len(arcs) != 3 * _IPV4_ARCS + 1 or index is None:
        return None
    network = _network(arcs[0:4], arcs[4:8])
    hop = _address(arcs[9:13])
    return None if network is None else Route(network, max(index, 0), hop)


def _inet_route(oid: Oid, index: int | None) -> Route | None:
    """Read inetCidrRouteIfIndex of an IPv4 destination (RFC 4292).

    Its index is: type, length, destination, prefix length, policy (an OID with its length before
    it), next hop type, length, next hop.
    """
    arcs = oid[len(mib.INET_CIDR_ROUTE_IF_INDEX) :]
    if index is None or len(arcs) < _INET_POLICY_PLACE + 1 or arcs[:2] != _IPV4_PREFIX:
        return None
    try:
        network = IPv4Network((bytes(arcs[2:6]), arcs[6]), strict=False)
    except ValueError:
        return None
    hop = arcs[_INET_POLICY_PLACE + 1 + arcs[_INET_POLICY_PLACE] :]
    next_hop = _address(hop[2:6]) if hop[:2] == _IPV4_PREFIX else None
    return Route(network, max(index, 0), next_hop)


async def _read_old_default(session: Session) -> list[Route]:
    """Read the default route from ipRouteTable (RFC 1213), which many small routers have."""
    default = (0,) * _IPV4_ARCS
    index, hop = await session.get(
        [(*mib.IP_ROUTE_IF_INDEX, *default), (*mib.IP_ROUTE_NEXT_HOP, *default)]
    )
    place = number(index.value)
    if place is None:
        return []
    next_hop = hop.value if isinstance(hop.value, IPv4Address) else None
    return [Route(IPv4Network("0.0.0.0/0"), max(place, 0), next_hop)]


async def _read_connected(session: Session) -> list[tuple[IPv4Network, int]]:
    indexes = await session.walk(mib.IP_AD_ENT_IF_INDEX, limit_rows=_ADDRESSES_AT_MOST)
    masks = await session.walk(mib.IP_AD_ENT_NET_MASK, limit_rows=_ADDRESSES_AT_MOST)
    mask_of = {oid[-_IPV4_ARCS:]: value for oid, _, value in masks.rows}
    connected = []
    for oid, _, value in indexes.rows:
        mask = mask_of.get(oid[-_IPV4_ARCS:], Missing.NO_SUCH_INSTANCE)
        index = number(value)
        if index and isinstance(mask, IPv4Address):
            network = _network(oid[-_IPV4_ARCS:], tuple(mask.packed))
            if network is not None:
                connected.append((network, index))
    return connected


def _network(destination: Oid, mask: Oid) -> IPv4Network | None:
    address, netmask = _address(destination), _address(mask)
    if address is None or netmask is None:
        return None
    try:
        return IPv4Network(f"{address}/{netmask}", strict=False)
    except ValueError:
        return None


def _address(arcs: Oid) -> IPv4Address | None:
    try:
        return IPv4Address(bytes(arcs))
    except ValueError:
        return None
