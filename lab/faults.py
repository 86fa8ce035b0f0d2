"""What can go wrong in the lab, each as netmon will see it.

Every fault is in force when its method returns, and over when it is healed or its `with` ends:

    with lab.faults.cut("xa-0-1"):
        ...
"""

from __future__ import annotations

import itertools
import socket
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from lab.kernel import inside, run_ip, run_nft
from lab.topology import CENTRE, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Address
    from types import TracebackType

    from lab.province import Lab


_LOSS_STEPS = 10_000


def join_command(wire: Wire, upper: str, lower: str, lower_index: int | None = None) -> str:
    """Return the command of ip(8) that lays a wire between two namespaces."""
    index = "" if lower_index is None else f" index {lower_index}"
    return (
        f"link add {wire.upper_interface} netns {upper} type veth"
        f" peer name {wire.lower_interface} netns {lower}{index}"
    )


class End(StrEnum):
    """At which end of a circuit something happens."""

    ROUTER = "router"
    ABOVE = "above"
    """At the centre, or at the district in front of a commune."""


class Direction(StrEnum):
    """Which packets at a router."""

    REQUESTS = "input"
    REPLIES = "output"


class Fault:
    """A fault that is in force until it is healed."""

    def __init__(self, heal: Callable[[], None]) -> None:
        self._heal = heal
        self._is_over = False

    def heal(self) -> None:
        """End the fault; a second time is no trouble."""
        if not self._is_over:
            self._is_over = True
            self._heal()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.heal()


