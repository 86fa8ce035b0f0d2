"""Runs promtool over rules and their tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.capabilities import find_program

EXPORTERS = Path(__file__).parents[2] / "exporters"
RULES = EXPORTERS / "prometheus/rules"
TESTS = EXPORTERS / "prometheus/tests"


def promtool(*arguments: str | Path, where: Path = EXPORTERS) -> subprocess.CompletedProcess[str]:
    """Run promtool; what it says, errors too, is in stdout."""
    return subprocess.run(
        [find_program("promtool"), *map(str, arguments)],
        cwd=where,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def copy_to(directory: Path) -> Path:
    """Copy rules and tests to a place where they may be broken; return it."""
    shutil.copytree(RULES, directory / "rules")
    shutil.copytree(TESTS, directory / "tests")
    return directory
