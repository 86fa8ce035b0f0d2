"""The whole daemon while the clock is set and the disk refuses: it stays up and loses nothing.

Each test has a daemon of its own; all share three routers.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, Need, find_faketime, missing
from tests.support.daemon import Netmon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

CUT = "so-1"
HOUR = 3600
DISK_BYTES = 16 << 20


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    if lack := missing(*LAB):
        pytest.skip(lack)
    with Lab(Plan(departments=3, districts=0, backups=0)) as lab:
        yield lab


# --- The clock ---------------------------------------------------------------------------------


def test_a_clock_that_is_set_loses_no_round_and_bends_no_account(lab: Lab, tmp_path: Path) -> None:
    if lack := missing(Need.FAKETIME):
        pytest.skip(lack)
    netmon = Netmon(lab.inventory_yaml(tmp_path), lab.namespace("centre"))
    clock = tmp_path / "clock"
    set_clock(clock, 0)
    with contextlib.ExitStack() as stack:
        stack.push(netmon.__exit__)
        netmon.start(**environment(clock))
        netmon.until(lambda: up(netmon) == 3, "not every link came up")
        before, begun = seconds_by_state(netmon), time.monotonic()
        for offset in (HOUR, -HOUR, 0):
            set_clock(clock, offset)
            assert_that_rounds_go_on(netmon, offset)
        after, ended = seconds_by_state(netmon), time.monotonic()
        steps = netmon.of("netmon_engine_clock_steps_total")[()]
        assert up(netmon) == 3
    grown = {state: after[state] - before[state] for state in after}
    assert sum(grown.values()) == pytest.approx(3 * (ended - begun), abs=6)
    # A busy machine may stop the daemon for seconds at a time: that, too, stands in the account.
    assert grown.pop("up") >= 0.8 * 3 * (ended - begun)
    assert {state for state, seconds in grown.items() if seconds} <= {"unobserved"}
    assert steps >= 3
    assert outages(netmon) == []
    assert verified(netmon)


def environment(clock: Path) -> dict[str, str]:
    """Return what gives the daemon a wall clock that the file sets, and leaves monotonic time."""
    # libfaketime 0.9.10 refuses clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME) with EINVAL,
    # which is Python's time.sleep: this process sleeps by select instead.
    patch = "import select, time\ntime.sleep = lambda seconds: select.select((), (), (), seconds)\n"
    clock.with_name("sitecustomize.py").write_text(patch, encoding="utf-8")
    paths = [str(clock.parent), os.environ.get("PYTHONPATH", "")]
    return {
        "LD_PRELOAD": str(find_faketime()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        # In seconds; without a cache each look at a clock reads the file.
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }


def set_clock(file: Path, offset_seconds: int) -> None:
    """Let the daemon's wall clock be ahead by an offset, from one moment to the next."""
    new = file.with_suffix(".new")
    new.write_text(f"{offset_seconds:+d}\n", encoding="ascii")
    new.replace(file)


def assert_that_rounds_go_on(netmon: Netmon, offset_seconds: int) -> None:
    rounds, accounted = rounds_done(netmon), echoes_and_blind_seconds(netmon)
    begun = time.monotonic()
    # Each 5 s a round of 4 s. Set back, the scheduler would wait an hour for the next.
    netmon.until(lambda: rounds_done(netmon) >= rounds + 2, "SNMP rounds do not go on", 25)
    offset = netmon.of("netmon_wall_clock_offset_seconds")[()]
    assert offset == pytest.approx(offset_seconds, abs=1)
    elapsed = time.monotonic() - begun
    assert echoes_and_blind_seconds(netmon) - accounted >= 3 * elapsed - 6


def echoes_and_blind_seconds(netmon: Netmon) -> float:
    """Return the echoes sent, and the seconds in which netmon says itself that it sent none.

    A link has one echo a second. A busy machine may stop the daemon for seconds at a time.
    """
    echoes = sum(netmon.of("netmon_echo_requests_total").values())
    return echoes + seconds_by_state(netmon).get("unobserved", 0.0)


def rounds_done(netmon: Netmon) -> int:
    return int(sum(netmon.of("netmon_rounds_total", round="snmp default").values()))


def seconds_by_state(netmon: Netmon) -> dict[str, float]:
    """Return the seconds of all links by state."""
    found: dict[str, float] = {}
    for labels, seconds in netmon.of("netmon_link_state_seconds_total").items():
        state = dict(labels)["state"]
        found[state] = found.get(state, 0.0) + seconds
    return found


# --- The disk ----------------------------------------------------------------------------------


