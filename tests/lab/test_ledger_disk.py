"""A full and a read-only disk: netmon stays up, says so once, recovers by itself, loses nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "tests.lab.ledger_on_a_bad_disk"
COUNT = 400

pytestmark = pytest.mark.lab


def see(scenario: str, folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small disk in a namespace of its own")
    if shutil.which("unshare") is None or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs util-linux and e2fsprogs")
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-m", SCRIPT, scenario, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    if "failed to setup loop device" in done.stderr:
        pytest.skip("no loop device here")
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_a_full_disk_delays_and_loses_nothing(tmp_path: Path) -> None:
    seen = see("full", tmp_path)
    assert seen["ballast_at_first"]
    assert seen["removed_on_full_disk"] > 40, "the reserve lets retention work on a full disk"
    assert "the reserve is spent" in seen["warning"]
    writable, message, pending = seen["refused"]
    assert not writable
    assert "the disk is full: free some space" in message
    assert pending > 0
    assert seen["readable_meanwhile"] >= 50
    assert seen["after"] == [True, "", 0], "and the reserve is back"
    assert seen["problems"] == []
    assert seen["seconds"] == list(range(150, COUNT - 1))
    assert seen["said"] == ["ERROR", "WARNING"]


def test_a_read_only_disk_delays_and_loses_nothing(tmp_path: Path) -> None:
    seen = see("readonly", tmp_path)
    writable, message, pending = seen["refused"]
    assert not writable
    assert re.search("the disk reports an error|Read-only file system", message)
    assert pending > 0
    assert "other.sqlite" in seen["opening"]
    assert "mount its disk again" in seen["gone"]
    assert seen["after"][0]
    assert seen["problems"] == []
    assert seen["seconds"] == list(range(150, COUNT - 1))
    assert seen["said"] == ["ERROR", "WARNING"]
