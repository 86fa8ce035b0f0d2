"""kill −9 at random moments under load: what was acknowledged is there, once, and adds up.

NETMON_KILL_ROUNDS sets how often; the suite takes ten rounds.
"""

from __future__ import annotations

import os
import random
import select
import signal
import struct
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

from netmon.judge.tally import tally
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.ledger.store import Store
from netmon.model import (
    STATES,
    Event,
    Evidence,
    Health,
    Hours,
    LinkKey,
    OutageEnd,
    OutageStart,
    State,
    Transition,
)
from tests.ledger_traces import CALENDAR, SECOND, START

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("NETMON_KILL_ROUNDS", "10"))
KEYS = [LinkKey(f"xa-{number}", "main") for number in range(7)]


def test_no_acknowledged_row_is_lost_none_doubled_and_the_account_is_exact(
    tmp_path: Path,
) -> None:
    path, noise = tmp_path / "ledger.sqlite", random.Random(9)
    acknowledged = -1
    for _ in range(ROUNDS):
        acknowledged = max(acknowledged, _killed(path, noise.uniform(0.005, 0.25)))
        numbers, last_us = _numbers(path)
        assert numbers == list(range(len(numbers))), "a row is missing or stands twice"
        assert len(numbers) > acknowledged, "an acknowledged row is lost"
        _restart_adds_up(path, last_us)
    assert acknowledged > 5 * ROUNDS, "hardly any load: the test looks at nothing"


def _killed(path: Path, after_seconds: float) -> int:
    """Let a child write until it is killed; return the last number that it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _write_for_ever(path, writing)
    os.close(writing)
    select.select([reading], [], [], 20)
    select.select([], [], [], after_seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    whole = len(said) // 8
    return int(struct.unpack_from("q", said, 8 * (whole - 1))[0]) if whole else -1


def _write_for_ever(path: Path, acknowledge: int) -> NoReturn:
    try:
        ledger = Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)
        number = len(_texts(ledger))
        now_us = max(ledger.last_us(), START) + 30 * SECOND
        restored = ledger.restore(now_us)
        states = {key: link.state for key, link in restored.links.items()}
        outages = {key: link.outage for key, link in restored.links.items()}
        opened = {key: outage.start_us for key, outage in outages.items() if outage}
        while True:
            now_us += 3 * SECOND
            key = KEYS[number % len(KEYS)]
            ledger.record(_batch(key, number, now_us, states, opened))
            os.write(acknowledge, struct.pack("q", number))
            number += 1
            if number % 5 == 0:
                ledger.beat(now_us + SECOND, 0)
    finally:
        os._exit(1)


def _batch(
    key: LinkKey, number: int, now_us: int, states: dict[LinkKey, State], opened: dict[LinkKey, int]
) -> list[Event]:
    before = states.get(key, State.UNOBSERVED)
    after = State.DOWN if key not in opened and number % 3 else State.UP
    health = Health(after.value)
    evidence = Evidence(f"{number}")
    events: list[Event] = [
        Transition(key, now_us - SECOND, now_us, before, after, health, evidence)
    ]
    if after is State.DOWN:
        opened[key] = now_us - SECOND
        events.append(OutageStart(key, now_us - SECOND, now_us))
    elif key in opened:
        events.append(OutageEnd(key, opened.pop(key), now_us - SECOND, now_us))
    states[key] = after
    return events


def _texts(ledger: Ledger) -> list[int]:
    entries = (entry for _, entry, _ in Store(ledger._open_connection()).entries())
    return [
        int(entry.content.split('"text":"')[1].split('"')[0])
        for entry in entries
        if '"text":"' in entry.content and "stopped" not in entry.content
    ]


def _numbers(path: Path) -> tuple[list[int], int]:
    with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
        return _texts(ledger), ledger.last_us()


def _restart_adds_up(path: Path, last_us: int) -> None:
    """Books, which are folded as events come, agree with spans, which are read from the rows."""
    with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
        assert ledger.verify() == []
        restored = ledger.restore(last_us + 7 * SECOND)
        assert ledger.verify() == []
    with closing(LedgerReader.open(path)) as reader:
        is_open = {outage.key for outage in reader.outages(OutageFilter(open_only=True))}
        for key, link in restored.links.items():
            figures = tally(reader.spans(key, START, link.since_us), CALENDAR)
            seen = link.us.sum() - link.us[STATES.index(State.UNOBSERVED)].sum()
            assert figures.total() - figures.of(State.UNOBSERVED) == seen
            for code, state in enumerate(STATES[:-1]):
                for column, hours in enumerate(Hours):
                    assert figures.of(state, hours=hours) == link.us[code][column]
            assert (link.outage is not None) == (key in is_open)
