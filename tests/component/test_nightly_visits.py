"""When the nightly round runs, what it refuses to do, and what the daemon shows of it."""

from __future__ import annotations

import fcntl
import json
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from netmon.clock import Timeline, from_datetime
from netmon.config.settings import (
    RouterVisits,
    SecretReference,
    SecretSource,
    Settings,
    SshCredential,
    Storage,
)
from netmon.errors import LedgerError
from netmon.inventory.coverage import coverage, software, total
from netmon.inventory.latest import LastVisit, LastVisits
from netmon.inventory.overview import standing
from netmon.inventory.sheets import to_xlsx
from netmon.inventory.tables import standing_records
from netmon.judge.calendar import Calendar
from netmon.ledger.facts import TRAP, FactChange, Told
from netmon.ledger.reader import Fact
from netmon.model import (
    Agency,
    InterfaceReading,
    Inventory,
    Kind,
    Province,
    Router,
    RouterFacts,
    RouterReading,
    SnmpStatus,
)
from netmon.visits import Visits
from tests.support.snapshots import outage, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = "NETMON_TEST_SSH"  # the name of a variable


class HandClock:
    """A clock that a test sets."""

    def __init__(self, local: str) -> None:
        self.at_us = from_datetime(datetime.fromisoformat(f"{local}+07:00"))

    def monotonic_us(self) -> int:
        return self.at_us

    def wall_us(self) -> int:
        return self.at_us


class World:
    """An inventory of one router on a port where nobody listens, and the visits to it."""

    def __init__(self, directory: Path, local: str) -> None:
        self.clock = HandClock(local)
        self.told: list[Told] = []
        self.directory = directory
        self.writable = True
        self.history: list[Fact] = []
        """What other processes entered."""
        credential = SshCredential("netmon", SecretReference(SecretSource.ENVIRONMENT, SECRET))
        self.settings = Settings(
            inventory=Path("agencies.yaml"),
            storage=Storage(directory / "ledger.sqlite3"),
            calendar=Calendar(ZoneInfo("UTC")),
            ssh_credentials={"province": credential},
            visits=RouterVisits(directory, at_minutes=60, splay_seconds=0, deadline_seconds=5),
        )
        router = Router(ip_address("127.0.0.1"), ssh="province", ssh_port=9, platform="cisco_ios")
        agency = Agency("xa-a", "Xã A", "commune", router=router, staff=10, mailboxes=7, lan=True)
        self.inventory = Inventory(
            Province("p", "P", "P", "Asia/Ho_Chi_Minh", "C"),
            MappingProxyType({"commune": Kind("commune", "Xã", "Commune")}),
            MappingProxyType({}),
            MappingProxyType({"xa-a": agency}),
        )
        self.start(self.inventory)

    def start(self, inventory: Inventory) -> None:
        """Begin anew, as after a restart."""
        self.visits = Visits(Timeline(self.clock), self._enter, lambda: self.history)
        self.visits.set_inventory(inventory, self.settings)

    async def _enter(self, told: Told) -> Sequence[FactChange]:
        if not self.writable:
            raise LedgerError("the disk is full")
        self.told.append(told)
        return [
            FactChange(told.agency, key, "x", value, told.source, told.at_us, news=True)
            for key, value in told.facts.items()
        ]

    async def visited(self, local: str) -> bool:
        """Tell whether a round ran at a time."""
        self.clock.at_us = from_datetime(datetime.fromisoformat(f"{local}+07:00"))
        last = self.directory / "last" / "xa-a.json"
        last.unlink(missing_ok=True)
        await self.visits.look()
        return last.exists()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv(SECRET, "SEEDlogin")
    return World(tmp_path, "2026-11-23T00:30:00")


async def test_the_round_runs_once_a_night_and_never_in_the_day(world: World) -> None:
    assert not await world.visited("2026-11-23T00:59:00")
    assert await world.visited("2026-11-23T01:00:30")
    assert not await world.visited("2026-11-23T01:01:30")
    assert not await world.visited("2026-11-23T09:00:00")
    assert await world.visited("2026-11-24T01:00:10")
    assert not await world.visited("2026-11-25T05:30:00")


async def test_a_restart_does_not_repeat_the_round(world: World, tmp_path: Path) -> None:
    assert await world.visited("2026-11-23T01:00:30")
    again = World(tmp_path, "2026-11-23T01:10:00")
    assert not await again.visited("2026-11-23T01:10:00")


async def test_a_round_that_was_stopped_goes_on_with_who_is_left(
    world: World, tmp_path: Path
) -> None:
    assert await world.visited("2026-11-23T01:00:30")
    note = tmp_path / "last-round.json"
    begun_us = json.loads(note.read_text("utf-8"))["begun_us"]
    last = LastVisits(tmp_path / "last")
    for before_us, at, goes_on in (
        (1, "2026-11-23T01:10:00", True),
        (-1, "2026-11-23T01:20:00", False),
        (1, "2026-11-23T05:10:00", False),
    ):
        note.write_text(json.dumps({"begun_us": begun_us, "ended": False}), "utf-8")
        last.save(LastVisit("xa-a", begun_us - before_us, "ok"))
        again = World(tmp_path, at)
        await again.visits.look()
        visit = last.of("xa-a")
        assert visit is not None
        assert (visit.status == "unreachable") == goes_on, at