class Faults:
    """Makes faults in one lab. `router` is a router's id, `interface` one of its uplinks."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._serial_numbers = itertools.count()

    # Circuits

    def cut(self, router: str, *, interface: str = "wan0", end: End = End.ROUTER) -> Fault:
        """Cut a circuit: both ends lose carrier, echoes meet silence.

        Cut above a commune, the district's router says that the commune cannot be reached.
        """
        wire = self._lab.topology.wire(router, interface)
        self._set_end(wire, end, "down")
        return Fault(lambda: self._restore(wire, end))

    def recreate_interface(self, router: str, interface: str = "wan1") -> None:
        """Delete an uplink and make it anew: same name, another ifIndex."""
        self._recreate(self._lab.topology.wire(router, interface))

    # Routes

    def blackhole(self, router: str) -> Fault:
        """Route a router into nowhere at the centre: sending raises EINVAL there."""
        return self._route(CENTRE, "blackhole", self._lab.address(router))

    def prohibit(self, router: str) -> Fault:
        """Prohibit the way to a router at the centre: sending raises EACCES there."""
        return self._route(CENTRE, "prohibit", self._lab.address(router))

    def no_route(self, router: str) -> Fault:
        """Declare a router unreachable at the centre: sending raises EHOSTUNREACH there."""
        return self._route(CENTRE, "unreachable", self._lab.address(router))

    def lose_return_path(self, router: str) -> Fault:
        """Let a router forget the way to the centre: requests arrive, replies do not."""
        wire = self._lab.topology.wire(router)
        while wire.upper != CENTRE:
            wire = self._lab.topology.wire(wire.upper)
        # By a filter: a route would be overruled by snmpd, which names its interface.
        return self._filter(router, Direction.REPLIES, f"ip daddr {wire.upper_address} drop")

    # Packets

    def lose(
        self, router: str, ratio: float, *, direction: Direction = Direction.REQUESTS
    ) -> Fault:
        """Lose this share of all packets at random, on their way in or out."""
        lost = round(ratio * _LOSS_STEPS)
        dice = f"numgen random mod {_LOSS_STEPS} < {lost} " if lost < _LOSS_STEPS else ""
        return self._filter(router, direction, f"{dice}drop")

    def lose_every(self, router: str, nth: int) -> Fault:
        """Lose exactly every nth packet that arrives."""
        return self._filter(router, Direction.REQUESTS, f"numgen inc mod {nth} == 0 drop")

    def drop_larger(self, router: str, size_bytes: int) -> Fault:
        """Lose replies above a size: a hole in the path's MTU."""
        return self._filter(router, Direction.REPLIES, f"meta length > {size_bytes} drop")

    def drop_echoes(self, router: str) -> Fault:
        """Filter echo requests in silence: the link is fine and looks dead to ping."""
        return self._filter(router, Direction.REQUESTS, "icmp type echo-request drop")

    def reject_echoes(self, router: str) -> Fault:
        """Filter echo requests and say so: administratively prohibited."""
        reject = "icmp type echo-request reject with icmp type admin-prohibited"
        return self._filter(router, Direction.REQUESTS, reject)

    def limit_echoes(self, router: str, per_second: int) -> Fault:
        """Answer only so many echoes a second, as routers protect their processor."""
        limit = f"limit rate over {per_second}/second burst {per_second} packets drop"
        return self._filter(router, Direction.REQUESTS, f"icmp type echo-request {limit}")

    # Routers and agents

    def hang_agent(self, router: str) -> Fault:
        """Hang a router's agent: SNMP is silent, echoes are answered."""
        agent = self._lab.agent(router)
        agent.hang()
        return Fault(agent.resume)

    def stop_agent(self, router: str) -> Fault:
        """End a router's agent: its port is closed, and the router says so."""
        agent = self._lab.agent(router)
        agent.stop()
        return Fault(agent.start)

    def power_off(self, router: str) -> Fault:
        """Take a router's power: silence; healed, its uptime begins anew with one more boot.

        So do the counters of its uplink, which keeps its ifIndex.
        """
        wire = self._lab.topology.wire(router)
        self._set_end(wire, End.ROUTER, "down")
        agent = self._lab.agent(router)
        agent.stop()
        with inside(self._lab.namespace(router)):
            index = socket.if_nametoindex(wire.lower_interface)

        def restore() -> None:
            self._recreate(wire, index)
            agent.start()

        return Fault(restore)

    def _recreate(self, wire: Wire, lower_index: int | None = None) -> None:
        upper, lower = self._names(wire)
        run_ip([f"link del {wire.lower_interface}"], lower)
        run_ip([join_command(wire, upper, lower, lower_index)])
        for name, device, address in (
            (upper, wire.upper_interface, wire.upper_address),
            (lower, wire.lower_interface, wire.lower_address),
        ):
            run_ip([f"addr add {address}/30 dev {device}", f"link set {device} up"], name)
        self._restore_routes(wire)

    def _route(self, place: str, kind: str, address: IPv4Address) -> Fault:
        name = self._lab.namespace(place)
        run_ip([f"route add {kind} {address}/32"], name)
        return Fault(lambda: run_ip([f"route del {kind} {address}/32"], name))

    def _filter(self, router: str, direction: Direction, rule: str) -> Fault:
        # A table of its own for each fault: healing one leaves the others in force.
        table = f"fault{next(self._serial_numbers)}"
        name = self._lab.namespace(router)
        chain = f"type filter hook {direction} priority 0;"
        run_nft(f"table inet {table} {{\n chain packets {{\n {chain}\n {rule}\n }}\n}}", name)
        return Fault(lambda: run_nft(f"delete table inet {table}", name))

    def _set_end(self, wire: Wire, end: End, state: str) -> None:
        upper, lower = self._names(wire)
        if end is End.ROUTER:
            run_ip([f"link set {wire.lower_interface} {state}"], lower)
        else:
            run_ip([f"link set {wire.upper_interface} {state}"], upper)

    def _restore(self, wire: Wire, end: End) -> None:
        self._set_end(wire, end, "up")
        self._restore_routes(wire)

    def _restore_routes(self, wire: Wire) -> None:
        self._lab.restore_routes(wire.lower)
        self._lab.restore_routes(wire.upper)

    def _names(self, wire: Wire) -> tuple[str, str]:
        return self._lab.namespace(wire.upper), self._lab.namespace(wire.lower)
