"""What the rules cost Prometheus over a whole country.

    python benchmarks/rules.py [--links 20000] [--down 0.01] [--warm 150] [--seconds 21]
        [--rules FILE] [--json]

One Prometheus scrapes a generated country every 15 s for a while: districts with communes behind
them, two links of different carriers each, routers with three interfaces. Then it is started again
over the same data and scrapes no more, so that nothing but rules costs it anything. It is given
each group of them in turn, evaluated more often than it asks for; the CPU of its process is divided
by the evaluations, and multiplied by how often the group is really evaluated.

Keys of the JSON object: links, agencies, series; down, alerts (how many links are down, how many
alerts were pending or fired); group_cpu_seconds (CPU of one evaluation of each group),
cpu_seconds_per_interval (CPU that all groups cost in 15 s by their own intervals),
scrape_cpu_seconds (what the scrapes cost in 15 s, for comparison), idle_cpu_seconds (what is left
without both), and slowest_rules (wall clock, of one evaluation). Windows are filled as far as it
was scraped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

# Run as a script from anywhere, the lab and the other benchmark are beside it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.exposition import Country
from lab.prometheus import Prometheus, Scrape
from netmon.model import (
    STATE_CODES,
    Agency,
    InterfaceReading,
    Inventory,
    Kind,
    Limits,
    Link,
    LinkKey,
    Outage,
    Provider,
    Province,
    Role,
    RouterReading,
    SnmpStatus,
    State,
    Target,
)
from netmon.web import Request
from netmon_exporters.prometheus import PrometheusExporter

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULES = Path(__file__).parents[1] / "exporters/prometheus/rules/netmon.yml"
_INTERVAL_SECONDS = 15
_HURRY = {15: "500ms", 60: "1s"}
"""How often a group is evaluated while it is measured, by its own interval in seconds: often enough
that a collection of Prometheus' whole heap, which comes now and then, does not look like its own
cost."""
_HURRY_ELSE = "3s"
_COMMUNES = 14
"""Behind each district."""
_SHARE_DEGRADED, _SHARE_FLAPPING, _SHARE_PLANNED = 0.005, 0.002, 0.005
_PROVIDERS = ("vnpt", "viettel", "mobifone", "fpt")
_TICKS = os.sysconf("SC_CLK_TCK")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Endpoint:
    """The exposition of a country of which some links are down, on a port of its own."""

    def __init__(self, links: int, share_down: float) -> None:
        inventory = _inventory(links)
        self._country, self._exporter = Country(links, inventory), PrometheusExporter()
        self._state = _states(links, share_down)
        self._outages = _outages(inventory, self._state)
        self._readings = {agency: _reading(agency, 0) for agency in inventory.agencies}
        self.agencies, self.series = len(inventory.agencies), 0
        self._scrapes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def down(self) -> int:
        """How many links are down."""
        return len(self._outages)

    def body(self) -> bytes:
        """Return the exposition of the next scrape."""
        self._scrapes += 1
        if self._scrapes % 4 == 0:
            # Routers are asked once in a minute.
            self._readings = {agency: _reading(agency, self._scrapes) for agency in self._readings}
        snapshot = self._country.next()
        flapping = np.random.default_rng(3).random(len(self._state)) < _SHARE_FLAPPING
        judged = replace(
            snapshot.judgement, state=self._state, health=self._state, flapping=flapping
        )
        snapshot = replace(
            snapshot, judgement=judged, open_outages=self._outages, readings=self._readings
        )
        text = b"".join(self._exporter.metrics(snapshot, Request("/")).parts)
        self.series = text.count(b"\n") - text.count(b"\n#")
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


# --- The country ----------------------------------------------------------------------------------


def _inventory(links: int) -> Inventory:
    agencies = {}
    for number in range(links // 2):
        district = f"huyen-{number // (_COMMUNES + 1)}"
        is_district = number % (_COMMUNES + 1) == 0
        own = district if is_district else f"xa-{number:05}"
        agencies[own] = Agency(
            own,
            f"UBND {'huyện' if is_district else 'xã'} số {number}",
            "district" if is_district else "commune",
            parent=None if is_district else district,
            district=district,
            links=tuple(_link(own, number, role) for role in (Role.PRIMARY, Role.BACKUP)),
        )
    kinds = {name: Kind(name, name, name, area=name == "district") for name in _KINDS}
    providers = {name: Provider(name, f"Nhà mạng {name}", "") for name in _PROVIDERS}
    province = Province("vn", "Việt Nam", "Viet Nam", "Asia/Ho_Chi_Minh", "Trung tâm")
    return Inventory(province, kinds, providers, agencies)


_KINDS = ("district", "commune")


def _link(agency: str, number: int, role: Role) -> Link:
    other = role is Role.BACKUP
    return Link(
        LinkKey(agency, role.value),
        role,
        (ip_address(0x0A000000 + 2 * number + other),),
        "default",
        _PROVIDERS[(number + other) % len(_PROVIDERS)],
        f"TSL-{number:05}-{role.value}",
        bandwidth_bits_per_second=200_000_000,
        target=Target(0.995, "hợp đồng"),
        limits=Limits(0.05, 0.1),
    )


def _states(links: int, share_down: float) -> np.ndarray[Any, np.dtype[np.int8]]:
    chance = np.random.default_rng(1).random(links)
    state = np.zeros(links, np.int8)
    bound = 0.0
    for share, what in (
        (share_down, State.DOWN),
        (_SHARE_DEGRADED, State.DEGRADED),
        (_SHARE_PLANNED, State.MAINTENANCE),
    ):
        state[(chance >= bound) & (chance < bound + share)] = STATE_CODES[what]
        bound += share
    return state


def _outages(inventory: Inventory, state: np.ndarray[Any, np.dtype[np.int8]]) -> tuple[Outage, ...]:
    started_us = int(time.time() * 1e6)  # noqa: TID251  # a label of the generated country
    down = state == STATE_CODES[State.DOWN]
    keys = tuple(inventory.links)
    return tuple(Outage(keys[row], started_us, None) for row in np.flatnonzero(down))


def _reading(agency: str, turn: int) -> RouterReading:
    interfaces = tuple(
        InterfaceReading(
            index,
            f"ether{index}",
            admin_up=True,
            oper_up=True,
            speed_bits_per_second=1_000_000_000,
            receive_bytes=turn * 20_000_000,
            transmit_bytes=turn * 10_000_000,
            receive_errors=0,
            transmit_errors=0,
            receive_discards=0,
            transmit_discards=0,
        )
        for index in (1, 2, 3)
    )
    return RouterReading(
        agency, 1, SnmpStatus.OK, uptime_seconds=1e6 + turn, uplink_index=1, interfaces=interfaces
    )


# --- Measuring ------------------------------------------------------------------------------------


def main() -> None:
    """Measure each group of rules, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--down", type=float, default=0.01)
    parser.add_argument("--warm", type=int, default=150, help="seconds of scraping")
    parser.add_argument("--seconds", type=int, default=21, help="of each group")
    parser.add_argument("--rules", type=Path, default=_RULES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    endpoint = Endpoint(options.links, options.down)
    # The first takes seconds: it must not be the first scrape that has to wait for it.
    endpoint.body()
    figures = {"links": options.links, "agencies": endpoint.agencies, "down": endpoint.down}
    figures |= _measured(endpoint, options.rules, options.warm, options.seconds)
    figures["series"] = endpoint.series
    print(json.dumps(figures) if options.json else _text(figures))


def _measured(endpoint: Endpoint, file: Path, warm_seconds: int, seconds: int) -> dict[str, Any]:
    groups: list[dict[str, Any]] = yaml.safe_load(file.read_text("utf-8"))["groups"]
    with tempfile.TemporaryDirectory() as folder:
        rules, data = Path(folder) / "rules.yml", Path(folder) / "data"
        rules.write_text("groups: []\n", "utf-8")
        target = f"127.0.0.1:{endpoint.port}"
        scrape = Scrape([target], interval=f"{_INTERVAL_SECONDS}s", rule_files=[rules])
        with _Kept(scrape, data) as prometheus:
            prometheus.wait_for("count(netmon_link_up)", patience_seconds=180)
            scraping = _cpu_per_interval(prometheus, warm_seconds)
        with _Kept(replace(scrape, targets=[]), data) as prometheus:
            return {"scrape_cpu_seconds": round(scraping, 3)} | _phases(
                prometheus, rules, groups, seconds
            )


class _Kept(Prometheus):
    """Prometheus over a folder that another one may have left: no series is stale after a stop."""

    ready_seconds = 180.0
    """It replays what the other one wrote."""

    def __init__(self, scrape: Scrape, data: Path) -> None:
        super().__init__(scrape)
        self._data = data

    def command(self) -> Sequence[str]:
        """Return the command with the folder in the place of an empty one."""
        own = "--storage.tsdb.path="
        return [
            f"{own}{self._data}" if each.startswith(own) else each for each in super().command()
        ]


def _phases(
    prometheus: Prometheus, rules: Path, groups: list[dict[str, Any]], seconds: int
) -> dict[str, Any]:
    spent, alerts = {}, 0
    slowest: dict[str, float] = {}
    idle = _cpu_per_interval(prometheus, seconds)
    for group in groups:
        _give(prometheus, rules, [group])
        before = _evaluations(prometheus)
        used = _cpu_per_interval(prometheus, seconds) - idle
        turns = (_evaluations(prometheus) - before) * _INTERVAL_SECONDS / seconds
        spent[group["name"]] = used / turns
        slowest |= _rule_seconds(prometheus)
        alerts = max(alerts, len(prometheus.alerts()))
    shares = {each["name"]: _INTERVAL_SECONDS / _interval_seconds(each) for each in groups}
    worst = sorted(slowest.items(), key=lambda each: -each[1])[:8]
    return {
        "alerts": alerts,
        "group_cpu_seconds": {name: round(used, 3) for name, used in spent.items()},
        "cpu_seconds_per_interval": round(sum(spent[name] * shares[name] for name in spent), 3),
        "idle_cpu_seconds": round(idle, 3),
        "slowest_rules": {name: round(wall, 3) for name, wall in worst},
    }


def _interval_seconds(group: dict[str, Any]) -> int:
    interval = str(group.get("interval", f"{_INTERVAL_SECONDS}s"))
    return int(interval[:-1]) * _UNIT_SECONDS[interval[-1]]


def _give(prometheus: Prometheus, rules: Path, groups: list[dict[str, Any]]) -> None:
    hurried = [
        {**group, "interval": _HURRY.get(_interval_seconds(group), _HURRY_ELSE)} for group in groups
    ]
    rules.write_text(yaml.safe_dump({"groups": hurried}, allow_unicode=True), "utf-8")
    prometheus.fetch("/-/reload", "POST", b"")


def _cpu_per_interval(prometheus: Prometheus, seconds: int) -> float:
    """Return the CPU seconds of Prometheus in 15 s, over the seconds to come."""
    begun, cpu = time.monotonic(), _cpu_seconds(prometheus.process_id)
    time.sleep(seconds)
    used = _cpu_seconds(prometheus.process_id) - cpu
    return used * _INTERVAL_SECONDS / (time.monotonic() - begun)


def _evaluations(prometheus: Prometheus) -> float:
    """Return how often groups were evaluated so far; those that were left out do not count."""
    counts = {"total": 0.0, "missed_total": 0.0}
    for line in prometheus.fetch("/metrics").decode().splitlines():
        name, _, value = line.rpartition(" ")
        for what in counts:
            if name.startswith(f"prometheus_rule_group_iterations_{what}{{"):
                counts[what] += float(value)
    return counts["total"] - counts["missed_total"]


def _rule_seconds(prometheus: Prometheus) -> dict[str, float]:
    groups = json.loads(prometheus.fetch("/api/v1/rules"))["data"]["groups"]
    return {
        f"{group['name']}/{rule['name']}": rule["evaluationTime"]
        for group in groups
        for rule in group["rules"]
    }


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _text(figures: dict[str, Any]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in figures.items())


if __name__ == "__main__":
    main()
