"""What people read on a panel: Grafana's own data library over Prometheus' own answers.

The library (npm's @grafana/data) makes text, unit and colour of a value, and runs the panel's
transformations and overrides, exactly as it does in a browser. It does not draw.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode

from grafana.check.expressions import plain

Json: TypeAlias = "dict[str, Any]"
Fetch: TypeAlias = Callable[[str], str | bytes]
"""Asks Prometheus for a path and returns its answer's body."""

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = Path(__file__).with_name("data") / "panels.cjs"
_LIBRARY = _ROOT / ".cache/grafana-data/node_modules"
_OLDEST_NODE = (20, 19)
"""Older ones cannot require the ES modules among the library's parts."""
_WIDEST = 1000
"""Steps of a graph as wide as a wall."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a span of time that ends at `end`, and the values of the variables."""

    end: float
    seconds: int
    values: Mapping[str, str]
    rate_interval: str = "5m"
    step: int | None = None
    """Fixes the step of every graph; None: the panel's own, as Grafana does."""


def lack() -> str:
    """Return what is missing for reading panels, with its remedy; empty: nothing is."""
    if _node_version() < _OLDEST_NODE:
        return "Node.js 20.19 or newer (scripts/setup test, with npm)"
    if not (_LIBRARY / "@grafana/data").is_dir():
        return "@grafana/data (scripts/setup test, with npm)"
    return ""


def asked(fetch: Fetch, dashboard: Json, view: View) -> list[Json]:
    """Return each panel with the answers that Grafana would get for its queries."""
    return [_asked(fetch, panel, view) for panel in dashboard["panels"]]


def read(jobs: Sequence[Json]) -> list[Json]:
    """Return what each panel says: see the readers in data/panels.cjs.

    Raises:
        RuntimeError: The library broke; the message is its own.
    """
    done = subprocess.run(  # noqa: S603  # our own program
        [_node() or "node", str(_PROGRAM)],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(_LIBRARY)},
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    said: list[Json] = json.loads(done.stdout)
    return said


def without_answers(dashboard: Json) -> list[Json]:
    """Return each panel as it is asked of a Prometheus that knows nothing."""
    return [
        {"panel": panel, "answers": [], "start": 0, "end": 60, "step": 60}
        for panel in dashboard["panels"]
    ]


def seconds(interval: str) -> int:
    """Return the length of an interval such as 5m."""
    return int(interval[:-1]) * _SECONDS[interval[-1]]


def _node() -> str | None:
    """Return the program that the set-up brought, or the machine's own."""
    return shutil.which("node", path=_ROOT / ".cache/node") or shutil.which("node")


def _node_version() -> tuple[int, ...]:
    program = _node()
    if program is None:
        return ()
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # our own program
    return tuple(int(part) for part in re.findall(r"\d+", told.stdout)[:2])


def _asked(fetch: Fetch, panel: Json, view: View) -> Json:
    step = view.step or max(seconds(panel.get("interval", "1m")), view.seconds // _WIDEST)
    start = (view.end - view.seconds) // step * step
    windows = {"__rate_interval": view.rate_interval, "__range": f"{view.seconds}s"}
    answers = []
    for target in panel["targets"]:
        expression = plain(target["expr"], {**windows, **view.values})
        times: Json = {"start": start, "end": view.end, "step": step}
        if target["instant"]:
            times = {"time": view.end}
        path = "query" if target["instant"] else "query_range"
        query = urlencode({"query": expression, **times})
        data = json.loads(fetch(f"/api/v1/{path}?{query}"))["data"]
        answers.append({"refId": target["refId"], "result": data["result"]})
    return {"panel": panel, "answers": answers, "start": start, "end": view.end, "step": step}
