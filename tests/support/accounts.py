"""A small province on disk, with a ledger that tells of one working morning."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import from_datetime
from netmon.judge.calendar import Calendar
from netmon.ledger.ledger import Ledger
from netmon.model import (
    Cause,
    Event,
    Evidence,
    Health,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
    Transition,
)

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_SETTINGS = """\
inventory: agencies.yaml
calendar: calendar.yaml
storage: {path: ledger.sqlite}
web: {listen_address: "127.0.0.1:9877"}
"""
_CALENDAR = """\
hours: ["07:30-11:30", "13:30-17:00"]
weekdays: [monday, tuesday, wednesday, thursday, friday]
"""
_INVENTORY = """\
province: {id: p, name: Tỉnh thử nghiệm, name_en: Test province}
centre: {name: Trung tâm tích hợp dữ liệu}
providers: {vnpt: {name: VNPT}, viettel: {name: Viettel}}
kinds:
  district: {name: UBND cấp huyện, name_en: District, area: true}
  commune: {name: UBND cấp xã, name_en: Commune}
agencies:
  - id: ubnd-cai-be
    name: UBND huyện Cái Bè
    name_en: Cái Bè District
    kind: district
    router: 192.0.2.1
    links:
      - {role: primary, provider: vnpt, target: {availability: 99.5%, source: hợp đồng 12}}
      - {role: backup, provider: viettel, address: 192.0.2.5}
  - {id: xa-an-huu, name: UBND xã An Hữu, name_en: An Hữu Commune, kind: commune, parent: ubnd-cai-be, router: 192.0.2.9}
"""  # noqa: E501  # a line an agency
PRIMARY, BACKUP = LinkKey("ubnd-cai-be", "primary"), LinkKey("ubnd-cai-be", "backup")
COMMUNE = LinkKey("xa-an-huu", "primary")


def at(text: str) -> int:
    """Return an instant of the province's local time."""
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def day(clock: str) -> int:
    """Return an instant of Wednesday, 14 October 2026."""
    return at(f"2026-10-14T{clock}")


def province(directory: Path) -> Path:
    """Write settings and inventory; return the settings. There is no ledger yet."""
    for name, text in (
        ("netmon.yaml", _SETTINGS),
        ("calendar.yaml", _CALENDAR),
        ("agencies.yaml", _INVENTORY),
    ):
        (directory / name).write_text(text, encoding="utf-8")
    return directory / "netmon.yaml"


def ledger_of_a_morning(directory: Path) -> Path:
    """Write the ledger beside the settings: watched from 07:00 to 12:00, two links were down."""
    path = directory / "ledger.sqlite"
    calendar = Calendar(ZONE)
    ledger = Ledger.open(path, calendar=calendar)
    ledger.restore(day("07:00:00"))
    for key in (PRIMARY, BACKUP, COMMUNE):
        ledger.record([_turn(key, "07:00:00", State.UNKNOWN, State.UP)])
    ledger.record(_fall(PRIMARY, "08:00:00", "5 echoes in a row lost"))
    ledger.record(_rise(PRIMARY, "08:00:00", "08:30:00", Cause.CIRCUIT))
    ledger.record(_fall(COMMUNE, "11:45:00", "192.0.2.1 reports host unreachable"))
    ledger.beat(day("12:00:00"), 0)
    ledger.close()
    return path


def _turn(key: LinkKey, clock: str, before: State, after: State, text: str = "") -> Transition:
    health = Health.DOWN if after is State.DOWN else Health.UP
    at_us = day(clock)
    return Transition(key, at_us, at_us, before, after, health, Evidence(text))


def _fall(key: LinkKey, clock: str, text: str) -> list[Event]:
    at_us = day(clock)
    start = OutageStart(key, at_us, at_us, Evidence(text, 5, 5))
    return [start, _turn(key, clock, State.UP, State.DOWN, text)]


def _rise(key: LinkKey, began: str, clock: str, cause: Cause) -> list[Event]:
    start_us, end_us = day(began), day(clock)
    note = "the router ran on; wan0 lost its carrier"
    return [
        OutageEnd(key, start_us, end_us, end_us),
        _turn(key, clock, State.DOWN, State.UP),
        OutageNote(key, start_us, end_us, cause, text=note),
    ]
