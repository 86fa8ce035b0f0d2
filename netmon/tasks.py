"""The daemon's background work: nothing ends unheard."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_log = logging.getLogger(__name__)


class Tasks:
    """Tasks that belong together and are cancelled together.

    `vital_broke` is called when one ends in an exception without which the daemon must not
    pretend to live.
    """

    def __init__(self, vital_broke: Callable[[], None]) -> None:
        self._vital_broke = vital_broke
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None], name: str, *, vital: bool = False) -> None:
        """Let work run beside all else."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._vital_ended if vital else self._ended)

    async def cancel(self) -> None:
        """End everything that still runs."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _vital_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _log.error("without %s netmon cannot go on: stopping", task.get_name())
            self._vital_broke()
        self._ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s is broken", task.get_name(), exc_info=task.exception())
