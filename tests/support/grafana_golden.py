"""What every tile, bar and cell says in the frozen province, as text that can be compared.

`python -m tests.support.grafana_golden` writes the golden files anew; read the difference.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grafana.check import reading
from grafana.source import look
from lab.prometheus import Prometheus, Recorded
from netmon.messages import LANGUAGES
from tests.support.frozen_province import END, exposition, records
from tests.support.snapshots import DEPARTMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/data/grafana"
DAY = reading.View(
    END,
    24 * 3600,
    {
        "agency": DEPARTMENT, "link": "chinh", "district": ".*", "kind": ".*", "provider": ".*",
    },
)  # fmt: skip
"""The last day, everything chosen."""
_TONES = {
    getattr(look, name): name.lower()
    for name in ("UP", "DEGRADED", "DOWN", "UNKNOWN", "UNREACHABLE", "MAINTENANCE", "NO_DATA")
}
_NOT_READ = frozenset({"timeseries", "heatmap"})
"""Lines and heat say no words."""


def dashboards(language: str) -> list[Json]:
    """Return the committed dashboards of a language."""
    paths = sorted((ROOT / "grafana/dashboards" / language).glob("*.json"))
    return [json.loads(path.read_text("utf-8")) for path in paths]


def frozen() -> Recorded:
    """Return a Prometheus, not started, that holds the frozen province and its records."""
    told = exposition()
    with Recorded(told) as prometheus:
        made = records(prometheus)
    return Recorded(told + made)


def golden(prometheus: Prometheus, language: str) -> str:
    """Return what all dashboards of a language say."""
    told = dashboards(language)
    jobs = [reading.asked(prometheus.fetch, each, DAY) for each in told]
    read = iter(reading.read([job for each in jobs for job in each]))
    lines: list[str] = []
    for dashboard, panels in zip(told, jobs, strict=True):
        lines.append(f"# {dashboard['uid']}")
        for _ in panels:
            lines += [line.rstrip() for line in said(next(read))]
    return "\n".join(lines) + "\n"


def said(panel: Json) -> Iterator[str]:
    """Yield the lines that tell what one panel says."""
    if panel["type"] in _NOT_READ:
        return
    yield ""
    yield f"## {panel['title']} ({panel['type']})"
    yield from panel["faults"]
    for value in panel.get("values", ()):
        yield f"{value['name']}: {painted(value)}"
    if "columns" in panel:
        yield " | ".join(column["name"] for column in panel["columns"]) or panel["empty"]
    for row in panel.get("rows", ()):
        yield " | ".join(painted(cell) for cell in row)
    for place in panel.get("places", ()):
        yield f"{place['name']} at {place['latitude']}, {place['longitude']}: {painted(place)}"
    for each in panel.get("series", ()):
        spans = groupby({"text": text, "color": color} for _, _, text, color in each["points"])
        runs = (f"{len(list(cells))} × {painted(cell)}" for cell, cells in spans)
        yield f"{each['name']}: {', '.join(runs)}"


def painted(cell: Json) -> str:
    """Return text and colour; a colour of the palette by its name."""
    colour = cell.get("color")
    return cell["text"] if colour is None else f"{cell['text']} [{_TONES.get(colour, colour)}]"


def main() -> int:
    """Write the golden files."""
    with frozen() as prometheus:
        for language in LANGUAGES:
            (GOLDEN / f"{language}.txt").write_text(golden(prometheus, language), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
