"""The ledger over restarts, upgrades, clock steps and refusals."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from netmon.clock import Timeline
from netmon.errors import LedgerError
from netmon.judge.learnt import Learnt
from netmon.ledger.account import Account
from netmon.ledger.ledger import Ledger
from netmon.ledger.memory import Memory, seal
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.ledger.schema import MIGRATIONS
from netmon.ledger.verify import problems
from netmon.model import (
    STATE_CODES,
    Cause,
    Event,
    Health,
    InterfaceReading,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    RouterReading,
    SnmpStatus,
    State,
    Transition,
)
from tests.ledger_traces import CALENDAR, SECOND, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY = LinkKey("xa-tan-hoi-dong", "main")
HOUR = 3600 * SECOND
DATA = Path(__file__).parents[1] / "data"

Open = Callable[..., Ledger]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "netmon" / "ledger.sqlite"


@pytest.fixture
def reopen(path: Path) -> Iterator[Open]:
    """Close the ledger, if it is open, and open it again."""
    ledgers: list[Ledger] = []

    def reopen_() -> Ledger:
        if ledgers:
            ledgers.pop().close()
        ledgers.append(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0))
        return ledgers[-1]

    yield reopen_
    for ledger in ledgers:
        ledger.close()


def change(at_us: int, before: State, after: State, key: LinkKey = KEY) -> Transition:
    health = Health.UP if after is State.UNOBSERVED else Health(after.value)
    return Transition(key, at_us, at_us + SECOND, before, after, health)


def goes_down(at_us: int, before: State = State.UP) -> list[Event]:
    return [change(at_us, before, State.DOWN), OutageStart(KEY, at_us, at_us + SECOND)]


def test_the_time_in_which_netmon_was_dead_is_unobserved(reopen: Open, path: Path) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.beat(START + 60 * SECOND, 0)
    restored = reopen().restore(START + HOUR)
    assert restored.last_us == START + 60 * SECOND
    link = restored.links[KEY]
    assert (link.state, link.health) == (State.UNOBSERVED, Health.UP)
    assert link.since_us == START + 60 * SECOND
    assert int(link.us.sum()) == 60 * SECOND
    reopen().record([change(START + HOUR, State.UNOBSERVED, State.UP)])
    with closing(LedgerReader.open(path)) as reader:
        spans = reader.spans(KEY, START, START + HOUR)
    assert [(span.state, span.end_us - START) for span in spans] == [
        (State.UP, 60 * SECOND),
        (State.UNOBSERVED, HOUR),
    ]


def test_an_outage_goes_on_over_a_restart_and_a_closed_one_stays_closed(reopen: Open) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.record(goes_down(START + 10 * SECOND))
    end = OutageEnd(KEY, START + 10 * SECOND, START + 20 * SECOND, START + 21 * SECOND)
    ledger.record([change(START + 20 * SECOND, State.DOWN, State.UP), end])
    ledger.record(goes_down(START + 30 * SECOND))
    restored = reopen().restore(START + HOUR)
    outage = restored.links[KEY].outage
    assert outage is not None
    assert (outage.start_us, outage.end_us) == (START + 30 * SECOND, None)
    assert [each.end_us for each in restored.recent_outages] == [START + 20 * SECOND]


def test_a_link_that_left_the_inventory_leaves_no_open_outage(reopen: Open, path: Path) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.record(goes_down(START + 10 * SECOND))
    reopen().restore(START + HOUR, keys=())
    with closing(LedgerReader.open(path)) as reader:
        (outage,) = reader.outages(OutageFilter())
    assert outage.end_us == START + HOUR
    assert outage.note == "no longer in the inventory"
    assert reopen().restored([]).links == {}


def test_retiring_ends_the_account_at_that_moment(reopen: Open, path: Path) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.retire([KEY], START + 100 * SECOND)
    ledger.beat(START + HOUR, 0)
    with closing(LedgerReader.open(path)) as reader:
        assert [span.state for span in reader.spans(KEY, START, START + HOUR)] == [
            State.UP,
            State.UNOBSERVED,
        ]
    assert ledger.verify() == []


def test_a_second_daemon_is_refused_in_clear_words(reopen: Open, path: Path) -> None:
    reopen()
    with pytest.raises(LedgerError, match=r"another netmon \(process \d+\) keeps this ledger"):
        Ledger.open(path, calendar=CALENDAR)


def test_a_ledger_of_a_newer_netmon_is_refused_with_the_remedy(reopen: Open, path: Path) -> None:
    reopen().close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(LedgerError, match="install the newer netmon again"):
        Ledger.open(path, calendar=CALENDAR)
    with pytest.raises(LedgerError, match="install the newer netmon again"):
        LedgerReader.open(path)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE song (title)")
    with pytest.raises(LedgerError, match="no ledger of netmon"):
        Ledger.open(path, calendar=CALENDAR)


@pytest.mark.parametrize("released", sorted(DATA.glob("ledger_v*.sql")), ids=lambda path: path.stem)
def test_the_ledger_of_every_release_is_brought_up_to_date_and_verifies(
    released: Path, path: Path
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(released.read_text(encoding="utf-8"))
    with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
        assert ledger.verify() == []
        link = ledger.restored().links[KEY]
        assert link.outages.sum() == 1
        assert link.outages_us.sum() == 4 * SECOND
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_link_of_which_the_journal_knows_nothing_keeps_no_ledger_from_being_upgraded(
    path: Path,
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / "ledger_v1.sql").read_text(encoding="utf-8"))
        connection.executescript(
            "CREATE TEMP TABLE copy AS SELECT * FROM link LIMIT 1;"
            "UPDATE copy SET id = 99, link = 'nowhere';"
            "INSERT INTO link SELECT * FROM copy;"
        )
    with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
        assert ledger.restored().links[KEY].outages_us.sum() == 4 * SECOND
        assert [problem.place for problem in ledger.verify()] == [f"link {KEY.agency}/nowhere"]


@pytest.mark.parametrize("released", sorted(DATA.glob("ledger_v*.sql")), ids=lambda path: path.stem)
def test_the_ledger_of_every_release_verifies_before_it_is_brought_up_to_date(
    released: Path,
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(released.read_text(encoding="utf-8"))
        assert problems(connection) == []


@pytest.mark.parametrize("released", sorted(DATA.glob("ledger_v*.sql")), ids=lambda path: path.stem)
def test_the_ledger_of_every_release_can_be_read_before_the_daemon_has_upgraded_it(
    released: Path, path: Path
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(released.read_text(encoding="utf-8"))
    with closing(LedgerReader.open(path)) as reader:
        assert reader.verify() == []
        assert len(reader.outages(OutageFilter())) == 1


def test_a_later_version_keeps_every_row_and_the_chain(reopen: Open, path: Path) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    head = ledger.head()
    ledger.close()
    later = (*MIGRATIONS, "ALTER TABLE outage ADD COLUMN ticket TEXT;\n")
    upgraded = Ledger.open(path, calendar=CALENDAR, ballast_bytes=0, migrations=later)
    assert upgraded.head() == head
    assert upgraded.verify() == []
    upgraded.close()


def test_an_upgrade_that_fails_leaves_the_version_before_it(reopen: Open, path: Path) -> None:
    reopen().close()
    broken = (*MIGRATIONS, "ALTER TABLE outage ADD COLUMN ticket TEXT;\nDROP TABLE missing;\n")
    with pytest.raises(LedgerError, match="no such table: missing"):
        Ledger.open(path, calendar=CALENDAR, migrations=broken)
    assert reopen().verify() == []


class FakeClock:
    """Two hands that a test turns."""

    def __init__(self, wall_us: int) -> None:
        self.wall = wall_us
        self.monotonic = 5 * SECOND

    def monotonic_us(self) -> int:
        return self.monotonic

    def wall_us(self) -> int:
        return self.wall

    def go(self, length_us: int) -> None:
        self.wall += length_us
        self.monotonic += length_us


@pytest.mark.parametrize("step_us", [HOUR, -HOUR])
def test_a_clock_step_while_running_moves_no_second_of_the_account(
    reopen: Open, path: Path, step_us: int
) -> None:
    clock = FakeClock(START)
    ledger = reopen()
    timeline = Timeline(clock, ledger.last_us())
    ledger.restore(timeline.now_us())
    ledger.record([change(timeline.now_us(), State.UNOBSERVED, State.UP)])
    clock.go(600 * SECOND)
    ledger.beat(timeline.now_us(), timeline.wall_offset_us())
    clock.wall += step_us
    clock.go(600 * SECOND)
    ledger.record(goes_down(timeline.now_us() - SECOND))
    clock.go(600 * SECOND)
    ledger.beat(timeline.now_us(), timeline.wall_offset_us())
    with closing(LedgerReader.open(path)) as reader:
        spans = reader.spans(KEY, START, START + 2 * HOUR)
        assert reader.status().wall_offset_us == step_us
    assert [(span.state, span.start_us - START, span.end_us - START) for span in spans] == [
        (State.UP, 0, 1199 * SECOND),
        (State.DOWN, 1199 * SECOND, 1800 * SECOND),
    ]


def test_a_clock_set_back_while_stopped_does_not_make_the_account_overlap_itself(
    reopen: Open, path: Path
) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.beat(START + HOUR, 0)
    clock = FakeClock(START - HOUR)
    ledger = reopen()
    timeline = Timeline(clock, ledger.last_us())
    ledger.restore(timeline.now_us())
    clock.go(5 * SECOND)
    ledger.record([change(timeline.now_us(), State.UNOBSERVED, State.UP)])
    clock.go(5 * SECOND)
    ledger.beat(timeline.now_us(), timeline.wall_offset_us())
    with closing(LedgerReader.open(path)) as reader:
        spans = reader.spans(KEY, START, START + 2 * HOUR)
    assert [(span.state, (span.end_us - START) // SECOND) for span in spans] == [
        (State.UP, 3600),
        (State.UNOBSERVED, 3605),
        (State.UP, 3610),
    ]


def test_only_facts_that_changed_are_stored(reopen: Open, path: Path) -> None:
    ledger = reopen()
    assert ledger.record_facts("so-noi-vu", {"serial": "A", "model": "M"}, START) == 2
    assert ledger.record_facts("so-noi-vu", {"serial": "A", "model": "M"}, START + 1) == 0
    assert ledger.record_facts("so-noi-vu", {"serial": "B"}, START + 2) == 1
    with closing(LedgerReader.open(path)) as reader:
        assert [(fact.key, fact.value) for fact in reader.facts("so-noi-vu")] == [
            ("model", "M"),
            ("serial", "B"),
        ]
        history = reader.facts("so-noi-vu", history=True)
    assert [fact.value for fact in history if fact.key == "serial"] == ["A", "B"]


def test_a_new_holiday_takes_no_second_from_counters_already_shown(path: Path) -> None:
    morning_us = START + 16 * HOUR
    ledger = Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)
    ledger.restore(morning_us)
    up = change(morning_us, State.UNOBSERVED, State.UP)
    ledger.record([up])
    ledger.beat(morning_us + HOUR, 0)
    shown = _seconds(ledger, up, morning_us + HOUR)
    assert shown.sum() == 3600
    ledger.close()
    holiday = replace(CALENDAR, holidays=frozenset({date(2026, 10, 15)}))
    ledger = Ledger.open(path, calendar=holiday, ballast_bytes=0)
    ledger.restore(morning_us + 2 * HOUR)
    again = ledger.restored().links[KEY].us / SECOND
    assert (again >= shown).all()
    assert ledger.verify() == []
    ledger.close()


def test_a_batch_whose_refusal_was_in_doubt_stands_once(reopen: Open) -> None:
    ledger = reopen()
    ledger.restore(START)
    events = [change(START, State.UNOBSERVED, State.UP)]
    before = ledger._status
    ledger.record(events)
    number, _ = ledger.head()
    # COMMIT reached the disk and was refused all the same: the ledger believes it is behind.
    ledger._doubtful, ledger._status = (tuple(events), ledger._status), before
    ledger.record(events)
    assert ledger.head()[0] == number
    ledger._doubtful, ledger._status = (tuple(goes_down(START)), before), ledger._status
    ledger.record(goes_down(START + SECOND))
    assert ledger.head()[0] == number + 2


def test_a_backup_taken_while_running_is_a_ledger(reopen: Open, path: Path) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    target = path.with_name("backup.sqlite")
    ledger.backup(target)
    with closing(Ledger.open(target, calendar=CALENDAR, ballast_bytes=0)) as copy:
        assert copy.verify() == []
        assert copy.head() == ledger.head()
    with pytest.raises(LedgerError, match="exists already"):
        ledger.backup(target)


def test_a_cause_that_comes_late_is_in_the_report_and_not_in_the_counter(
    reopen: Open, path: Path
) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.record(goes_down(START + SECOND))
    ledger.record([OutageEnd(KEY, START + SECOND, START + 5 * SECOND, START + 6 * SECOND)])
    ledger.record([OutageNote(KEY, START + SECOND, START + HOUR, Cause.POWER)])
    with closing(LedgerReader.open(path)) as reader:
        (outage,) = reader.outages(OutageFilter(cause=Cause.POWER))
    assert outage.cause is Cause.POWER
    counted = ledger.restored().links[KEY].outages
    assert counted.tolist() == [0, 0, 0, 0, 1]


def _seconds(ledger: Ledger, up: Transition, now_us: int) -> NDArray[np.float64]:
    account = Account(CALENDAR)
    account.set_links({KEY: 0}, 1, ledger.restored().links)
    columns = account.columns(
        np.array([0]),
        np.array([STATE_CODES[up.after]], dtype=np.int8),
        np.array([up.at_us]),
        np.array([now_us]),
        ledger.last_us(),
    )
    seconds: NDArray[np.float64] = columns.seconds[0]
    return seconds


def test_what_was_learnt_and_what_routers_said_outlive_a_restart(reopen: Open) -> None:
    learnt = Learnt(START, 0.012, 2048.0, 7.5, 3.25, 1.5, -19.75)
    wan = InterfaceReading(2, "wan", receive_bytes=7, last_change_seconds=1.5, links=("main",))
    reading = RouterReading(
        KEY.agency, START, SnmpStatus.OK, uptime_seconds=9.25, host_uptime=True, engine_boots=3,
        uplink_index=2, interfaces=(wan,),
    )  # fmt: skip
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.remember(Memory({KEY: replace(learnt, trials=0.0)}, {}))
    ledger.remember(Memory({KEY: learnt}, {KEY.agency: reading, "gone": reading}))
    restoration = reopen().restore(START + HOUR, [KEY])
    assert restoration.links[KEY].learnt == learnt
    assert restoration.readings == {KEY.agency: reading}
    assert reopen().restored([LinkKey("other", "main")]).readings == {}


def test_a_damaged_memory_is_forgotten_and_keeps_no_daemon_from_starting(
    reopen: Open, path: Path
) -> None:
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.remember(Memory({KEY: Learnt(START, 0.012, 2048.0, 7.5, 3.25, 1.5, -19.75)}, {}))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE memory SET content = 'x'")
        connection.commit()
    assert reopen().restore(START + HOUR).links[KEY].learnt is None
    assert [str(problem) for problem in reopen().verify()] == [
        "memory link xa-tan-hoi-dong main: its seal does not fit: compare with a backup"
    ]


def test_what_another_release_remembered_is_forgotten_too(reopen: Open, path: Path) -> None:
    """Its seal fits, and what it says cannot be understood."""
    ledger = reopen()
    ledger.restore(START)
    ledger.record([change(START, State.UNOBSERVED, State.UP)])
    ledger.close()
    row = ("link", *KEY, "[1, 2]")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO memory VALUES (?, ?, ?, ?, ?)", (*row, seal(*row)))
        connection.commit()
    assert reopen().restore(START + HOUR).links[KEY].learnt is None