def test_a_full_disk_delays_the_account_and_loses_nothing(lab: Lab, tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs") as folder:
        filler = folder / "filler"
        with Netmon(settings_on(folder, lab, tmp_path), lab.namespace("centre")) as netmon:
            netmon.until(lambda: up(netmon) == 3, "not every link came up")
            fill(filler)
            netmon.until(lambda: fill(filler) and not writable(netmon), "the disk is not full")
            see_an_outage(lab, netmon)
            filler.unlink()
            netmon.until(lambda: writable(netmon), "it does not recover")
            assert_that_nothing_is_lost(netmon)
    assert_that_it_was_said_once(netmon, "the disk is full")


def test_a_disk_that_turned_read_only_delays_the_account_and_loses_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    if lack := missing(Need.MKFS):
        pytest.skip(lack)
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    run("mkfs.ext4", "-q", str(image))
    with (
        disk(tmp_path / "disk", "-o", "loop", str(image)) as folder,
        Netmon(settings_on(folder, lab, tmp_path), lab.namespace("centre")) as netmon,
    ):
        netmon.until(lambda: up(netmon) == 3, "not every link came up")
        # What the kernel does to ext4 with errors=remount-ro when the disk beneath fails.
        run("mount", "-o", "remount,abort", str(folder))
        netmon.until(lambda: not writable(netmon), "nobody notices")
        see_an_outage(lab, netmon)
        run("umount", "-l", str(folder))
        run("sh", "-c", f"e2fsck -y {image} || test $? -lt 4")
        run("mount", "-o", "loop", str(image), str(folder))
        netmon.until(lambda: writable(netmon), "it does not recover")
        assert_that_nothing_is_lost(netmon)
    assert_that_it_was_said_once(netmon, "")


def see_an_outage(lab: Lab, netmon: Netmon) -> None:
    """Cut a link while the ledger refuses: pages and metrics show it all the same."""
    with lab.faults.cut(CUT):
        netmon.until(lambda: netmon.state(CUT) == "down", "the cut is on no page")
        assert up(netmon) == 2
        assert not writable(netmon)
        time.sleep(2)
    netmon.until(lambda: netmon.state(CUT) == "up", "its end is on no page")
    assert not writable(netmon), "too early to say anything about a refusing disk"


def assert_that_nothing_is_lost(netmon: Netmon) -> None:
    netmon.until(lambda: len(outages(netmon)) == 1, "the outage is not in the ledger")
    (outage,) = outages(netmon)
    assert (outage["agency"], outage["end"] is not None) == (CUT, True)
    assert 2 <= outage["seconds"] <= 15
    assert verified(netmon)


def assert_that_it_was_said_once(netmon: Netmon, what: str) -> None:
    """Check, when the daemon is stopped and the disk is well, what is left of the trouble."""
    said = [line for line in netmon.log.splitlines() if "logger=netmon.ledger" in line]
    errors = [line for line in said if "level=error" in line]
    assert (len(errors), len([line for line in said if "can be written again" in line])) == (1, 1)
    assert what in errors[0]
    assert "Traceback" not in netmon.log


@contextlib.contextmanager
def disk(folder: Path, *mount: str) -> Iterator[Path]:
    """Mount a small disk."""
    folder.mkdir()
    done = subprocess.run(["mount", *mount, str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount: {done.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def settings_on(folder: Path, lab: Lab, directory: Path) -> Path:
    settings = lab.inventory_yaml(directory)
    text = settings.read_text(encoding="utf-8")
    ledger = folder / "ledger.sqlite"
    settings.write_text(text.replace("path: ledger.sqlite", f"path: {ledger}"), encoding="utf-8")
    return settings


def fill(path: Path) -> bool:
    """Write until the disk takes no byte more."""
    size = 1 << 16
    with path.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return True


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


# --- Planned work ------------------------------------------------------------------------------


def test_work_of_every_week_is_in_force_on_its_days_and_no_longer_than_it_is_written(
    lab: Lab, tmp_path: Path
) -> None:
    settings = lab.inventory_yaml(tmp_path)
    inventory = settings.with_name("agencies.yaml")
    text = inventory.read_text(encoding="utf-8")
    days = "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]"
    inventory.write_text(
        f"{text}recurring_maintenance:\n"
        f'  - {{id: w, weekdays: {days}, hours: "00:00-24:00", agencies: [{CUT}], reason: R}}\n',
        encoding="utf-8",
    )
    with Netmon(settings, lab.namespace("centre")) as netmon:
        netmon.until(lambda: netmon.state(CUT) == "maintenance", "no work is in force")
        netmon.until(lambda: netmon.state("so-0") == "up", "the others are not up")
        inventory.write_text(text, encoding="utf-8")
        assert netmon.request("POST", "/-/reload")[0] == 200
        netmon.until(lambda: netmon.state(CUT) == "up", "the work does not end")


# --- What is seen ------------------------------------------------------------------------------


def up(netmon: Netmon) -> int:
    return int(sum(netmon.of("netmon_link_up").values()))


def writable(netmon: Netmon) -> bool:
    return netmon.of("netmon_ledger_writable") == {(): 1.0}


def outages(netmon: Netmon) -> list[dict[str, Any]]:
    done = netmon_command(netmon, "outages", "--format=json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def verified(netmon: Netmon) -> bool:
    return netmon_command(netmon, "ledger", "verify").returncode == 0


def netmon_command(netmon: Netmon, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netmon", *words, f"--config.file={netmon.settings}"],
        capture_output=True,
        text=True,
        check=False,
    )
