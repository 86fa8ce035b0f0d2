"""The lab's province as values: who stands behind whom, on which wires, with which addresses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CENTRE = "centre"
_WIRES = IPv4Network("10.20.0.0/16")
_WIRE_SIZE = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a province: departments and districts at the centre, communes behind districts.

    The first `backups` departments have a second uplink.
    """

    departments: int = 6
    districts: int = 1
    communes_per_district: int = 3
    backups: int = 1

    @classmethod
    def of_size(cls, routers: int) -> Plan:
        """Return a plan with so many routers, about a fifth of them in districts."""
        if routers < 5:  # noqa: PLR2004  # too few for a district with its communes
            return cls(departments=routers, districts=0, backups=min(1, routers))
        communes = max(3, routers // 10)
        districts = max(1, routers // 5 // communes)
        return cls(routers - districts * (1 + communes), districts, communes)


@dataclass(frozen=True, slots=True)
class Node:
    """One router; its id is that of its agency in the inventory."""

    id: str
    kind: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """One circuit: a /30 between a router's uplink and the router, or centre, above it."""

    lower: str
    lower_interface: str
    upper: str
    upper_interface: str
    number: int

    @property
    def is_backup(self) -> bool:
        """Whether it is a router's second uplink."""
        return self.lower_interface != "wan0"

    @property
    def network(self) -> IPv4Network:
        """The /30 of the wire."""
        return IPv4Network((self._base, 30))

    @property
    def upper_address(self) -> IPv4Address:
        """The address towards the centre."""
        return self._base + 1

    @property
    def lower_address(self) -> IPv4Address:
        """The address of the router: what netmon pings."""
        return self._base + 2

    @property
    def _base(self) -> IPv4Address:
        return _WIRES.network_address + _WIRE_SIZE * self.number


@dataclass(frozen=True)
class Topology:
    """Everything that follows from a plan."""

    plan: Plan

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Routers by id, parents first."""
        return {node.id: node for node in self._nodes()}

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        """Every circuit."""
        primaries = [
            Wire(node.id, "wan0", node.parent or CENTRE, f"r{number}", number)
            for number, node in enumerate(self.nodes.values())
        ]
        doubled = list(self.nodes)[: min(self.plan.backups, self.plan.departments)]
        backups = [
            Wire(router, "wan1", CENTRE, f"r{number}", number)
            for number, router in enumerate(doubled, len(primaries))
        ]
        return (*primaries, *backups)

    def wire(self, router: str, interface: str = "wan0") -> Wire:
        """Return a router's uplink.

        Raises:
            KeyError: There is no such router, or it has no such uplink.
        """
        for wire in self.wires:
            if (wire.lower, wire.lower_interface) == (router, interface):
                return wire
        message = f"{router} has no uplink {interface}"
        raise KeyError(message)

    def children(self, router: str) -> tuple[str, ...]:
        """Return the routers directly behind a router."""
        return tuple(node.id for node in self.nodes.values() if node.parent == router)

    def routes(self, place: str) -> Iterator[str]:
        """Yield the static routes of a router or of the centre, as arguments of `ip route`."""
        if place != CENTRE:
            yield f"default via {self.wire(place).upper_address}"
            # A district that has lost a commune says so, instead of sending its packets back.
            for child in self.children(place):
                yield f"unreachable {self.wire(child).network} metric 1000"
            return
        for node in self.nodes.values():
            if node.parent is not None:
                gateway = self.wire(node.parent).lower_address
                yield f"{self.wire(node.id).network} via {gateway}"

    def _nodes(self) -> Iterator[Node]:
        for number in range(self.plan.departments):
            yield Node(f"so-{number}", "department")
        for district in range(self.plan.districts):
            parent = f"huyen-{district}"
            yield Node(parent, "district")
            for number in range(self.plan.communes_per_district):
                yield Node(f"xa-{district}-{number}", "commune", parent)
