"""The toy province as netmon sees it: an inventory brought to life, sockets, and faults.

Real packets in either of two modes, chosen by trying:

- NAMESPACE: a network namespace of its own (lab of Linux: user_namespaces(7)), no root needed;
- LOOPBACK: 127.0.0.0/8 of this machine, where namespaces are forbidden (most containers).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import weakref
from collections import defaultdict
from dataclasses import replace
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Self

import netmon
from netmon.demo.filters import FilteredSocket
from netmon.demo.plan import plan_routers
from netmon.demo.wire import Answer, LineReader, Order, receive_answer, send_order
from netmon.errors import CapabilityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from netmon.model import Agency, Inventory, IPAddress, Link, MaintenanceWindow

DEMO_COMMUNITY = "netmon-demo"
_PATIENCE_SECONDS = 10.0
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_ECHO_SOCKETS = {
    4: (socket.AF_INET, socket.IPPROTO_ICMP),
    6: (socket.AF_INET6, socket.IPPROTO_ICMPV6),
}
_LOOPBACK, _LOOPBACK_SIZE = 0x7F000000, 0x1000000
_NOTICES = {
    "vi": "Bản dùng thử: một tỉnh giả lập, gói tin thật",
    "en": "Demo: a toy province, real packets",
}
_FALLBACK_NOTICES = {
    "vi": "máy này không cho tạo không gian mạng riêng ({reason}) nên các bộ định tuyến"
    " nằm ở địa chỉ 127.x và sự cố được tạo bằng bộ lọc gói tin",
    "en": "this machine forbids network namespaces ({reason}), so the routers have 127.x"
    " addresses and faults are made by packet filters",
}
_LOOPBACK_NOTICES = {
    "vi": "như đã chọn, các bộ định tuyến nằm ở địa chỉ 127.x"
    " và sự cố được tạo bằng bộ lọc gói tin",
    "en": "as chosen, the routers have 127.x addresses and faults are made by packet filters",
}


class Mode(StrEnum):
    """Where the toy routers' addresses live."""

    NAMESPACE = "namespace"
    LOOPBACK = "loopback"


class WorldError(Exception):
    """The toy world could not do as told, or is gone."""


def open_province(mode: Mode | None = None, community: str = DEMO_COMMUNITY) -> ToyProvince:
    """Start a toy province in the best mode that works here, or in the one asked for.

    May be called at any time, by a process with any number of threads.

    Raises:
        CapabilityError: No real echo can be sent here; the message says what is missing.
    """
    reason = ""
    if mode is not Mode.LOOPBACK:
        try:
            return _open(Mode.NAMESPACE, community)
        except (CapabilityError, WorldError) as error:
            reason = str(error)
            if mode is Mode.NAMESPACE:
                message = f"no network namespace can be made here ({reason}): {_REMEDY}"
                raise CapabilityError(message) from error
    try:
        return _open(Mode.LOOPBACK, community, reason)
    except (CapabilityError, WorldError) as error:
        namespaces = f"no network namespace ({reason}) and " if reason else ""
        message = f"{namespaces}no echo socket can be had here ({error}): {_REMEDY}"
        raise CapabilityError(message) from error


_REMEDY = (
    "allow user namespaces (sysctl user.max_user_namespaces, on Ubuntu"
    " kernel.apparmor_restrict_unprivileged_userns=0), or"
    " sysctl net.ipv4.ping_group_range='0 2147483647', or run as root"
)


