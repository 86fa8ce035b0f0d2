"""Write every file that is generated, or with --check tell which of them are out of date."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from grafana.source.render import generated as dashboards
from netmon.alerting.alertmanager import configuration
from netmon.alerting.mail import templates
from netmon.alerting.prometheus_files import rules_file, utc_offset_seconds
from netmon.config import load_all
from netmon.config.reference import reference_tables
from netmon.config.schema import SCHEMAS
from netmon_exporters import metrics_table

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Return 1 when --check found a file that differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    checking = parser.parse_args().check
    stale = []
    for name, text in _generated().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if checking:
            stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    for name in stale:
        print(f"{name} is out of date: run python scripts/generate.py", file=sys.stderr)
    return int(bool(stale))


def _generated() -> dict[str, str]:
    """Return every generated file: its name and what it must hold."""
    files = {
        f"config/schema/{name}.schema.json": json.dumps(make(), ensure_ascii=False, indent=2) + "\n"
        for name, make in SCHEMAS.items()
    }
    files["docs/metrics.md"] = metrics_table.document()
    files["docs/configuration.md"] = _with_reference(ROOT / "docs/configuration.md")
    return files | dashboards() | _alerting()


def _alerting() -> dict[str, str]:
    """Return what the shipped inventory and settings make of Prometheus and Alertmanager."""
    loaded = load_all(ROOT / "config/netmon.yaml")
    settings, inventory = loaded.settings, loaded.inventory
    offset_seconds = utc_offset_seconds(inventory.province)
    return {
        "exporters/prometheus/rules/netmon.yml": rules_file(settings.alerting, offset_seconds),
        "exporters/alertmanager/alertmanager.yml": configuration(inventory, settings),
        "exporters/alertmanager/netmon.tmpl": templates(offset_seconds),
    }


def _with_reference(path: Path) -> str:
    """Return the hand-written part of a document with the tables of all keys behind it."""
    tables = reference_tables()
    written, mark, _ = path.read_text(encoding="utf-8").partition(tables.partition("\n")[0])
    return written + (tables if mark else "")


if __name__ == "__main__":
    sys.exit(main())
