"""Alertmanager: who is told what, what hushes what, and when it is business."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.alertmanager import Alertmanager
from lab.capabilities import Need, find_program, missing
from netmon.alerting.alertmanager import configuration
from netmon.alerting.intervals import business_hours
from netmon.alerting.mail import templates
from netmon.config import load_all
from netmon.judge.calendar import Calendar

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "exporters/alertmanager"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

needs_amtool = pytest.mark.skipif(
    bool(missing(Need.AMTOOL)), reason=missing(Need.AMTOOL) or "amtool is there"
)


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_program("amtool"), *arguments], capture_output=True, text=True, check=False
    )


def shipped() -> dict[str, Any]:
    """Return the shipped configuration as a tree."""
    tree: dict[str, Any] = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text("utf-8"))
    return tree


def test_the_shipped_files_are_made_of_the_shipped_inventory() -> None:
    loaded = load_all(ROOT / "config/netmon.yaml")
    made = configuration(loaded.inventory, loaded.settings)
    assert (SHIPPED / "alertmanager.yml").read_text("utf-8") == made
    assert (SHIPPED / "netmon.tmpl").read_text("utf-8") == templates(7 * 3600)


@needs_amtool
def test_amtool_finds_no_fault_in_it() -> None:
    done = amtool("check-config", str(SHIPPED / "alertmanager.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


ROUTES: dict[str, str] = {
    # Every kind of agency that the shipped inventory has, critical and not.
    **{
        f"alertname={alert} severity={severity} kind={kind}": "on-call"
        for kind in ("party", "department", "union", "state", "district")
        for alert, severity in (("AgencyDown", "critical"), ("SnmpDown", "warning"))
    },
    "alertname=AgencyDown severity=critical kind=commune": "on-call,communes",
    "alertname=SnmpDown severity=warning kind=commune": "communes,on-call",
    "alertname=AgencyDown severity=critical kind=union provider=vnpt": "on-call,vnpt",
    "alertname=ProviderOutage severity=critical provider=viettel": "on-call,viettel",
    "alertname=LinkDown severity=warning kind=department provider=vnpt": "on-call",
    "alertname=NetmonAbsent severity=critical": "on-call",
    "alertname=Else severity=none": "on-call",
    "alertname=NetmonDrill severity=critical kind=commune": "netmon-drill,on-call,communes",
    "alertname=Watchdog severity=none": "watchdog",
}


@needs_amtool
@pytest.mark.parametrize(("labels", "receivers"), ROUTES.items())
def test_alerts_reach_those_whom_the_settings_name(labels: str, receivers: str) -> None:
    config = f"--config.file={SHIPPED / 'alertmanager.yml'}"
    verified = f"--verify.receivers={receivers}"
    done = amtool("config", "routes", "test", config, verified, *labels.split())
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_of_agency_in_the_inventory_is_among_the_routes_tested() -> None:
    kinds = load_all(ROOT / "config/netmon.yaml").inventory.kinds
    assert all(any(f"kind={kind}" in labels for labels in ROUTES) for kind in kinds)


def rendered(name: str, data: Path) -> str:
    """Return a template of mail, filled with what Alertmanager tells a receiver."""
    glob = f"--template.glob={data.parent}/*.tmpl"
    text = f'--template.text={{{{ template "netmon.{name}" . }}}}'
    done = amtool("template", "render", glob, text, f"--template.data={data}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_amtool
def test_the_subject_names_what_goes_on_and_not_what_is_over(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "netmon.tmpl", tmp_path)
    data = tmp_path / "data.json"
    alerts = [
        {"status": status, "annotations": {"summary": f"Đường truyền {link} suy giảm."}}
        for status, link in (("resolved", "primary"), ("firing", "backup"))
    ]
    data.write_text(json.dumps({"status": "firing", "alerts": alerts}), "utf-8")
    assert rendered("subject", data) == "[SỰ CỐ] Đường truyền backup suy giảm. (+)"


@needs_amtool
def test_a_mail_is_vietnamese_with_english_beneath_it(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "netmon.tmpl", tmp_path)
    data = tmp_path / "data.json"
    alert = {
        "status": "resolved",
        "startsAt": "2026-11-23T01:15:00Z",
        "endsAt": "2026-11-23T02:00:00Z",
        "annotations": {
            "summary": "UBND xã Tân Hội Đông mất kết nối.",
            "description": "Kênh: <TSL-1>.",
            "summary_en": "It is down.",
            "description_en": "Circuit.",
            "runbook_url": "https://x.example/A.md",
        },
    }
    data.write_text(json.dumps({"status": "resolved", "alerts": [alert]}), "utf-8")
    done = {name: rendered(name, data) for name in ("subject", "text", "html")}
    assert done["subject"] == "[ĐÃ HẾT] UBND xã Tân Hội Đông mất kết nối."
    assert "Từ 08:15 23/11/2026 đến 09:00 23/11/2026" in done["text"]
    assert "It is down." in done["text"]
    assert 'href="https://x.example/A.md"' in done["html"]


# --- What hushes what -----------------------------------------------------------------------------


def hushed(source: dict[str, str], target: dict[str, str]) -> bool:
    """Tell whether one alert inhibits another, by Alertmanager's rules."""
    return any(
        all(fits(matcher, source) for matcher in rule["source_matchers"])
        and all(fits(matcher, target) for matcher in rule["target_matchers"])
        and all(source.get(name, "") == target.get(name, "") for name in rule.get("equal", ()))
        for rule in shipped()["inhibit_rules"]
    )


