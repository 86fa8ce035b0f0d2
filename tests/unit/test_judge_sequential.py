"""The sequential test keeps the rate of false alarms that the operator declares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.judge.sequential import YEAR_US, learn_false_alarm, learn_run, losses_needed

ECHOES = YEAR_US / 1_000_000


def needed(onset: float, trials: float, hits: float, false_alarms: float = 1.0) -> int:
    one = losses_needed(
        np.array([onset]), np.array([trials]), np.array([hits]), np.array([ECHOES]), false_alarms
    )
    return int(one[0])


@pytest.mark.parametrize("loss", [0.001, 0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("false_alarms", [0.1, 1.0, 10.0])
def test_independent_losses_keep_the_declared_rate(loss: float, false_alarms: float) -> None:
    losses = needed(loss, 500.0, 500.0 * loss, false_alarms)
    assert ECHOES * loss**losses <= false_alarms


@pytest.mark.parametrize("persistence", [0.3, 0.6, 0.85, 0.95])
def test_bursty_losses_keep_the_declared_rate(persistence: float) -> None:
    losses = needed(0.01, 8000.0, 8000.0 * persistence)
    assert ECHOES * 0.01 * persistence ** (losses - 1) <= 1


def test_a_clean_link_is_decided_by_four_losses_and_a_mediocre_one_by_five() -> None:
    assert needed(0.0, 0, 0) == 4
    assert needed(0.01, 0, 0) <= 5


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 2e4), st.floats(0, 1), st.floats(0.01, 100), st.floats(1, 10))
def test_worse_links_and_stricter_operators_need_more_losses(
    onset: float, trials: float, share: float, false_alarms: float, stricter: float
) -> None:
    base = needed(onset, trials, trials * share, false_alarms)
    assert 3 <= base <= 900
    assert needed(onset, trials, trials * share, false_alarms / stricter) >= base
    assert needed(min(onset * 2, 1.0), trials, trials * share, false_alarms) >= base


def test_single_losses_say_nothing_about_persistence() -> None:
    zero = np.zeros(1)
    trials, hits = learn_run(zero, zero, np.array([1], np.int32))
    assert (trials[0], hits[0]) == (0, 0)


def test_a_run_counts_its_steps_after_the_second_loss() -> None:
    zero, five = np.zeros(1), np.array([5], np.int32)
    assert [float(a[0]) for a in learn_run(zero, zero, five)] == [4, 3]
    assert [float(a[0]) for a in learn_false_alarm(zero, zero, five)] == [4, 4]
