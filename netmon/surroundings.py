"""What the daemon is told and what it stands in; the demo and the tests bring their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netmon.clock import Clock, SystemClock
from netmon.model import Inventory
from netmon.probes.icmp import IcmplibSockets, SocketFactory
from netmon.probes.snmp.transport import UdpSocketFactory, open_udp_socket
from netmon.signals import EarlySignals
from netmon.web import Exporter


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; None: what the settings say."""

    config_file: Path
    listen_address: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """Clocks, sockets and exporters, and what may be made of the inventory."""

    exporters: Sequence[Exporter]
    clock: Clock = field(default_factory=SystemClock)
    icmp_sockets: SocketFactory = field(default_factory=IcmplibSockets)
    udp_sockets: UdpSocketFactory = open_udp_socket
    notice: Mapping[str, str] = field(default_factory=dict)
    early: EarlySignals | None = None
    """Signals that came before the event loop ran."""
    adapt: Callable[[Inventory], Inventory] = field(default=lambda inventory: inventory)
    """Called with each inventory before it is put in force: the demo gives its routers life."""