async def test_a_round_waits_for_one_that_people_run(world: World, tmp_path: Path) -> None:
    with (tmp_path / "round.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not await world.visited("2026-11-23T01:00:30")
    assert await world.visited("2026-11-23T01:01:30")


async def test_where_nothing_can_be_written_it_is_said_and_tried_again(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "last-round.json").mkdir()
    assert not await world.visited("2026-11-23T01:00:30")
    assert "check visits.path" in caplog.text
    (tmp_path / "last-round.json").rmdir()
    assert await world.visited("2026-11-23T01:01:30")


async def test_facts_that_the_ledger_does_not_take_are_entered_at_the_next_poll(
    world: World,
) -> None:
    reading = RouterReading("xa-a", 1, SnmpStatus.OK, facts=RouterFacts(model="M"))
    world.writable = False
    await world.visits.take_reading(reading)
    world.writable = True
    await world.visits.take_reading(reading)
    assert [dict(told.facts) for told in world.told] == [{"model": "M"}]


@pytest.mark.parametrize("told", ["now", "before the start", "never"])
async def test_a_round_waits_a_little_for_what_snmp_tells_of_a_router(
    world: World, told: str
) -> None:
    router = Router(ip_address("127.0.0.1"), snmp="p", ssh="province", ssh_port=9)
    agency = replace(world.inventory.agencies["xa-a"], router=router)
    world.history += [
        Fact("xa-a", "vendor", "Cisco", "snmp", 1),
        Fact("xa-a", "os", "IOS", "snmp", 1),
    ]
    if told != "before the start":
        world.history.clear()
    world.clock.at_us += 29 * 60 * 1_000_000
    world.start(replace(world.inventory, agencies={"xa-a": agency}))
    first = await world.visited("2026-11-23T01:00:30")
    assert first == (told == "before the start")
    if told == "now":
        facts = RouterFacts(vendor="Cisco", os="IOS", description="Cisco IOS Software")
        await world.visits.take_reading(RouterReading("xa-a", 1, SnmpStatus.OK, facts=facts))
    if not first:
        later = "2026-11-23T01:01:30" if told == "now" else "2026-11-23T01:04:30"
        assert await world.visited(later)
    status = "not_configured" if told == "never" else "unreachable"
    assert world.visits.figures().statuses[status] == 1


async def test_a_note_that_a_power_cut_tore_is_no_note(world: World, tmp_path: Path) -> None:
    (tmp_path / "last-round.json").write_text("")
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "xa-a.json").write_text('{"agency": ')
    assert await world.visited("2026-11-23T01:00:30")


async def test_what_people_found_by_hand_is_shown_and_counted_once(
    world: World, tmp_path: Path
) -> None:
    hour_us, last = 3_600_000_000, LastVisits(tmp_path / "last")
    before_us = world.clock.at_us
    world.history = [
        Fact("xa-a", "config", "c1", "ssh", before_us - 1),
        Fact("xa-a", "serial", "S1", "ssh", before_us - 1),
        Fact("xa-a", "config", "c2", "ssh", before_us + hour_us),
        Fact("xa-a", "serial", "S2", "snmp", before_us + hour_us),
    ]
    last.save(LastVisit("xa-a", before_us + hour_us, "host_key", unread={"show version": "?"}))
    world.clock.at_us += 10 * hour_us
    for _ in range(2):
        await world.visits.look()
    figures = world.visits.figures()
    assert (figures.changes["config"], sum(figures.changes.values())) == (1, 1)
    assert (figures.changed_keys, figures.statuses["host_key"]) == (("xa-a",), 1)
    assert figures.unread == 1
    begun = replace(outage("xa-a"), start_us=before_us + hour_us + 60_000_000)
    (shown,) = world.visits.noted(snapshot(open_outages=(begun,))).open_outages
    assert "netmon config diff xa-a" in shown.note


async def test_after_a_restart_it_is_known_how_visits_ended(world: World, tmp_path: Path) -> None:
    LastVisits(tmp_path / "last").save(LastVisit("xa-a", 1, "host_key"))
    await world.visits.look()
    assert world.visits.figures().changed_keys == ("xa-a",)
    assert sum(world.visits.figures().changes.values()) == 0
    unvisited = replace(world.inventory.agencies["xa-a"], router=None)
    world.visits.set_inventory(
        replace(world.inventory, agencies={"xa-a": unvisited}), world.settings
    )
    assert world.visits.figures().changed_keys == ()


async def test_without_a_readable_secret_there_is_no_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET)
    assert not await world.visited("2026-11-23T01:00:30")


async def test_never_means_never(world: World) -> None:
    visits = replace(world.settings.router_visits, at_minutes=None)
    world.visits.set_inventory(world.inventory, replace(world.settings, visits=visits))
    assert not await world.visited("2026-11-23T01:00:30")


