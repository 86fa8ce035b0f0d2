"""`netmon demo` as a person runs it: what netmon says of a cut is what really happened."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from lab.daemons import free_port, request
from netmon.demo.province import Mode, open_province
from netmon.errors import CapabilityError

pytestmark = pytest.mark.net

ROOT = Path(__file__).resolve().parents[2]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TRUTH = re.compile(r"(\d\d:\d\d:\d\d\.\d)  .* \(([a-z0-9-]+)\): circuit cut(: is over)?")
DURATION_SECONDS = 38


class Demo(NamedTuple):
    """A demo that ended by itself."""

    directory: Path
    output: str
    exit_code: int
    page: str
    agencies: int


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> dict[Mode, Demo]:
    """Run the demo on every network that is allowed here, all at the same time."""
    running = {}
    for mode in Mode:
        try:
            open_province(mode).close()
        except CapabilityError:
            continue
        directory, port = tmp_path_factory.mktemp(mode), free_port()
        process = subprocess.Popen(
            [
                sys.executable, "-m", "netmon", "demo", "--fault=cut", f"--network={mode}",
                f"--duration={DURATION_SECONDS}", f"--directory={directory}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        running[mode] = directory, port, process
    time.sleep(DURATION_SECONDS / 2)
    pages = {mode: look(port) for mode, (_, port, _) in running.items()}
    done = {}
    for mode, (directory, _, process) in running.items():
        output, _ = process.communicate(timeout=60)
        done[mode] = Demo(directory, output, process.returncode, *pages[mode])
    return done


def look(port: int) -> tuple[str, int]:
    """Return the page, and how many agencies the JSON counts."""
    status = json.loads(request(port, "GET", "/api/v1/status")[1])
    return request(port, "GET", "/")[1].decode(), len(status["agencies"])


@pytest.mark.parametrize("mode", list(Mode))
def test_the_page_shows_the_province_while_the_demo_runs(
    demos: dict[Mode, Demo], mode: Mode
) -> None:
    demo = of(demos, mode)
    assert demo.exit_code == 0, demo.output
    assert demo.agencies == 64
    assert "Sở Nội vụ" in demo.page
    assert "Traceback" not in demo.output


@pytest.mark.parametrize("mode", list(Mode))
def test_netmon_says_of_a_cut_what_really_happened(demos: dict[Mode, Demo], mode: Mode) -> None:
    demo = of(demos, mode)
    begun, ended = TRUTH.findall(demo.output)[:2]
    assert ended[2], demo.output
    agency = begun[1]
    found = subprocess.run(
        [
            sys.executable, "-m", "netmon", "outages", agency, "--format=json",
            f"--config.file={demo.directory / 'netmon.yaml'}",
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )  # fmt: skip
    (outage,) = json.loads(found.stdout)
    assert_near(outage["start"], begun[0])
    assert_near(outage["end"], ended[0])
    assert outage["cause"] in {"circuit", "unknown"}


def of(demos: dict[Mode, Demo], mode: Mode) -> Demo:
    if mode not in demos:
        pytest.skip(f"the {mode} network is not allowed here")
    return demos[mode]


def assert_near(said: str, truth: str) -> None:
    """An echo is sent each second: both ends are known to a second and a bit."""
    said_at = datetime.fromisoformat(said).astimezone(ZONE)
    clock = datetime.strptime(truth, "%H:%M:%S.%f").time()  # noqa: DTZ007  # the day is joined below
    true_at = datetime.combine(said_at.date(), clock, ZONE)
    assert abs(said_at - true_at) < timedelta(seconds=2.5), (said, truth)
