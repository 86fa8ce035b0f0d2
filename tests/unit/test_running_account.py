"""The running account shows what is durable and final, keeps links apart, and never goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from netmon.judge.calendar import Calendar
from netmon.ledger.account import Account
from netmon.ledger.book import CAUSE_WAIT_US
from netmon.model import (
    CAUSES,
    STATE_CODES,
    Cause,
    Event,
    Health,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
    Transition,
)

if TYPE_CHECKING:
    from netmon.state import AccountColumns

SECOND = 1_000_000
START = 1_792_000_000 * SECOND
ONE, TWO = LinkKey("a", "main"), LinkKey("b", "main")
UP, DOWN = STATE_CODES[State.UP], STATE_CODES[State.DOWN]


def new_account(*keys: LinkKey) -> Account:
    account = Account(Calendar(ZoneInfo("Asia/Ho_Chi_Minh")))
    account.set_links({key: slot for slot, key in enumerate(keys)}, len(keys), {})
    return account


def change(key: LinkKey, after_seconds: int, before: State, after: State) -> Transition:
    at_us = START + after_seconds * SECOND
    return Transition(key, at_us, at_us, before, after, Health.UP)


def look(
    account: Account, state: int, since_seconds: int, settled_seconds: int, alive_seconds: int
) -> AccountColumns:
    """Ask for the link in slot 0; every time in seconds after the start."""
    return account.columns(
        np.array([0]),
        np.array([state], dtype=np.int8),
        np.array([START + since_seconds * SECOND]),
        np.array([START + settled_seconds * SECOND]),
        START + alive_seconds * SECOND,
    )


def seconds(columns: AccountColumns, state: int) -> float:
    return float(columns.seconds[0, state].sum())


def test_the_present_span_counts_as_far_as_it_is_final_and_durable() -> None:
    account = new_account(ONE)
    account.apply([change(ONE, 0, State.UNOBSERVED, State.UP)])
    assert seconds(look(account, UP, 0, 100, 60), UP) == 60
    assert seconds(look(account, UP, 0, 70, 90), UP) == 70


def test_a_link_that_was_never_judged_has_no_seconds() -> None:
    assert not look(new_account(ONE), UP, 0, 100, 100).seconds.any()


def test_what_is_decided_but_not_durable_holds_the_counters_still() -> None:
    account = new_account(ONE)
    down = change(ONE, 30, State.UP, State.DOWN)
    account.apply([change(ONE, 0, State.UNOBSERVED, State.UP)])
    assert seconds(look(account, UP, 0, 20, 20), UP) == 20
    waiting = look(account, DOWN, 30, 90, 90)
    assert (seconds(waiting, UP), seconds(waiting, DOWN)) == (20, 0)
    account.apply([down])
    durable = look(account, DOWN, 30, 90, 90)
    assert (seconds(durable, UP), seconds(durable, DOWN)) == (30, 60)


def test_a_judge_that_breaks_its_promise_stops_a_counter_and_never_turns_it_back() -> None:
    account = new_account(ONE)
    account.apply([change(ONE, 0, State.UNOBSERVED, State.UP)])
    assert seconds(look(account, UP, 0, 50, 50), UP) == 50
    account.apply([change(ONE, 40, State.UP, State.DOWN)])
    assert seconds(look(account, DOWN, 40, 60, 60), UP) == 50


def test_a_reload_keeps_the_figures_of_links_that_stay_and_clears_slots_that_change_hands() -> None:
    account = new_account(ONE, TWO)
    account.apply([change(key, 0, State.UNOBSERVED, State.UP) for key in (ONE, TWO)])
    account.apply([change(key, 10, State.UP, State.DOWN) for key in (ONE, TWO)])
    account.set_links({TWO: 1, LinkKey("c", "main"): 0}, 2, {})
    assert not look(account, UP, 0, 100, 100).seconds.any()
    account.set_links({TWO: 1, LinkKey("c", "main"): 0, LinkKey("d", "main"): 2}, 3, {})
    columns = account.columns(
        np.array([1]),
        np.array([DOWN], dtype=np.int8),
        np.array([START + 10 * SECOND]),
        np.array([START + 15 * SECOND]),
        START + 15 * SECOND,
    )
    assert seconds(columns, UP) == 10
    assert seconds(columns, DOWN) == 5


def outage(*tail: Event) -> list[Event]:
    start_us, end_us = START, START + 10 * SECOND
    return [OutageStart(ONE, start_us, start_us), OutageEnd(ONE, start_us, end_us, end_us), *tail]


def counted(account: Account, alive_us: int) -> dict[Cause, int]:
    """Return how many outages are counted by cause; each of them lasted ten seconds."""
    columns = look(account, UP, 0, 0, (alive_us - START) // SECOND)
    assert (columns.outage_seconds == 10.0 * columns.outages).all()
    return {cause: int(n) for cause, n in zip(CAUSES, columns.outages[0], strict=True) if n}


def test_an_outage_is_counted_once_with_the_cause_that_comes_in_time() -> None:
    account = new_account(ONE)
    account.apply(outage())
    assert counted(account, START + 20 * SECOND) == {}
    note = OutageNote(ONE, START, START + 60 * SECOND, Cause.POWER)
    account.apply([note, note])
    assert counted(account, START + 2 * CAUSE_WAIT_US) == {Cause.POWER: 1}


def test_an_outage_whose_cause_does_not_come_is_counted_as_unknown() -> None:
    account = new_account(ONE)
    account.apply(outage())
    late_us = START + 10 * SECOND + CAUSE_WAIT_US
    assert counted(account, late_us - SECOND) == {}
    assert counted(account, late_us) == {Cause.UNKNOWN: 1}
    account.apply([OutageNote(ONE, START, late_us + SECOND, Cause.POWER)])
    assert counted(account, late_us + SECOND) == {Cause.UNKNOWN: 1}


def test_the_next_outage_does_not_wait_for_the_cause_of_the_last() -> None:
    account = new_account(ONE)
    again_us = START + 20 * SECOND
    account.apply(outage(OutageStart(ONE, again_us, again_us)))
    assert counted(account, again_us) == {Cause.UNKNOWN: 1}


def test_a_cause_known_before_the_end_is_counted_at_the_end() -> None:
    account = new_account(ONE)
    start, end = outage()
    account.apply([start, OutageNote(ONE, START, START + SECOND, Cause.CIRCUIT), end])
    assert counted(account, START + 20 * SECOND) == {Cause.CIRCUIT: 1}


def test_events_of_links_that_are_gone_are_passed_over() -> None:
    account = new_account(ONE)
    account.apply([change(TWO, 0, State.UNOBSERVED, State.UP)])
    assert not look(account, UP, 0, 100, 100).seconds.any()
