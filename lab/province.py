"""The lab itself: builds a province in network namespaces and takes it down again."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lab.agents import Agent, AgentIdentity, wait_for_agents
from lab.capabilities import LAB, missing
from lab.closing import Closing
from lab.faults import Faults, join_command
from lab.inventory import write_inventory
from lab.kernel import enter_command, new_prefix, remove_namespaces, run_ip, sweep_dead
from lab.topology import CENTRE, Plan, Topology

if TYPE_CHECKING:
    from ipaddress import IPv4Address


class Lab(Closing):
    """A province of namespaces, up between `with` and its end.

    Attributes:
        topology: Who stands where.
        faults: What can be made to go wrong.
    """

    def __init__(self, plan: Plan | None = None, *, with_agents: bool = True) -> None:
        self.topology = Topology(plan or Plan())
        self._with_agents = with_agents
        self._prefix = new_prefix()
        self._files: tempfile.TemporaryDirectory[str] | None = None
        self._agents: dict[str, Agent] = {}
        self.faults = Faults(self)

    def __enter__(self) -> Self:
        """Build the province; everything answers when this returns.

        Raises:
            RuntimeError: Something that the lab needs is missing; the message says what.
        """
        if lack := missing(*LAB):
            raise RuntimeError(lack)
        sweep_dead()
        self._files = tempfile.TemporaryDirectory(prefix=self._prefix)
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Take everything down: agents, namespaces, files."""
        for agent in self._agents.values():
            agent.request_stop()
        for agent in self._agents.values():
            agent.stop()
        remove_namespaces(self.namespace(place) for place in self._places)
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    @property
    def directory(self) -> Path:
        """Where the lab keeps its files while it is up; deleted at the end."""
        if self._files is None:
            message = "the lab is not up: use it in a `with` statement"
            raise RuntimeError(message)
        return Path(self._files.name)

    def namespace(self, place: str) -> str:
        """Return the name of the namespace of a router, or of the centre."""
        return f"{self._prefix}{place}"

    def address(self, router: str, interface: str = "wan0") -> IPv4Address:
        """Return the address of a router's uplink, which netmon pings."""
        return self.topology.wire(router, interface).lower_address

    def agent(self, router: str) -> Agent:
        """Return a router's SNMP agent."""
        return self._agents[router]

    def run(self, *command: str, place: str = CENTRE) -> subprocess.CompletedProcess[str]:
        """Run a command in the centre, or elsewhere, and return what it said."""
        return subprocess.run(
            [*enter_command(self.namespace(place)), *command],
            text=True,
            capture_output=True,
            check=False,
        )

    def popen(self, *command: str, place: str = CENTRE, **options: Any) -> subprocess.Popen[Any]:  # noqa: ANN401  # those of Popen
        """Start a command in the centre, or elsewhere; the process is the command itself."""
        return subprocess.Popen([*enter_command(self.namespace(place)), *command], **options)

    def restore_routes(self, place: str) -> None:
        """Set the static routes of a router anew: the kernel forgets those over a cut link."""
        routes = [f"route replace {route}" for route in self.topology.routes(place)]
        run_ip(routes, self.namespace(place), forgive=True)

    def inventory_yaml(self, directory: Path) -> Path:
        """Write the files of a netmon that watches this province; return that of the settings."""
        return write_inventory(self.topology, directory)

    @property
    def _places(self) -> list[str]:
        return [CENTRE, *self.topology.nodes]

    def _build(self) -> None:
        names = {place: self.namespace(place) for place in self._places}
        run_ip(f"netns add {name}" for name in names.values())
        run_ip(
            join_command(wire, names[wire.upper], names[wire.lower]) for wire in self.topology.wires
        )
        for place, name in names.items():
            run_ip(self._set_up(place), name)
            if self.topology.children(place) or place == CENTRE:
                self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", place=place)
        if self._with_agents:
            self._start_agents()

    def _set_up(self, place: str) -> list[str]:
        commands = ["link set lo up"]
        for wire in self.topology.wires:
            if wire.lower == place:
                commands += _connect(wire.lower_interface, wire.lower_address)
            if wire.upper == place:
                commands += _connect(wire.upper_interface, wire.upper_address)
        return commands + [f"route add {route}" for route in self.topology.routes(place)]

    def _start_agents(self) -> None:
        for router in self.topology.nodes:
            directory = self.directory / router
            agent = Agent(self.namespace(router), directory, AgentIdentity(f"rt-{router}"))
            self._agents[router] = agent
            agent.start()
        addresses = {self.address(router): router for router in self.topology.nodes}
        wait_for_agents(self.namespace(CENTRE), addresses)


def _connect(interface: str, address: IPv4Address) -> list[str]:
    return [f"addr add {address}/30 dev {interface}", f"link set {interface} up"]
