"""The commands as a person types them: what they print, and their exit codes."""

from __future__ import annotations

import getpass
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netmon import __version__
from netmon.cli import main

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "config"


@pytest.fixture
def province(tmp_path: Path) -> Path:
    """Return the settings of a copy of the shipped province."""
    shutil.copytree(SHIPPED, tmp_path / "config")
    return tmp_path / "config/netmon.yaml"


def test_the_shipped_files_pass_the_check(
    province: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETMON_SNMP_COMMUNITY", "a")
    monkeypatch.setenv("NETMON_SSH_PASSWORD", "b")
    assert main(["check", str(province)]) == 0
    assert "0 errors" in capsys.readouterr().err


def test_a_commune_is_one_line_at_the_end_of_the_file(province: Path) -> None:
    line = (
        "  - {id: xa-tan-hoi-dong, name: UBND xã Tân Hội Đông, kind: commune, "
        "parent: ubnd-chau-thanh, router: 10.86.20.5}\n"
    )
    with province.with_name("agencies.yaml").open("a", encoding="utf-8") as inventory:
        inventory.write(line)
    assert main(["check", str(province)]) == 0


def test_a_mistake_is_told_with_its_place_and_the_exit_code_is_1(
    province: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory = province.with_name("agencies.yaml")
    lines = inventory.read_text(encoding="utf-8").splitlines()
    line = "  - {id: xa-moi, name: Xã Mới, kind: commune, parnt: ubnd-chau-thanh}"
    lines.append(line)
    inventory.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert main(["check", str(inventory)]) == 1
    place = f"{inventory}:{len(lines)}:{line.index('parnt') + 1}"
    assert f"{place}: unknown key 'parnt'; did you mean 'parent'?" in capsys.readouterr().out


def test_findings_are_json_for_editors(province: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inventory = province.with_name("agencies.yaml")
    inventory.write_text("agencies: 5\n", encoding="utf-8")
    assert main(["check", "--format=json", str(inventory)]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert all(row.keys() == {"file", "line", "column", "severity", "message"} for row in rows)
    assert all(row["line"] >= 1 and row["column"] >= 1 for row in rows)


@pytest.mark.parametrize("name", ["agencies", "netmon", "part", "calendar"])
def test_schema_prints_what_is_shipped(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    printed = capsys.readouterr().out
    shipped = (SHIPPED / f"schema/{name}.schema.json").read_text(encoding="utf-8")
    assert printed == shipped


def test_settings_that_are_not_there_are_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "name one with --config.file" in capsys.readouterr().err


def test_status_without_a_daemon_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", "http://127.0.0.1:1"]) == 2
    assert "is the daemon running?" in capsys.readouterr().err


def test_status_takes_no_url_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", "file:///etc/passwd"]) == 2
    assert "write it as http://HOST:PORT" in capsys.readouterr().err


def test_an_agency_that_is_misspelt_gets_a_suggestion(
    province: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "so-noi-vuu", "--config.file", str(province)]) == 2
    assert "did you mean so-noi-vu?" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_a_user_without_a_name_can_run_every_command(
    error: type[Exception], province: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert main(["check", f"--config.file={province}"]) == 0


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netmon", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"netmon {__version__}\n"


def test_a_daemon_whose_port_is_taken_says_so_and_ends(province: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "netmon", "run", f"--config.file={province}",
            "--web.listen-address=198.51.100.1:9877",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "198.51.100.1:9877" in done.stderr
    assert "Traceback" not in done.stderr