def fits(matcher: str, labels: dict[str, str]) -> bool:
    found_in = re.fullmatch(r'(\w+)(=~|!=|=)"(.*)"', matcher)
    assert found_in is not None
    name, operator, value = found_in.groups()
    found = labels.get(name, "")
    if operator == "=~":
        return re.fullmatch(value, found) is not None
    return (found == value) is (operator == "=")


DISTRICT = {"alertname": "AgencyDown", "agency": "ubnd-cai-be", "district": "ubnd-cai-be"}
BEHIND = {"agency": "xa-1", "parent": "ubnd-cai-be", "district": "ubnd-cai-be"}
COMMUNE = {"alertname": "AgencyDown", **BEHIND}
AREA = {"alertname": "AreaOutage", "district": "ubnd-cai-be"}
CARRIER = {"alertname": "ProviderOutage", "provider": "vnpt"}
BLIND = {"alertname": "NetmonBlind", "job": "netmon", "instance": "a"}
HUSHED: list[tuple[dict[str, str], dict[str, str]]] = [
    (DISTRICT, COMMUNE),
    (DISTRICT, {"alertname": "LinkDown", **BEHIND}),
    (DISTRICT, AREA),
    (DISTRICT, {"alertname": "LinkDown", "agency": "ubnd-cai-be"}),
    (AREA, COMMUNE),
    (CARRIER, {"alertname": "AgencyDown", "provider": "vnpt"}),
    (BLIND, {"alertname": "AgencyDown", "job": "netmon", "instance": "a"}),
]
TOLD: list[tuple[dict[str, str], dict[str, str]]] = [
    (DISTRICT, {"alertname": "AgencyDown", "agency": "so-y-te"}),
    (DISTRICT, {**COMMUNE, "parent": "ubnd-cai-lay"}),
    (DISTRICT, {"alertname": "NetmonAbsent"}),
    (DISTRICT, {**DISTRICT, "alertname": "NetmonDrill"}),
    (AREA, DISTRICT),
    (CARRIER, {"alertname": "AgencyDown", "provider": "viettel"}),
    ({"alertname": "ProviderOutage"}, {"alertname": "AgencyDown"}),
    (BLIND, {"alertname": "AgencyDown", "job": "netmon", "instance": "b"}),
    (BLIND, {"alertname": "LedgerTrouble", "job": "netmon", "instance": "a"}),
]


@pytest.mark.parametrize(("source", "target"), HUSHED)
def test_what_explains_another_alert_hushes_it(
    source: dict[str, str], target: dict[str, str]
) -> None:
    assert hushed(source, target)


@pytest.mark.parametrize(("source", "target"), TOLD)
def test_what_explains_nothing_hushes_nothing(
    source: dict[str, str], target: dict[str, str]
) -> None:
    assert not hushed(source, target)


@pytest.mark.skipif(
    bool(missing(Need.ALERTMANAGER)), reason=missing(Need.ALERTMANAGER) or "Alertmanager is there"
)
def test_alertmanager_itself_hushes_what_is_expected_and_nothing_else(tmp_path: Path) -> None:
    for path in SHIPPED.iterdir():
        shutil.copy(path, tmp_path)
    with Alertmanager(tmp_path / "alertmanager.yml") as alertmanager:
        for source, target in HUSHED:
            assert asked(alertmanager, source, target), (source, target)
        for source, target in TOLD:
            assert not asked(alertmanager, source, target), (source, target)


