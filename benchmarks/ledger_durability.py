"""What durability costs: commits under synchronous=FULL and NORMAL, single and in one batch.

    python benchmarks/ledger_durability.py [FOLDER]

FOLDER lies on the disk in question; the default is a folder beside this file's project.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from netmon.judge.availability import Period
from netmon.judge.calendar import Calendar
from netmon.ledger.account import Account
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.model import STATE_CODES, Health, Inventory, LinkKey, Province, State, Transition

if TYPE_CHECKING:
    from collections.abc import Callable

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
SECOND = 1_000_000
START = 1_792_000_000 * SECOND
LINKS = 20_000
CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))


def changes(number: int, links: int) -> list[Transition]:
    """Return one transition of each link."""
    at_us = START + number * SECOND
    before, after = (State.UP, State.DEGRADED) if number % 2 else (State.DEGRADED, State.UP)
    return [
        Transition(LinkKey(f"xa-{link}", "main"), at_us, at_us, before, after, Health.UP)
        for link in range(links)
    ]


def commits(folder: Path, synchronous: str, count: int = 300) -> str:
    """Return how long single transitions and heartbeats take to be durable."""
    ledger = Ledger.open(folder / f"{synchronous}.sqlite", calendar=CALENDAR)
    ledger.restore(START)
    ledger._open_connection().execute(f"PRAGMA synchronous={synchronous}")  # noqa: SLF001  # the setting under test
    taken = []
    for number in range(count):
        begin = time.perf_counter()
        ledger.record(changes(number, 1))
        taken.append(time.perf_counter() - begin)
    ledger.close()
    taken.sort()
    median, p99 = statistics.median(taken), taken[int(len(taken) * 0.99)]
    return (
        f"synchronous={synchronous:6}  median {median * 1e3:6.2f} ms  p99 {p99 * 1e3:6.2f} ms  "
        f"{count / sum(taken):7.0f} commits/s"
    )


def province(folder: Path) -> None:
    """Print what a whole country costs."""
    path = folder / "country.sqlite"
    ledger = Ledger.open(path, calendar=CALENDAR)
    ledger.restore(START)
    for number in range(5):
        events = changes(number, LINKS)
        _timed(f"{LINKS} transitions decided together, one transaction", ledger.record, events)
    ledger.beat(START + 3600 * SECOND, 0)
    restoration = _timed("restore, no gap entered", ledger.restored)
    _timed("verify 100,000 rows", ledger.verify)
    account = Account(CALENDAR)
    keys = list(restoration.links)
    account.set_links({key: slot for slot, key in enumerate(keys)}, LINKS, restoration.links)
    slots, now = np.arange(LINKS), START + 3600 * SECOND
    state = np.full(LINKS, STATE_CODES[State.UP], dtype=np.int8)
    since = np.full(LINKS, START + 4 * SECOND)
    settled = np.full(LINKS, now)
    for _ in range(3):
        _timed("columns of all links", account.columns, slots, state, since, settled, now)
    ledger.close()
    nowhere = Inventory(Province("x", "x", "x", "Asia/Ho_Chi_Minh", "x"), {}, {}, {})
    reader = LedgerReader.open(path)
    period = Period(START, now)
    _timed("availability of all links", reader.availability, nowhere, period, CALENDAR)
    reader.close()
    print(f"{path.stat().st_size / 100_000:.0f} bytes of file per row")


def _timed(
    name: str, call: Callable[_Arguments, _Result], *args: _Arguments.args, **kw: _Arguments.kwargs
) -> _Result:
    begin = time.perf_counter()
    result = call(*args, **kw)
    print(f"{name}: {(time.perf_counter() - begin) * 1e3:.1f} ms")
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as folder:
        for synchronous in ("FULL", "NORMAL"):
            print(commits(Path(folder), synchronous))
        province(Path(folder))


if __name__ == "__main__":
    main()
