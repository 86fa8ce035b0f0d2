"""The writer keeps the order, loses nothing while the disk refuses, and says so once."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest

from netmon.errors import StorageError
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.ledger.writer import LedgerWriter
from netmon.model import Event, Health, LinkKey, State, Transition
from tests.ledger_traces import CALENDAR, SECOND, START

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY = LinkKey("so-noi-vu", "main")


class MoodyLedger(Ledger):
    """A ledger whose disk refuses while `sulking` is set."""

    sulking: threading.Event
    refusals: threading.Semaphore

    def record(self, events: Sequence[Event]) -> None:
        self._sulk()
        super().record(events)

    def beat(self, at_us: int, wall_offset_us: int) -> None:
        self._sulk()
        super().beat(at_us, wall_offset_us)

    def _sulk(self) -> None:
        if self.sulking.is_set():
            self.refusals.release()
            raise StorageError(f"{self.path}: the disk is full: free some space")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[MoodyLedger]:
    opened = MoodyLedger.open(tmp_path / "l.sqlite", calendar=CALENDAR, ballast_bytes=0)
    assert isinstance(opened, MoodyLedger)
    opened.sulking = threading.Event()
    opened.refusals = threading.Semaphore(0)
    opened.restore(START)
    yield opened
    opened.close()


def change(number: int) -> Transition:
    at_us = START + number * SECOND
    before, after = (State.UP, State.DEGRADED) if number % 2 else (State.DEGRADED, State.UP)
    return Transition(KEY, at_us, at_us, before, after, Health.UP)


def start(ledger: Ledger) -> LedgerWriter:
    loop = asyncio.get_running_loop()
    return LedgerWriter(ledger, loop, first_pause_seconds=0.005, longest_pause_seconds=0.02)


async def told_of_refusal(ledger: MoodyLedger) -> None:
    """Wait until the disk has refused twice: the first refusal has then been dealt with."""
    for _ in range(2):
        assert await asyncio.to_thread(ledger.refusals.acquire, timeout=10)


def stored(ledger: Ledger) -> list[int]:
    with closing(LedgerReader.open(ledger.path)) as reader:
        spans = reader.spans(KEY, START, START + 3600 * SECOND)
    return [(span.start_us - START) // SECOND for span in spans]


async def test_everything_is_stored_and_told_in_the_order_of_submission(
    ledger: MoodyLedger,
) -> None:
    writer, told = start(ledger), list[int]()
    for number in range(50):
        writer.submit([change(number)], partial(told.append, number))
    await writer.record([change(50)])
    writer.beat(START + 60 * SECOND, 0)
    await writer.call(lambda _: None)
    assert told == list(range(50))
    assert stored(ledger) == list(range(51))
    assert writer.durable_us == START + 60 * SECOND
    assert writer.status()[0]
    await writer.close()


async def test_while_the_disk_refuses_everything_waits_in_order_and_it_is_said_once(
    ledger: MoodyLedger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    writer, told = start(ledger), list[int]()
    await writer.record([change(0)])
    ledger.sulking.set()
    for number in range(1, 20):
        writer.submit([change(number)], partial(told.append, number))
    for number in range(20, 60):
        writer.beat(START + number * SECOND, 0)
    await told_of_refusal(ledger)
    writable, message, pending = writer.status()
    assert not writable
    assert "the disk is full: free some space" in message
    assert pending == 20, "19 batches and one heartbeat, the last"
    assert told == []
    assert writer.durable_us < START + SECOND
    ledger.sulking.clear()
    await writer.call(lambda _: None)
    assert told == list(range(1, 20))
    assert stored(ledger) == list(range(20))
    assert writer.durable_us == START + 59 * SECOND
    assert writer.status() == (True, "", 0)
    levels = [record.levelname for record in caplog.records if "ledger" in record.name]
    assert levels == ["ERROR", "WARNING"]
    await writer.close()


async def test_a_heartbeat_never_overtakes_what_was_decided_before_it(ledger: MoodyLedger) -> None:
    writer = start(ledger)
    ledger.sulking.set()
    writer.submit([change(0)])
    writer.beat(START + 10 * SECOND, 0)
    writer.record_facts(KEY.agency, {"serial": "X1"}, START + 20 * SECOND)
    writer.beat(START + 30 * SECOND, 0)
    writer.beat(START + 40 * SECOND, 0)
    assert writer.status()[2] == 4, "beats merge only with the beat right before them"
    ledger.sulking.clear()
    await writer.close()
    with closing(LedgerReader.open(ledger.path)) as reader:
        assert [fact.value for fact in reader.facts()] == ["X1"]


async def test_a_bug_in_one_batch_does_not_hold_up_those_behind_it(
    ledger: MoodyLedger, caplog: pytest.LogCaptureFixture
) -> None:
    writer = start(ledger)
    writer.submit([cast("Event", "not an event")])
    await writer.record([change(0)])
    assert stored(ledger) == []
    writer.beat(START + SECOND, 0)
    await writer.call(lambda _: None)
    assert stored(ledger) == [0]
    assert "1 batches could not be stored" in writer.status()[1]
    assert "set aside" in caplog.text
    await writer.close()


async def test_closing_writes_what_waits(ledger: MoodyLedger) -> None:
    writer = start(ledger)
    for number in range(30):
        writer.submit([change(number)])
    writer.beat(START + 30 * SECOND, 0)
    await writer.close()
    assert stored(ledger) == list(range(30))


async def test_closing_while_the_disk_refuses_ends_and_says_what_is_lost(
    ledger: MoodyLedger, caplog: pytest.LogCaptureFixture
) -> None:
    writer = start(ledger)
    ledger.sulking.set()
    writer.submit([change(0)])
    waiting = asyncio.create_task(writer.record([change(1)]))
    await told_of_refusal(ledger)
    await writer.close()
    with pytest.raises(StorageError):
        await waiting
    assert caplog.text.count("a batch is lost") == 2


async def test_a_removed_link_and_facts_go_the_same_way(ledger: MoodyLedger) -> None:
    writer = start(ledger)
    writer.submit([change(0)])
    writer.record_facts(KEY.agency, {"serial": "X1"}, START + SECOND)
    writer.retire([KEY], START + 2 * SECOND)
    restored = await writer.call(lambda each: each.restored([KEY]))
    assert restored.links[KEY].state is State.UNOBSERVED
    with closing(LedgerReader.open(ledger.path)) as reader:
        assert [fact.value for fact in reader.facts()] == ["X1"]
    await writer.close()
