"""What a target's figures say after its echoes."""

from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.config.settings import EchoModule
from netmon.judge.columns import EchoBatch
from netmon.model import NO_ERROR, LinkKey, Outcome
from netmon.probes.icmp import EchoTarget
from netmon.probes.icmp.targets import TargetTable

NAN = float("nan")


def table_after(*echoes: tuple[Outcome, float]) -> TargetTable:
    target = EchoTarget(LinkKey("xa", "main"), 0, IPv4Address("192.0.2.1"), EchoModule("default"))
    table = TargetTable([target])
    for serial, (outcome, rtt_seconds) in enumerate(echoes):
        batch = EchoBatch(
            slot=np.zeros(1, np.int32),
            outcome=np.array([outcome], np.int8),
            sent_us=np.array([serial]),
            settled_us=np.array([serial + 1]),
            rtt_seconds=np.array([rtt_seconds]),
            error=np.array([NO_ERROR], np.int8),
            offender=np.zeros(1, np.uint64),
            family=np.array([4], np.int8),
        )
        table.record(batch, np.zeros(1, np.int32), np.array([serial], np.uint64))
    return table


def last_rtt_after(*echoes: tuple[Outcome, float]) -> float:
    return float(table_after(*echoes).last_rtt_seconds[0])


def jitter_after(*rtts: float) -> float:
    return float(table_after(*((Outcome.REPLIED, rtt) for rtt in rtts)).jitter_seconds[0])


def test_a_reply_whose_rtt_was_not_measured_leaves_the_last_one_standing() -> None:
    assert last_rtt_after((Outcome.REPLIED, 0.02), (Outcome.REPLIED, NAN)) == 0.02


def test_after_a_lost_echo_there_is_no_last_rtt() -> None:
    assert np.isnan(last_rtt_after((Outcome.REPLIED, 0.02), (Outcome.SILENT, NAN)))


def test_jitter_is_the_change_from_reply_to_reply_smoothed_as_in_rfc_3550() -> None:
    assert np.isnan(jitter_after(0.02))
    assert jitter_after(0.02, 0.024) == pytest.approx(0.004)
    assert jitter_after(0.02, 0.024, 0.024) == pytest.approx(0.004 * 15 / 16)
    assert jitter_after(0.02, 0.02, 0.052) == pytest.approx(0.002)


def test_lost_and_unmeasured_echoes_are_no_jitter() -> None:
    lost, unmeasured = (Outcome.SILENT, NAN), (Outcome.REPLIED, NAN)
    table = table_after((Outcome.REPLIED, 0.02), lost, unmeasured, (Outcome.REPLIED, 0.023))
    assert table.jitter_seconds[0] == pytest.approx(0.003)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 2.0)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_echoes_told_together_make_the_jitter_of_echoes_told_one_by_one(
    replies: list[tuple[int, float]],
) -> None:
    together, one_by_one = three_targets(), three_targets()
    record(together, replies)
    for reply in replies:
        record(one_by_one, [reply])
    np.testing.assert_array_equal(together.jitter_seconds, one_by_one.jitter_seconds)


def three_targets() -> TargetTable:
    module = EchoModule("default")
    return TargetTable(
        [
            EchoTarget(LinkKey("xa", str(slot)), slot, IPv4Address(f"192.0.2.{slot}"), module)
            for slot in range(3)
        ]
    )


def record(table: TargetTable, replies: list[tuple[int, float]]) -> None:
    count = len(replies)
    target = np.array([slot for slot, _ in replies], np.int32)
    batch = EchoBatch(
        slot=target,
        outcome=np.full(count, Outcome.REPLIED, np.int8),
        sent_us=np.arange(count),
        settled_us=np.arange(count) + 1,
        rtt_seconds=np.array([rtt for _, rtt in replies], np.float64),
        error=np.full(count, NO_ERROR, np.int8),
        offender=np.zeros(count, np.uint64),
        family=np.full(count, 4, np.int8),
    )
    table.record(batch, target, np.arange(count, dtype=np.uint64))
