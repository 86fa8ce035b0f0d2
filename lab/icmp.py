"""Echo sockets inside a namespace, and a stranger there who floods them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.kernel import inside
from netmon.probes.icmp import IcmplibSockets, OpenedSocket

if TYPE_CHECKING:
    from lab.fast_agent import Country

_ROOT = Path(__file__).parents[1]


class SocketsInside:
    """Opens sockets in a namespace, where every group may have datagram ones."""

    def __init__(self, namespace: str, *, privileged: bool) -> None:
        self._namespace = namespace
        self._sockets = IcmplibSockets(privileged=privileged)

    def open(self, family: int) -> OpenedSocket:
        """Open an ICMP socket of a family there."""
        with inside(self._namespace):
            Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 65534", encoding="ascii")
            return self._sockets.open(family)


async def flood(country: Country, identifier: int, seconds: float) -> dict[str, float]:
    """Run the stranger of `lab.flood` to its end; return what it says of itself."""
    with country.popen(
        sys.executable, "-m", "lab.flood", str(identifier), str(seconds),
        env={**os.environ, "PYTHONPATH": str(_ROOT)}, stdout=subprocess.PIPE, text=True,
    ) as stranger:  # fmt: skip
        output, _ = await asyncio.to_thread(stranger.communicate)
    said: dict[str, float] = json.loads(output)
    return said
