"""Rounds run on time, one at a time, and a bug in one ends no other."""

from __future__ import annotations

import asyncio
import math

import pytest

from netmon.clock import SystemClock, Timeline
from netmon.schedule import Scheduler


@pytest.fixture
def scheduler() -> Scheduler:
    clock = SystemClock()
    return Scheduler(clock, Timeline(clock))


async def test_a_round_runs_at_once_and_again_each_interval(scheduler: Scheduler) -> None:
    thrice = asyncio.Event()
    runs = 0

    async def job() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            thrice.set()

    scheduler.start()
    scheduler.every("poll", 0.05, job)
    await asyncio.wait_for(thrice.wait(), 5)
    await scheduler.stop(1)
    (figures,) = scheduler.figures()
    assert figures.name == "poll"
    assert figures.runs == runs
    assert not math.isnan(figures.lateness_seconds)


async def test_a_slow_round_is_never_run_twice_at_a_time(scheduler: Scheduler) -> None:
    at_once = most = 0
    ended = asyncio.Event()

    async def job() -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.2)
        at_once -= 1
        ended.set()

    scheduler.start()
    scheduler.every("slow", 0.02, job)
    await asyncio.wait_for(ended.wait(), 5)
    await scheduler.stop(1)
    assert most == 1


async def test_a_broken_round_is_logged_and_the_others_go_on(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    ran = asyncio.Event()

    async def broken() -> None:
        message = "a bug"
        raise RuntimeError(message)

    async def good() -> None:
        ran.set()

    scheduler.start()
    scheduler.every("broken", 0.05, broken)
    scheduler.every("good", 0.05, good)
    await asyncio.wait_for(ran.wait(), 5)
    await scheduler.stop(1)
    assert "round broken is broken" in caplog.text


async def test_stopping_lets_a_round_end_and_starts_no_other(scheduler: Scheduler) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        begun.set()
        await asyncio.sleep(0.1)
        ended.set()

    scheduler.start()
    scheduler.every("poll", 60, job)
    await asyncio.wait_for(begun.wait(), 5)
    await scheduler.stop(5)
    assert ended.is_set()
    assert scheduler.figures()[0].runs == 1


async def test_a_round_that_hangs_is_cancelled_after_its_grace(scheduler: Scheduler) -> None:
    begun = asyncio.Event()

    async def job() -> None:
        begun.set()
        await asyncio.Event().wait()

    scheduler.start()
    scheduler.every("hung", 60, job)
    await asyncio.wait_for(begun.wait(), 5)
    await asyncio.wait_for(scheduler.stop(0.05), 5)


async def test_a_forgotten_round_runs_no_more(scheduler: Scheduler) -> None:
    async def job() -> None:
        return

    scheduler.start()
    scheduler.every("poll", 60, job, at_once=False)
    scheduler.forget(["poll"])
    assert scheduler.names == frozenset()
    assert scheduler.figures() == ()
    await scheduler.stop(0)
