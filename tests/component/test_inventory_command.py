"""`netmon inventory` and `netmon config` as people and spreadsheets see them."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from netmon.cli import main
from netmon.inventory.configs import ConfigStore
from netmon.inventory.latest import LastVisit, LastVisits
from netmon.ledger.desk import Desk
from netmon.ledger.facts import FactChange, Told
from netmon.messages import Catalogue
from netmon.probes.ssh.round import configurations
from netmon.probes.ssh.visit import SshStatus
from tests.support.ssh_site import Site

if TYPE_CHECKING:
    from pathlib import Path

NOW_US = 1_795_400_000_000_000
HOUR_US = 3_600_000_000
FORMULA = '=HYPERLINK("http://evil","x")'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site", ("netmon", "SEEDlogin"))
    for number, agency in enumerate(("xa-a", "xa-b"), 1):
        site.add(agency, {"address": f"127.0.5.{number}", "platform": "cisco_ios"})
    model = {"vendor": "Cisco", "os": "IOS", "version": "15.4", "model": "[/red] :bomb:"}
    enter(site, "xa-a", {**model, "serial": "FTX0000A0B1", "name": FORMULA}, 0)
    enter(site, "xa-b", {**model, "serial": "FTX0000A0B2", "interface/Gi0/0": "[bold"}, 0)
    return site


def enter(
    site: Site, agency: str, facts: dict[str, str], hours: int, source: str = "ssh"
) -> list[FactChange]:
    with closing(Desk.open(site.directory / "ledger.sqlite3")) as desk:
        return desk.enter_facts(Told(agency, source, NOW_US + hours * HOUR_US, facts))


def run(site: Site, *words: str) -> int:
    return main([*words, f"--config.file={site.settings}"])


def said(site: Site, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(site, *words) == 0
    return capsys.readouterr().out


def test_what_a_router_says_is_shown_as_it_is(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words in square brackets would be taken for colours, and end the command."""
    shown = said(site, capsys, "inventory", "--lang", "en")
    assert "[/red] :bomb:" in shown
    assert "There since" in shown
    assert "[bold" in said(site, capsys, "inventory", "xa-b")


def test_a_file_for_spreadsheets_holds_vietnamese_and_no_formula(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "inventory.csv"
    said(site, capsys, "inventory", "--format", "csv", "--output", str(path))
    piped = said(site, capsys, "inventory", "--format", "csv")
    assert path.read_bytes() == b"\xef\xbb\xbf" + piped.encode()
    rows = list(csv.DictReader(io.StringIO(piped)))
    assert [row["agency_name"] for row in rows] == ["UBND xã xa-a", "UBND xã xa-b"]
    assert rows[0]["name"] == f"'{FORMULA}"


def test_a_workbook_opens_with_its_texts_as_texts(
    site: Site, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    enter(site, "xa-a", {"location": "x", "model": "a\x0bb\x1b[2J"}, 1)
    path = tmp_path / "inventory.xlsx"
    said(site, capsys, "inventory", "--kind", "commune", "--format", "xlsx", "--output", str(path))
    sheet = load_workbook(path).active
    assert sheet is not None
    cells = {str(cell.value): cell.data_type for row in sheet.iter_rows() for cell in row}
    assert cells["UBND xã xa-a"] == cells[FORMULA] == "s"
    assert cells["ab[2J"] == "s"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", sheet.dimensions)


def test_json_tells_everything_that_is_known(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(site, "xa-b", {"serial": "OTHER0001"}, 1, "snmp")
    up = {"uptime": "3 weeks"}
    visit = LastVisit("xa-b", NOW_US, "ok", facts=up, tables={"arp": {"10.0.0.1": "02:aa"}})
    LastVisits(site.directory / "routers" / "last").save(visit)
    (record,) = json.loads(said(site, capsys, "inventory", "xa-b", "--format", "json"))
    assert record["tables"]["interface"] == {"Gi0/0": "[bold"}
    assert record["tables"]["arp"] == {"10.0.0.1": "02:aa"}
    assert record["uptime"] == "3 weeks"
    assert "3 weeks" in said(site, capsys, "inventory", "xa-b", "--lang", "en")
    assert record["disagreements"] == {"serial": {"ssh": "FTX0000A0B2", "snmp": "OTHER0001"}}


def test_routers_are_counted_by_vendor_and_software(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(site, capsys, "inventory", "software", "--format", "json")
    assert json.loads(told) == [{"vendor": "Cisco", "os": "IOS", "version": "15.4", "routers": 2}]
    table = said(site, capsys, "inventory", "software")
    assert "15.4" in table
    assert "Hệ điều hành" in table
    (kind, province) = json.loads(said(site, capsys, "inventory", "coverage", "--format", "json"))
    assert (kind["kind"], province["kind"], province["agencies"]) == ("commune", "all", 2)


def test_a_serial_that_moved_is_told_as_moved(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Nothing changed" in said(site, capsys, "inventory", "changes", "--lang", "en")
    (moved,) = enter(site, "xa-b", {"serial": "FTX0000A0B1"}, 1)
    assert moved.elsewhere == "xa-a"
    (record,) = json.loads(said(site, capsys, "inventory", "changes", "--format", "json"))
    assert (record["agency"], record["moved_from"]) == ("xa-b", "xa-a")
    assert "moved from xa-a" in said(site, capsys, "inventory", "changes", "--lang", "en")
    assert json.loads(said(site, capsys, "inventory", "changes", "xa-a", "--format", "json")) == []


def test_no_serial_number_is_nowhere_else(site: Site) -> None:
    enter(site, "xa-a", {"serial": "None"}, 1)
    (change,) = enter(site, "xa-b", {"serial": "None"}, 2)
    assert change.elsewhere == ""


def test_the_configuration_is_told_as_it_is_and_as_it_changed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ConfigStore.open(configurations(site.directory / "routers"), create=True)
    for hour, text in enumerate(("a\n", "b\n", "[/red]\n")):
        store.save("xa-a", text, NOW_US + hour * HOUR_US)
    store.close()
    assert said(site, capsys, "config", "show", "xa-a") == "[/red]\n"
    assert said(site, capsys, "config", "diff", "xa-a").splitlines()[-2:] == ["-b", "+[/red]"]
    since = said(site, capsys, "config", "diff", "xa-a", "--since", "2020-01-01")
    assert since.splitlines()[-1] == "+[/red]"
    assert "--- nothing" in since
    assert len(said(site, capsys, "config", "log", "xa-a").splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("inventory", "xa-c"), "xa-c: no such agency"),
        (("inventory", "--kind", "town"), "--kind town: no such kind; known: commune"),
        (("inventory", "--format", "xlsx"), "name the file with --output"),
        (("inventory", "--output", "x"), "--output: choose --format csv, json or xlsx"),
        (("config", "diff", "xa-c"), "xa-c: no such agency"),
        (("config", "show", "xa-a", "--since", "2026-01-01"), "--since goes with"),
    ],
)
def test_what_cannot_be_done_is_said(
    site: Site, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    assert run(site, *words) == 2
    assert reason in capsys.readouterr().err


def test_every_end_of_a_visit_has_words(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    last, catalogue = LastVisits(site.directory / "routers" / "last"), Catalogue.load()
    for status in SshStatus:
        last.save(LastVisit("xa-a", NOW_US, status.value, f"why {status}"))
        shown = said(site, capsys, "inventory", "xa-a", "--lang", "en")
        assert catalogue.text("en", f"visit.{status}") in shown
        assert f"why {status}" in shown
