"""What operators ask the ledger and enter by hand, as values, tables, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from netmon.clock import from_datetime
from netmon.errors import LedgerError
from netmon.judge.availability import Period
from netmon.judge.availability_rows import Group, Row
from netmon.ledger import report, tables
from netmon.ledger.desk import Desk
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader, OutageFilter
from netmon.model import (
    Agency,
    Cause,
    Event,
    Evidence,
    Health,
    Hours,
    Inventory,
    Kind,
    Link,
    LinkKey,
    MaintenanceWindow,
    OutageEnd,
    OutageNote,
    OutageStart,
    Provider,
    Province,
    Reclassification,
    Role,
    State,
    Target,
    Transition,
)
from tests.ledger_traces import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.table import Table

ZONE = CALENDAR.zone
MINUTE = 60 * 1_000_000
ONE, TWO, THREE = LinkKey("a", "main"), LinkKey("a", "backup"), LinkKey("b", "main")


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


BEGIN, END = at("2026-10-14T08:00:00"), at("2026-10-14T10:00:00")
OCTOBER = Period(at("2026-10-01T00:00:00"), at("2026-11-01T00:00:00"))


def inventory() -> Inventory:
    links = {
        key: Link(
            key,
            Role.PRIMARY,
            (IPv4Address("192.0.2.1"),),
            "icmp",
            provider="vnpt" if key.link == "main" else "viettel",
            target=Target(0.995, "hợp đồng 12") if key is ONE else None,
        )
        for key in (ONE, TWO, THREE)
    }
    return Inventory(
        Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL"),
        {"so": Kind("so", "Sở", "Department"), "xa": Kind("xa", "Xã", "Commune")},
        {"vnpt": Provider("vnpt", "VNPT"), "viettel": Provider("viettel", "Viettel")},
        {
            "a": Agency("a", "Sở Nội vụ", "so", links=(links[ONE], links[TWO])),
            "b": Agency("b", "UBND xã Ái Tử", "xa", links=(links[THREE],)),
        },
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two hours: ONE is down for half an hour from 09:00, THREE from 09:30 on."""
    path = tmp_path / "l.sqlite"
    ledger = Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)
    ledger.restore(BEGIN)
    for key in (ONE, TWO, THREE):
        up = Transition(key, BEGIN, BEGIN, State.UNOBSERVED, State.UP, Health.UP)
        ledger.record([up])
    ledger.record(_down(ONE, BEGIN + 60 * MINUTE, Evidence("10.0.3.1 báo lỗi", 5, 5)))
    ledger.record(_down(THREE, BEGIN + 90 * MINUTE, Evidence(sent=5, lost=4)))
    end_us = BEGIN + 90 * MINUTE
    up = Transition(ONE, end_us, end_us, State.DOWN, State.UP, Health.UP)
    ledger.record([up, OutageEnd(ONE, BEGIN + 60 * MINUTE, end_us, end_us)])
    ledger.record([OutageNote(ONE, BEGIN + 60 * MINUTE, end_us + MINUTE, Cause.POWER)])
    ledger.beat(END, 0)
    ledger.close()
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[LedgerReader]:
    with closing(LedgerReader.open(path)) as opened:
        yield opened


def _down(key: LinkKey, at_us: int, evidence: Evidence) -> list[Event]:
    down = Transition(key, at_us, at_us, State.UP, State.DOWN, Health.DOWN, evidence)
    return [down, OutageStart(key, at_us, at_us, evidence)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(OutageFilter(), [ONE, THREE], id="all"),
        pytest.param(OutageFilter(agency="a"), [ONE], id="by agency"),
        pytest.param(OutageFilter(agency="a", link="backup"), [], id="by link"),
        pytest.param(OutageFilter(provider="viettel"), [], id="by provider"),
        pytest.param(OutageFilter(provider="vnpt"), [ONE, THREE], id="by the provider of both"),
        pytest.param(OutageFilter(open_only=True), [THREE], id="not over"),
        pytest.param(OutageFilter(cause=Cause.POWER), [ONE], id="by cause"),
        pytest.param(OutageFilter(since_us=BEGIN + 90 * MINUTE), [THREE], id="since"),
        pytest.param(OutageFilter(until_us=BEGIN + 90 * MINUTE), [ONE], id="until"),
    ],
)
def test_outages_are_chosen_by_every_filter(
    reader: LedgerReader, wanted: OutageFilter, expected: list[LinkKey]
) -> None:
    assert [outage.key for outage in reader.outages(wanted, inventory())] == expected


def row(rows: tuple[Row, ...], group: Group, identity: str) -> Row:
    (found,) = (each for each in rows if (each.group, each.id) == (group, identity))
    return found


