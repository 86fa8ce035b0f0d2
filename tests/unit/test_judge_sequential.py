"""The sequential test keeps the rate of false alarms that the operator declares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.judge.sequential import (
    LONGEST_SECONDS,
    SUSPICION_LEAST,
    SUSPICION_UNKNOWN,
    YEAR_US,
    Known,
    Pace,
    clear,
    learn_run,
    losses_needed,
)

ECHOES = YEAR_US / 1_000_000
HOUR_US = 3_600_000_000
CONFIRMING_SECONDS = 0.2
MOST = round(LONGEST_SECONDS / CONFIRMING_SECONDS)


def known(
    onset: float = 0.001,
    trials: float = 0.0,
    hits: float = 0.0,
    suspicion: float = SUSPICION_LEAST,
    runs: float = 0.0,
) -> Known:
    return Known(*(np.array([value]) for value in (onset, runs, trials, hits, suspicion)))


def needed(one: Known, false_alarms: float = 1.0, confirming: float = CONFIRMING_SECONDS) -> int:
    return int(losses_needed(one, Pace(np.array([ECHOES]), confirming, false_alarms))[0])


def runs(one: Known, *lengths: int) -> Known:
    for length in lengths:
        one = learn_run(one, np.array([length], np.int32), ECHOES)
    return one


def later(one: Known, hours: float) -> Known:
    return one._replace(suspicion=clear(one.suspicion, np.array([round(hours * HOUR_US)])))


@pytest.mark.parametrize("loss", [0.001, 0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("false_alarms", [0.1, 1.0, 10.0])
def test_independent_losses_keep_the_declared_rate(loss: float, false_alarms: float) -> None:
    losses = needed(known(loss, 500.0 * loss, 500.0 * loss**2, runs=500.0), false_alarms)
    assert ECHOES * loss**losses <= false_alarms


@pytest.mark.parametrize("persistence", [0.3, 0.6, 0.85, 0.95])
def test_bursty_losses_keep_the_declared_rate(persistence: float) -> None:
    runs = 8000.0 * (1 - persistence) / persistence
    losses = needed(known(0.01, 8000.0, 8000.0 * persistence, runs=runs))
    assert ECHOES * 0.01 * persistence ** (losses - 1) <= 1


def test_a_clean_link_is_decided_by_four_losses_and_a_mediocre_one_by_five() -> None:
    assert needed(known(0.0)) == 4
    assert needed(known(0.01)) <= 5


def test_a_link_with_one_percent_of_independent_loss_is_decided_by_four_once_it_is_known() -> None:
    assert needed(known(0.01, 10.0, 0.1, runs=1000.0)) == 4


def test_a_link_that_nobody_knows_is_judged_as_one_that_has_spells_of_seconds() -> None:
    unknown = needed(known(suspicion=SUSPICION_UNKNOWN))
    assert ECHOES * 0.001 * np.exp(-(unknown - 1) * CONFIRMING_SECONDS / 3) <= 1


def test_time_without_a_spell_clears_a_link_step_by_step_within_a_day() -> None:
    new = known(suspicion=SUSPICION_UNKNOWN)
    waits = [needed(later(new, hours)) for hours in (0, 3, 6, 9, 24)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == len(waits)
    assert waits[-1] == needed(known()) == 4


def test_single_losses_raise_no_suspicion_and_teach_nothing_about_persistence() -> None:
    mediocre = known(0.01)
    assert runs(mediocre, 1, 2, 1, 1, 2) == mediocre._replace(
        runs=np.array([5.0]), trials=np.array([2.0]), hits=np.array([0.0])
    )


def test_a_run_counts_its_steps_after_the_second_loss() -> None:
    learnt = runs(known(), 5)
    assert [float(column[0]) for column in learnt[1:4]] == [1, 4, 3]


def test_one_spell_changes_little_and_a_few_make_a_link_careful() -> None:
    assert needed(runs(known(), 6)) <= 10
    assert needed(runs(known(), 6, 6, 6)) > 5 * needed(known())


def test_a_link_whose_spells_are_over_is_judged_fast_again() -> None:
    bursty = runs(known(), *[6] * 50)
    assert needed(bursty) > 30
    columns = {name: getattr(bursty, name) * 0.001 for name in ("runs", "trials", "hits")}
    forgotten = bursty._replace(**columns)
    assert needed(later(forgotten, 48)) <= 5


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0, 1), st.floats(0, 2e4), st.floats(0, 1), st.floats(-20, 20), st.floats(0.01, 100),
    st.floats(1, 10),
)  # fmt: skip
def test_worse_links_and_stricter_operators_need_more_losses_and_never_more_than_a_minute(
    onset: float, trials: float, share: float, suspicion: float, false_alarms: float, worse: float
) -> None:
    one = known(onset, trials, trials * share, suspicion)
    base = needed(one, false_alarms)
    assert 3 <= base <= MOST
    assert needed(one, false_alarms / worse) >= base
    assert needed(one._replace(onset=np.minimum(one.onset * 2, 1.0)), false_alarms) >= base
    assert needed(one._replace(suspicion=one.suspicion + worse), false_alarms) >= base


@pytest.mark.parametrize("per_second", [0.1, 1.0, 5.0, 100.0])
def test_the_longest_run_is_a_minute_at_every_pace_of_confirming(per_second: float) -> None:
    hopeless = known(0.5, 16000.0, 15900.0, 20.0)
    losses = needed(hopeless, 0.01, 1 / per_second)
    assert losses <= max(LONGEST_SECONDS * per_second, 3)
