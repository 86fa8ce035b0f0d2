"""Signals before the event loop runs end nothing by accident."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from netmon.signals import EarlySignals

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


@pytest.fixture
def early() -> Iterator[EarlySignals]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    early = EarlySignals()
    early.install()
    yield early
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_early_sighup_ends_nothing_and_asks_for_nothing(early: EarlySignals) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    assert not early.asked_to_stop


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_early_wish_to_stop_is_remembered(early: EarlySignals, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    assert early.asked_to_stop
