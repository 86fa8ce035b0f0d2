"""Faults whose cause is known, 25 of each, through the whole judge."""

from __future__ import annotations

import pytest

from benchmarks.judge_verdicts import NO_OUTAGE, Fault, Matrix, confusion
from netmon.model import Cause

TRIALS = 25
NOBODY_CAN_TELL = (Fault.BEYOND_AND_AGENT, Fault.AGENT_UNPOLLED, Fault.POWER_UNPOLLED)
"""An agent that restarts forgets when the uplink changed; without a poll before, its restart looks
like the router's."""


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return confusion(TRIALS, seed=7)


def test_every_fault_was_tried(matrix: Matrix) -> None:
    for fault in Fault:
        links = sum(count for (each, _, _), count in matrix.items() if each is fault)
        assert links >= TRIALS


def test_no_link_is_given_a_wrong_verdict(matrix: Matrix) -> None:
    wrong = {row: n for row, n in matrix.items() if row[2] not in (row[1], Cause.UNKNOWN)}
    assert wrong == {}


def test_at_most_a_twentieth_stays_unknown_where_the_router_can_tell(matrix: Matrix) -> None:
    told = {row: n for row, n in matrix.items() if row[0] not in NOBODY_CAN_TELL}
    unknown = sum(n for (_, _, verdict), n in told.items() if verdict == Cause.UNKNOWN)
    assert unknown <= 0.05 * sum(told.values())


def test_an_agent_that_restarts_during_an_outage_is_no_power_cut(matrix: Matrix) -> None:
    verdicts = {
        row[2] for row in matrix if row[0] in (Fault.BEYOND_AND_AGENT, Fault.AGENT_UNPOLLED)
    }
    assert verdicts <= {Cause.UNKNOWN, Cause.BEYOND}


def test_an_agent_that_restarts_alone_makes_no_outage(matrix: Matrix) -> None:
    assert {row[2] for row in matrix if row[0] is Fault.AGENT} == {NO_OUTAGE}
