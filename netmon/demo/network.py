"""Where the toy routers' addresses live: a network namespace of their own, or the loopback net.

Both are used inside the world's process only (`netmon.demo.world`).
"""

from __future__ import annotations

import ctypes
import os
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from netmon.demo.rtnetlink import Netlink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netmon.model import IPAddress

SNMP_PORT = 161
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_HOLE = "hole0"
_CENTRE = IPv4Address("192.0.2.1")
_EVERYWHERE = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_LOOPBACK = b"lo"


class ToyNetwork(Protocol):
    """A network in which addresses can be alive or silent."""

    def set_alive(self, addresses: Iterable[IPAddress]) -> None:
        """Make exactly these addresses answer."""
        ...

    def agent_sockets(self) -> tuple[socket.socket, ...]:
        """Return bound UDP sockets on which requests to every address arrive."""
        ...


class NamespaceNetwork:
    """A network namespace that this process enters: the kernel itself answers for the routers.

    Works without privileges where user namespaces are allowed (user_namespaces(7)). Packets to an
    address that nobody owns fall into a hole, so that a dead router is silent as in life; without
    the hole the kernel would say at once that the network is unreachable.

    Raises:
        OSError: Namespaces are forbidden here, or half forbidden.
    """

    def __init__(self) -> None:
        _enter_network_namespace()
        # Where /proc/sys is read-only (containers), the raw sockets that root has must do.
        with suppress(OSError):
            Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0", encoding="ascii")
        self._netlink = Netlink()
        self._netlink.bring_up("lo")
        self._netlink.add_veth(_HOLE, "hole1")
        self._netlink.bring_up(_HOLE, resolves_neighbours=False)
        self._netlink.bring_up("hole1")
        self._netlink.add_address(_CENTRE, _HOLE)
        for network in _EVERYWHERE:
            self._netlink.add_route(network, _HOLE)
        self._alive: frozenset[IPAddress] = frozenset()

    def set_alive(self, addresses: Iterable[IPAddress]) -> None:
        """Make exactly these addresses answer, by giving them to the kernel or taking them."""
        wanted = frozenset(addresses)
        for address in self._alive - wanted:
            self._netlink.delete_address(address, "lo")
        for address in wanted - self._alive:
            self._netlink.add_address(address, "lo")
        self._alive = wanted

    def agent_sockets(self) -> tuple[socket.socket, ...]:
        """Return one socket a family on the SNMP port of every address."""
        return (
            _bind(socket.AF_INET, ("0.0.0.0", SNMP_PORT)),  # noqa: S104  # the toy network's own
            _bind(socket.AF_INET6, ("::", SNMP_PORT)),
        )


class LoopbackNetwork:
    """127.0.0.0/8 of this machine, where every address answers whatever we do.

    Echo replies are held back by filters on netmon's own sockets (`netmon.demo.filters`), requests
    to silent agents are ignored by the world.
    """

    def set_alive(self, addresses: Iterable[IPAddress]) -> None:
        """Do nothing: silence is made elsewhere."""

    def agent_sockets(self) -> tuple[socket.socket, ...]:
        """Return one socket on the SNMP port, or on a free port where 161 is not for us."""
        try:
            return (_bind(socket.AF_INET, ("0.0.0.0", SNMP_PORT), _LOOPBACK),)  # noqa: S104  # lo only
        except OSError:
            return (_bind(socket.AF_INET, ("0.0.0.0", 0), _LOOPBACK),)  # noqa: S104  # lo only


def _bind(family: int, where: tuple[str, int], device: bytes | None = None) -> socket.socket:
    agent = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if device is not None:
            # Kernels before 5.7 want root for it; the agent answers for 127.x only, anyway.
            with suppress(PermissionError):
                agent.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        if family == socket.AF_INET6:
            agent.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        agent.bind(where)
        agent.setblocking(False)  # noqa: FBT003  # socket's own signature
    except OSError:
        agent.close()
        raise
    return agent


def _enter_network_namespace() -> None:
    """Leave the machine's network for an empty one, with all rights in it."""
    try:
        _unshare(_CLONE_NEWNET)
    except PermissionError:
        user, group = os.getuid(), os.getgid()
        _unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        _write_self("setgroups", "deny")
        _write_self("uid_map", f"0 {user} 1")
        _write_self("gid_map", f"0 {group} 1")


def _write_self(name: str, text: str) -> None:
    Path("/proc/self", name).write_text(text, encoding="ascii")


def _unshare(flags: int) -> None:
    """Call unshare(2), which Python offers from 3.12 on only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
