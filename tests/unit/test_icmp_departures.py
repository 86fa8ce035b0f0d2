"""Which echo a transmit stamp is of; one that cannot be true is of none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from netmon.model import Outcome
from netmon.probes.icmp.departures import Departures, Stamps
from netmon.probes.icmp.flight import Flight
from netmon.probes.icmp.transmit import Transmitter

OFFSET_US = 5_000_000_000
BEGUN_US = 1_000_000
NOW_US = 1_010_000


def stamp(number: int, at_us: int) -> Stamps:
    """Return the kernel's word that packet `number` left at an instant of the time line."""
    return Stamps(np.array([number]), np.array([(at_us + OFFSET_US) * 1000]))


def matched(departures: Departures, stamps: Stamps) -> list[tuple[int, int]]:
    return [
        (int(serial), int(sent_us))
        for departed in departures.match(stamps, NOW_US)
        for serial, sent_us in zip(departed.serials, departed.sent_us, strict=True)
    ]


def sent(departures: Departures, *serials: int) -> None:
    departures.sent(np.array(serials, np.uint64), BEGUN_US, OFFSET_US)


def test_numbers_go_on_from_batch_to_batch() -> None:
    departures = Departures()
    sent(departures, 70, 71)
    sent(departures, 90)
    assert matched(departures, stamp(1, BEGUN_US + 7)) == [(71, BEGUN_US + 7)]
    assert matched(departures, stamp(2, BEGUN_US + 9)) == [(90, BEGUN_US + 9)]
    assert matched(departures, stamp(3, BEGUN_US + 9)) == []


def test_numbers_come_round_after_32_bits() -> None:
    departures = Departures()
    departures._next = 2**32 - 1
    sent(departures, 70, 71)
    sent(departures, 90)
    assert matched(departures, stamp(2**32 - 1, BEGUN_US)) == [(70, BEGUN_US)]
    assert matched(departures, stamp(0, BEGUN_US)) == [(71, BEGUN_US)]
    assert matched(departures, stamp(1, BEGUN_US)) == [(90, BEGUN_US)]


@pytest.mark.parametrize("at_us", [BEGUN_US - 1_000, NOW_US + 1_000, NOW_US + 3_600_000_000])
def test_a_stamp_from_before_the_sending_or_from_the_future_is_of_nobody(at_us: int) -> None:
    departures = Departures()
    sent(departures, 70)
    assert matched(departures, stamp(0, at_us)) == []


def test_after_a_restart_old_numbers_mean_nothing() -> None:
    departures = Departures()
    sent(departures, 70, 71)
    departures.restart()
    assert matched(departures, stamp(1, BEGUN_US)) == []
    sent(departures, 90)
    assert matched(departures, stamp(0, BEGUN_US)) == [(90, BEGUN_US)]


def test_a_stamp_of_an_echo_that_is_forgotten_changes_no_other() -> None:
    timeline: Any = SimpleNamespace(now_us=lambda: NOW_US)
    flight = Flight(first_serial=70, keep_us=0, capacity=4)
    flight.remap(np.zeros(0, np.int32), 1)
    for _ in range(5):
        place = flight.append(np.zeros(1, np.int32), np.zeros(1, np.int32), NOW_US)
        flight.columns.sent_us[place] = flight.columns.deadline_us[place] = BEGUN_US
        flight.settle(np.arange(place.start, place.stop), Outcome.SILENT)
        flight.tell(np.arange(place.start, place.stop))
    departures, forgotten = Departures(), 70
    sent(departures, forgotten, flight.next_serial - 1)
    transmitter = Transmitter(timeline, *cast("Any", (None, flight, None, None)))
    sock: Any = SimpleNamespace(departures=departures)
    before = flight.columns.sent_us.copy()
    transmitter.correct(sock, [stamp(0, BEGUN_US + 7)])
    assert flight.columns.sent_us.tolist() == before.tolist()
    transmitter.correct(sock, [stamp(1, BEGUN_US + 9)])
    assert flight.columns.sent_us[flight.end - 1] == BEGUN_US + 9
