"""ICMP: the echo engine, one-shot ping and traceroute. The only importer of icmplib is inside."""

from netmon.probes.icmp.adapter import IcmplibSockets
from netmon.probes.icmp.engine import EchoEngine
from netmon.probes.icmp.packet import MINIMUM_PAYLOAD_BYTES
from netmon.probes.icmp.ping import PingResult, ping
from netmon.probes.icmp.reasons import ErrorReport
from netmon.probes.icmp.sockets import OpenedSocket, SocketFactory
from netmon.probes.icmp.targets import EchoTarget
from netmon.probes.icmp.traceroute import Hop, Path, Tracer

__all__ = [
    "MINIMUM_PAYLOAD_BYTES",
    "EchoEngine",
    "EchoTarget",
    "ErrorReport",
    "Hop",
    "IcmplibSockets",
    "OpenedSocket",
    "Path",
    "PingResult",
    "SocketFactory",
    "Tracer",
    "ping",
]
