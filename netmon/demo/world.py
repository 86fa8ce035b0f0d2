"""The process in which the toy province lives: `python -m netmon.demo.world FD`.

A process of its own, for three reasons: unshare(CLONE_NEWUSER) needs a process with one thread,
and netmon has several by the time it has loaded NumPy; a half-forbidden namespace leaves a process
that is good for nothing; and the toy routers' answers must not take the interpreter's lock from
the daemon that is being shown. netmon gets sockets that live in the toy network over the control
socket (SCM_RIGHTS, unix(7)) and stays itself on the machine's own network. The world ends, and
everything in it, when the control socket closes: nothing is left behind even by kill -9.
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

from netmon.demo.agent import ToyAgent
from netmon.demo.device import ToyDevice
from netmon.demo.network import LoopbackNetwork, NamespaceNetwork, ToyNetwork
from netmon.demo.plan import RouterPlan
from netmon.demo.wire import Answer, LineReader, Order, send_answer
from netmon.model import IPAddress

LOSS_SLOT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Loss:
    addresses: frozenset[IPAddress]
    ratio: float


class World:
    """The toy routers and the network they stand in."""

    def __init__(self, network: ToyNetwork) -> None:
        self._network = network
        self._devices: dict[str, ToyDevice] = {}
        self._owners: dict[IPAddress, ToyDevice] = {}
        self._bystanders: frozenset[IPAddress] = frozenset()
        self._alive: frozenset[IPAddress] = frozenset()
        self._silences: dict[str, frozenset[IPAddress]] = {}
        self._losses: dict[str, _Loss] = {}
        self._dice = random.Random(2014)  # noqa: S311  # which echoes get lost, not a secret

    @property
    def is_lossy(self) -> bool:
        """Whether dice must be rolled."""
        return bool(self._losses)

    def find_device(self, address: IPAddress) -> ToyDevice | None:
        """Return the router that answers at an address now."""
        return self._owners.get(address) if address in self._alive else None

    def populate(self, plans: list[RouterPlan], bystanders: frozenset[IPAddress]) -> None:
        """Make exactly these routers exist; those that were there before run on."""
        self._devices = {plan.agency: self._device_for(plan) for plan in plans}
        self._owners = {
            address: device
            for device in self._devices.values()
            for address in device.plan.addresses
        }
        self._bystanders = bystanders
        self._apply()

    def silence(self, token: str, addresses: frozenset[IPAddress]) -> None:
        """Silence addresses for the reason `token`; no addresses: that reason is over."""
        if addresses:
            self._silences[token] = addresses
        else:
            self._silences.pop(token, None)
        self._apply()

    def lose(self, token: str, addresses: frozenset[IPAddress], ratio: float) -> None:
        """Lose this share of all packets to addresses; ratio 0: that is over."""
        if ratio:
            self._losses[token] = _Loss(addresses, ratio)
        else:
            self._losses.pop(token, None)
            self.silence(f"loss {token}", frozenset())

    def roll_dice(self) -> None:
        """Decide who is silent for the next slot of time.

        Withdrawing an address for a random 5 % of short slots loses 5 % of the echoes to it, and
        needs nothing of the kernel but addresses.
        """
        for token, loss in self._losses.items():
            is_off = self._dice.random() < loss.ratio
            self.silence(f"loss {token}", loss.addresses if is_off else frozenset())

    def device(self, agency: str) -> ToyDevice | None:
        """Return an agency's router; None: the agency was removed meanwhile."""
        return self._devices.get(agency)

    def _device_for(self, plan: RouterPlan) -> ToyDevice:
        former = self._devices.get(plan.agency)
        if former is not None and former.plan == plan:
            return former
        device = ToyDevice(plan, time.monotonic)
        if former is not None:
            device.continue_from(former)
        return device

    def _apply(self) -> None:
        silent = frozenset[IPAddress]().union(*self._silences.values())
        self._alive = (self._bystanders | self._owners.keys()) - silent
        self._network.set_alive(self._alive)


Act: TypeAlias = Callable[[Order], Answer]


class WorldServer:
    """Carries out the orders that arrive on the control socket, one at a time."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reader = LineReader(control)
        self._selector = selectors.DefaultSelector()
        self._world: World | None = None
        self._acts: dict[str, Act] = {
            "begin": self._begin,
            "populate": self._populate,
            "silence": self._silence,
            "lose": self._lose,
            "restart": self._restart,
            "carrier": self._carrier,
            "hang": self._hang,
            "socket": self._open_socket,
        }

    def run(self) -> None:
        """Serve until the other side closes the control socket."""
        self._selector.register(self._control, selectors.EVENT_READ, self._obey)
        next_roll = time.monotonic()
        while True:
            lossy = self._world is not None and self._world.is_lossy
            ready = self._selector.select(max(0.0, next_roll - time.monotonic()) if lossy else None)
            for key, _ in ready:
                act: Callable[[], None] = key.data
                act()
            if self._reader.is_closed:
                return
            if self._world is not None and lossy and time.monotonic() >= next_roll:
                next_roll = time.monotonic() + LOSS_SLOT_SECONDS
                self._world.roll_dice()

    def _obey(self) -> None:
        for line in self._reader.read():
            order: Order = json.loads(line)
            try:
                answer = self._acts[order["do"]](order)
            except OSError as error:
                answer = Answer(error=error.strerror or str(error))
            send_answer(self._control, answer)

    def _begin(self, order: Order) -> Answer:
        network: ToyNetwork = (
            NamespaceNetwork() if order["mode"] == "namespace" else LoopbackNetwork()
        )
        world = self._world = World(network)
        port = 0
        for udp in network.agent_sockets():
            agent = ToyAgent(udp, order["community"].encode(), world.find_device)
            self._selector.register(udp, selectors.EVENT_READ, agent.serve)
            port = udp.getsockname()[1]
        return Answer(snmp_port=port)

    def _populate(self, order: Order) -> Answer:
        plans = [RouterPlan.from_json(fields) for fields in order["routers"]]
        self._living.populate(plans, _addresses(order))
        return _done()

    def _silence(self, order: Order) -> Answer:
        self._living.silence(order["token"], _addresses(order))
        return _done()

    def _lose(self, order: Order) -> Answer:
        self._living.lose(order["token"], _addresses(order), order["ratio"])
        return _done()

    def _restart(self, order: Order) -> Answer:
        if device := self._living.device(order["agency"]):
            device.restart()
        return _done()

    def _carrier(self, order: Order) -> Answer:
        if device := self._living.device(order["agency"]):
            device.set_carrier(order["link"], is_up=order["on"])
        return _done()

    def _hang(self, order: Order) -> Answer:
        if device := self._living.device(order["agency"]):
            device.agent_hangs = order["on"]
        return _done()

    def _open_socket(self, order: Order) -> Answer:
        family, kind, protocol = order["socket"]
        return Answer(descriptor=socket.socket(family, kind, protocol).detach())

    @property
    def _living(self) -> World:
        if self._world is None:
            message = "the world has not begun"
            raise OSError(message)
        return self._world


def _addresses(order: Order) -> frozenset[IPAddress]:
    return frozenset(map(ip_address, order["addresses"]))


def _done() -> Answer:
    return Answer(at_us=time.monotonic_ns() // 1000)


if __name__ == "__main__":
    WorldServer(socket.socket(fileno=int(sys.argv[1]))).run()