@pytest.mark.parametrize(
    ("group", "identity", "availability", "outages"),
    [
        (Group.LINK, "a/main", 90 / 120, 1),
        (Group.LINK, "b/main", 90 / 120, 1),
        (Group.AGENCY, "a", 1.0, 1),
        (Group.AGENCY, "b", 90 / 120, 1),
        (Group.PROVIDER, "vnpt", 180 / 240, 2),
        (Group.PROVIDER, "viettel", 1.0, 0),
        (Group.KIND, "so", 210 / 240, 1),
        (Group.TOTAL, "", 300 / 360, 2),
    ],
)
def test_availability_counts_open_outages_to_the_last_heartbeat_and_tells_the_coverage(
    reader: LedgerReader, group: Group, identity: str, availability: float, outages: int
) -> None:
    found = reader.availability(inventory(), OCTOBER, CALENDAR)
    assert found.period == Period(OCTOBER.start_us, END)
    figures = row(found.rows, group, identity)
    assert figures.agreed.availability() == pytest.approx(availability)
    assert figures.outages == outages
    copies = 1 if group is Group.AGENCY else figures.links
    assert figures.agreed.total() == copies * found.period.length_us
    seen = 120 * MINUTE / found.period.length_us
    assert figures.agreed.coverage() == pytest.approx(seen)


def test_business_hours_are_told_apart(reader: LedgerReader) -> None:
    figures = row(reader.availability(inventory(), OCTOBER, CALENDAR).rows, Group.LINK, "a/main")
    assert figures.agreed.of(State.DOWN, Cause.POWER, Hours.BUSINESS) == 30 * MINUTE
    assert figures.agreed.of(State.DOWN, hours=Hours.OTHER) == 0


def test_a_reclassification_moves_the_agreed_figure_and_leaves_the_measured_one(
    path: Path, reader: LedgerReader
) -> None:
    with closing(Desk.open(path)) as desk:
        entry = Reclassification(
            ONE, BEGIN, BEGIN + 75 * MINUTE, State.DOWN, State.MAINTENANCE, END, "An", "biên bản 7"
        )
        desk.reclassify(entry)
    figures = row(reader.availability(inventory(), OCTOBER, CALENDAR).rows, Group.LINK, "a/main")
    assert figures.measured.of(State.DOWN) == 30 * MINUTE
    assert figures.agreed.of(State.DOWN) == 15 * MINUTE
    assert figures.agreed.of(State.MAINTENANCE) == 15 * MINUTE
    assert reader.reclassifications(OCTOBER) == [entry]
    assert reader.verify() == []


def test_a_link_that_left_the_inventory_keeps_its_history(reader: LedgerReader) -> None:
    whole = inventory()
    smaller = Inventory(whole.province, whole.kinds, whole.providers, {"a": whole.agencies["a"]})
    figures = row(reader.availability(smaller, OCTOBER, CALENDAR).rows, Group.LINK, "b/main")
    assert figures.agreed.of(State.DOWN) == 30 * MINUTE


WINDOW = MaintenanceWindow(
    "w1",
    END + MINUTE,
    END + 9 * MINUTE,
    "thay cáp",
    frozenset({"a"}),
    subtree=True,
    links=frozenset({THREE}),
    providers=frozenset({"vnpt"}),
)
ENTRY = Reclassification(ONE, BEGIN, END, State.DOWN, State.UNKNOWN, END, "An", "biên bản 7")


def test_windows_are_added_listed_and_ended_with_author_and_reason(
    path: Path, reader: LedgerReader
) -> None:
    with closing(Desk.open(path)) as desk:
        desk.add_window(WINDOW, "An", END)
        assert reader.windows() == [(WINDOW, "An")]
        ended = desk.end_window("w1", "Bình", END + 2 * MINUTE)
        assert ended.end_us == END + 2 * MINUTE
    assert reader.windows() == [(ended, "Bình")]
    assert reader.verify() == []


REFUSALS: list[Any] = [
    pytest.param(lambda d: d.add_window(WINDOW, " ", END), "give an author", id="no author"),
    pytest.param(
        lambda d: d.add_window(replace(WINDOW, reason=""), "An", END), "a reason", id="no reason"
    ),
    pytest.param(
        lambda d: d.add_window(replace(WINDOW, start_us=END - 1), "An", END),
        "in the past",
        id="past",
    ),
    pytest.param(
        lambda d: d.add_window(replace(WINDOW, end_us=END), "An", END),
        "before it begins",
        id="empty",
    ),
    pytest.param(lambda d: d.end_window("w9", "An", END), "w9: not known here", id="unknown"),
    pytest.param(
        lambda d: d.reclassify(replace(ENTRY, author="netmon")),
        "name of the program",
        id="as netmon",
    ),
    pytest.param(
        lambda d: d.reclassify(replace(ENTRY, end_us=END + 1)), "not over yet", id="future"
    ),
    pytest.param(
        lambda d: d.reclassify(replace(ENTRY, end_us=BEGIN)), "before it begins", id="nothing"
    ),
    pytest.param(
        lambda d: d.reclassify(replace(ENTRY, key=LinkKey("x", "y"))),
        "no such link",
        id="unknown link",
    ),
]


@pytest.mark.parametrize(("action", "words"), REFUSALS)
def test_what_cannot_stand_is_refused_with_the_remedy_and_leaves_no_row(
    path: Path, action: Callable[[Desk], None], words: str
) -> None:
    with closing(LedgerReader.open(path)) as reader, closing(Desk.open(path)) as desk:
        head = reader.status()
        with pytest.raises(LedgerError, match=words):
            action(desk)
        assert reader.status() == head


