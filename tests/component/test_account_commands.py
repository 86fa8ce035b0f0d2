"""The account on the command line: tables, CSV, JSON, planned work, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

import pytest

from netmon.cli import main
from netmon.judge.calendar import Calendar
from netmon.ledger.desk import Desk
from netmon.ledger.facts import Told
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.model import LinkKey, OutageStart
from tests.support.accounts import COMMUNE, PRIMARY, ZONE, day, ledger_of_a_morning, province

if TYPE_CHECKING:
    from pathlib import Path


_SPAN = ("--from=2026-10-14T08:00", "--to=2026-10-14T08:10")


class Netmon(Protocol):
    """Runs a command of netmon; returns its exit code and what it printed, or complained of."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "100")
    return province(tmp_path)


@pytest.fixture
def netmon(settings: Path, capsys: pytest.CaptureFixture[str]) -> Netmon:
    def run(*words: str, code: int = 0) -> str:
        assert main([*words, f"--config.file={settings}"]) == code
        printed = capsys.readouterr()
        text = printed.err if code else printed.out
        return "\n".join(line.rstrip() for line in text.splitlines())

    return run


@pytest.fixture
def ledger(settings: Path) -> Path:
    return ledger_of_a_morning(settings.parent)


def test_an_outage_shortly_after_a_changed_configuration_shows_the_change(
    netmon: Netmon, ledger: Path
) -> None:
    with closing(Desk.open(ledger)) as desk:
        for clock, content in (("07:10:00", "c1"), ("07:50:00", "c2"), ("11:20:00", "c3")):
            told = {"config": content}
            desk.enter_facts(Told(PRIMARY.agency, "ssh", day(clock), told))
            desk.enter_facts(Told(COMMUNE.agency, "ssh", day(clock) - 1, told))
    notes = {
        each["agency"]: each["note"] for each in json.loads(netmon("outages", "--format", "json"))
    }
    assert "07:50" in notes[PRIMARY.agency]
    assert f"netmon config diff {PRIMARY.agency}" in notes[PRIMARY.agency]
    # 25 minutes before: that explains nothing.
    assert "netmon config diff" not in notes[COMMUNE.agency]
    assert "netmon config diff" in " ".join(netmon("outages").split())


OUTAGES = {
    "vi": """\
Sự cố mất kết nối
                                                             Thời
Đường truyền         Bắt đầu              Kết thúc          lượng  Nguyên nhân   Bằng chứng
────────────────────────────────────────────────────────────────────────────────────────────────────
ubnd-cai-be/primary  2026-10-14 08:00:00  08:30:00       00:30:00  đường truyền  mất 5 gói liên
                                                                                 tiếp; thiết bị vẫn
                                                                                 chạy; cổng wan0
                                                                                 mất tín hiệu đường
                                                                                 truyền
xa-an-huu/primary    2026-10-14 11:45:00  chưa kết thúc  00:15:00  chưa rõ       192.0.2.1 báo:
                                                                                 host unreachable
Asia/Ho_Chi_Minh""",
    "en": """\
Outages
Link                 Start                End       Duration  Cause    Evidence
────────────────────────────────────────────────────────────────────────────────────────────────────
ubnd-cai-be/primary  2026-10-14 08:00:00  08:30:00  00:30:00  circuit  5 echoes in a row lost; the
                                                                       router ran on; wan0 lost its
                                                                       carrier
xa-an-huu/primary    2026-10-14 11:45:00  not over  00:15:00  unknown  192.0.2.1 reports host
                                                                       unreachable
Asia/Ho_Chi_Minh""",
}


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_outages_fit_a_terminal_of_100_columns(netmon: Netmon, language: str) -> None:
    assert netmon("outages", f"--lang={language}") == OUTAGES[language]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "agencies"),
    [
        ((), ["ubnd-cai-be", "xa-an-huu"]),
        (("xa-an-huu",), ["xa-an-huu"]),
        (("--open",), ["xa-an-huu"]),
        (("--cause=circuit",), ["ubnd-cai-be"]),
        (("--provider=vnpt",), ["ubnd-cai-be"]),
        (("--provider=viettel",), []),
        (("--since=2026-10-14T09:00",), ["xa-an-huu"]),
        (("--until=2026-10-14T09:00",), ["ubnd-cai-be"]),
        (("--since=2026-10-15",), ["xa-an-huu"]),
        (("ubnd-cai-be", "--link=backup"), []),
    ],
)
def test_outages_are_chosen_by(netmon: Netmon, words: tuple[str, ...], agencies: list[str]) -> None:
    found = json.loads(netmon("outages", *words, "--format=json"))
    assert [outage["agency"] for outage in found] == agencies


