"""The cause of an outage by the first good poll after it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from netmon.judge.cause import TICKS_WRAP_SECONDS, Ended, Verdicts, cause_of, ran_on
from netmon.model import (
    Cause,
    EchoError,
    Evidence,
    InterfaceReading,
    LinkKey,
    OutageNote,
    RouterReading,
    SnmpStatus,
)

SECOND = 1_000_000
BEGUN = 10_000_000 * SECOND
"""An outage from BEGUN on, of 60 seconds; polls 30 s before it and 10 s after it."""
ENDED = Ended(LinkKey("x", "a"), BEGUN - SECOND, BEGUN, BEGUN + 60 * SECOND, owns_uplink=True)
DAY = 86_400.0


def poll(
    at_seconds: float,
    uptime: float | None,
    last_change: float | None = 12.0,
    received: int | None = None,
    boots: int | None = None,
) -> RouterReading:
    """Return a poll so many seconds after the outage began; the uplink is interface 2."""
    return RouterReading(
        agency="x",
        at_us=BEGUN + round(at_seconds * SECOND),
        status=SnmpStatus.OK,
        uptime_seconds=uptime,
        engine_boots=boots,
        uplink_index=2,
        interfaces=(
            InterfaceReading(1, "lan", oper_up=True, last_change_seconds=3.0),
            InterfaceReading(
                2, "wan", oper_up=True, last_change_seconds=last_change, receive_bytes=received
            ),
        ),
    )


BEFORE = poll(-30, 40 * DAY, received=9_000_000)
AFTER_UPTIME = 40 * DAY + 100


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        pytest.param(
            poll(70, 25.0), None, Cause.UNKNOWN,
            id="without a poll before, it may have been the agent alone that restarted",
        ),
        pytest.param(
            poll(70, 25.0), BEFORE, Cause.UNKNOWN,
            id="nor does a poll before help where nothing was counted",
        ),
        pytest.param(
            replace(poll(70, 25.0), host_uptime=True), None, Cause.POWER,
            id="the host's own clock tells a restart without a poll before",
        ),
        pytest.param(
            poll(70, 25.0, received=9_500_000), BEFORE, Cause.UNKNOWN,
            id="an agent that restarted while counters ran on is no router that restarted",
        ),
        pytest.param(
            poll(70, AFTER_UPTIME, last_change=AFTER_UPTIME - 11), BEFORE, Cause.CIRCUIT,
            id="it ran on and its uplink came back with the link",
        ),
        pytest.param(
            poll(70, AFTER_UPTIME, last_change=AFTER_UPTIME - 69), BEFORE, Cause.CIRCUIT,
            id="its uplink changed when the link went",
        ),
        pytest.param(
            poll(70, AFTER_UPTIME), BEFORE, Cause.BEYOND, id="it ran on, its uplink never moved"
        ),
        pytest.param(
            poll(70, AFTER_UPTIME), None, Cause.BEYOND, id="the same without a poll before"
        ),
        pytest.param(
            poll(370, AFTER_UPTIME + 300, last_change=AFTER_UPTIME + 200), BEFORE, Cause.UNKNOWN,
            id="its uplink changed again after the outage",
        ),
        pytest.param(
            poll(370, 100.0, received=900), BEFORE, Cause.UNKNOWN,
            id="it restarted long after the outage",
        ),
        pytest.param(
            poll(70, AFTER_UPTIME, last_change=None), BEFORE, Cause.UNKNOWN,
            id="its agent does not tell when interfaces changed",
        ),
        pytest.param(
            poll(70, 20.0, last_change=12.0),
            poll(-30, TICKS_WRAP_SECONDS - 80, received=9_000_000),
            Cause.BEYOND, id="sysUpTime wrapped in the outage: no restart",
        ),
        pytest.param(
            poll(70, 20.0, last_change=9.0),
            poll(-30, TICKS_WRAP_SECONDS - 80, received=9_000_000),
            Cause.CIRCUIT, id="a wrap, and the uplink flapped",
        ),
        pytest.param(
            poll(70, 20.0, last_change=TICKS_WRAP_SECONDS - 45),
            poll(-30, TICKS_WRAP_SECONDS - 80, received=9_000_000),
            Cause.CIRCUIT, id="the uplink flapped before the wrap",
        ),
        pytest.param(
            poll(70, 2000.0), poll(-3000, 40 * DAY, received=9_000_000), Cause.BEYOND,
            id="a restart between polls but before the outage explains nothing",
        ),
    ],
)  # fmt: skip
def test_cause(after: RouterReading, before: RouterReading | None, expected: Cause) -> None:
    assert cause_of(ENDED, after, before).cause is expected


def test_the_uplink_of_a_router_tells_nothing_about_another_circuit_of_it() -> None:
    backup = ENDED._replace(owns_uplink=False)
    flapped = poll(70, AFTER_UPTIME, last_change=AFTER_UPTIME - 11)
    assert cause_of(backup, flapped, BEFORE).cause is Cause.UNKNOWN
    assert cause_of(backup, poll(70, 25.0, received=900), BEFORE).cause is Cause.POWER


def test_the_interface_that_holds_a_links_address_is_its_end() -> None:
    backup = ENDED._replace(owns_uplink=False)
    flapped = poll(70, AFTER_UPTIME, last_change=AFTER_UPTIME - 11)
    lan, wan = flapped.interfaces
    for holder, cause in ((wan, Cause.CIRCUIT), (lan, Cause.BEYOND)):
        held = tuple(
            replace(each, links=("a",) if each is holder else ("other",)) for each in (lan, wan)
        )
        assert cause_of(backup, replace(flapped, interfaces=held), BEFORE).cause is cause


def test_an_agent_that_keeps_no_last_change_is_not_believed() -> None:
    silent = poll(70, AFTER_UPTIME, last_change=0.0)
    interfaces = tuple(replace(i, last_change_seconds=0.0) for i in silent.interfaces)
    verdict = cause_of(ENDED, replace(silent, interfaces=interfaces), BEFORE)
    assert verdict.cause is Cause.UNKNOWN


def test_what_routers_reported_stands_beside_the_cause() -> None:
    said = Evidence("10.0.3.1 reports host_unreachable", 5, 5, EchoError.HOST_UNREACHABLE)
    verdict = cause_of(ENDED._replace(evidence=said), poll(70, AFTER_UPTIME), BEFORE)
    assert verdict.text.endswith("during the outage 10.0.3.1 reports host_unreachable")


def test_the_first_good_poll_after_the_outage_decides_and_none_before_it() -> None:
    verdicts = Verdicts()
    verdicts.await_reading(ENDED)
    bad = replace(poll(65, None), status=SnmpStatus.TIMEOUT)
    assert verdicts.read(poll(30, AFTER_UPTIME - 40), BEFORE) == []
    assert verdicts.read(bad, BEFORE) == []
    (note,) = verdicts.read(poll(70, AFTER_UPTIME), BEFORE)
    assert isinstance(note, OutageNote)
    assert (note.start_us, note.cause) == (BEGUN, Cause.BEYOND)
    assert verdicts.read(poll(130, AFTER_UPTIME + 60), BEFORE) == []


def test_a_router_that_answers_before_its_interfaces_are_back_is_asked_again() -> None:
    verdicts = Verdicts()
    verdicts.await_reading(ENDED)
    early = replace(poll(65, 20.0), interfaces=(), uplink_index=None)
    assert verdicts.read(early, BEFORE) == []
    (note,) = verdicts.read(poll(80, 35.0, received=900), early)
    assert isinstance(note, OutageNote)
    assert note.cause is Cause.POWER


def test_counters_of_interfaces_that_bear_one_name_are_not_compared() -> None:
    def ports(reading: RouterReading, *received: int) -> RouterReading:
        same = [
            InterfaceReading(number, "Ethernet", receive_bytes=octets)
            for number, octets in enumerate(received, 1)
        ]
        return replace(reading, interfaces=tuple(same))

    before = ports(poll(-30, 40 * DAY), 5_000, 9_000_000)
    after = ports(poll(70, 25.0), 6_000, 9_500_000)
    assert cause_of(ENDED, after, before).cause is Cause.UNKNOWN


def test_a_router_that_numbers_its_interfaces_anew_when_it_restarts_is_known_by_their_names() -> (
    None
):
    after = poll(70, 25.0, received=900)
    moved = tuple(replace(each, index=each.index + 7) for each in after.interfaces)
    assert cause_of(ENDED, replace(after, interfaces=moved, uplink_index=9), BEFORE).cause is (
        Cause.POWER
    )


def test_a_router_whose_interfaces_never_come_back_is_not_waited_for_for_ever() -> None:
    verdicts = Verdicts()
    verdicts.await_reading(ENDED)
    assert verdicts.read(replace(poll(65, 20.0), interfaces=()), BEFORE) == []
    (note,) = verdicts.read(replace(poll(365, 320.0), interfaces=()), None)
    assert isinstance(note, OutageNote)
    assert note.cause is Cause.UNKNOWN


def test_outages_that_a_parent_explains_wait_for_no_poll() -> None:
    verdicts = Verdicts()
    verdicts.await_reading(ENDED)
    verdicts.take_back([OutageNote(ENDED.key, BEGUN, BEGUN, Cause.UPSTREAM)])
    assert verdicts.read(poll(70, AFTER_UPTIME), BEFORE) == []


@pytest.mark.parametrize("uptime", [0.0, 100.0, 400 * DAY, TICKS_WRAP_SECONDS - 1])
@pytest.mark.parametrize("elapsed", [10, 3600, 86_400])
def test_uptime_that_goes_on_is_recognised_over_the_wrap(uptime: float, elapsed: int) -> None:
    later = poll(elapsed, (uptime + elapsed) % TICKS_WRAP_SECONDS)
    assert ran_on(poll(0, uptime), later)


FAULTS = ("power", "circuit", "beyond", "agent")


def trial(fault: str, generator: random.Random) -> tuple[Cause, Cause]:
    """Return the truth and the verdict of one simulated fault; some begin near the wrap."""
    uptime = generator.choice([generator.uniform(600, 400 * DAY), TICKS_WRAP_SECONDS - 50])
    length, wait = generator.uniform(5, 600), generator.uniform(1, 60)
    ended = ENDED._replace(end_us=BEGUN + round(length * SECOND))
    before = poll(
        -generator.uniform(1, 60), uptime, 12.0, generator.randrange(10**6, 10**9), boots=7
    )
    at = length + wait
    elapsed = at - (before.at_us - BEGUN) / SECOND
    now = (uptime + elapsed) % TICKS_WRAP_SECONDS
    received = (before.interfaces[1].receive_bytes or 0) + 5000
    if fault == "power":
        boot = generator.uniform(0.3, 1.0) * length
        return Cause.POWER, cause_of(ended, poll(at, at - boot, 4.0, 700, 8), before).cause
    if fault == "circuit":
        changed = (now - wait - generator.uniform(0, 1)) % TICKS_WRAP_SECONDS
        return Cause.CIRCUIT, cause_of(ended, poll(at, now, changed, received, 7), before).cause
    if fault == "agent":
        return Cause.UNKNOWN, cause_of(ended, poll(at, wait, 0.5, received, 8), before).cause
    return Cause.BEYOND, cause_of(ended, poll(at, now, 12.0, received, 7), before).cause


@pytest.mark.parametrize("fault", FAULTS)
def test_no_simulated_fault_is_given_a_wrong_cause(fault: str) -> None:
    generator = random.Random(fault)
    verdicts = [trial(fault, generator) for _ in range(500)]
    wrong = [pair for pair in verdicts if pair[1] not in (pair[0], Cause.UNKNOWN)]
    unknown = [pair for pair in verdicts if pair[1] is Cause.UNKNOWN is not pair[0]]
    assert wrong == []
    assert len(unknown) <= 0.05 * len(verdicts)


def test_a_poll_that_came_another_way_during_the_outage_hides_no_restart() -> None:
    verdicts = Verdicts()
    verdicts.read(BEFORE, None)
    verdicts.begin(ENDED.key, BEGUN)
    by_backup = poll(40, 20.0, received=300)
    assert verdicts.read(by_backup, BEFORE) == []
    verdicts.await_reading(ENDED)
    (note,) = verdicts.read(poll(70, 50.0, received=900), by_backup)
    assert isinstance(note, OutageNote)
    assert note.cause is Cause.POWER


def test_a_poll_between_the_first_lost_echo_and_the_decision_hides_no_wrap() -> None:
    """It came by the primary, while the backup was already down."""
    verdicts = Verdicts()
    uptime = TICKS_WRAP_SECONDS - 60
    verdicts.read(poll(-14, uptime - 15, received=1000), None)
    verdicts.read(poll(1, uptime, received=1500), None)
    verdicts.begin(ENDED.key, BEGUN)
    verdicts.await_reading(ENDED)
    (note,) = verdicts.read(poll(70, 9.0, received=9000), None)
    assert isinstance(note, OutageNote)
    assert note.cause is Cause.BEYOND