def test_what_people_enter_does_not_prove_that_netmon_lives(path: Path) -> None:
    with closing(LedgerReader.open(path)) as reader, closing(Desk.open(path)) as desk:
        desk.add_window(
            replace(WINDOW, start_us=END + 3600 * MINUTE, end_us=END + 3601 * MINUTE), "An", END
        )
        assert reader.status().beat_us == END


def test_there_is_no_ledger_where_there_is_none(tmp_path: Path) -> None:
    for opening in (LedgerReader.open, Desk.open):
        with pytest.raises(LedgerError, match=r"there is no ledger: check storage\.path"):
            opening(tmp_path / "nowhere.sqlite")


def shown(table: Table) -> str:
    console = Console(width=200, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_outages_are_shown_in_the_provinces_time_and_zone(reader: LedgerReader) -> None:
    outages = reader.outages(OutageFilter())
    vietnamese = shown(tables.outages_table(outages, ZONE, END))
    assert "Sự cố mất kết nối" in vietnamese
    assert "2026-10-14 09:00:00" in vietnamese
    assert "Asia/Ho_Chi_Minh" in vietnamese
    assert "nguồn điện hoặc thiết bị" in vietnamese
    assert "00:30:00" in vietnamese
    english = shown(tables.outages_table(outages, ZONE, END, "en"))
    assert "not over" in english
    assert "4/5" in english


def test_json_and_csv_hold_the_same_records(reader: LedgerReader) -> None:
    outages = reader.outages(OutageFilter())
    records = report.outages_records(outages, ZONE, END)
    assert json.loads(report.to_json(records)) == records
    (first, second) = csv.DictReader(io.StringIO(report.to_csv(records)))
    assert first["start"] == "2026-10-14T09:00:00+07:00"
    assert (first["seconds"], second["end"]) == ("1800.0", "")
    assert report.to_csv([]) == ""


def test_the_report_names_the_row_and_hash_that_seal_it(reader: LedgerReader) -> None:
    found = reader.availability(inventory(), OCTOBER, CALENDAR)
    document = json.loads(report.availability_json(found))
    status = reader.status()
    assert document["ledger"] == {"entry": status.last_id, "hash": status.hash.hex()}
    for record in document["rows"]:
        for prefix in ("measured_all", "agreed_all", "agreed_business"):
            seconds = [v for k, v in record.items() if k.startswith(prefix) and "seconds" in k]
            assert sum(seconds) > 0
    total = next(each for each in document["rows"] if each["group"] == "total")
    parts = [v for k, v in total.items() if k.startswith("agreed_all") and "seconds" in k]
    assert sum(parts) == pytest.approx(3 * found.period.length_us / 1_000_000)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("group", list(Group))
def test_every_group_has_its_table(reader: LedgerReader, group: Group, language: str) -> None:
    found = reader.availability(inventory(), OCTOBER, CALENDAR)
    text = shown(tables.availability_table(found, group, Hours.BUSINESS, language))
    assert "%" in text
    assert f"#{found.last_id}" in text


def test_spans_and_windows_have_tables(path: Path, reader: LedgerReader) -> None:
    with closing(Desk.open(path)) as desk:
        desk.add_window(WINDOW, "An", END)
        everything = replace(
            WINDOW,
            id="w2",
            agencies=frozenset(),
            links=frozenset(),
            providers=frozenset(),
            subtree=False,
        )
        desk.add_window(everything, "An", END)
    spans = shown(tables.spans_table(reader.spans(ONE, BEGIN, END), ZONE, "en"))
    assert spans.count("up") >= 2
    assert "power or router" in spans
    windows = shown(tables.maintenance_table(reader.windows(), ZONE))
    assert "a/…, b/main, vnpt" in windows
    assert "toàn tỉnh" in windows


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "100.000 %"), (0.9999999, "99.999 %"), (0.0, "0.000 %"), (None, "–")],
)
def test_a_percentage_never_rounds_a_failure_away(ratio: float | None, text: str) -> None:
    assert report.percentage(ratio) == text


def test_durations_read_like_a_clock() -> None:
    assert report.duration(93_784_000_000) == "1d 02:03:04"


def test_a_period_whose_details_were_deleted_is_refused_and_a_later_one_answered(
    path: Path, reader: LedgerReader
) -> None:
    with closing(Ledger.open(path, calendar=CALENDAR, ballast_bytes=0)) as ledger:
        assert ledger.windows() == ()
        assert ledger.retain(BEGIN + 61 * MINUTE + 86_400_000_000, 1) > 0
    with pytest.raises(LedgerError, match="ask for a later period"):
        reader.availability(inventory(), OCTOBER, CALENDAR)
    later = Period(BEGIN + 60 * MINUTE, END)
    figures = row(reader.availability(inventory(), later, CALENDAR).rows, Group.LINK, "a/backup")
    assert figures.agreed.of(State.UP) == 60 * MINUTE
