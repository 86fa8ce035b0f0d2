"""How a round is spread over its time."""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from netmon.clock import SystemClock, Timeline
from netmon.probes.ssh.adapter import Login, Unreachable
from netmon.probes.ssh.collector import Collector, Limits, Target
from netmon.probes.ssh.platforms import Platform, load_platforms

if TYPE_CHECKING:
    from pathlib import Path

    from netmon.probes.ssh.hosts import HostKeys
    from netmon.probes.ssh.visit import Visit

SPLAY_SECONDS = 0.6


class Silence:
    """A session that comes to nothing."""

    def open(self) -> None:
        raise Unreachable("nobody there")

    def ask(self, command: str) -> str:
        raise AssertionError(command)

    def close(self) -> None:
        """Nothing is open."""

    abort = close


async def test_visits_are_spread_over_the_night_and_never_begin_early(tmp_path: Path) -> None:
    begun_at: list[float] = []

    def session(login: Login, platform: Platform, keys: HostKeys, seconds: float) -> Silence:
        assert (login, platform, keys.path.name[:3], seconds) == (*known, "xa-", 120.0)
        begun_at.append(time.monotonic())
        return Silence()

    async def seen(_visit: Visit) -> None:
        """Nothing is kept."""

    known = (Login(ip_address("127.0.0.1"), 9, "netmon"), load_platforms()["linux"])
    targets = [Target(f"xa-{number}", known[1], "province", known[0]) for number in range(6)]
    collector = Collector(tmp_path, Timeline(SystemClock()), session)
    start = time.monotonic()
    await collector.round(targets, Limits(threads=3, splay_seconds=SPLAY_SECONDS), seen)
    pause = SPLAY_SECONDS / len(targets)
    assert len(begun_at) == len(targets)
    for number, at in enumerate(sorted(begun_at)):
        assert at - start >= number * pause - 0.01
