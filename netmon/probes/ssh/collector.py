"""A round of visits: bounded threads, one session a router, splayed, ended at once when asked."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from netmon.clock import utc
from netmon.probes.ssh.adapter import Login, Session, quiet_libraries
from netmon.probes.ssh.brake import Brake, Gate
from netmon.probes.ssh.hosts import HostKeys
from netmon.probes.ssh.platforms import Platform
from netmon.probes.ssh.visit import Conversation, SshStatus, Visit, broken, visit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from netmon.clock import Timeline


@dataclass(frozen=True)
class Target:
    """A router to visit."""

    agency: str
    platform: Platform
    credential: str
    """Its name in the settings."""
    login: Login
    known_secrets: tuple[str, ...] = ()
    """Masked wherever they appear, whatever the platform's rules say."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a round may take."""

    threads: int = 8
    deadline_seconds: float = 120.0
    splay_seconds: float = 0.0
    insist: bool = False
    """Try routers too that are held back after a refused login."""


class Sessions(Protocol):
    """Makes sessions."""

    def __call__(
        self, login: Login, platform: Platform, keys: HostKeys, seconds: float
    ) -> Conversation:
        """Return a session that is not open yet."""
        ...


class Collector:
    """Visits routers. One round at a time."""

    def __init__(self, directory: Path, timeline: Timeline, sessions: Sessions = Session) -> None:
        self._known_hosts = directory / "known_hosts"
        self._brake = Brake(directory / "refused-logins.json")
        self._timeline = timeline
        self._sessions = sessions
        self._open: set[Conversation] = set()
        self._lock = threading.Lock()
        self._ending = False

    async def round(
        self,
        targets: Sequence[Target],
        limits: Limits,
        on_visit: Callable[[Visit], Awaitable[None]],
    ) -> None:
        """Visit all of them; `on_visit` gets each result as it comes.

        When cancelled, sessions under way are ended at once and their results are dropped.
        """
        quiet_libraries()
        self._ending = False
        pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="ssh")
        gates: dict[str, Gate] = defaultdict(Gate)
        waiting = iter(sorted(targets, key=lambda each: zlib.crc32(each.agency.encode())))
        pause_seconds = limits.splay_seconds / max(1, len(targets))
        begun = asyncio.get_running_loop().time()
        turns = enumerate(waiting)

        async def work() -> None:
            for number, target in turns:
                due = begun + number * pause_seconds
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                await on_visit(await self._one(target, limits, gates[target.credential], pool))

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(limits.threads, len(targets))):
                    workers.create_task(work())
        finally:
            self._end_sessions()
            # The threads end by themselves within a moment: their sockets are shut.
            pool.shutdown(wait=False, cancel_futures=True)

    async def _one(
        self, target: Target, limits: Limits, gate: Gate, pool: ThreadPoolExecutor
    ) -> Visit:
        now_us = self._timeline.now_us()
        held_us = self._brake.held_until_us(target.agency)
        if held_us > now_us and not limits.insist:
            until = utc(held_us).strftime("%Y-%m-%d %H:%M UTC")
            return _held(
                target,
                f"its last login was refused: not tried again before {until}; when the credential "
                f"is mended: netmon inventory refresh {target.agency} --insist",
            )
        async with gate.turn():
            if gate.closed:
                return _held(
                    target,
                    f"credential {target.credential!r} was refused by several routers in a row: "
                    "not tried on more of them in this round",
                )
            result = await asyncio.get_running_loop().run_in_executor(
                pool, self._visit, target, limits.deadline_seconds
            )
            self._learn(target, result, gate)
        return result

    def _learn(self, target: Target, result: Visit, gate: Gate) -> None:
        if result.status is SshStatus.AUTHENTICATION:
            gate.refused()
            self._brake.refused(target.agency, self._timeline.now_us())
        elif result.status in {SshStatus.OK, SshStatus.PARTIAL}:
            gate.accepted()
            self._brake.accepted(target.agency)

    def _visit(self, target: Target, seconds: float) -> Visit:
        """Run in a thread of the pool."""
        keys = HostKeys(self._known_hosts, target.agency)
        session = self._sessions(target.login, target.platform, keys, seconds)
        with self._lock:
            if self._ending:
                return Visit(target.agency, SshStatus.DROPPED, "netmon is stopping")
            self._open.add(session)
        try:
            return visit(target.agency, target.platform, session, target.known_secrets)
        except Exception as error:  # noqa: BLE001  # our bug on one router must not end the round
            return broken(target.agency, target.platform.name, error)
        finally:
            with self._lock:
                self._open.discard(session)

    def _end_sessions(self) -> None:
        with self._lock:
            self._ending = True
            sessions = tuple(self._open)
        for session in sessions:
            session.abort()


def _held(target: Target, why: str) -> Visit:
    return Visit(target.agency, SshStatus.HELD_BACK, why, target.platform.name)
