"""Figures in words, in both languages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from netmon.messages import Catalogue
from netmon.model import Evidence, LinkKey, Outage
from netmon_exporters.words import Words

CATALOGUE = Catalogue.load()
VIETNAMESE = Words(CATALOGUE, "vi", ZoneInfo("Asia/Ho_Chi_Minh"))
ENGLISH = Words(CATALOGUE, "en", ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("seconds", "vietnamese", "english"),
    [
        (None, "–", "–"),
        (-3, "0 giây", "0 s"),
        (0.9, "0 giây", "0 s"),
        (59, "59 giây", "59 s"),
        (60, "1 phút 0 giây", "1 min 0 s"),
        (3_599, "59 phút 59 giây", "59 min 59 s"),
        (3_600, "1 giờ 0 phút", "1 h 0 min"),
        (86_399, "23 giờ 59 phút", "23 h 59 min"),
        (90_000, "1 ngày 1 giờ", "1 d 1 h"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(
    seconds: float | None, vietnamese: str, english: str
) -> None:
    assert VIETNAMESE.duration(seconds) == vietnamese
    assert ENGLISH.duration(seconds) == english


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (VIETNAMESE.number(1234567.5, 1), "1.234.567,5"),
        (ENGLISH.number(1234567.5, 1), "1,234,567.5"),
        (VIETNAMESE.milliseconds(0.00042), "0,42 ms"),
        (VIETNAMESE.milliseconds(0.000004), "< 0,01 ms"),
        (VIETNAMESE.milliseconds(0.1234), "123 ms"),
        (VIETNAMESE.milliseconds(None), "–"),
        (VIETNAMESE.percent(None), "–"),
        (VIETNAMESE.share(0), "0 %"),
        (VIETNAMESE.share(0.004), "0,4 %"),
        (VIETNAMESE.share(1), "100 %"),
        (VIETNAMESE.bits(None), "–"),
        (VIETNAMESE.bits(512), "512 bit/s"),
        (VIETNAMESE.bits(2_500_000), "2,5 Mbit/s"),
        (VIETNAMESE.bits(200_000_000), "200 Mbit/s"),
        (VIETNAMESE.bytes(0), "0 B"),
        (VIETNAMESE.bytes(None), "–"),
        (VIETNAMESE.bytes(9_000_000_000_000_000_000), "9.000.000 TB"),
        (VIETNAMESE.count(None), "–"),
        (VIETNAMESE.instant(None), "–"),
        (VIETNAMESE.instant(1_750_000_000_000_000), "22:06:40 15/06/2025"),
        (ENGLISH.instant(1_750_000_000_000_000), "22:06:40 2025-06-15"),
        (VIETNAMESE.offset(1_750_000_000_000_000), "UTC+07:00"),
    ],
)
def test_numbers_and_instants_follow_the_language(said: str, expected: str) -> None:
    assert said.replace("  ", " ") == expected


def test_evidence_that_is_only_text_is_shown_as_it_is() -> None:
    key = LinkKey("a", "b")
    assert VIETNAMESE.evidence(Outage(key, 1, None, evidence=Evidence("thấy khác"))) == "thấy khác"
    assert VIETNAMESE.evidence(Outage(key, 1, None)) == ""
    assert VIETNAMESE.evidence(None) == ""
