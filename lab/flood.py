"""A stranger who makes up echo replies, as fast as it can: `python -m lab.flood ID SECONDS`.

They have the right ICMP ID and a wrong cookie, so that nobody but the reader of the cookie can tell
them from real ones. It prints a JSON object: how many went out, and how many in its best second.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import time

import numpy as np

from netmon.probes.icmp.kernel import SendRing
from netmon.probes.icmp.packet import ECHO_REPLY, template

_ROWS = 1024
_LOOPBACK = np.array([socket.AF_INET, 0, 0, 0, 127, 0, 0, 1, *bytes(8)], np.uint8)
"""A sockaddr_in: the family's two bytes first, in a little-endian machine's order."""


def flood(identifier: int, seconds: float) -> dict[str, float]:
    """Send replies with the right ID and a wrong cookie for so long."""
    pattern = template(4, identifier, 16)
    pattern[0] = ECHO_REPLY[4]
    ring = SendRing(_ROWS, pattern, len(_LOOPBACK))
    dice = np.random.default_rng(7)
    ring.requests.fill(
        dice.integers(0, 2**63, _ROWS, np.uint64), dice.integers(0, 2**63, _ROWS, np.uint64)
    )
    where = (ctypes.c_uint8 * len(_LOOPBACK)).from_buffer(bytearray(_LOOPBACK.tobytes()))
    names = np.full(_ROWS, ctypes.addressof(where), np.uint64)
    by_second: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as attacker:
        # It does not want its own packets back.
        attacker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        begun = time.monotonic()
        while (since := time.monotonic() - begun) < seconds:
            result = ring.send(attacker.fileno(), names, lambda: time.monotonic_ns() // 1000)
            if result.fault.any():
                sys.exit(f"the flood cannot be sent: {os.strerror(int(result.fault.max()))}")
            by_second += [0] * (int(since) + 1 - len(by_second))
            by_second[int(since)] += _ROWS
    return {"sent": sum(by_second), "best_second": max(by_second)}


if __name__ == "__main__":
    json.dump(flood(int(sys.argv[1]), float(sys.argv[2])), sys.stdout)
