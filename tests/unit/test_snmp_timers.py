"""The timer wheel calls on time, in order, and never twice."""

from __future__ import annotations

import asyncio

from netmon.probes.snmp.timers import TimerWheel


async def test_items_come_due_in_the_order_of_their_times_at_most_a_tick_late() -> None:
    loop = asyncio.get_running_loop()
    due: list[tuple[str, float]] = []
    over = asyncio.Event()

    def on_due(item: str) -> None:
        due.append((item, loop.time()))
        if item == "last":
            over.set()

    wheel: TimerWheel[str] = TimerWheel(loop, on_due)
    begun = loop.time()
    for item, seconds in (("last", 0.3), ("first", 0.05), ("second", 0.12), ("third", 0.2)):
        wheel.add(item, seconds)
    await asyncio.wait_for(over.wait(), 3)

    assert [item for item, _ in due] == ["first", "second", "third", "last"]
    for (_, at), seconds in zip(due, (0.05, 0.12, 0.2, 0.3), strict=True):
        assert seconds <= at - begun


async def test_an_item_added_by_an_item_comes_due_too() -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def on_due(item: int) -> None:
        if item == 3:
            over.set()
        else:
            wheel.add(item + 1, 0.0)

    wheel: TimerWheel[int] = TimerWheel(loop, on_due)
    wheel.add(0, 0.0)
    await asyncio.wait_for(over.wait(), 3)


async def test_a_wheel_that_waited_idle_starts_again_and_a_closed_one_does_not() -> None:
    loop = asyncio.get_running_loop()
    due: asyncio.Queue[int] = asyncio.Queue()
    wheel: TimerWheel[int] = TimerWheel(loop, due.put_nowait)
    wheel.add(1, 0.01)
    assert await asyncio.wait_for(due.get(), 3) == 1
    wheel.add(2, 0.01)
    assert await asyncio.wait_for(due.get(), 3) == 2
    wheel.add(3, 0.01)
    wheel.close()
    await asyncio.sleep(0.15)
    assert due.empty()