class ToyProvince:
    """A province of toy routers. Every method may be called from any thread; each takes ~1 ms.

    Attributes:
        mode: Where the addresses live.
        windows: Maintenance that the demo has announced; `set_inventory` adds it.
    """

    def __init__(self, world: _World, mode: Mode, fallback_reason: str = "") -> None:
        self.mode = mode
        self.windows: list[MaintenanceWindow] = []
        self.inventory: Inventory | None = None
        self._world = world
        self._fallback_reason = fallback_reason
        self._snmp_port = 0
        self._stand_ins = StandIns()
        self._sockets: weakref.WeakSet[FilteredSocket] = weakref.WeakSet()
        self._lost_shares: dict[str, dict[IPAddress, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def begin(self, community: str) -> None:
        """Make the network and its agents.

        Raises:
            WorldError: It is forbidden here.
        """
        order = Order(do="begin", mode=self.mode, community=community)
        self._snmp_port = self._world.call(order).snmp_port

    def close(self) -> None:
        """End the world; sockets into it stay open and hear nothing more."""
        self._world.close()

    def notice(self, language: str = "vi") -> str:
        """Return one sentence for the top of the page."""
        notice = _NOTICES.get(language, _NOTICES["en"])
        if self.mode is Mode.LOOPBACK:
            texts = _FALLBACK_NOTICES if self._fallback_reason else _LOOPBACK_NOTICES
            text = texts.get(language, texts["en"])
            notice += "; " + text.format(reason=self._fallback_reason)
        return notice + "."

    def set_inventory(self, inventory: Inventory) -> Inventory:
        """Give every address of an inventory life; routers that were there already run on.

        Returns:
            The inventory as it must be monitored: with the demo's own maintenance windows, and on
            the loopback network with the addresses that stand in for the written ones.
        """
        if self.mode is Mode.LOOPBACK:
            inventory = self._stand_ins.translate(inventory, self._snmp_port)
        canaries = [str(canary.address) for canary in inventory.canaries]
        routers = [plan.to_json() for plan in plan_routers(inventory)]
        self._world.call(Order(do="populate", routers=routers, addresses=canaries))
        self.inventory = replace(inventory, maintenance=(*inventory.maintenance, *self.windows))
        return self.inventory

    def open_echo_socket(self, family: int) -> tuple[socket.socket, bool]:
        """Open an ICMP socket of a family, 4 or 6, in the toy network; tell whether it is raw.

        Raises:
            CapabilityError: Neither a raw nor a datagram one can be had.
        """
        number, protocol = _ECHO_SOCKETS[family]
        reasons = []
        for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
            try:
                return self.open_socket(number, kind, protocol), kind is socket.SOCK_RAW
            except OSError as error:
                reasons.append(f"{kind.name}: {error.strerror or error}")
        message = f"no ICMP socket for IPv{family} in the toy network: {'; '.join(reasons)}"
        raise CapabilityError(message)

    def open_udp_socket(self, family: socket.AddressFamily) -> socket.socket:
        """Open a UDP socket that does not block in the toy network; it hears of ICMP errors.

        Raises:
            OSError: There is none to be had.
        """
        udp = self.open_socket(family, socket.SOCK_DGRAM)
        try:
            udp.setblocking(False)  # noqa: FBT003  # socket's own signature
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                udp.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            udp.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104  # asks any router
        except OSError:
            udp.close()
            raise
        return udp

    def open_socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Open a socket inside the toy network, as socket.socket does outside.

        Raises:
            OSError: As socket.socket.
        """
        if self.mode is Mode.NAMESPACE:
            order = Order(do="socket", socket=(family, kind, protocol))
            try:
                descriptor = self._world.call(order).descriptor
            except WorldError as error:
                raise OSError(str(error)) from error
            return socket.socket(fileno=descriptor)
        if protocol == 0:
            return socket.socket(family, kind, protocol)
        filtered = FilteredSocket(family, kind, protocol)
        self._sockets.add(filtered)
        filtered.lose(self._lost_by_address())
        return filtered

    def silence(self, token: str, addresses: Iterable[IPAddress]) -> int:
        """Silence addresses under a name of this fault.

        Returns:
            The monotonic time in microseconds at which the last of them fell silent.
        """
        silenced = list(addresses)
        self._filter(token, dict.fromkeys(silenced, 1.0))
        order = Order(do="silence", token=token, addresses=[str(a) for a in silenced])
        return self._world.call(order).at_us

    def restore(self, token: str) -> int:
        """End a silence; addresses that no other fault silences answer again."""
        return self.silence(token, ())

    def lose(self, token: str, addresses: Iterable[IPAddress], ratio: float) -> int:
        """Lose this share of the packets to addresses; ratio 0 ends it."""
        lossy = list(addresses)
        self._filter(token, dict.fromkeys(lossy, ratio) if ratio else {})
        order = Order(do="lose", token=token, addresses=[str(a) for a in lossy], ratio=ratio)
        return self._world.call(order).at_us

    def restart_router(self, agency: str) -> int:
        """Let a router come back from a loss of power: uptime anew, one more boot."""
        return self._world.call(Order(do="restart", agency=agency)).at_us

    def set_carrier(self, agency: str, link: str, *, is_up: bool) -> int:
        """Let a router's uplink lose or regain carrier while the router runs on."""
        order = Order(do="carrier", agency=agency, link=link, on=is_up)
        return self._world.call(order).at_us

    def hang_agent(self, agency: str, *, hangs: bool) -> int:
        """Let a router's SNMP agent fall silent or recover; its address answers echoes."""
        return self._world.call(Order(do="hang", agency=agency, on=hangs)).at_us

    def _filter(self, token: str, shares: dict[IPAddress, float]) -> None:
        if shares:
            self._lost_shares[token] = shares
        else:
            self._lost_shares.pop(token, None)
        for filtered in self._sockets:
            filtered.lose(self._lost_by_address())

    def _lost_by_address(self) -> Mapping[IPAddress, float]:
        merged: dict[IPAddress, float] = defaultdict(float)
        for shares in self._lost_shares.values():
            for address, share in shares.items():
                merged[address] = max(merged[address], share)
        return merged


class StandIns:
    """Addresses of 127.0.0.0/8 that stand in for those of an inventory, the same ones always."""

    def __init__(self) -> None:
        self._stand_in_of: dict[IPAddress, IPv4Address] = {}
        self._taken: set[IPv4Address] = set()

    def translate(self, inventory: Inventory, snmp_port: int) -> Inventory:
        """Return the inventory with stand-in addresses; of two families the first one stays."""
        agencies = {
            agency.id: self._translate_agency(agency, snmp_port)
            for agency in inventory.agencies.values()
        }
        canaries = tuple(
            replace(canary, address=self._stand_in(canary.address)) for canary in inventory.canaries
        )
        return replace(inventory, agencies=agencies, canaries=canaries)

    def _translate_agency(self, agency: Agency, snmp_port: int) -> Agency:
        router = agency.router
        if router is not None:
            address = self._stand_in(router.address)
            router = replace(router, address=address, snmp_port=snmp_port)
        links = tuple(map(self._translate_link, agency.links))
        return replace(agency, router=router, links=links)

    def _translate_link(self, link: Link) -> Link:
        return replace(link, addresses=(self._stand_in(link.addresses[0]),))

    def _stand_in(self, address: IPAddress) -> IPv4Address:
        if address not in self._stand_in_of:
            low = int.from_bytes(address.packed[-3:], "big")
            while (stand_in := IPv4Address(_LOOPBACK | low)) in self._taken:
                low = (low + 1) % _LOOPBACK_SIZE
            self._stand_in_of[address] = stand_in
            self._taken.add(stand_in)
        return self._stand_in_of[address]


class _World:
    """The world's process and the line to it (`netmon.demo.world`)."""

    def __init__(self) -> None:
        self._control, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control.settimeout(_PATIENCE_SECONDS)
        self._reader = LineReader(self._control)
        self._lock = threading.Lock()
        root = str(Path(netmon.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with far_end:
            self._process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                [sys.executable, "-m", "netmon.demo.world", str(far_end.fileno())],
                pass_fds=[far_end.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                # A Ctrl-C at the terminal is for netmon, which then ends the world in good order.
                start_new_session=True,
            )

    def call(self, order: Order) -> Answer:
        """Have an order carried out.

        Raises:
            WorldError: It was not, or the world is gone.
        """
        with self._lock:
            try:
                send_order(self._control, order)
                answer = receive_answer(self._reader)
            except (OSError, EOFError) as error:
                message = f"the toy world is gone: {error}"
                raise WorldError(message) from error
        if answer.error:
            raise WorldError(answer.error)
        return answer

    def close(self) -> None:
        """End the process."""
        self._control.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _open(mode: Mode, community: str, fallback_reason: str = "") -> ToyProvince:
    province = ToyProvince(_World(), mode, fallback_reason)
    try:
        province.begin(community)
        province.open_echo_socket(4)[0].close()
    except BaseException:
        province.close()
        raise
    return province
