"""What changed on routers, told from facts; and which outages began shortly after a change."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.clock import from_datetime
from netmon.inventory.blame import (
    WITHIN_US,
    ConfigChange,
    config_changes,
    noted,
    told_instant_us,
)
from netmon.inventory.journal import KINDS, changes, disagreements
from netmon.judge.calendar import Calendar
from netmon.ledger.facts import Told
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import Fact, LedgerReader
from netmon.model import LinkKey, Outage

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW_US = 1_795_400_000_000_000  # 2026-11-23 02:13 in UTC
MINUTE_US = 60_000_000


def fact(key: str, value: str, at: int, source: str = "ssh", agency: str = "xa-a") -> Fact:
    return Fact(agency, key, value, source, at)


def told(*history: Fact) -> list[tuple[str, str, str, str]]:
    return [(each.agency, each.kind, each.before, each.after) for each in changes(history)]


def test_what_is_told_for_the_first_time_is_no_change() -> None:
    assert (
        told(fact("model", "M", 1), fact("interface/a", "x", 1), fact("interface/b", "y", 1)) == []
    )


def test_another_value_a_new_interface_and_one_that_is_gone_are_changes() -> None:
    history = (
        fact("version", "1", 1),
        fact("interface/a", "x", 1),
        fact("version", "2", 5),
        fact("interface/b", "y", 5),
        fact("interface/a", "", 9),
    )
    assert told(*history) == [
        ("xa-a", "version", "1", "2"),
        ("xa-a", "interface", "", "y"),
        ("xa-a", "interface", "x", ""),
    ]


def test_what_a_second_source_confirms_is_told_once() -> None:
    history = (
        fact("version", "1", 1),
        fact("version", "1", 2, "snmp"),
        fact("version", "2", 5, "snmp"),
        fact("version", "2", 9),
    )
    assert told(*history) == [("xa-a", "version", "1", "2")]


def test_a_serial_number_that_moves_is_told_with_where_it_was() -> None:
    history = (
        fact("serial", "S1", 1),
        fact("serial", "S2", 1, agency="xa-b"),
        fact("serial", "S1", 5, agency="xa-b"),
    )
    (change,) = changes(history)
    assert (change.agency, change.before, change.after, change.moved_from) == (
        "xa-b",
        "S2",
        "S1",
        "xa-a",
    )


def test_a_router_in_an_agency_that_had_none_is_told_when_it_stood_elsewhere() -> None:
    history = (fact("serial", "S1", 1), fact("serial", "S1", 5, agency="xa-new"))
    assert [(each.agency, each.moved_from) for each in changes(history)] == [("xa-new", "xa-a")]


def test_sources_that_disagree_are_shown_and_one_that_says_more_agrees() -> None:
    present = (
        fact("model", "AR1220", 1),
        fact("model", "AR2200", 2, "snmp"),
        fact("version", "15.4(3)M3", 1),
        fact("version", "15.4(3)M3, RELEASE", 1, "snmp"),
        fact("serial", "S", 1),
    )
    (found,) = disagreements(present)
    assert (found.key, dict(found.told)) == ("model", {"ssh": "AR1220", "snmp": "AR2200"})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["xa-a", "xa-b"]),
            st.sampled_from(["ssh", "snmp"]),
            st.dictionaries(
                st.sampled_from(["model", "serial", "interface/a", "interface/b"]),
                st.sampled_from(["1", "2", "3"]),
            ),
        ),
        max_size=8,
    )
)
@settings(max_examples=25, deadline=None)
def test_what_the_counter_counts_is_what_the_journal_tells(
    tmp_path_factory: pytest.TempPathFactory,
    rounds: list[tuple[str, str, dict[str, str]]],
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "l.sqlite3"
    ledger = Ledger.open(path, calendar=Calendar(ZONE), ballast_bytes=0)
    counted: Counter[str] = Counter()
    for number, (agency, source, facts) in enumerate(rounds, 1):
        entered = ledger.enter_facts(Told(agency, source, number, facts, ("interface",)))
        counted.update(each.kind for each in entered if each.news or each.elsewhere)
    reader = LedgerReader.open(path)
    journal = Counter(each.kind for each in changes(reader.facts(history=True)))
    reader.close()
    ledger.close()
    assert +journal == +counted
    assert set(counted) <= set(KINDS)


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("08:12:33 ICT Mon Nov 23 2026", "2026-11-23T01:12:33Z"),
        ("08:12:33 UTC Mon Nov 23 2026", "2026-11-23T08:12:33Z"),
        ("2026-11-22 08:12:33+07:00", "2026-11-22T01:12:33Z"),
        ("2026-11-22 08:12:33 ICT", "2026-11-22T01:12:33Z"),
        ("2026-11-22 08:12:33", "2026-11-22T01:12:33Z"),
        ("00:01:02 UTC Mon Mar 1 1993", None),
        ("08:12:33 ICT Mon Nov 23 2027", None),
        ("2026-13-45 08:12:33", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_instant_of_a_change_in_a_routers_words(words: str, instant: str | None) -> None:
    now_us = from_datetime(datetime.fromisoformat("2026-11-23T12:00:00+00:00"))
    expected = None if instant is None else from_datetime(datetime.fromisoformat(instant))
    assert told_instant_us(words, ZONE, now_us) == expected


@pytest.mark.parametrize(
    ("after_us", "shown"),
    [(0, True), (MINUTE_US, True), (WITHIN_US, True), (WITHIN_US + 1, False), (-1, False)],
)
def test_an_outage_within_a_quarter_of_an_hour_of_a_change_shows_it(
    after_us: int, *, shown: bool
) -> None:
    outage = Outage(LinkKey("xa-a", "primary"), NOW_US + after_us, None, note="circuit")
    (found,) = noted([outage], [ConfigChange("xa-a", NOW_US)], ZONE, "en")
    assert ("netmon config diff xa-a" in found.note) == shown
    assert found.note.startswith("circuit")
    (other,) = noted([outage], [ConfigChange("xa-b", NOW_US)], ZONE, "en")
    assert other == outage


def test_a_change_counts_from_when_the_router_says_it_was_made() -> None:
    history = (
        fact("config", "c1", 10),
        fact("config", "c2", NOW_US),
        fact("configured", str(NOW_US - MINUTE_US), NOW_US),
        fact("config", "c3", NOW_US + 5),
    )
    assert config_changes(history) == [
        ConfigChange("xa-a", NOW_US - MINUTE_US),
        ConfigChange("xa-a", NOW_US + 5),
    ]


@pytest.mark.parametrize("serial", ["None", "0", "0000000000", "N/A", "To be filled by O.E.M.", ""])
def test_what_makers_write_for_no_serial_number_never_moves(serial: str) -> None:
    history = (fact("serial", serial, 1), fact("serial", serial, 5, agency="xa-new"))
    assert changes(history) == []