async def test_how_visits_ended_is_shown(world: World) -> None:
    await world.visited("2026-11-23T01:00:30")
    figures = world.visits.figures()
    assert figures.statuses["unreachable"] == 1
    assert sum(figures.statuses.values()) == 1
    assert set(figures.changes.values()) == {0}
    last = LastVisits(world.directory / "last").of("xa-a")
    assert last is not None
    assert "127.0.0.1 port 9" in last.detail


async def test_facts_of_snmp_polls_are_entered_when_they_change(world: World) -> None:
    reading = RouterReading("xa-a", 1, SnmpStatus.OK, facts=RouterFacts(model="M", serial="S"))
    await world.visits.take_reading(reading)
    await world.visits.take_reading(reading)
    await world.visits.take_reading(replace(reading, facts=RouterFacts()))
    assert [(told.source, dict(told.facts)) for told in world.told] == [
        ("snmp", {"model": "M", "serial": "S"})
    ]
    assert world.visits.figures().changes["serial"] == 1


async def test_the_interfaces_that_snmp_watches_are_facts_too(world: World) -> None:
    wan, lan = InterfaceReading(1, "wan0", alias="to the centre"), InterfaceReading(2, "lan0")
    whole = RouterReading(
        "xa-a", 1, SnmpStatus.OK, facts=RouterFacts(model="M"), interfaces=(wan, lan)
    )
    for each in (whole, replace(whole, facts=RouterFacts()), replace(whole, interfaces=())):
        await world.visits.take_reading(each)
    await world.visits.take_reading(replace(whole, interfaces=(wan,)))
    first, second = world.told
    assert first.facts == {
        "model": "M",
        "interface/wan0": "to the centre",
        "interface/lan0": "-",
    }
    assert second.facts == {"model": "M", "interface/wan0": "to the centre"}
    assert tuple(second.within) == ("interface",)


def test_a_trap_is_no_source_of_facts(world: World) -> None:
    model = Fact("xa-a", "model", "M", "snmp", 1)
    trap = Fact("xa-a", f"{TRAP}/linkDown", "1.3.6.1=7", TRAP, 2)
    (row,) = standing(world.inventory, [model, trap], {})
    assert (row.identity, row.sources) == ({"model": "M"}, ("snmp",))


def test_interfaces_are_shown_by_the_names_of_one_source(world: World) -> None:
    snmp = Fact("xa-a", "interface/Gi0/0", "x", "snmp", 1)
    ssh = Fact("xa-a", "interface/GigabitEthernet0/0", "x", "ssh", 1)
    for told, name in (([snmp], "Gi0/0"), ([ssh, snmp], "GigabitEthernet0/0")):
        (row,) = standing(world.inventory, told, {})
        assert row.tables["interface"] == {name: "x"}


def test_changes_known_to_the_ledger_are_shown_beside_outages() -> None:
    open_outage = outage("xa-a")
    now = snapshot(open_outages=(open_outage,))
    clock = HandClock("2026-11-23T01:00:00")

    async def enter(_told: Told) -> Sequence[FactChange]:
        return []

    changed_us = open_outage.start_us - 60_000_000
    history = [
        Fact("xa-a", "config", "c1", "ssh", 1),
        Fact("xa-a", "config", "c2", "ssh", changed_us),
    ]
    shown = Visits(Timeline(clock), enter, lambda: history).noted(now)
    assert f"netmon config diff {open_outage.key.agency}" in shown.open_outages[0].note
    assert Visits(Timeline(clock), enter).noted(now) is now


def test_the_terminal_is_believed_before_snmp_and_the_sheet_holds_no_formula(
    world: World,
) -> None:
    facts = [
        Fact("xa-a", "model", "=1+1", "ssh", 5),
        Fact("xa-a", "model", "other", "snmp", 9),
        Fact("xa-a", "serial", "S", "snmp", 7),
        Fact("xa-a", "neighbour/a", "core-1", "ssh", 5),
    ]
    (row,) = standing(world.inventory, facts, {})
    assert (row.identity["model"], row.since_us, row.disagreements[0].key) == ("=1+1", 7, "model")
    records = standing_records([row], ZoneInfo("UTC"))
    sheet = load_workbook(BytesIO(to_xlsx(records, "netmon"))).active
    assert sheet is not None
    cells = {cell.value: cell.data_type for line in sheet.iter_rows() for cell in line}
    assert cells["=1+1"] == "s"


def test_coverage_counts_what_is_known_and_sums_it_up(world: World) -> None:
    (row,) = coverage(world.inventory)
    assert (row.agencies, row.connected, row.lan, row.lan_known) == (1, 0, 1, 1)
    assert row.mailbox_ratio == pytest.approx(0.7)
    assert total([row, row]).mailboxes == 14
    assert software([{"vendor": "Cisco"}, {"vendor": "Cisco"}, {}]) == {("Cisco", "", ""): 2}
