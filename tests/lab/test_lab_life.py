"""Labs never collide, and leave nothing behind: not after an exception, not after kill -9."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, missing
from lab.kernel import sweep_dead
from lab.topology import CENTRE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

SMALL = Plan(departments=2, districts=0, backups=0)
NAMESPACES = Path("/run/netns")


@pytest.fixture(autouse=True)
def _capable() -> None:
    if lack := missing(*LAB):
        pytest.skip(lack)


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen[str]]:
    """A lab in another process, up when the test begins; the process's first line names it."""
    code = (
        "from lab import Lab, Plan\n"
        "with Lab(Plan(departments=1, districts=0, backups=0)) as lab:\n"
        "    print(lab.namespace(''), lab.agent('so-0')._process.pid, flush=True)\n"
        "    input()\n"
    )
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def _traces(prefix: str) -> list[str]:
    places = (NAMESPACES, Path(tempfile.gettempdir()))
    return [path.name for place in places for path in place.glob(f"{prefix}*")]


def test_two_labs_of_one_process_live_side_by_side() -> None:
    with Lab(SMALL) as one, Lab(SMALL) as two:
        with one.faults.cut("so-0"):
            assert two.run("ping", "-c1", "-W1", str(two.address("so-0"))).returncode == 0
            assert one.run("ping", "-c1", "-W0.2", str(one.address("so-0"))).returncode != 0
        assert one.namespace(CENTRE) != two.namespace(CENTRE)


def test_an_exception_leaves_nothing_behind() -> None:
    lab = Lab(SMALL)
    with contextlib.suppress(ZeroDivisionError), lab:
        assert _traces(lab.namespace(""))
        raise ZeroDivisionError
    assert not _traces(lab.namespace(""))


def test_a_build_that_fails_half_way_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab = Lab(SMALL)
    monkeypatch.setattr(lab, "_start_agents", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), lab:
        pass
    assert not _traces(lab.namespace(""))


def test_what_a_killed_lab_leaves_is_swept_away_and_living_labs_stay(
    other_process: subprocess.Popen[str],
) -> None:
    assert other_process.stdout is not None
    prefix, agent = other_process.stdout.readline().split()
    sweep_dead()
    assert len(_traces(prefix)) == 3
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    with Lab(SMALL) as living:
        assert not _traces(prefix)
        assert not Path(f"/proc/{agent}").exists() or _is_ending(agent)
        assert living.run("ping", "-c1", "-W1", str(living.address("so-0"))).returncode == 0


def _is_ending(process: str) -> bool:
    """Tell whether a killed process is gone after a moment, or only waits for its parent."""
    deadline = time.monotonic() + 2
    status = Path(f"/proc/{process}/status")
    while status.exists() and "State:\tZ" not in status.read_text(encoding="ascii"):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_program_started_in_the_centre_is_the_command_itself() -> None:
    with Lab(SMALL, with_agents=False) as lab, lab.popen("sleep", "60") as process:
        link = Path(f"/proc/{process.pid}/ns/net")
        centre = NAMESPACES / lab.namespace(CENTRE)
        while link.stat().st_ino != centre.stat().st_ino:
            assert process.poll() is None
        process.kill()
