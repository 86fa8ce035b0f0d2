"""Rounds against simulated routers behind real SSH: every kind of trouble is told, none spreads."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from netmon.clock import SystemClock, Timeline
from netmon.config.secrets import Secret
from netmon.errors import InventoryError, LedgerError
from netmon.inventory.configs import ConfigStore
from netmon.inventory.journal import changes
from netmon.inventory.latest import LastVisits
from netmon.judge.calendar import Calendar
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.probes.ssh.adapter import Login
from netmon.probes.ssh.collector import Limits, Target
from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.round import InventoryRound, RoundResult, configurations
from netmon.probes.ssh.visit import SshStatus, Visit, visit
from tests.support.ssh_recordings import SEED, recordings
from tests.support.ssh_site import assert_sound, find_word
from tests.support.ssh_vendors import PASSWORD, USER, Device, Vendors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from netmon.ledger.facts import FactChange, Told

pytestmark = pytest.mark.net

PLATFORMS = load_platforms()
ALL = recordings()
MARKED = {"cisco_ios", "cisco_xe", "fortinet", "frr", "hp_comware", "huawei_vrp"}
"""Platforms whose configuration has a mark of its end."""
PATIENT = Limits(4, 60.0)
ENABLE = "SEEDenable"
CONFIG = "show running-config"


class Bench:
    """A directory, a ledger, simulated routers, and rounds over them."""

    def __init__(self, directory: Path, vendors: Vendors) -> None:
        self.directory = directory
        self.vendors = vendors
        self.targets: list[Target] = []
        self.ledger_path = directory / "ledger.sqlite3"
        self.ledger = Ledger.open(self.ledger_path, calendar=Calendar(ZoneInfo("UTC")))
        self.visits: dict[str, Visit] = {}
        self.unwritable = ""
        """The agency whose facts the ledger does not take …"""
        self.refusal: Exception = LedgerError("the disk is full")
        """… and what it says."""
        self.seen_some = asyncio.Event()
        """Set when four routers were visited."""

    def add(
        self,
        agency: str,
        device: Device,
        platform: str = "cisco_ios",
        credential: str = "province",
    ) -> Device:
        """Put a router in place of an agency."""
        address = f"127.0.7.{len(self.targets) + 1}"
        self.vendors.devices[address] = device
        login = Login(
            ip_address(address), self.vendors.port, USER, Secret(PASSWORD), None, Secret(ENABLE)
        )
        target = Target(agency, PLATFORMS[platform], credential, login, (PASSWORD, ENABLE))
        self.targets.append(target)
        return device

    async def run(self, limits: Limits | None = None) -> RoundResult:
        """Run a round and remember what each visit came to."""

        async def enter(told: Told) -> Sequence[FactChange]:
            if told.agency == self.unwritable:
                raise self.refusal
            return self.ledger.enter_facts(told)

        def seen(visit: Visit) -> None:
            self.visits[visit.agency] = visit
            if len(self.visits) >= 4:
                self.seen_some.set()

        round_ = InventoryRound(self.directory, Timeline(SystemClock()), enter)
        return await round_.run(self.targets, [], limits or Limits(8, 60.0), seen)

    def status(self, agency: str) -> SshStatus:
        """Return how the last visit ended."""
        return self.visits[agency].status

    def configuration(self, agency: str) -> str | None:
        """Return what is kept."""
        store = ConfigStore.open(configurations(self.directory))
        try:
            return store.text(agency)
        finally:
            store.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    async with Vendors({}) as vendors:
        bench = Bench(tmp_path, vendors)
        yield bench
        bench.ledger.close()


def ios() -> Device:
    return recordings()["cisco_ios"].device()


def facts(bench: Bench, agency: str) -> dict[str, str]:
    reader = LedgerReader.open(bench.ledger_path)
    try:
        return {fact.key: fact.value for fact in reader.facts(agency)}
    finally:
        reader.close()


async def test_every_platform_tells_its_facts_and_configuration(bench: Bench) -> None:
    for name, recording in recordings().items():
        bench.add(f"xa-{name}", recording.device(), name)
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.OK: len(recordings())}, bench.visits
    for name, recording in recordings().items():
        known = facts(bench, f"xa-{name}")
        assert {key: known.get(key) for key in recording.facts} == recording.facts
        kept = bench.configuration(f"xa-{name}")
        assert kept is not None
        assert SEED not in kept
        for line in recording.kept:
            assert line in kept


async def test_one_line_changed_on_a_router_is_one_diff_and_one_event(bench: Bench) -> None:
    devices = {name: bench.add(f"xa-{name}", each.device(), name) for name, each in ALL.items()}
    bench.add("xa-same", ios())
    await bench.run(PATIENT)
    assert not (await bench.run(PATIENT)).changes
    for name, device in devices.items():
        line = ALL[name].kept[0]
        device.answers[ALL[name].command] = device.answers[ALL[name].command].replace(
            line, f"{line}.x"
        )
    result = await bench.run(PATIENT)
    assert result.changes == {"config": len(ALL)}
    store = ConfigStore.open(configurations(bench.directory))
    for name in devices:
        diff = [line for line in store.diff(f"xa-{name}").splitlines() if line[:1] in "+-"][2:]
        assert [line[0] for line in diff] == ["-", "+"], diff
        assert f"{diff[0][1:]}.x" == diff[1][1:]
        assert len(list(store.versions(f"xa-{name}"))) == 2
    assert store.diff("xa-same").startswith("--- nothing")
    store.close()
    reader = LedgerReader.open(bench.ledger_path)
    told = [each.agency for each in changes(reader.facts(history=True)) if each.kind == "config"]
    reader.close()
    assert sorted(told) == sorted(f"xa-{name}" for name in devices)


async def test_each_trouble_is_a_finding_and_touches_nobody_else(bench: Bench) -> None:
    """Of each platform a good router, and one for each way in which one can be bad."""
    expected: dict[str, str] = {}

    def add(name: str, trouble: str, status: str, **traits: Any) -> Device:  # noqa: ANN401  # Device's fields
        agency = f"xa-{name}-{trouble}"
        expected[agency] = status
        # A credential each: three that are refused in a row would hold the others back.
        return bench.add(agency, replace(ALL[name].device(), **traits), name, credential=agency)

    for name, recording in ALL.items():
        add(name, "good", "ok")
        add(name, "password", "authentication", password="another")
        add(name, "silent", "timeout", silent=True)
        add(name, "hung", "timeout", hangs_at=recording.command)
        # netmiko waits for Junos to repeat what is typed.
        add(name, "garbage", "timeout" if "junos" in name else "garbage", garbage=True)
        add(name, "drops", "dropped", drops_at=recording.command)
        if recording.platform in MARKED:
            whole = recording.configuration.splitlines()
            cut = add(name, "cut", "partial")
            cut.answers[recording.command] = "\n".join(whole[: len(whole) // 2])
    await bench.run(Limits(18, 12.0))
    assert {agency: str(visit.status) for agency, visit in bench.visits.items()} == expected
    known = LastVisits(bench.directory / "last").all()
    for agency, seen in bench.visits.items():
        good = agency.endswith("-good")
        assert bool(seen.detail) != good, agency
        assert (bench.configuration(agency) is not None) == good, agency
        assert bool(facts(bench, agency)) == agency.endswith(("-good", "-cut")), agency
        assert known[agency].status == seen.status

    logins = {address: len(device.logins) for address, device in bench.vendors.devices.items()}
    bench.targets = [each for each in bench.targets if each.agency.endswith("-good")]
    await bench.vendors.change_key()
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.HOST_KEY: len(ALL)}
    assert {a: len(d.logins) for a, d in bench.vendors.devices.items()} == logins


async def test_what_cannot_be_stored_of_one_router_touches_nobody_else(bench: Bench) -> None:
    bench.add("xa-a", ios())
    bench.add("xa-b", ios())
    bench.unwritable = "xa-b"
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.OK: 1, SshStatus.NOT_KEPT: 1}
    assert "the disk is full" in bench.visits["xa-b"].detail
    bench.unwritable = ""
    assert (await bench.run(PATIENT)).statuses == {SshStatus.OK: 2}
    assert facts(bench, "xa-a") == facts(bench, "xa-b")


async def test_a_damaged_repository_is_told_of_each_router(bench: Bench) -> None:
    device = bench.add("xa-a", ios())
    await bench.run(PATIENT)
    device.answers[CONFIG] = device.answers[CONFIG].replace("VNPT", "Viettel")
    for path in (configurations(bench.directory) / "objects").rglob("*/*"):
        path.chmod(0o644)  # git's objects may be written by root only
        path.write_bytes(b"")
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.NOT_KEPT: 1}
    assert "git fsck" in bench.visits["xa-a"].detail


async def test_our_own_mistake_on_one_router_touches_nobody_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def visit_badly(agency: str, *rest: Any) -> Visit:  # noqa: ANN401  # those of visit
        if agency == "xa-b":
            raise IndexError(PASSWORD)
        return visit(agency, *rest)

    monkeypatch.setattr("netmon.probes.ssh.collector.visit", visit_badly)
    bench.add("xa-a", ios())
    bench.add("xa-b", ios())
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.OK: 1, SshStatus.BROKEN: 1}
    assert "visit_badly" in caplog.text
    assert SEED not in caplog.text


async def test_our_own_mistake_in_keeping_a_visit_touches_nobody_else(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.add("xa-a", ios())
    bench.add("xa-b", ios())
    bench.unwritable, bench.refusal = "xa-b", IndexError(PASSWORD)
    result = await bench.run(PATIENT)
    assert result.statuses == {SshStatus.OK: 1, SshStatus.BROKEN: 1}
    last = LastVisits(bench.directory / "last").of("xa-b")
    assert last is not None
    assert last.status == "broken"
    assert "the visit is broken: IndexError" in caplog.text
    assert PASSWORD not in caplog.text


async def test_without_the_note_of_refused_logins_nobody_is_visited(bench: Bench) -> None:
    device = bench.add("xa-a", ios())
    (bench.directory / "refused-logins.json").write_text("")
    with pytest.raises(InventoryError, match="who refused a login is not known"):
        await bench.run()
    assert device.logins == []


async def test_a_router_that_breaks_later_loses_nothing_of_what_was_known(bench: Bench) -> None:
    device = bench.add("xa-a", ios())
    await bench.run()
    before, known = bench.configuration("xa-a"), facts(bench, "xa-a")
    device.garbage = True
    await bench.run()
    assert (bench.configuration("xa-a"), facts(bench, "xa-a")) == (before, known)
    last = LastVisits(bench.directory / "last").of("xa-a")
    assert last is not None
    assert (last.status, last.facts["model"]) == ("garbage", "CISCO1921/K9")


async def test_an_unreachable_router_is_told_so(bench: Bench) -> None:
    bench.add("xa-a", ios())
    port = bench.vendors.port
    await bench.vendors.close()
    await bench.run()
    assert bench.status("xa-a") is SshStatus.UNREACHABLE
    assert f"port {port}" in bench.visits["xa-a"].detail


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_another_host_key_is_an_alert_and_no_login(bench: Bench, kind: str) -> None:
    """A library that accepts any key would log in here: the router counts the tries."""
    device = bench.add("xa-a", ios())
    await bench.run()
    logins = len(device.logins)
    await bench.vendors.change_key(kind)
    await bench.run()
    assert bench.status("xa-a") is SshStatus.HOST_KEY
    assert len(device.logins) == logins
    assert "netmon inventory trust" in bench.visits["xa-a"].detail
    (bench.directory / "known_hosts" / "xa-a").unlink()
    await bench.run()
    assert bench.status("xa-a") is SshStatus.OK


async def test_the_pin_is_a_line_of_known_hosts(bench: Bench) -> None:
    bench.add("xa-a", ios())
    await bench.run()
    host, kind, _key = (bench.directory / "known_hosts" / "xa-a").read_text().split()
    assert (host, kind) == (f"[127.0.7.1]:{bench.vendors.port}", "ssh-ed25519")


async def test_a_refused_login_is_not_tried_again_soon(bench: Bench) -> None:
    device = bench.add("xa-a", ios())
    device.password = "another"
    await bench.run()
    tries = len(device.logins)
    await bench.run()
    assert bench.status("xa-a") is SshStatus.HELD_BACK
    assert len(device.logins) == tries
    device.password = PASSWORD
    await bench.run(Limits(8, 60.0, insist=True))
    assert bench.status("xa-a") is SshStatus.OK


async def test_a_credential_that_many_refuse_is_not_tried_on_all(bench: Bench) -> None:
    """A central account is locked after a few tries, whichever routers they went to."""
    devices = [bench.add(f"xa-{n}", ios()) for n in range(12)]
    for device in devices:
        device.password = "another"
    result = await bench.run()
    assert result.statuses[SshStatus.AUTHENTICATION] == 3
    assert result.statuses[SshStatus.HELD_BACK] == 9
    assert sum(bool(device.logins) for device in devices) == 3


async def test_only_lines_of_the_allow_list_are_ever_typed(bench: Bench) -> None:
    devices = {name: bench.add(f"xa-{name}", r.device(), name) for name, r in recordings().items()}
    await bench.run(PATIENT)
    for name, device in devices.items():
        typed = {line.strip() for line in device.typed} - {""}
        assert typed <= PLATFORMS[name].allowed, name


async def test_the_privileged_mode_is_entered_with_its_password(bench: Bench) -> None:
    device = bench.add("xa-a", ios())
    device.prompt, device.enable_password = "r-ios>", ENABLE
    await bench.run()
    assert bench.status("xa-a") is SshStatus.OK


async def test_a_refused_privileged_mode_is_a_refused_login(bench: Bench) -> None:
    """Where the password lies on a central server these tries lock the account too."""
    device = bench.add("xa-a", ios())
    device.prompt, device.enable_password = "r-ios>", "another"
    await bench.run(PATIENT)
    assert bench.status("xa-a") is SshStatus.AUTHENTICATION
    assert "enable_password" in bench.visits["xa-a"].detail
    assert device.typed.count("enable") == 1
    await bench.run(PATIENT)
    assert bench.status("xa-a") is SshStatus.HELD_BACK
    assert device.typed.count("enable") == 1


async def test_threads_are_bounded_and_no_router_has_two_sessions(bench: Bench) -> None:
    for number in range(12):
        bench.add(f"xa-{number}", ios())
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            names = [thread.name for thread in threading.enumerate()]
            most = max(most, sum(name.startswith("ssh") for name in names))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    await bench.run(Limits(3, 60.0))
    watching.cancel()
    assert 0 < most <= 3
    assert all(len(device.logins) == 1 for device in bench.vendors.devices.values())


async def test_a_round_that_is_stopped_ends_at_once_and_leaves_whole_commits(bench: Bench) -> None:
    for number in range(8):
        bench.add(f"xa-{number}", ios())
    for number in range(8, 12):
        bench.add(f"xa-{number}", ios()).hangs_at = CONFIG
    running = asyncio.create_task(bench.run(Limits(12, 120.0)))
    async with asyncio.timeout(100):
        await bench.seen_some.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Threads that still wait for a router would hold up the end of the process.
    for thread in threading.enumerate():
        if thread.name.startswith("ssh"):
            await asyncio.to_thread(thread.join, 30)
            assert not thread.is_alive()
    assert_sound(bench.directory)
    for agency in bench.visits:
        kept = bench.configuration(agency)
        assert kept is not None
        assert kept.endswith("end\n")
    for device in bench.vendors.devices.values():
        device.hangs_at = ""
    assert (await bench.run()).statuses == {SshStatus.OK: 12}


async def test_no_secret_reaches_repository_ledger_log_or_detail(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    output = io.StringIO()
    logging.getLogger().addHandler(handler := logging.StreamHandler(output))
    for name, recording in recordings().items():
        bench.add(f"xa-{name}", recording.device(), name)
    bench.add("xa-password", ios()).password = "another"
    device = bench.add("xa-unread", ios())
    device.answers["show ip arp"] = "what? enable secret SEED00\n"
    bench.add("xa-drops", ios()).drops_at = CONFIG
    await bench.run(PATIENT)
    logging.getLogger().removeHandler(handler)
    assert bench.visits["xa-unread"].unread.keys() == {"show ip arp"}
    bench.ledger.close()
    said = output.getvalue() + json.dumps([str(visit) for visit in bench.visits.values()])
    assert "+ct511w4098h" not in said
    assert SEED not in said
    assert find_word(bench.directory, SEED) == []
