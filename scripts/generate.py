"""Write every file that is generated, or with --check tell which of them are out of date."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from netmon.config.schema import inventory_schema, settings_schema

ROOT = Path(__file__).resolve().parent.parent


def _json(make: Callable[[], Mapping[str, object]]) -> str:
    return json.dumps(make(), ensure_ascii=False, indent=2) + "\n"


GENERATED: Mapping[str, Callable[[], str]] = {
    "config/schema/agencies.schema.json": lambda: _json(inventory_schema),
    "config/schema/netmon.schema.json": lambda: _json(settings_schema),
}


def main() -> int:
    """Return 1 when --check found a file that differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    checking = parser.parse_args().check
    stale = []
    for name, make in GENERATED.items():
        path, text = ROOT / name, make()
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


if __name__ == "__main__":
    sys.exit(main())
