"""`netmon inventory refresh` in a process of its own: what is seen of it, and how it is stopped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.ssh_recordings import SEED, recordings
from tests.support.ssh_site import Site, assert_sound
from tests.support.ssh_vendors import PASSWORD, USER, Vendors, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.net

CONFIG = "show running-config"
ROUTERS = {f"127.0.11.{number}": f"xa-{number}" for number in range(1, 7)}


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    recording = recordings()["cisco_ios"]
    devices = {each: recording.device() for each in ROUTERS}
    for number, device in enumerate(devices.values()):
        version, serial = device.answers["show version"], recording.facts["serial"]
        device.answers["show version"] = version.replace(serial, f"{serial[:-1]}{number}")
    with serving(devices) as vendors:
        yield vendors


@pytest.fixture
def site(tmp_path: Path, vendors: Vendors) -> Site:
    site = Site(tmp_path / "site", (USER, PASSWORD))
    for address, agency in ROUTERS.items():
        router = {"address": address, "ssh_port": vendors.port, "platform": "cisco_ios"}
        site.add(agency, router)
    return site


def test_a_bar_shows_how_far_it_is_and_troubles_come_after_it(site: Site, vendors: Vendors) -> None:
    vendors.devices["127.0.11.3"].password = "another"
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        site.command("inventory", "refresh", "--lang", "en"),
        capture_output=True, text=True, check=False, env={**os.environ, **terminal},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Visiting routers" in done.stderr
    assert "6/6" in done.stderr
    told = done.stdout.splitlines()
    assert told[0].startswith("xa-3: login refused: user 'netmon' was refused")
    assert told[1:] == ["5 read, 1 login refused; 0 changes"]
    assert SEED not in done.stdout + done.stderr
    assert site.find(SEED) == []


def test_a_signal_in_the_midst_leaves_whole_commits_and_says_so(
    site: Site, vendors: Vendors
) -> None:
    for address in ("127.0.11.2", "127.0.11.5"):
        vendors.devices[address].hangs_at = CONFIG
    command = site.command("inventory", "refresh", "--lang", "en")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(list((site.directory / "routers" / "last").glob("[!.]*"))) < len(ROUTERS) - 2:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.decode() == "stopped: what was visited so far is kept\n"
    assert b"Traceback" not in errors
    assert_sound(site.directory / "routers")
    kept = {agency for agency in ROUTERS.values() if site.facts(agency)}
    assert kept == set(ROUTERS.values()) - {"xa-2", "xa-5"}
    for agency in ROUTERS.values():
        configuration = site.configuration(agency)
        assert (configuration is not None) == (agency in kept)
        assert configuration is None or configuration.endswith("end\n")


def test_a_second_refresh_at_the_same_time_is_refused(site: Site, vendors: Vendors) -> None:
    vendors.devices["127.0.11.2"].hangs_at = CONFIG
    command = site.command("inventory", "refresh")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not vendors.devices["127.0.11.2"].typed:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        done = site.run("inventory", "refresh")
        process.terminate()
    assert done.returncode == 2
    assert "another round is under way: wait for its end" in done.stderr
    # The first round had not reached everybody yet; the second visited nobody.
    logins = {name: len(device.logins) for name, device in vendors.devices.items()}
    assert logins["127.0.11.2"] == max(logins.values()) == 1
