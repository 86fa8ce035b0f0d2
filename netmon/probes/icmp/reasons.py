"""What ICMP errors and failed sends mean, in the bounded words of `EchoError`."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netmon.model import ECHO_ERRORS, EchoError, IPAddress
from netmon.probes.icmp.packet import IPV4

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CODES = {error: code for code, error in enumerate(ECHO_ERRORS)}

# RFC 792, RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1: type 3, by code.
_IPV4_UNREACHABLE = {
    0: EchoError.NET_UNREACHABLE,
    1: EchoError.HOST_UNREACHABLE,
    4: EchoError.PACKET_TOO_BIG,
    6: EchoError.NET_UNREACHABLE,
    7: EchoError.HOST_UNREACHABLE,
    8: EchoError.HOST_UNREACHABLE,
    9: EchoError.PROHIBITED,
    10: EchoError.PROHIBITED,
    11: EchoError.NET_UNREACHABLE,
    12: EchoError.HOST_UNREACHABLE,
    13: EchoError.PROHIBITED,
    14: EchoError.PROHIBITED,
    15: EchoError.PROHIBITED,
}
# RFC 4443 section 3.1: type 1, by code.
_IPV6_UNREACHABLE = {
    0: EchoError.NET_UNREACHABLE,
    1: EchoError.PROHIBITED,
    3: EchoError.HOST_UNREACHABLE,
    5: EchoError.PROHIBITED,
    6: EchoError.NET_UNREACHABLE,
}
_ICMPV4_UNREACHABLE, _ICMPV4_TIME_EXCEEDED = 3, 11
_ICMPV6_UNREACHABLE, _ICMPV6_TOO_BIG, _ICMPV6_TIME_EXCEEDED = 1, 2, 3

FAULTS = {
    errno.EPERM: EchoError.NO_PERMISSION,
    errno.EACCES: EchoError.NO_PERMISSION,
    errno.ENETUNREACH: EchoError.NO_ROUTE,
    errno.EHOSTUNREACH: EchoError.NO_ROUTE,
    # A blackhole route of our own answers EINVAL.
    errno.EINVAL: EchoError.NO_ROUTE,
    errno.ENOBUFS: EchoError.NO_BUFFER,
    errno.ENOMEM: EchoError.NO_BUFFER,
    errno.EAGAIN: EchoError.NO_BUFFER,
}
"""What a failed send means; everything else is `OTHER_FAULT`."""

_WORDS = {
    EchoError.NET_UNREACHABLE: "network unreachable",
    EchoError.HOST_UNREACHABLE: "host unreachable",
    EchoError.PROHIBITED: "communication prohibited by a filter",
    EchoError.TTL_EXCEEDED: "time to live exceeded: a routing loop",
    EchoError.PACKET_TOO_BIG: "packet too big",
    EchoError.OTHER_UNREACHABLE: "unreachable",
    EchoError.NO_PERMISSION: "this machine's own firewall or a prohibit route forbids sending",
    EchoError.NO_ROUTE: "this machine has no route",
    EchoError.NO_BUFFER: "this machine's send buffer is full",
    EchoError.NO_SOCKET: "this machine has no ICMP socket of this address family",
    EchoError.OTHER_FAULT: "this machine could not send",
}


def words(error: EchoError) -> str:
    """Return what an error means, to be put after who reports it."""
    return _WORDS[error]


def code_of(error: EchoError) -> int:
    """Return the code of an error in columns."""
    return _CODES[error]


def fault_code(number: int) -> int:
    """Return the code of the error that a failed send's errno means."""
    return _CODES[FAULTS.get(number, EchoError.OTHER_FAULT)]


def icmp_error_codes(family: int) -> NDArray[np.int8]:
    """Return the table [ICMP type, ICMP code] → code of the error."""
    table = np.full((256, 256), _CODES[EchoError.OTHER_UNREACHABLE], np.int8)
    if family == IPV4:
        for code, error in _IPV4_UNREACHABLE.items():
            table[_ICMPV4_UNREACHABLE, code] = _CODES[error]
        table[_ICMPV4_TIME_EXCEEDED, 0] = _CODES[EchoError.TTL_EXCEEDED]
    else:
        for code, error in _IPV6_UNREACHABLE.items():
            table[_ICMPV6_UNREACHABLE, code] = _CODES[error]
        table[_ICMPV6_TOO_BIG, :] = _CODES[EchoError.PACKET_TOO_BIG]
        table[_ICMPV6_TIME_EXCEEDED, 0] = _CODES[EchoError.TTL_EXCEEDED]
    return table


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """What was last said about one address, and by whom; None: our own machine said it."""

    address: IPAddress
    error: EchoError
    offender: IPAddress | None
    at_us: int

    @property
    def text(self) -> str:
        """Say it in words: "10.0.3.1 reports host unreachable"."""
        if self.offender is None:
            return _WORDS[self.error]
        return f"{self.offender} reports {words(self.error)}"
