"""A snapshot shows nothing that is not durable; a ledger that cannot be written stops no page."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from netmon.clock import SystemClock, Timeline
from netmon.errors import StorageError
from netmon.ledger.ledger import Ledger
from netmon.ledger.writer import LedgerWriter
from netmon.model import Event, Health, LinkKey, State, Transition
from netmon.publication import Publication
from netmon.tasks import Tasks
from tests.ledger_traces import CALENDAR
from tests.support import snapshots

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from netmon.state import Snapshot


_PATIENCE_SECONDS = 4
"""Less than a snapshot waits for what may yet become durable."""


class SlowLedger(Ledger):
    """A ledger whose disk takes its time, and refuses where that is asked."""

    may_go_on: threading.Event
    refuses: bool
    is_broken: bool
    refusals: threading.Semaphore

    def record(self, events: Sequence[Event]) -> None:
        assert self.may_go_on.wait(10)
        if self.refuses:
            self.refusals.release()
            raise StorageError(f"{self.path}: the disk is full: free some space")
        if self.is_broken:
            message = "a bug of our own"
            raise ZeroDivisionError(message)
        super().record(events)


@pytest.fixture
def ledger(tmp_path: Path) -> SlowLedger:
    opened = SlowLedger.open(tmp_path / "l.sqlite", calendar=CALENDAR, ballast_bytes=0)
    assert isinstance(opened, SlowLedger)
    opened.may_go_on = threading.Event()
    opened.refuses = opened.is_broken = False
    opened.refusals = threading.Semaphore(0)
    return opened


@pytest.fixture
async def publication(ledger: SlowLedger) -> AsyncIterator[Publication]:
    timeline = Timeline(SystemClock())
    ledger.restore(timeline.now_us())
    writer = LedgerWriter(ledger, asyncio.get_running_loop(), first_pause_seconds=0.005)
    yield Publication(writer, timeline, gather)
    ledger.refuses = False
    ledger.may_go_on.set()
    await writer.close()


def gather(durable_us: int) -> Snapshot:
    return snapshots.snapshot(daemon=snapshots.figures(started_us=durable_us))


def change() -> Transition:
    at_us = Timeline(SystemClock()).now_us()
    key = LinkKey("so-noi-vu", "main")
    return Transition(key, at_us, at_us, State.UNKNOWN, State.UP, Health.UP)


async def test_nothing_is_told_before_it_is_durable(
    ledger: SlowLedger, publication: Publication
) -> None:
    told: list[Sequence[Event]] = []
    events = [change()]
    publication.record(events, told.append)
    publishing = asyncio.create_task(publication.publish())
    await asyncio.sleep(0.05)  # long enough for a snapshot that does not wait
    assert not told
    assert publication.snapshot is None

    ledger.may_go_on.set()
    await publishing
    assert told == [events]
    assert publication.snapshot is not None


async def test_a_ledger_that_cannot_be_written_stops_no_page(
    ledger: SlowLedger, publication: Publication
) -> None:
    ledger.refuses = True
    ledger.may_go_on.set()
    told: list[Sequence[Event]] = []
    publication.record([change()], told.append)
    async with asyncio.timeout(10):
        for _ in range(2):  # at the second refusal the first has been dealt with
            assert await asyncio.to_thread(ledger.refusals.acquire, timeout=10)
        await publication.publish()
    assert publication.snapshot is not None
    assert not told


async def test_a_batch_that_cannot_be_stored_is_told_to_nobody_and_waited_for_no_longer(
    ledger: SlowLedger, publication: Publication, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.is_broken = True
    ledger.may_go_on.set()
    told: list[Sequence[Event]] = []
    publication.record([change()], told.append)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await publication.publish()
    assert publication.snapshot is not None
    assert not told
    assert "set aside" in caplog.text


async def test_work_without_which_netmon_cannot_live_is_missed_when_it_breaks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broke = asyncio.Event()
    tasks = Tasks(broke.set)

    async def break_down() -> None:
        message = "of age"
        raise ValueError(message)

    tasks.spawn(break_down(), "a look")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not broke.is_set()
    assert "a look is broken" in caplog.text

    tasks.spawn(break_down(), "the heart", vital=True)
    async with asyncio.timeout(10):
        await broke.wait()
    assert "without the heart netmon cannot go on" in caplog.text
    await tasks.cancel()


async def test_thousands_of_events_are_told_in_slices_in_order_and_before_the_next_snapshot(
    publication: Publication, ledger: SlowLedger
) -> None:
    told: list[Sequence[Event]] = []
    turns: list[int] = []

    def tell(events: Sequence[Event]) -> None:
        told.append(events)
        turns.append(loop_turns)

    loop_turns = 0

    async def count_turns() -> None:
        nonlocal loop_turns
        while True:
            loop_turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    first, second = [change() for _ in range(1_001)], [change()]
    publication.record(first, tell)
    publication.record(second, tell)
    ledger.may_go_on.set()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await publication.publish()
    counting.cancel()
    assert [event for events in told for event in events] == first + second
    assert max(map(len, told)) < 1_000
    assert len(set(turns[:-1])) == len(turns) - 1, "the loop comes by between two slices"


async def test_a_listener_that_breaks_keeps_nobody_from_being_told(
    publication: Publication, ledger: SlowLedger
) -> None:
    told: list[Sequence[Event]] = []
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    def broken(_: Sequence[Event]) -> None:
        raise ZeroDivisionError

    publication.record([change()], broken)
    publication.record([change()], told.append)
    ledger.may_go_on.set()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await publication.publish()
    assert len(told) == 1
