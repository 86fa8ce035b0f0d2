"""The short text of a page: what is in it, in which letters, and never longer than it may be."""

from __future__ import annotations

import unicodedata
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon.alerting.short_text import GSM, UNICODE, Shape, gsm, short_text

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LETTERS = set(
    "@$_ !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


def notification(
    summary: str, status: str = "firing", ends: str = "0001-01-01T00:00:00Z", count: int = 1
) -> dict[str, Any]:
    alert = {
        "status": status,
        "startsAt": "2026-11-23T16:45:07.123456789Z",
        "endsAt": ends,
        "annotations": {"summary": summary},
    }
    return {"status": status, "alerts": [alert] * count}


def told(
    summary: str,
    status: str = "firing",
    ends: str = "0001-01-01T00:00:00Z",
    form: str = GSM,
    longest: int = 160,
    count: int = 1,
) -> str:
    given = notification(summary, status, ends, count)
    return short_text(given, Shape(form, longest), ZONE)


SUMMARY = "UBND thị trấn Chợ Gạo mất kết nối."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (told(SUMMARY), "SU CO: UBND thi tran Cho Gao mat ket noi. Tu 23:45 23/11."),
        (told(SUMMARY, form=UNICODE), f"SỰ CỐ: {SUMMARY} Từ 23:45 23/11."),
        (
            told(SUMMARY, "resolved", "2026-11-23T16:59:59Z"),
            "DA HET: UBND thi tran Cho Gao mat ket noi. 23:45-23:59 23/11.",
        ),
        (
            told(SUMMARY, "resolved", "2026-11-23T17:00:00Z", form=UNICODE),
            f"ĐÃ HẾT: {SUMMARY} 23:45 23/11-00:00 24/11.",
        ),
        (
            told("Đường truyền.", count=3, form=UNICODE),
            "SỰ CỐ: Đường truyền. (+2) Từ 23:45 23/11.",
        ),
        (
            told("[DIỄN TẬP] Đồn “số 1” – mất…"),
            'SU CO: (DIEN TAP) Don "so 1" - mat... Tu 23:45 23/11.',
        ),
        (told("a" * 200, longest=70), "SU CO: " + "a" * 44 + "... Tu 23:45 23/11."),
    ],
)
def test_it_says_what_how_many_and_since_when(text: str, expected: str) -> None:
    assert text == expected


def test_of_a_group_only_what_goes_on_is_told_as_going_on() -> None:
    over = notification("Đường truyền primary suy giảm.", "resolved", "2026-11-23T16:59:59Z")
    mixed = notification("Đường truyền backup suy giảm.", count=2)
    mixed["alerts"] = [*over["alerts"], *mixed["alerts"]]
    assert short_text(mixed, Shape(UNICODE), ZONE) == (
        "SỰ CỐ: Đường truyền backup suy giảm. (+1, hết 1) Từ 23:45 23/11."
    )


def test_the_signal_that_the_way_works_is_no_outage() -> None:
    signal = notification("Tín hiệu thường trực: đường cảnh báo hoạt động.")
    signal["alerts"][0]["labels"] = {"alertname": "Watchdog", "severity": "none"}
    assert short_text(signal, Shape(), ZONE) == (
        "Tin hieu thuong truc: duong canh bao hoat dong. Tu 23:45 23/11."
    )


def test_decomposed_names_become_whole_letters() -> None:
    decomposed = unicodedata.normalize("NFD", SUMMARY)
    assert told(decomposed, form=UNICODE).encode() == told(SUMMARY, form=UNICODE).encode()


@given(st.text(), st.sampled_from([GSM, UNICODE]), st.integers(70, 300), st.integers(1, 2000))
def test_whatever_the_summary_it_fits_and_keeps_its_times(
    summary: str, form: str, longest: int, count: int
) -> None:
    text = told(summary, form=form, longest=longest, count=count)
    assert len(text) <= longest
    assert text.endswith(gsm("Từ 23:45 23/11.") if form == GSM else "Từ 23:45 23/11.")
    if form == GSM:
        assert set(text) <= LETTERS


@pytest.mark.parametrize(
    "broken",
    [
        [],
        "text",
        {},
        {"status": "firing", "alerts": []},
        {"status": "firing", "alerts": [{}]},
        {"status": "firing", "alerts": [None]},
        {"status": "firing", "alerts": [{"startsAt": "soon"}]},
        notification(SUMMARY, "resolved"),
    ],
)
def test_what_alertmanager_does_not_send_is_refused(broken: object) -> None:
    with pytest.raises(ValueError, match="not what Alertmanager sends to a webhook"):
        short_text(cast("dict[str, Any]", broken), Shape(), ZONE)
