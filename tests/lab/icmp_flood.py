"""Sends echo replies that a stranger makes up, as fast as it can: icmp_flood.py ICMP-ID COUNT."""

from __future__ import annotations

import ctypes
import socket
import sys
import time

import numpy as np

from netmon.probes.icmp.kernel import SendRing
from netmon.probes.icmp.packet import ECHO_REPLY, template

_ROWS = 500
_LOOPBACK = np.array([socket.AF_INET, 0, 0, 0, 127, 0, 0, 1, *bytes(8)], np.uint8)
"""A sockaddr_in: the family's two bytes first, in a little-endian machine's order."""


def flood(identifier: int, count: int) -> float:
    """Send `count` replies with the right ID and a wrong cookie; return how many a second."""
    pattern = template(4, identifier, 56)
    pattern[0] = ECHO_REPLY[4]
    ring = SendRing(_ROWS, pattern, len(_LOOPBACK))
    dice = np.random.default_rng(7)
    ring.requests.fill(
        dice.integers(0, 2**63, _ROWS, np.uint64), dice.integers(0, 2**63, _ROWS, np.uint64)
    )
    where = (ctypes.c_uint8 * len(_LOOPBACK)).from_buffer(bytearray(_LOOPBACK.tobytes()))
    names = np.full(_ROWS, ctypes.addressof(where), np.uint64)
    begun = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as attacker:
        for _ in range(count // _ROWS):
            sent = ring.send(attacker.fileno(), names, lambda: time.monotonic_ns() // 1000)
            if sent.fault.any():
                sys.exit(f"the flood cannot be sent: errno {sent.fault.max()}")
    return count / (time.monotonic() - begun)


if __name__ == "__main__":
    sys.stdout.write(f"{flood(int(sys.argv[1]), int(sys.argv[2])):.0f}")
