"""The one thread that writes the ledger, and what it does when the disk says no."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from netmon.errors import LedgerError
from netmon.ledger.ledger import Ledger
from netmon.ledger.storage import is_full

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from netmon.ledger.memory import Memory
    from netmon.model import Event, LinkKey

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to do with the ledger. A durable one is done again until the disk takes it."""

    action: Callable[[Ledger], object]
    done: Callable[[BaseException | None], None] | None = None
    durable: bool = True
    beat: bool = False


class LedgerWriter:
    """Writes in the order of submission, in a thread of its own.

    While the disk refuses, everything is kept in memory in order and tried again, with growing
    pauses; it is said once when that begins and once when it is over. Callbacks run on `loop`.
    """

    def __init__(
        self,
        ledger: Ledger,
        loop: asyncio.AbstractEventLoop,
        *,
        first_pause_seconds: float = 0.5,
        longest_pause_seconds: float = 30.0,
    ) -> None:
        self._ledger = ledger
        self._loop = loop
        self._first_pause_seconds = first_pause_seconds
        self._longest_pause_seconds = longest_pause_seconds
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._busy = False
        self._trouble = ""
        self._set_aside = 0
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def durable_us(self) -> int:
        """Up to here the account is certain whatever happens now: the last durable heartbeat."""
        return self._ledger.last_us()

    def submit(
        self,
        events: Sequence[Event],
        on_durable: Callable[[], None] | None = None,
        on_set_aside: Callable[[], None] | None = None,
    ) -> None:
        """Store the events in one transaction; call back when a power cut cannot undo it.

        A batch that our own bug keeps from being stored is set aside: that is told instead.
        """

        def done(error: BaseException | None) -> None:
            told = on_durable if error is None else on_set_aside
            if told is not None:
                told()

        batch = tuple(events)
        self._put(_Job(lambda ledger: ledger.record(batch), done))

    async def record(self, events: Sequence[Event]) -> None:
        """Store the events in one transaction and return when it is durable.

        Raises:
            LedgerError: netmon is closed before the disk took them.
        """
        batch = tuple(events)
        await self._await(lambda ledger: ledger.record(batch), durable=True)

    def retire(self, keys: Collection[LinkKey], at_us: int) -> None:
        """End the account of links that leave the inventory, after all submitted before."""
        gone = tuple(keys)
        self._put(_Job(lambda ledger: ledger.retire(gone, at_us)))

    def remember(self, memory: Memory) -> None:
        """Store what the next daemon should know of links and routers."""
        self._put(_Job(lambda ledger: ledger.remember(memory)))

    def record_facts(
        self, agency: str, facts: Mapping[str, str], at_us: int, source: str = "snmp"
    ) -> None:
        """Store those facts about an agency that differ from what is known."""
        values = dict(facts)
        self._put(_Job(lambda ledger: ledger.record_facts(agency, values, at_us, source)))

    def beat(self, at_us: int, wall_offset_us: int) -> None:
        """Store that the account is certain up to `at_us`, after everything submitted before."""
        job = _Job(lambda ledger: ledger.beat(at_us, wall_offset_us), beat=True)
        with self._changed:
            # Beats that wait one after the other say no more than the last of them.
            if self._jobs and self._jobs[-1].beat:
                self._jobs.pop()
            self._jobs.append(job)
            self._changed.notify()

    async def call(self, action: Callable[[Ledger], _Result]) -> _Result:
        """Do something else in the writer's thread, in its turn and once; return its result."""
        return await self._await(action, durable=False)

    def status(self) -> tuple[bool, str, int]:
        """Return whether the ledger can be written, what is wrong, and how much waits."""
        with self._changed:
            pending = len(self._jobs) + self._busy
            if self._trouble:
                return False, self._trouble, pending
        return True, self._warning(), pending

    async def close(self) -> None:
        """Write what waits, fold the log into the file, end the thread.

        What the disk refuses even now is lost, and said so in the log.
        """
        self._closing.set()
        with self._changed:
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._ledger.close)

    def _put(self, job: _Job) -> None:
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    async def _await(self, action: Callable[[Ledger], _Result], *, durable: bool) -> _Result:
        future: asyncio.Future[_Result] = self._loop.create_future()
        results: list[_Result] = []

        def done(error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(results[-1])
            else:
                future.set_exception(error)

        self._put(_Job(lambda ledger: results.append(action(ledger)), done, durable))
        return await future

    def _warning(self) -> str:
        if self._set_aside:
            return f"{self._set_aside} batches could not be stored: see the log"
        if not self._ledger.ballast_ready:
            return "the disk is nearly full, the reserve is spent: free some space"
        return ""

    # --- in the writer's thread ---

    def _run(self) -> None:
        while (job := self._take()) is not None:
            error = self._do(job)
            with self._changed:
                self._busy = False
            if job.done is not None:
                self._tell(job.done, error)

    def _take(self) -> _Job | None:
        with self._changed:
            while not self._jobs:
                if self._closing.is_set():
                    return None
                self._changed.wait()
            self._busy = True
            return self._jobs.popleft()

    def _do(self, job: _Job) -> BaseException | None:
        pause_seconds = self._first_pause_seconds
        reopen = False
        while True:
            try:
                if reopen:
                    self._ledger.reopen()
                job.action(self._ledger)
            except LedgerError as error:
                if not job.durable or self._refused(error):
                    return error
                # Space comes back under an open file; a disk that failed is mounted anew.
                reopen = not is_full(error)
            except Exception as error:  # noqa: BLE001  # one batch's bug must not hold up the rest
                self._set_aside += 1
                _log.exception("ledger: a batch could not be stored and is set aside")
                return error
            else:
                self._accepted()
                return None
            self._closing.wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, self._longest_pause_seconds)

    def _refused(self, error: LedgerError) -> bool:
        """Say it once; tell whether to give up, which only closing makes us do."""
        if not self._trouble:
            _log.error("%s; keeping events in memory and trying again", error)
        with self._changed:
            self._trouble = str(error)
        if self._closing.is_set():
            _log.error("ledger: closing while the disk refuses: a batch is lost")
            return True
        return False

    def _accepted(self) -> None:
        if self._trouble:
            with self._changed:
                self._trouble = ""
                pending = len(self._jobs)
            _log.warning("%s: can be written again, %d to go", self._ledger.path, pending)

    def _tell(
        self, done: Callable[[BaseException | None], None], error: BaseException | None
    ) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(done, error)