@pytest.fixture
def cable(settings: Path, ledger: Path) -> None:
    """Another commune of the same carrier and district went 20 seconds after the first."""
    inventory = settings.with_name("agencies.yaml")
    text = inventory.read_text(encoding="utf-8")
    circuit = "links: [{role: primary, provider: vnpt}]}"
    text = text.replace("router: 192.0.2.9}", f"router: 192.0.2.9, {circuit}")
    other = "{id: xa-hoa-khanh, name: UBND xã Hòa Khánh, kind: commune, parent: ubnd-cai-be"
    inventory.write_text(f"{text}  - {other}, router: 192.0.2.13, {circuit}\n", encoding="utf-8")
    begun_us = day("11:45:20")
    start = OutageStart(LinkKey("xa-hoa-khanh", "primary"), begun_us, begun_us + 3_000_000)
    with closing(Ledger.open(ledger, calendar=Calendar(ZONE))) as opened:
        opened.record([start])


@pytest.mark.usefixtures("cable")
def test_outages_of_one_carrier_in_one_area_at_once_are_told_together(netmon: Netmon) -> None:
    found = json.loads(netmon("outages", "--groups", "--format=json"))
    group = "vnpt/ubnd-cai-be/2026-10-14T11:45:00+07:00"
    assert [(each["agency"], each["group"], each["group_links"]) for each in found] == [
        ("xa-an-huu", group, 2),
        ("xa-hoa-khanh", group, 2),
    ]
    (alone,) = json.loads(netmon("outages", "xa-hoa-khanh", "--format=json"))
    assert alone["group"] == group, "the choice of an agency tears no group apart"
    table = netmon("outages", "--lang=en")
    assert table.count("2 ×") == 2
    assert "At once" in table
    first = json.loads(netmon("outages", "ubnd-cai-be", "--format=json"))[0]
    assert (first["group"], first["group_links"]) == (None, None)


@pytest.mark.usefixtures("ledger")
def test_outages_are_csv_for_spreadsheets(netmon: Netmon) -> None:
    text = netmon("outages", "--format=csv")
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["start"], first["end"], first["seconds"], first["cause"]) == (
        "2026-10-14T08:00:00+07:00", "2026-10-14T08:30:00+07:00", "1800.0", "circuit",
    )  # fmt: skip
    assert (second["end"], second["seconds"]) == ("", "900.0")
    assert len(text.splitlines()) == 3


AVAILABILITY = {
    "vi": """\
Tỉ lệ sẵn sàng theo đường truyền
                                                 Thỏa                     Sự   Mất kết   Không quan
Tên                                Đo được      thuận   Cam kết   Độ phủ  cố       nối         trắc
────────────────────────────────────────────────────────────────────────────────────────────────────
UBND huyện Cái Bè                 87.500 %   87.500 %  99.500 %  5.594 %   1  00:30:00  2d 19:30:00
(ubnd-cai-be/primary)
UBND huyện Cái Bè                100.000 %  100.000 %         –  5.594 %   0         –  2d 19:30:00
(ubnd-cai-be/backup)
UBND xã An Hữu                   100.000 %  100.000 %         –  5.594 %   1         –  2d 19:30:00
(xa-an-huu/primary)
2026-10-01 00:00:00 – 2026-10-14 12:00:00 Asia/Ho_Chi_Minh, giờ làm việc, #""",
    "en": """\
Availability by link
                                  As
Name                        measured  As agreed    Target  Coverage  Outages      Down   Unobserved
────────────────────────────────────────────────────────────────────────────────────────────────────
UBND huyện Cái Bè           87.500 %   87.500 %  99.500 %   5.594 %        1  00:30:00  2d 19:30:00
(ubnd-cai-be/primary)
UBND huyện Cái Bè          100.000 %  100.000 %         –   5.594 %        0         –  2d 19:30:00
(ubnd-cai-be/backup)
UBND xã An Hữu             100.000 %  100.000 %         –   5.594 %        1         –  2d 19:30:00
(xa-an-huu/primary)
2026-10-01 00:00:00 – 2026-10-14 12:00:00 Asia/Ho_Chi_Minh, working hours, #""",
}


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_availability_of_working_hours_has_its_table(netmon: Netmon, language: str) -> None:
    words = ("--month=2026-10", "--by=link", "--hours=business", f"--lang={language}")
    table, _, seal = netmon("availability", *words).rpartition("#")
    assert f"{table}#" == AVAILABILITY[language]
    number, head = seal.split()
    assert (number.isdigit(), len(head)) == (True, 16)


