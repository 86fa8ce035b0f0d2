"""Damaged messages are refused, by our own errors; benchmarks/snmp_fuzz.py does millions."""

from __future__ import annotations

import pytest

from benchmarks.snmp_fuzz import Target, run_plainly


@pytest.mark.parametrize("seed", [1, 2])
def test_damage_at_every_layer_is_refused_by_our_own_errors(seed: int) -> None:
    assert run_plainly(Target(), runs=4000, seed=seed) == 0
