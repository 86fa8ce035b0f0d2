"""What is told, and when: a snapshot shows nothing that is not durable.

The one exception is a ledger that cannot be written: snapshots go on then, with the trouble on
top, so that operators go on being paged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netmon.clock import Timeline
    from netmon.ledger.writer import LedgerWriter
    from netmon.model import Event
    from netmon.state import Snapshot

_EVERY_SECONDS = 1.0
_TOLD_AT_ONCE = 200
"""Events: to enter and log one takes 50 µs, and echoes that are due must not wait for thousands."""
_NEWS_SECONDS = 0.2
"""So soon after the last one a snapshot may follow where something was decided."""
_LEDGER_PATIENCE_SECONDS = 5.0
"""So long a snapshot waits to be durable before it is published with the trouble on top."""


class Publication:
    """Gathers a snapshot a second, behind everything that was decided before it.

    `gather` is called with the instant up to which the account is durable.
    """

    def __init__(
        self, writer: LedgerWriter, timeline: Timeline, gather: Callable[[int], Snapshot]
    ) -> None:
        self._writer = writer
        self._timeline = timeline
        self._gather = gather
        self._undurable = 0
        """Batches of events that the ledger has not taken yet, or that are not told yet."""
        self._untold: deque[Callable[[], None]] = deque()
        self._news = asyncio.Event()
        """Something became durable that the snapshot does not show."""
        self._all_durable = asyncio.Event()
        self._all_durable.set()
        self.snapshot: Snapshot | None = None

    def record(self, events: Sequence[Event], tell: Callable[[Sequence[Event]], None]) -> None:
        """Hand events to the ledger; they are told when they are durable, in their order."""
        self._undurable += 1
        self._all_durable.clear()

        def durable() -> None:
            idle = not self._untold
            for start in range(0, len(events), _TOLD_AT_ONCE):
                self._untold.append(partial(tell, events[start : start + _TOLD_AT_ONCE]))
            self._untold.append(self._settled)
            if idle:
                self._tell_next()

        # What is set aside never becomes durable: snapshots must not wait for it for ever.
        self._writer.submit(events, durable, self._settled)

    async def run(self) -> None:
        """Publish for ever: each second, and sooner where something was decided."""
        while True:
            self._news.clear()
            await self.publish()
            await asyncio.sleep(_NEWS_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS - _NEWS_SECONDS):
                    await self._news.wait()

    async def publish(self) -> None:
        """Show the present figures once everything decided so far is durable."""
        self._writer.beat(self._timeline.now_us(), self._timeline.wall_offset_us())
        writable, _, _ = self._writer.status()
        if writable:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEDGER_PATIENCE_SECONDS):
                    await self._all_durable.wait()
        self.snapshot = self._gather(self._writer.durable_us)

    def _tell_next(self) -> None:
        """Tell a slice; the next one has to wait until the loop has come by."""
        try:
            self._untold[0]()
        finally:
            self._untold.popleft()
            if self._untold:
                asyncio.get_running_loop().call_soon(self._tell_next)

    def _settled(self) -> None:
        self._undurable -= 1
        self._news.set()
        if not self._undurable:
            self._all_durable.set()
