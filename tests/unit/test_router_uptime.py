"""What the clocks of a router say."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netmon.model import RestartKind
from netmon.probes.snmp.uptime import (
    WRAP_SECONDS,
    WRAP_TICKS,
    RouterClocks,
    agent_wraps,
    compare,
    is_of_host,
    uptime_seconds,
)

DAY_TICKS = 86_400 * 100


@pytest.mark.parametrize(
    ("before", "after", "elapsed_seconds", "kind", "seconds_ago"),
    [
        pytest.param(
            RouterClocks(DAY_TICKS), RouterClocks(DAY_TICKS + 6000), 60, RestartKind.NONE, None,
            id="sysUpTime ran on",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS), RouterClocks(2500), 60, RestartKind.ROUTER, 25,
            id="sysUpTime began again",
        ),
        pytest.param(
            RouterClocks(WRAP_TICKS - 3000), RouterClocks(3000), 60, RestartKind.WRAP, None,
            id="sysUpTime wrapped as it must",
        ),
        pytest.param(
            RouterClocks(WRAP_TICKS - DAY_TICKS), RouterClocks(3000), 60, RestartKind.ROUTER, 30,
            id="a day before its wrap, sysUpTime begins again because of a restart",
        ),
        pytest.param(
            RouterClocks(WRAP_TICKS - 3000, engine_boots=7, engine_seconds=42_949_642),
            RouterClocks(3000, engine_boots=8, engine_seconds=30),
            60, RestartKind.ROUTER, 30,
            id="a restart at the moment of the wrap is told by snmpEngineBoots",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS, host_ticks=9 * DAY_TICKS),
            RouterClocks(2500, host_ticks=9 * DAY_TICKS + 6000),
            60, RestartKind.AGENT, 25,
            id="the host ran on: its agent restarted",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS, host_ticks=9 * DAY_TICKS),
            RouterClocks(1500, host_ticks=4000),
            60, RestartKind.ROUTER, 40,
            id="the host began again: the router restarted",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS, engine_boots=3, engine_seconds=86_400),
            RouterClocks(2500, engine_boots=3, engine_seconds=86_460),
            60, RestartKind.AGENT, 25,
            id="the engine ran on: part of the agent restarted",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS, engine_boots=3, engine_seconds=86_400),
            RouterClocks(2500, engine_boots=4, engine_seconds=25),
            60, RestartKind.ROUTER, 25,
            id="sysUpTime and the engine began again",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS), RouterClocks(5 * DAY_TICKS), 60, RestartKind.UNKNOWN, None,
            id="a clock that jumps is no evidence",
        ),
        pytest.param(
            RouterClocks(), RouterClocks(DAY_TICKS), 60, RestartKind.UNKNOWN, None,
            id="without a clock before there is nothing to compare",
        ),
        pytest.param(
            RouterClocks(host_ticks=DAY_TICKS), RouterClocks(host_ticks=DAY_TICKS + 6000), 60,
            RestartKind.NONE, None,
            id="hrSystemUptime alone is enough to tell that it ran on",
        ),
        pytest.param(
            RouterClocks(host_ticks=DAY_TICKS), RouterClocks(host_ticks=1000), 60,
            RestartKind.ROUTER, 10,
            id="and to tell a restart",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS), RouterClocks(2 * DAY_TICKS), 86_400, RestartKind.NONE, None,
            id="after a day of silence it may have run on",
        ),
        pytest.param(
            RouterClocks(DAY_TICKS), RouterClocks(DAY_TICKS - 100 * 600), 86_400,
            RestartKind.ROUTER, 85_800,
            id="or have come up ten minutes later",
        ),
    ],
)  # fmt: skip
def test_two_readings_tell_what_happened_in_between(
    before: RouterClocks,
    after: RouterClocks,
    elapsed_seconds: float,
    kind: RestartKind,
    seconds_ago: float | None,
) -> None:
    restart = compare(before, after, elapsed_seconds)

    assert (restart.kind, restart.seconds_ago) == (kind, seconds_ago)
    assert restart.reason


@given(
    start=st.integers(0, WRAP_TICKS - 1),
    elapsed_seconds=st.integers(1, 100 * 86_400),
    drift=st.floats(-0.009, 0.009),
)
@settings(max_examples=200)
def test_a_router_that_ran_on_is_never_said_to_have_restarted(
    start: int, elapsed_seconds: int, drift: float
) -> None:
    passed = round(elapsed_seconds * 100 * (1 + drift))
    after = (start + passed) % WRAP_TICKS

    restart = compare(RouterClocks(start), RouterClocks(after), elapsed_seconds)

    assert restart.kind in (RestartKind.NONE, RestartKind.WRAP)


@given(
    uptime=st.integers(100_000, WRAP_TICKS - 1),
    elapsed_seconds=st.integers(60, 86_400),
    share=st.floats(0, 0.9),
)
@settings(max_examples=200)
def test_a_restart_between_two_polls_is_seen_and_dated(
    uptime: int, elapsed_seconds: int, share: float
) -> None:
    since = round(elapsed_seconds * 100 * share)
    # Where a wrap was due in the same time, only snmpEngineBoots can tell (see the table).
    assume(since + 2 * elapsed_seconds * 100 <= WRAP_TICKS - uptime)

    restart = compare(RouterClocks(uptime), RouterClocks(since), elapsed_seconds)

    assert restart.kind is RestartKind.ROUTER
    assert restart.seconds_ago == pytest.approx(since / 100)


@pytest.mark.parametrize(
    ("clocks", "wraps"),
    [
        pytest.param(RouterClocks(648_284_385, 1, 49_432_516), 1, id="one wrap, to the second"),
        pytest.param(RouterClocks(888_373_163, 1, 137_732_702), 3, id="three wraps"),
        pytest.param(RouterClocks(167_014_200, 1, 41_694_635), 0, id="no uptime: near a wrap"),
        pytest.param(RouterClocks(1_307_082_309, 1, 98_879_906), 0, id="no uptime: a day off"),
        pytest.param(RouterClocks(9_159_822, 1, 32_733_345), 0, id="no uptime at all"),
        pytest.param(RouterClocks(9_159_822, 1, 91_598), 0, id="not wrapped"),
        pytest.param(RouterClocks(9_159_822), 0, id="no engine"),
    ],
)
def test_engine_time_tells_wraps_only_where_it_is_an_uptime(
    clocks: RouterClocks, wraps: int
) -> None:
    assert agent_wraps(clocks) == wraps


def test_the_uptime_goes_past_497_days() -> None:
    clocks = RouterClocks(648_284_385, 1, 49_432_516)

    assert uptime_seconds(clocks) == pytest.approx(6_482_843.85 + WRAP_SECONDS)


def test_a_wrap_that_was_seen_counts_where_no_engine_tells_it() -> None:
    assert uptime_seconds(RouterClocks(1000), wraps=1) == pytest.approx(WRAP_SECONDS + 10)


def test_the_host_is_up_for_longer_than_its_agent() -> None:
    assert uptime_seconds(RouterClocks(1000, host_ticks=500_000)) == 5000


def test_a_host_clock_below_the_agents_is_no_uptime() -> None:
    assert uptime_seconds(RouterClocks(500_000, host_ticks=0)) == 5000


def test_without_a_clock_there_is_no_uptime() -> None:
    assert uptime_seconds(RouterClocks()) is None


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        pytest.param(RouterClocks(1000, host_ticks=1500), True, id="the host was up before it"),
        pytest.param(RouterClocks(1000, host_ticks=1000), False, id="one clock under two names"),
        pytest.param(RouterClocks(1000), False, id="the host says nothing"),
        pytest.param(RouterClocks(1000, host_ticks=10), False, id="a clock that has wrapped"),
        pytest.param(RouterClocks(None, host_ticks=10), True, id="the host alone says something"),
    ],
)
def test_an_uptime_is_the_hosts_where_its_clock_is_one_of_its_own(
    clocks: RouterClocks, *, expected: bool
) -> None:
    assert is_of_host(clocks) is expected
