"""Interfaces as IF-MIB tells them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.model import InterfaceReading
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number, text
from netmon.probes.snmp.interfaces import (
    CounterTrack,
    changed_at_seconds,
    decode,
    find_by_name,
    octets,
    speed,
)
from netmon.probes.snmp.values import Missing, Value

WRAP = 2**32


@pytest.mark.parametrize(
    ("if_speed", "if_high_speed", "expected"),
    [
        pytest.param(100_000_000, 100, 100_000_000, id="both say the same"),
        pytest.param(WRAP - 1, 10_000, 10_000_000_000, id="too fast for ifSpeed"),
        pytest.param(WRAP - 1, None, None, id="too fast for ifSpeed, and nothing else"),
        pytest.param(1_544_000, 2, 1_544_000, id="a slow line is told exactly by ifSpeed"),
        pytest.param(64_000, 0, 64_000, id="below a megabit ifHighSpeed is 0"),
        pytest.param(10_000_000, 1000, 1_000_000_000, id="where they differ, ifHighSpeed"),
        pytest.param(None, 1000, 1_000_000_000, id="ifHighSpeed alone"),
        pytest.param(0, 0, None, id="0 is not a speed"),
        pytest.param(None, None, None, id="neither"),
    ],
)
def test_speed(if_speed: int | None, if_high_speed: int | None, expected: int | None) -> None:
    assert speed(if_speed, if_high_speed) == expected


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        pytest.param(7_000_000_000, 5, 7_000_000_000, id="the 64-bit counter"),
        pytest.param(None, 5, 5, id="the 32-bit one where there is no other"),
        pytest.param(0, 5, 5, id="a 64-bit column that is left at 0"),
        pytest.param(0, 0, 0, id="nothing came in yet"),
        pytest.param(0, None, 0, id="the 64-bit counter alone, at 0"),
        pytest.param(None, None, None, id="none: absent, not 0"),
    ],
)
def test_octets(high: int | None, low: int | None, expected: int | None) -> None:
    assert octets(high, low) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(5, 5, id="a number"),
        pytest.param(b"\0\0\0\1\0\0\0\0", WRAP, id="Counter64 as an 8-byte string"),
        pytest.param(b" 42 ", 42, id="a number as text"),
        pytest.param(b"n/a", None, id="words"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(Missing.NO_SUCH_INSTANCE, None, id="missing"),
        pytest.param((1, 3), None, id="an OID"),
    ],
)
def test_numbers_as_agents_send_them(value: Value, expected: int | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"  ge-0/0/1 ", "ge-0/0/1", id="outer blanks"),
        pytest.param(b"wan\0\0\0", "wan", id="padding with NUL"),
        pytest.param("Tuyến huyện".encode(), "Tuyến huyện", id="Vietnamese"),
        pytest.param("Tuye\u0302\u0301n".encode(), "Tuyến", id="Vietnamese, composed to NFC"),
        pytest.param("Đi huyện".encode()[:-2], "Đi huy", id="UTF-8 cut within a letter"),
        pytest.param("café".encode("latin-1"), "café", id="a code page of its day"),
        pytest.param(b"line 1\r\nline 2\r", "line 1\nline 2", id="lines stay lines"),
        pytest.param(b"a\x07b", "a b", id="control characters"),
        pytest.param(7, "7", id="a number"),
        pytest.param((1, 3, 6), "1.3.6", id="an OID"),
        pytest.param(Missing.NULL, "", id="missing"),
    ],
)
def test_text_as_agents_send_it(value: Value, expected: str) -> None:
    assert text(value) == expected


@given(st.binary(max_size=80))
@settings(max_examples=200)
def test_any_bytes_make_a_text(raw: bytes) -> None:
    assert text(raw) == text(raw).strip()


@pytest.mark.parametrize(
    ("status", "up"),
    [(1, True), (2, False), (3, False), (4, None), (5, False), (6, False), (7, False), (0, None)],
)
def test_only_states_of_the_standard_say_something(status: int, up: bool | None) -> None:  # noqa: FBT001  # a column of the table
    assert decode(1, {mib.IF_OPER_STATUS: status}).oper_up is up


def test_an_interface_without_ifname_is_called_by_ifdescr() -> None:
    assert decode(3, {mib.IF_DESCR: b"eth0", mib.IF_NAME: b""}).name == "eth0"


def test_what_the_agent_does_not_say_is_none() -> None:
    assert decode(3, {}) == InterfaceReading(index=3, name="")


class TestCounterTrack:
    """A 32-bit counter goes on over its wraps."""

    def test_a_wrap_is_added_up(self) -> None:
        track = CounterTrack(WRAP - 1000)

        assert track.advance(500, 60, 100_000_000) == WRAP + 500

    def test_several_wraps_add_up(self) -> None:
        track = CounterTrack(0)
        for raw in (3_000_000_000, 1_000_000_000, 4_000_000_000, 2_000_000_000):
            track.advance(raw, 60, 1_000_000_000)

        assert track.total == 2 * WRAP + 2_000_000_000

    def test_a_step_back_that_the_line_cannot_carry_is_a_reset(self) -> None:
        track = CounterTrack(2_000_000_000)

        assert track.advance(500, 60, 10_000_000) == 500

    def test_after_a_wrap_a_reset_begins_again_at_what_the_agent_shows(self) -> None:
        track = CounterTrack(WRAP - 1)
        track.advance(2_000_000_000, 60, 1_000_000_000)

        assert track.advance(10, 60, 10_000_000) == 10

    def test_a_64_bit_counter_that_steps_back_was_reset(self) -> None:
        track = CounterTrack(5000, wraps=False)

        assert track.advance(100, 60, 10_000_000_000) == 100

    @given(
        speed_bits=st.sampled_from([10**6, 10**7, 10**8]),
        shares=st.lists(st.floats(0, 1), min_size=1, max_size=40),
        start=st.integers(0, WRAP - 1),
    )
    @settings(max_examples=100)
    def test_whatever_a_line_can_carry_is_counted_to_the_octet(
        self, speed_bits: int, shares: list[float], start: int
    ) -> None:
        true = start
        track = CounterTrack(start)
        for share in shares:
            true += int(speed_bits / 8 * 60 * share)
            track.advance(true % WRAP, 60, speed_bits)

        assert track.total == true


class TestNames:
    """Interfaces are found by name, whatever their index."""

    def test_both_ifname_and_ifdescr_are_names_and_case_does_not_matter(self) -> None:
        rows = [InterfaceReading(1, "Gi0/1", "GigabitEthernet0/1")]

        assert find_by_name(rows, "gigabitethernet0/1") is rows[0]
        assert find_by_name(rows, "GI0/1") is rows[0]

    def test_of_two_rows_of_one_name_the_one_that_is_up_counts(self) -> None:
        rows = [
            InterfaceReading(5, "ppp0", oper_up=True),
            InterfaceReading(9, "ppp0", oper_up=False),
        ]

        assert find_by_name(rows, "ppp0") is rows[0]

    def test_else_the_one_that_was_made_last(self) -> None:
        rows = [InterfaceReading(5, "ppp0"), InterfaceReading(9, "ppp0")]

        assert find_by_name(rows, "ppp0") is rows[1]

    def test_an_unknown_name_finds_nothing(self) -> None:
        assert find_by_name([InterfaceReading(5, "ppp0")], "ppp1") is None


@pytest.mark.parametrize(
    ("last_change", "agent_ticks", "uptime_seconds", "expected"),
    [
        pytest.param(90_000, 100_000, 1000.0, 900.0, id="100 s ago"),
        pytest.param(0, 100_000, 1000.0, 0.0, id="never since the agent started"),
        pytest.param(90_000, 100_000, 5000.0, 4900.0, id="the host is up for longer"),
        pytest.param(WRAP - 10_000, 90_000, 43_000_000.0, 42_999_000.0, id="before a wrap"),
        pytest.param(200_000, 100_000, 1000.0, None, id="in the future: nobody can say"),
        pytest.param(None, 100_000, 1000.0, None, id="not told"),
        pytest.param(90_000, None, 1000.0, None, id="no sysUpTime"),
        pytest.param(90_000, 100_000, None, None, id="no uptime"),
    ],
)
def test_a_change_is_dated_on_the_clock_of_the_uptime(
    last_change: int | None,
    agent_ticks: int | None,
    uptime_seconds: float | None,
    expected: float | None,
) -> None:
    assert changed_at_seconds(last_change, agent_ticks, uptime_seconds) == expected
