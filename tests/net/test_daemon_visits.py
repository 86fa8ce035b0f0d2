"""The nightly inventory round inside a real daemon, over simulated routers behind real SSH."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from lab.capabilities import Need, missing
from netmon.clock import SystemClock, utc
from tests.net.snmp_agents import snmpd
from tests.support.daemon import Netmon
from tests.support.ssh_recordings import SEED, recordings
from tests.support.ssh_site import Site, assert_sound
from tests.support.ssh_vendors import PASSWORD, USER, Device, Vendors, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.net

CONFIG = "show running-config"
IOS = "127.0.0.1"
"""Where snmpd stands beside the terminal."""
_PATIENCE = 180.0
SNMPD = """
rocommunity SEEDcommunity
sysObjectID 1.3.6.1.4.1.9.1.1041
sysName r-ios
sysDescr Cisco IOS Software, C1900 Software (C1900-UNIVERSALK9-M), Version 12.4(1)T
override 1.3.6.1.4.1.9.3.6.3.0 octet_str "OTHER0001"
"""
VISITED = {
    IOS: "cisco_ios",
    **{
        f"127.0.9.{number}": name
        for number, name in enumerate(recordings(), 2)
        if name != "cisco_ios"
    },
}
JUNOS = next(address for address, name in VISITED.items() if name == "juniper_junos")


def agency_of(name: str) -> str:
    return f"xa-{name.replace('_', '-')}"


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    if lack := missing(Need.ROOT, Need.SNMPD, Need.GIT):
        pytest.skip(lack)
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    devices = {address: recordings()[name].device() for address, name in VISITED.items()}
    with serving(devices) as vendors:
        yield vendors


@pytest.fixture
def site(tmp_path: Path, vendors: Vendors) -> Iterator[Site]:
    with snmpd(tmp_path, SNMPD) as snmp_port:
        site = Site(tmp_path / "site", (USER, PASSWORD))
        for address, name in VISITED.items():
            router: dict[str, str | int] = {
                "address": address, "ssh_port": vendors.port, "platform": name
            }  # fmt: skip
            if address == IOS:
                router |= {"snmp": "province", "snmp_port": snmp_port}
            site.add(agency_of(name), router)
        yield site


def set_night(site: Site, splay: str = "0s") -> None:
    """Let a round be due now, as if the last one had been a night before."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    begun = utc(SystemClock().wall_us()).astimezone(zone) - timedelta(minutes=2)
    site.write_settings(f"{begun:%H:%M}", splay)
    (site.directory / "routers" / "last-round.json").unlink(missing_ok=True)


def visited(netmon: Netmon, status: str = "ok") -> int:
    return int(sum(netmon.of("netmon_ssh_routers", status=status).values()))


def test_a_night_in_the_life_of_the_daemon(site: Site, vendors: Vendors) -> None:
    set_night(site)
    with Netmon(site.settings) as netmon:
        netmon.until(
            lambda: visited(netmon) == len(VISITED), "not every router was visited", _PATIENCE
        )
        netmon.until(
            lambda: "serial" in site.facts("xa-cisco-ios", "snmp"), "no facts over SNMP", _PATIENCE
        )
        assert sum(netmon.of("netmon_inventory_changes_total").values()) == 0
        for name in VISITED.values():
            agency, recording = agency_of(name), recordings()[name]
            known = site.facts(agency)
            assert {key: known.get(key) for key in recording.facts} == recording.facts
            kept = site.configuration(agency)
            assert kept is not None
            assert all(line in kept for line in recording.kept)
        assert_disagreement_is_shown(site)
    assert netmon.process.returncode == 0

    device = vendors.devices[IOS]
    device.answers[CONFIG] = device.answers[CONFIG].replace("VNPT to centre", "Viettel to centre")
    set_night(site)
    with Netmon(site.settings) as netmon:
        netmon.until(
            lambda: (
                netmon.of("netmon_inventory_changes_total", kind="config")
                == {(("kind", "config"),): 1}
            ),
            "the change was not found",
            _PATIENCE,
        )
        told = json.loads(site.run("inventory", "changes", "--format", "json").stdout)
        assert [(each["agency"], each["kind"]) for each in told] == [("xa-cisco-ios", "config")]
        shown = site.run("config", "diff", "xa-cisco-ios").stdout.splitlines()[2:]
        assert [line for line in shown if line[:1] in "+-"] == [
            "- description VNPT to centre",
            "+ description Viettel to centre",
        ]
        pages = ("/metrics", "/", "/api/v1/status")
        outputs = [netmon.request("GET", page)[1].decode() for page in pages]
    commands = (("inventory", "--format", "json"), ("inventory", "changes"), ("outages",))
    outputs += [site.run(*words).stdout for words in commands]
    assert "xa-cisco-ios" in outputs[0]
    assert SEED not in "".join(outputs) + netmon.log
    assert site.find(SEED) == []


def assert_disagreement_is_shown(site: Site) -> None:
    """The terminal's serial number counts; SNMP's stands beside it."""
    serial = recordings()["cisco_ios"].facts["serial"]
    (record,) = json.loads(site.run("inventory", "xa-cisco-ios", "--format", "json").stdout)
    assert (record["serial"], record["sources"]) == (serial, "snmp, ssh")
    assert "serial" in record["disagreements"]
    shown = site.run("inventory", "xa-cisco-ios", "--lang", "en").stdout
    assert "OTHER0001" in shown
    assert serial in shown


def test_a_daemon_that_is_stopped_within_the_round_goes_on_with_it(
    site: Site, vendors: Vendors
) -> None:
    hanging: Device = vendors.devices[JUNOS]
    hanging.hangs_at = "show configuration | display set"
    set_night(site)
    with Netmon(site.settings) as netmon:
        netmon.until(
            lambda: visited(netmon) == len(VISITED) - 1 and hanging.hangs_at in hanging.typed,
            "the round does not stand where it should",
            _PATIENCE,
        )
        assert netmon.stop() == 0
        assert "Traceback" not in netmon.log
    assert_sound(site.directory / "routers")
    assert site.facts("xa-juniper-junos") == {}
    assert site.run("ledger", "verify").returncode == 0
    logins = {address: len(device.logins) for address, device in vendors.devices.items()}
    hanging.hangs_at = ""
    with Netmon(site.settings) as netmon:
        netmon.until(lambda: visited(netmon) == len(VISITED), "the round does not go on", _PATIENCE)
    for address, device in vendors.devices.items():
        assert len(device.logins) == logins[address] + (device is hanging), address
