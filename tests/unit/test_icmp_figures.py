"""What a target's figures say after its echoes."""

from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np

from netmon.config.settings import EchoModule
from netmon.judge.columns import EchoBatch
from netmon.model import NO_ERROR, LinkKey, Outcome
from netmon.probes.icmp import EchoTarget
from netmon.probes.icmp.targets import TargetTable

NAN = float("nan")


def last_rtt_after(*echoes: tuple[Outcome, float]) -> float:
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
    return float(table.last_rtt_seconds[0])


def test_a_reply_whose_rtt_was_not_measured_leaves_the_last_one_standing() -> None:
    assert last_rtt_after((Outcome.REPLIED, 0.02), (Outcome.REPLIED, NAN)) == 0.02


def test_after_a_lost_echo_there_is_no_last_rtt() -> None:
    assert np.isnan(last_rtt_after((Outcome.REPLIED, 0.02), (Outcome.SILENT, NAN)))
