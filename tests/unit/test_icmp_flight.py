"""Echoes in flight: told once, in order; errors settle only the echo that they quote."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.config.settings import EchoModule
from netmon.model import ECHO_ERRORS, EchoError, LinkKey, Outcome
from netmon.probes.icmp.flight import Flight, Stage
from netmon.probes.icmp.packet import Cookie, Messages, RequestRows, template
from netmon.probes.icmp.receive import Addresses, Quotes, Replies
from netmon.probes.icmp.settle import Settler
from netmon.probes.icmp.targets import EchoTarget, TargetTable

IDENTIFIER = 4711
ERROR = ECHO_ERRORS.index(EchoError.HOST_UNREACHABLE)
MODULE = EchoModule("default", timeout_seconds=1.0)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_every_echo_is_told_once_and_after_the_earlier_ones_of_its_link(
    ticks: list[list[int]], random: object
) -> None:
    flight = Flight(first_serial=2**40, keep_us=0, capacity=4)
    slots = np.arange(4, dtype=np.int32)
    flight.remap(np.zeros(0, np.int32), 4)
    told: list[tuple[int, int]] = []
    held = np.zeros(0, np.uint64)
    for now_us, tick in enumerate([*ticks, []]):
        targets = np.array(tick, np.int32)
        if tick:
            place = flight.append(targets, slots[targets], now_us)
            flight.columns.sent_us[place] = now_us
        live = np.arange(flight.start, flight.end)
        awaited = live[flight.columns.stage[live] == Stage.AWAITED]
        last = now_us == len(ticks)
        chosen = awaited if last else awaited[[random.random() < 0.5 for _ in awaited]]  # type: ignore[attr-defined]  # hypothesis's Random
        flight.settle(chosen, Outcome.SILENT)
        candidates = np.concatenate((flight.positions(held).astype(np.int64), chosen))
        ready, left = flight.tell(candidates)
        held = flight.serials(left)
        told += zip(
            flight.columns.target[ready].tolist(), flight.serials(ready).tolist(), strict=True
        )
    assert len(told) == len(set(told)) == sum(map(len, ticks))
    for slot in slots:
        serials = [serial for target, serial in told if target == slot]
        assert serials == sorted(serials)
    assert flight.start == flight.end


class Scene:
    """Echoes to some targets, sent long ago enough, and their settler."""

    def __init__(self, addresses: list[str], echoes: int = 1, first_serial: int = 65_530) -> None:
        self.flight = Flight(first_serial, keep_us=10**9)
        self.cookie = Cookie(bytes(range(24)))
        self.settler = Settler(self.flight, self.cookie)
        self.settler.table = TargetTable(
            [
                EchoTarget(LinkKey(address, "main"), slot, ip_address(address), MODULE)
                for slot, address in enumerate(addresses)
            ]
        )
        self.flight.remap(np.zeros(0, np.int32), len(addresses))
        targets = np.tile(np.arange(len(addresses), dtype=np.int32), echoes)
        place = self.flight.append(targets, targets, 0)
        self.serials = self.flight.serials(np.arange(place.start, place.stop))
        self.flight.columns.proof[place] = self.cookie.proof(self.serials)
        self.flight.columns.sent_us[place] = 1_000_000
        self.flight.columns.deadline_us[place] = 2_000_000
        self.rows = RequestRows(1, template(4, IDENTIFIER, 56))

    def address(self, echo: int) -> Addresses:
        return self.settler.table.address[self.flight.columns.target[[echo]]]

    def messages(self, echo: int, *, sound: bool = True) -> Messages:
        serials = self.serials[[echo]]
        proofs = self.cookie.proof(serials)
        return Messages(
            np.array([sound]),
            self.rows.checksums(serials, proofs).astype(np.uint16),
            np.array([IDENTIFIER], np.uint16),
            (serials & np.uint64(0xFFFF)).astype(np.uint16),
            serials.copy(),
            proofs,
        )

    def reply(self, echo: int, rtt_us: int = 20_000) -> list[int]:
        wall_ns = np.array([(1_000_000 + rtt_us) * 1000])
        replies = Replies(self.messages(echo), self.address(echo), wall_ns)
        return [int(at) for at in self.settler.replies(replies, IDENTIFIER, 0)]

    def error(self, echo: int, *, short: bool, **changes: object) -> list[int]:
        messages = self.messages(echo, sound=not short)
        destination = self.address(echo)
        for name, value in changes.items():
            if name == "destination":
                destination = self.address(int(str(value)))
            else:
                getattr(messages, name)[0] = value
        quotes = Quotes(
            messages,
            np.array([short]),
            destination,
            np.array([ERROR], np.int8),
            np.array([[0, 0]], np.uint64),
        )
        settled = self.settler.quotes(
            quotes, IDENTIFIER, lambda _, *numbers: self.rows.checksums(*numbers), 0
        )
        return [int(at) for at in settled]


@pytest.mark.parametrize("short", [False, True])
def test_an_error_settles_the_echo_it_quotes_and_no_other(*, short: bool) -> None:
    # The serials pass 65,536: sequence numbers begin again at 0 on the way.
    scene = Scene([f"192.0.2.{n}" for n in range(1, 11)])
    for echo in (3, 8):
        assert scene.error(echo, short=short) == [echo]
    stages = scene.flight.columns.stage[:10]
    assert np.flatnonzero(stages == Stage.SETTLED).tolist() == [3, 8]
    assert scene.flight.columns.error[3] == ERROR
    assert scene.error(3, short=short) == []


@pytest.mark.parametrize(
    ("short", "change"),
    [
        (False, {"proof": 5}),
        (False, {"serial": 5}),
        (False, {"serial": 2**63 + 5}),
        (False, {"identifier": 1}),
        (False, {"destination": 2}),
        (True, {"checksum": 0x1234}),
        (True, {"sequence": 9_999}),
        (True, {"identifier": 1}),
        (True, {"destination": 2}),
    ],
)
def test_a_made_up_error_settles_nothing(*, short: bool, change: dict[str, int]) -> None:
    scene = Scene([f"192.0.2.{n}" for n in range(1, 11)])
    assert scene.error(3, short=short, **change) == []
    assert scene.flight.awaited() == 10


def test_one_sequence_number_in_flight_twice_is_told_by_the_destination() -> None:
    scene = Scene(["192.0.2.1", "192.0.2.2", "192.0.2.3"], echoes=30_000)
    assert scene.error(7, short=True) == [7]
    assert scene.error(7 + 65_536, short=True) == [7 + 65_536]


def test_duplicates_and_late_replies_are_counted_and_taken_for_nothing() -> None:
    scene = Scene(["192.0.2.1", "192.0.2.2"])
    assert scene.reply(0) == [0]
    assert scene.reply(0) == []
    assert scene.reply(1, rtt_us=1_000_001) == []
    scene.flight.settle(scene.flight.overdue(2_000_000), Outcome.SILENT)
    assert scene.reply(1) == []
    tally = scene.settler.tally
    assert (tally.duplicates, tally.late, tally.strangers) == (1, 2, 0)
    assert scene.flight.columns.outcome[:2].tolist() == [Outcome.REPLIED, Outcome.SILENT]


def test_a_reply_that_guesses_a_serial_without_its_proof_is_a_stranger() -> None:
    scene = Scene(["192.0.2.1"])
    messages = scene.messages(0)
    messages.proof[0] ^= np.uint64(1)
    replies = Replies(messages, scene.address(0), np.array([1_020_000_000]))
    assert scene.settler.replies(replies, IDENTIFIER, 0).tolist() == []
    assert scene.settler.tally.strangers == 1
    assert scene.flight.awaited() == 1


def test_a_reply_from_another_address_is_a_stranger() -> None:
    scene = Scene(["192.0.2.1", "192.0.2.2"])
    wall_ns = np.array([1_020_000_000])
    replies = Replies(scene.messages(0), scene.address(1), wall_ns)
    assert scene.settler.replies(replies, IDENTIFIER, 0).tolist() == []
    assert scene.settler.tally.strangers == 1
    assert scene.reply(0) == [0]


def test_an_echo_is_remembered_while_it_is_awaited_however_many_follow() -> None:
    flight = Flight(first_serial=1, keep_us=0, capacity=8)
    flight.remap(np.zeros(0, np.int32), 2)
    one, other = np.array([0], np.int32), np.array([1], np.int32)
    flight.append(one, one, 0)
    for now_us in range(1, 200):
        place = flight.append(other, other, now_us)
        flight.columns.sent_us[place] = now_us
        position = np.arange(place.start, place.stop)
        flight.settle(position, Outcome.REPLIED)
        flight.tell(position)
    assert flight.awaited() == 1
    (position,) = flight.positions(np.array([1], np.uint64))
    assert flight.columns.stage[position] == Stage.AWAITED


@pytest.mark.parametrize("hours", [1, -1])
def test_a_stamp_of_a_clock_that_is_not_ours_is_a_reply_without_rtt(hours: int) -> None:
    scene = Scene(["192.0.2.1"])
    assert scene.reply(0, rtt_us=hours * 3600 * 1_000_000) == [0]
    assert np.isnan(scene.flight.columns.rtt_seconds[0])
