"""Drills: what begins them, what counts as delivered, and when they are over."""

from __future__ import annotations

import json

import pytest

from netmon.alerting.drill import Drills


class Hands:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_us = 5_000_000

    def monotonic_us(self) -> int:
        return self.now_us

    def wall_us(self) -> int:
        return self.now_us


def notification(agency: str, alert: str = "NetmonDrill", status: str = "firing") -> bytes:
    labels = {"alertname": alert, "agency": agency}
    return json.dumps({"alerts": [{"status": status, "labels": labels}]}).encode()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def drills(clock: Hands) -> Drills:
    return Drills(clock)


def post(drills: Drills, query: dict[str, str], body: bytes = b"") -> tuple[bool, str]:
    return drills.asked("POST", query, body, {"so-1", "so-2"})


def test_a_drill_is_active_until_its_time_is_over(drills: Drills, clock: Hands) -> None:
    assert post(drills, {"agency": "so-1", "seconds": "60"}) == (True, "drill for so-1: 60 s")
    clock.now_us += 59_000_000
    assert [each.active for each in drills.figures()] == [True]
    clock.now_us += 1_000_000
    assert [each.active for each in drills.figures()] == [False]


def test_the_first_delivery_counts_and_only_of_the_drill_itself(
    drills: Drills, clock: Hands
) -> None:
    post(drills, {"agency": "so-1"})
    clock.now_us += 4_000_000
    for other in (
        notification("so-2"),
        notification("so-1", alert="AgencyDown"),
        notification("so-1", status="resolved"),
    ):
        assert post(drills, {}, other) == (True, "delivered: nothing new")
    assert post(drills, {}, notification("so-1")) == (True, "delivered: so-1")
    clock.now_us += 4_000_000
    assert post(drills, {}, notification("so-1")) == (True, "delivered: nothing new")
    (told,) = json.loads(drills.asked("GET", {}, b"", ())[1])
    assert (told["agency"], told["age_seconds"], told["delivered_seconds"]) == ("so-1", 8.0, 4.0)


def test_a_new_drill_of_the_same_agency_begins_anew(drills: Drills, clock: Hands) -> None:
    post(drills, {"agency": "so-1"})
    post(drills, {}, notification("so-1"))
    clock.now_us += 9_000_000
    post(drills, {"agency": "so-1"})
    assert [each.delivered_seconds for each in drills.figures()] == [None]


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ({"agency": "so-9"}, b"", "there is no agency 'so-9' in the inventory"),
        ({"agency": "so-1", "seconds": "0"}, b"", "seconds: write a number from 1 to 3600"),
        ({"agency": "so-1", "seconds": "3601"}, b"", "seconds: write a number from 1 to 3600"),
        ({"agency": "so-1", "seconds": "1e3"}, b"", "seconds: write a number from 1 to 3600"),
        ({"agency": "so-1", "seconds": "9" * 5000}, b"", "seconds: write a number"),
        ({}, b"", "not what Alertmanager sends to a webhook"),
        ({}, b"[]", "not what Alertmanager sends to a webhook"),
        ({}, b'{"alerts": [1]}', "not what Alertmanager sends to a webhook"),
        ({}, b'{"alerts": [{"status": "firing"}]}', "not what Alertmanager sends to a webhook"),
    ],
)
def test_nonsense_is_refused_in_words(
    drills: Drills, query: dict[str, str], body: bytes, words: str
) -> None:
    ok, text = post(drills, query, body)
    assert not ok
    assert text.startswith(words)
    assert drills.figures() == ()