@pytest.mark.usefixtures("ledger")
def test_availability_as_json_and_csv_say_the_same(netmon: Netmon) -> None:
    document = json.loads(netmon("availability", "--month=2026-10", "--format=json"))
    rows = list(
        csv.DictReader(io.StringIO(netmon("availability", "--month=2026-10", "--format=csv")))
    )
    assert [row["id"] for row in document["rows"]] == [row["id"] for row in rows]
    (primary,) = (row for row in document["rows"] if row["id"] == "ubnd-cai-be/primary")
    assert primary["measured_all_down_circuit_seconds"] == 1800
    assert primary["measured_all_availability_ratio"] == pytest.approx(0.9)
    assert document["ledger"]["entry"] > 0


@pytest.mark.usefixtures("ledger")
def test_seconds_are_reclassified_by_an_entry_that_stands_beside_them(netmon: Netmon) -> None:
    agreed = ("availability", "--month=2026-10", "--by=link", "--format=json")
    before = json.loads(netmon(*agreed))["rows"][0]
    said = netmon(
        "reclassify", "add", "ubnd-cai-be/primary", "biên bản 12", "--author=trưởng ca",
        "--from=2026-10-14T08:10", "--to=2026-10-14T08:30", "--lang=en",
    )  # fmt: skip
    assert "2026-10-14 08:10:00  08:30:00" in said
    assert "trưởng ca" in said
    assert "biên bản" in said
    assert "down →" in said
    assert netmon("reclassify", "list", "--month=2026-10", "--lang=en") == said
    after = json.loads(netmon(*agreed))["rows"][0]
    moved = "agreed_all_maintenance_seconds"
    assert after[moved] - before[moved] == 1200
    assert after["measured_all_availability_ratio"] == before["measured_all_availability_ratio"]
    assert "0 problems" in netmon("ledger", "verify")


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("start", ["20261014T0810", "2026-10-14T01:10Z"])
def test_the_month_that_is_shown_is_that_of_the_seconds_however_they_are_written(
    netmon: Netmon, start: str
) -> None:
    said = netmon(
        "reclassify", "add", "ubnd-cai-be/primary", "12", f"--from={start}", "--author=an",
        "--to=2026-10-14T08:30",
    )  # fmt: skip
    assert "2026-10-14 08:10:00  08:30:00" in said


@pytest.mark.usefixtures("ledger")
def test_a_reason_is_shown_as_it_was_written(netmon: Netmon) -> None:
    said = netmon(
        "reclassify", "add", "ubnd-cai-be/primary", "[xem] :key: [/12]", "--author=an",
        "--from=2026-10-14T08:10", "--to=2026-10-14T08:30",
    )  # fmt: skip
    assert all(word in said for word in ("[xem]", ":key:", "[/12]"))


