"""Where the path of an outage ends, beside the path that was good before."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from netmon.errors import NetmonError
from netmon.model import IPAddress, Link, LinkKey, OutageNote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from netmon.clock import Timeline
    from netmon.probes.icmp.traceroute import Path

_log = logging.getLogger(__name__)

_SURVEY_PAUSE_SECONDS = 1.0
"""Between two good paths: a survey is nobody's emergency."""


class PathTracer(Protocol):
    """Traces paths: `Tracer`, or a scripted one in tests."""

    async def trace(self, address: IPAddress, timeout_seconds: float = 1.0) -> Path | None:
        """Return the path to an address; None: too many others are waiting."""
        ...

    def close(self) -> None:
        """Begin no more."""
        ...


class OutagePaths:
    """Traces the path of every outage once, and the good paths now and then."""

    def __init__(
        self,
        tracer: PathTracer,
        timeline: Timeline,
        on_note: Callable[[OutageNote], None],
        survey_pause_seconds: float = _SURVEY_PAUSE_SECONDS,
    ) -> None:
        self._survey_pause_seconds = survey_pause_seconds
        self._tracer = tracer
        self._timeline = timeline
        self._on_note = on_note
        self._good: dict[LinkKey, tuple[IPAddress, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = False

    def outage(self, link: Link, start_us: int) -> None:
        """Trace the path of an outage that was just decided; its end is told as a note."""
        task = asyncio.create_task(self._trace_outage(link, start_us), name=f"path {link.key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def survey(self, links: Iterable[Link]) -> None:
        """Learn the good path of each of these links, one after the other."""
        wanted = tuple(links)
        keys = frozenset(link.key for link in wanted)
        self._good = {key: hops for key, hops in self._good.items() if key in keys}
        for link in wanted:
            path = await self._trace(link.addresses[0])
            if path is not None and path.reached:
                self._good[link.key] = tuple(hop.address for hop in path.hops)
            await asyncio.sleep(self._survey_pause_seconds)

    def close(self) -> None:
        """Trace no more."""
        for task in self._tasks:
            task.cancel()
        self._tracer.close()

    async def _trace_outage(self, link: Link, start_us: int) -> None:
        path = await self._trace(link.addresses[0])
        if path is None or path.reached or not path.hops:
            # A path that reaches its target (the link came back meanwhile) and one on which nobody
            # answers say nothing about where the outage is.
            return
        end = path_end(path, self._good.get(link.key, ()))
        self._on_note(OutageNote(link.key, start_us, self._timeline.now_us(), path_end=end))

    async def _trace(self, address: IPAddress) -> Path | None:
        if self._refused:
            return None
        try:
            return await self._tracer.trace(address)
        except NetmonError as error:
            self._refused = True
            _log.warning("paths are not traced: %s", error)
            return None


def path_end(path: Path, good: tuple[IPAddress, ...]) -> str:
    """Say where a path ends, and with the good path which router should have come next."""
    seen = [hop.address for hop in path.hops]
    last = max((good.index(address) for address in seen if address in good), default=-1)
    if last + 1 < len(good):
        return f"{path.end}; the good path went on to {good[last + 1]}"
    return path.end