EXPLAINED = ({"alertname": "AgencyDown", "agency": "x"}, {"alertname": "LinkDown", "agency": "x"})
"""The second is always hushed: once it is, Alertmanager has seen all that were handed in before."""


def asked(alertmanager: Alertmanager, source: dict[str, str], target: dict[str, str]) -> bool:
    """Raise a pair of alerts; tell whether the second is hushed; end both."""
    pairs = [source, target, *EXPLAINED]
    alertmanager.post({"labels": labels} for labels in pairs)
    deadline = monotonic() + 20
    while not found(alertmanager, EXPLAINED[1])["status"]["inhibitedBy"]:
        assert monotonic() < deadline, "Alertmanager hushes nothing at all"
        sleep(0.02)
    hushed_by: list[str] = found(alertmanager, target)["status"]["inhibitedBy"]
    over = "2026-01-01T00:00:00Z"
    alertmanager.post({"labels": labels, "startsAt": over, "endsAt": over} for labels in pairs)
    while alertmanager.alerts():
        assert monotonic() < deadline, "alerts that are over are still there"
        sleep(0.02)
    return bool(hushed_by)


def found(alertmanager: Alertmanager, labels: dict[str, str]) -> dict[str, Any]:
    """Return the alert with these labels."""
    (alert,) = [each for each in alertmanager.alerts() if each["labels"] == labels]
    return alert


# --- Business hours -------------------------------------------------------------------------------


def holds_day(interval: dict[str, Any], at: datetime) -> bool:
    """Tell whether a day of local time fits an interval, as Alertmanager does."""
    assert interval["location"] == ZONE.key
    return (
        within(interval.get("years"), at.year)
        and within(interval.get("months"), at.month)
        and within(interval.get("days_of_month"), at.day)
        and ("weekdays" not in interval or f"{at:%A}".lower() in interval["weekdays"])
    )


def holds_minute(intervals: list[dict[str, Any]], minute: int) -> bool:
    return any(
        minutes(span["start_time"]) <= minute < minutes(span["end_time"])
        for interval in intervals
        for span in interval["times"]
    )


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def within(ranges: list[str] | None, value: int) -> bool:
    if ranges is None:
        return True
    bounds = ([int(part) for part in each.split(":")] for each in ranges)
    return any(each[0] <= value <= each[-1] for each in bounds)


def disagreements(calendar: Calendar, first: date, days: int, every: int) -> list[str]:
    """Return the instants, some minutes apart, of which the two say different things."""
    intervals: list[Any] = list(business_hours(calendar))
    found = []
    for number in range(days):
        midnight = datetime.combine(first + timedelta(days=number), time(), ZONE)
        of_the_day = [each for each in intervals if holds_day(each, midnight)]
        for minute in range(number % every, 1440, every):
            at = midnight + timedelta(minutes=minute)
            business = calendar.is_business(round(at.timestamp()) * 1_000_000)
            if holds_minute(of_the_day, minute) != business:
                found.append(at.isoformat())
    return found


@pytest.mark.parametrize("year", [2025, 2026, 2030])
def test_business_hours_are_those_of_the_account_all_the_year(year: int) -> None:
    """Every thirtieth minute, on another minute each day: edges of spans are met on both sides."""
    calendar = load_all(ROOT / "config/netmon.yaml").settings.calendar
    assert disagreements(calendar, date(year, 1, 1), 365, 30) == []


def test_business_hours_are_those_of_the_account_in_every_minute_of_a_month() -> None:
    """August 2026: with a Saturday worked in place of a Monday."""
    calendar = load_all(ROOT / "config/netmon.yaml").settings.calendar
    assert disagreements(calendar, date(2026, 8, 20), 14, 1) == []


days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@settings(max_examples=10, deadline=None)
@given(
    st.frozensets(days, max_size=20),
    st.frozensets(days, max_size=5),
    st.frozensets(st.integers(0, 6)),
)
def test_whatever_the_calendar_says_both_agree(
    holidays: frozenset[date], extra: frozenset[date], weekdays: frozenset[int]
) -> None:
    calendar = Calendar(ZONE, ((time(8), time(12)), (time(20), time(0))), weekdays, holidays, extra)
    assert disagreements(calendar, date(2023, 12, 25), 1120, 240) == []
