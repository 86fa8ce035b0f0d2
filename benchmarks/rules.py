"""What the rules cost Prometheus over a whole country.

    python benchmarks/rules.py [--links 20000] [--seconds 90] [--json]

Keys of the JSON object: links, series, down; rule_seconds (how long the rules that are evaluated
every 15 s took, median), account_seconds (the account, once in 5 min, and once an hour; the windows
fill only while the benchmark runs) and cpu_seconds_per_interval: the CPU that the rules add to 15 s
of a Prometheus that scrapes the endpoint, measured as the difference of the same Prometheus with
and without rules.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

# Run as a script from anywhere, the lab and the other benchmark are beside it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.exposition import Country
from lab.prometheus import Prometheus, Scrape
from netmon.model import STATE_CODES, State
from netmon.web import Request
from netmon_exporters.prometheus import PrometheusExporter

_RULES = Path(__file__).parents[1] / "exporters/prometheus/rules/netmon.yml"
_INTERVAL_SECONDS = 15
_SHARE_DOWN = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")


class Endpoint:
    """The exposition of a country of which one link in a hundred is down, on a port of its own."""

    def __init__(self, links: int) -> None:
        self._country, self._exporter = Country(links), PrometheusExporter()
        self._down = np.random.default_rng(1).random(links) < _SHARE_DOWN
        self.series = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def down(self) -> int:
        """How many links are down."""
        return int(self._down.sum())

    def body(self) -> bytes:
        """Return the exposition of the next scrape."""
        snapshot = self._country.next()
        judged = snapshot.judgement
        down = STATE_CODES[State.DOWN]
        judged = replace(
            judged,
            state=np.where(self._down, down, judged.state).astype(judged.state.dtype),
            health=np.where(self._down, down, judged.health).astype(judged.health.dtype),
        )
        parts = self._exporter.metrics(replace(snapshot, judgement=judged), Request("/")).parts
        text = b"".join(parts)
        self.series = sum(not line.startswith(b"#") for line in text.splitlines())
        return text

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            """Answers scrapes."""

            def do_GET(self) -> None:
                """Send the exposition."""
                body = endpoint.body()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler


def main() -> None:
    """Measure with and without rules, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    endpoint = Endpoint(options.links)
    bare, _ = _measure(endpoint, [], options.seconds)
    ruled, durations = _measure(endpoint, [_RULES], options.seconds)
    figures = {
        "links": options.links,
        "series": endpoint.series,
        "down": endpoint.down,
        "rule_seconds": round(durations["netmon.network"], 3),
        "account_seconds": {
            group: round(seconds, 3)
            for group, seconds in durations.items()
            if group != "netmon.network"
        },
        "cpu_seconds_per_interval": round(ruled - bare, 3),
        "cpu_seconds_of_scrapes": round(bare, 3),
    }
    print(json.dumps(figures) if options.json else _text(figures))


def _measure(endpoint: Endpoint, rules: list[Path], seconds: int) -> tuple[float, dict[str, float]]:
    """Return CPU seconds of Prometheus in 15 s, and how long its groups of rules took."""
    scrape = Scrape(
        [f"127.0.0.1:{endpoint.port}"], interval=f"{_INTERVAL_SECONDS}s", rule_files=rules
    )
    with Prometheus(scrape) as prometheus:
        prometheus.wait_for("count(netmon_link_up)", patience_seconds=60)
        time.sleep(2 * _INTERVAL_SECONDS)  # alerts begin to fire, series are made
        begun, cpu = time.monotonic(), _cpu_seconds(prometheus.process_id)
        time.sleep(seconds)
        used = _cpu_seconds(prometheus.process_id) - cpu
        intervals = (time.monotonic() - begun) / _INTERVAL_SECONDS
        groups = json.loads(prometheus.fetch("/api/v1/rules"))["data"]["groups"]
    return used / intervals, {group["name"]: group["evaluationTime"] for group in groups}


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _text(figures: dict[str, object]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in figures.items())


if __name__ == "__main__":
    main()
