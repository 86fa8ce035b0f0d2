"""What is shipped: the wheel holds the two packages and their data, the unit is accepted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel with the hatchling that is installed, without a network."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"netmon", "netmon_exporters"}


@pytest.mark.parametrize(
    "name",
    [
        "netmon/messages.yaml",
        "netmon/py.typed",
        "netmon/demo/config/agencies.yaml",
        "netmon/demo/config/calendar.yaml",
        "netmon/probes/snmp/profiles/generic.yaml",
        "netmon_exporters/templates/overview.html",
        "netmon_exporters/templates/style.css",
    ],
)
def test_the_wheel_holds_the_data_that_the_program_reads(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_the_wheel_names_its_exporters(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "[netmon.exporters]" in text
    assert "prometheus = netmon_exporters.prometheus:PrometheusExporter" in text


@pytest.mark.parametrize("name", ["netmon.service", "netmon-relay.service"])
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path: Path, name: str) -> None:
    """`systemd-analyze verify` ends with 0 for an unknown key: what counts is its silence."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = (ROOT / "packaging" / name).read_text(encoding="utf-8")
    unit = tmp_path / name
    unit.write_text(text.replace("/opt/netmon/.venv/bin/netmon", "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
