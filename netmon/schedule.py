"""Rounds and calendar jobs. The only importer of APScheduler.

A round is one scheduled pass over many targets: a few jobs, each pacing thousands of probes, cost
next to nothing, where a job per target costs a sixth of a core at 5,000 targets. Echoes are paced
by the echo engine's own wheel; everything slower than a second is a round of this module.

APScheduler plans on the wall clock. When that is set back an hour, a job would not run for an
hour: a watchdog on the monotonic clock notices the late job and makes it due.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from netmon.clock import MICROSECONDS, Clock, Timeline, utc
from netmon.state import RoundFigures

_log = logging.getLogger(__name__)

Job: TypeAlias = Callable[[], Awaitable[None]]

_WATCHDOG_SECONDS = 1.0
_LATENESS_SAMPLES = 256


@dataclass
class _Round:
    name: str
    interval_us: int
    job: Job
    drained: bool = True
    started_us: int | None = None
    """Monotonic; when the last run began."""
    running: bool = False
    runs: int = 0
    last_end_us: int = 0
    duration_seconds: float = float("nan")
    lateness_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENESS_SAMPLES))


class Scheduler:
    """Runs named rounds at intervals until it is stopped. One per daemon."""

    def __init__(self, clock: Clock, timeline: Timeline) -> None:
        self._clock = clock
        self._timeline = timeline
        self._rounds: dict[str, _Round] = {}
        self._tasks: dict[asyncio.Task[None], _Round] = {}
        self._watchdog: asyncio.Task[None] | None = None
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            # The library's defaults drop a run that is a second late.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to run rounds. Must be called on the event loop."""
        self._scheduler.start()
        self._watchdog = asyncio.create_task(self._watch())

    def every(
        self,
        name: str,
        interval_seconds: float,
        job: Job,
        *,
        at_once: bool = True,
        drained: bool = True,
    ) -> None:
        """Run a coroutine function each interval, never twice at a time.

        A round of that name is replaced; its figures go on. `at_once`: the first run is now.
        `drained`: `stop` lets a run under way end.
        """
        interval_us = round(interval_seconds * MICROSECONDS)
        known = self._rounds.get(name)
        if known is not None and known.interval_us == interval_us:
            known.job = job
            return
        this = _Round(name, interval_us, job, drained)
        if known is not None:
            this.runs, this.last_end_us = known.runs, known.last_end_us
        this.started_us = None if at_once else self._clock.monotonic_us()
        self._rounds[name] = this
        first_us = self._clock.wall_us() + (0 if at_once else interval_us)
        self._scheduler.add_job(
            self._start_run,
            IntervalTrigger(seconds=interval_seconds, timezone="UTC"),
            args=[name],
            id=name,
            next_run_time=utc(first_us),
            replace_existing=True,
        )

    def forget(self, names: Iterable[str]) -> None:
        """Stop running these rounds; a run under way ends by itself."""
        for name in names:
            if self._rounds.pop(name, None) is not None:
                self._scheduler.remove_job(name)

    @property
    def names(self) -> frozenset[str]:
        """The names of all rounds."""
        return frozenset(self._rounds)

    def figures(self) -> tuple[RoundFigures, ...]:
        """Return how the rounds went; lateness is the worst of the last few hundred runs."""
        return tuple(
            RoundFigures(
                this.name,
                this.runs,
                this.last_end_us,
                this.duration_seconds,
                max(this.lateness_seconds, default=float("nan")),
            )
            for this in self._rounds.values()
        )

    async def stop(self, drain_seconds: float) -> None:
        """Start nothing more and give the rounds under way some time to end."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._scheduler.running:
            self._scheduler.pause()
        for task, this in tuple(self._tasks.items()):
            if not this.drained:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(tuple(self._tasks), timeout=drain_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._scheduler.running:
            # wait=True would cancel coroutines and log them as errors.
            self._scheduler.shutdown(wait=False)

    async def _start_run(self, name: str) -> None:
        """Start a run as a task of ours: APScheduler would cancel its own at shutdown."""
        this = self._rounds.get(name)
        if this is None or this.running:
            return
        now_us = self._clock.monotonic_us()
        if this.started_us is not None:
            late_us = max(0, now_us - this.started_us - this.interval_us)
            this.lateness_seconds.append(late_us / MICROSECONDS)
        this.started_us = now_us
        this.running = True
        task = asyncio.create_task(self._run(this), name=f"round {name}")
        self._tasks[task] = this
        task.add_done_callback(self._tasks.pop)

    async def _run(self, this: _Round) -> None:
        begin_us = self._clock.monotonic_us()
        try:
            await this.job()
        except Exception:  # noqa: BLE001  # one round's bug must not end the others
            _log.exception("round %s is broken", this.name)
        finally:
            this.running = False
            this.runs += 1
            this.duration_seconds = (self._clock.monotonic_us() - begin_us) / MICROSECONDS
            this.last_end_us = self._timeline.now_us()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCHDOG_SECONDS)
            now_us = self._clock.monotonic_us()
            for this in self._rounds.values():
                overdue_us = now_us - (this.started_us or now_us) - this.interval_us
                if overdue_us > _WATCHDOG_SECONDS * MICROSECONDS and not this.running:
                    _log.warning(
                        "round %s is %.1f s late; the wall clock was set, or the machine slept: "
                        "running it now",
                        this.name,
                        overdue_us / MICROSECONDS,
                    )
                    self._scheduler.modify_job(
                        this.name,
                        next_run_time=utc(self._clock.wall_us()) - timedelta(milliseconds=1),
                    )