@pytest.mark.usefixtures("ledger")
def test_spans_say_whose_second_it_was(netmon: Netmon) -> None:
    assert (
        netmon("spans", "ubnd-cai-be", "--month=2026-10", "--lang=en")
        == """\
Account
Start                End                      Duration  State       Cause
────────────────────────────────────────────────────────────────────────────
2026-10-01 00:00:00  2026-10-14 07:00:00  13d 07:00:00  unobserved
2026-10-14 07:00:00  08:00:00                 01:00:00  up
2026-10-14 08:00:00  08:30:00                 00:30:00  down        circuit
2026-10-14 08:30:00  12:00:00                 03:30:00  up
Asia/Ho_Chi_Minh"""
    )
    spans = json.loads(netmon("spans", "ubnd-cai-be", "--month=2026-10", "--format=json"))
    assert sum(span["seconds"] for span in spans) == (13 * 24 + 12) * 3600


def test_work_is_planned_listed_and_ended(netmon: Netmon, ledger: Path) -> None:
    plan = ("--for=2h", "--agency=ubnd-cai-be", "--subtree", "--author=an", "--lang=en")
    added = netmon("maintenance", "add", "w1", "Thay thiết bị", *plan)
    listed = netmon("maintenance", "list", "--lang=en")
    assert listed == added
    row = next(line for line in listed.splitlines() if line.startswith("w1"))
    assert row.endswith("ubnd-cai-be/…  Thay thiết bị  an")
    with closing(LedgerReader.open(ledger)) as reader:
        ((window, author),) = reader.windows()
    assert (window.end_us - window.start_us, author) == (2 * 3600 * 1_000_000, "an")
    netmon("maintenance", "end", "w1", "--author=binh")
    with closing(LedgerReader.open(ledger)) as reader:
        ((ended, _),) = reader.windows()
    assert ended.end_us < window.end_us
    assert netmon("ledger", "verify").split(", head")[0].endswith(", 0 problems")


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("outages", "xa-an-huuu"), "nor in the ledger; did you mean xa-an-huu?"),
        (("outages", "--provider=fpt"), "fpt: not in the inventory; known: vnpt, viettel"),
        (("outages", "--since=14/10/2026"), "14/10/2026: write a date as 2026-10-31"),
        (("availability", "--month=2026-13"), "--month 2026-13: write it as 2026-10"),
        (("availability", "--month=10/2026"), "--month 10/2026: write it as 2026-10"),
        (("spans", "xa-an-huu", "backup"), "xa-an-huu/backup: no such link in the inventory"),
        (("reclassify", "add", "ubnd-cai-be", "x", *_SPAN, "--after=down"), "are the same"),
        (("reclassify", "add", "xa-khong-co", "x", *_SPAN), "knows no such link"),
        (("reclassify", "add", "ubnd-cai-be", " ", *_SPAN), "who and why"),
        (("maintenance", "add", "w", "R", "--for=2h"), "say what the work covers"),
        (("maintenance", "add", "w", "R", "--for=2x", "--province"), "--for 2x: write a length"),
        (("maintenance", "add", "w", "R", "--for=2h", "--agency=no"), "--agency no: not in the"),
        (("maintenance", "add", "w", "R", "--from=2020-01-01", "--for=2h", "--province"),
         "begins in the past"),
        (("maintenance", "add", "w", " ", "--for=2h", "--province"), "who and why must be told"),
        (("maintenance", "end", "w9"), "w9: not known here; known: there is none"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_told_with_its_remedy(
    netmon: Netmon, words: tuple[str, ...], says: str
) -> None:
    assert says in netmon(*words, code=2)


@pytest.mark.parametrize(
    "words", [("outages",), ("availability",), ("spans", "xa-an-huu"), ("maintenance", "list")]
)
def test_without_a_ledger_it_says_where_it_looked(
    netmon: Netmon, settings: Path, words: tuple[str, ...]
) -> None:
    assert str(settings.with_name("ledger.sqlite")) in netmon(*words, code=2)


@pytest.mark.usefixtures("ledger")
def test_what_reads_it_in_place_of_a_terminal_gets_no_narrow_table(
    netmon: Netmon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    line = next(line for line in netmon("outages").splitlines() if line.startswith("ubnd-cai-be"))
    assert line.endswith(
        "mất 5 gói liên tiếp; thiết bị vẫn chạy; cổng wan0 mất tín hiệu đường truyền"
    )
