"""`netmon export` and `/sd`: the inventory as files for others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab.capabilities import Need, find_program, missing
from netmon.cli import main
from netmon.web import Request
from netmon_exporters.discovery import DiscoveryExporter
from tests.support.snapshots import snapshot

ROOT = Path(__file__).parents[2]
CONFIG = f"--config.file={ROOT / 'config/netmon.yaml'}"


@pytest.mark.parametrize(
    ("what", "file"),
    [
        ("rules", "prometheus/rules/netmon.yml"),
        ("alertmanager", "alertmanager/alertmanager.yml"),
        ("alertmanager-templates", "alertmanager/netmon.tmpl"),
    ],
)
def test_what_is_printed_is_what_is_shipped(
    what: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", what, CONFIG]) == 0
    assert capsys.readouterr().out == (ROOT / "exporters" / file).read_text("utf-8")


def test_targets_are_written_whole_and_prometheus_reads_them(tmp_path: Path) -> None:
    output = tmp_path / "targets.json"
    output.write_text("old", "utf-8")
    assert main(["export", "prometheus-sd", CONFIG, f"--output={output}"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["targets.json"]
    groups = json.loads(output.read_text("utf-8"))
    assert {each["labels"]["__meta_netmon_for"] for each in groups} == {"blackbox", "snmp"}
    if lack := missing(Need.PROMTOOL):
        pytest.skip(lack)
    config = tmp_path / "prometheus.yml"
    job = {"job_name": "x", "file_sd_configs": [{"files": [str(output)]}]}
    config.write_text(json.dumps({"scrape_configs": [job]}), "utf-8")
    command = [find_program("promtool"), "check", "config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_folder_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "nowhere" / "rules.yml"
    assert main(["export", "rules", CONFIG, "-o", str(output)]) == 2
    assert f"{output}: No such file or directory; name a file" in capsys.readouterr().err


def test_http_discovery_lists_every_address_of_every_link_with_its_labels() -> None:
    answer = DiscoveryExporter().routes()["/sd"](snapshot(), Request("/sd", {"for": "blackbox"}))
    assert answer.content_type == "application/json"
    groups = json.loads(b"".join(answer.parts))
    assert {address for each in groups for address in each["targets"]} == {
        str(address) for link in snapshot().inventory.links.values() for address in link.addresses
    }
    assert groups[0] == {
        "targets": ["10.86.1.1", "2001:db8:1::1"],
        "labels": {
            "agency": "so-giao-duc",
            "kind": "department",
            "__meta_netmon_for": "blackbox",
            "__meta_netmon_name": "Sở Giáo dục và Đào tạo",
            "link": "chinh",
            "role": "primary",
            "provider": "vnpt",
            "__meta_netmon_circuit": "TSL-0042",
        },
    }


def test_http_discovery_of_an_exporter_that_is_not_known_is_refused() -> None:
    answer = DiscoveryExporter().routes()["/sd"](snapshot(), Request("/sd", {"for": "x"}))
    assert (answer.status, b"".join(answer.parts)) == (
        400,
        b"/sd?for=x: no such exporter; write blackbox or snmp\n",
    )
