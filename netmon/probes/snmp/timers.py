"""A timer wheel: thousands of time-outs for the price of one timer of the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_TICK_SECONDS: Final = 0.05

Item = TypeVar("Item")


class TimerWheel(Generic[Item]):
    """Calls `on_due` with every item added, once its time has come, at most one tick late.

    There is no cancelling: the receiver knows whether the item still matters.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_due: Callable[[Item], None]) -> None:
        self._loop = loop
        self._on_due = on_due
        self._slots: dict[int, list[Item]] = {}
        self._next_tick = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: Item, seconds: float) -> None:
        """Have `on_due` called with the item in `seconds`."""
        tick = int((self._loop.time() + seconds) / _TICK_SECONDS) + 1
        slot = self._slots.get(tick)
        if slot is None:
            self._slots[tick] = [item]
        else:
            slot.append(item)
        if self._timer is None:
            self._next_tick = int(self._loop.time() / _TICK_SECONDS)
            self._wait()

    def close(self) -> None:
        """Forget everything."""
        self._slots.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._next_tick += 1
        self._timer = self._loop.call_at(self._next_tick * _TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = int(self._loop.time() / _TICK_SECONDS + 0.001)
        due = [
            item for tick in range(self._next_tick, now + 1) for item in self._slots.pop(tick, ())
        ]
        self._next_tick = max(now, self._next_tick)
        if self._slots:
            self._wait()
        for item in due:
            self._on_due(item)
