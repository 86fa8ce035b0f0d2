"""The real daemon over a whole country: 20,000 links, one echo per second each, judged and scraped.

The country is a network namespace in which every address answers. `netmon run` is a process of its
own in it; its CPU time (user + system) and memory are read from /proc over a number of scrape
intervals, with gzip as Prometheus asks for it. On loopback the kernel charges whoever sends an
echo for answering it as well: what is measured is an upper bound. The daemon runs at real-time
priority, so that other work on the machine does not count as its lateness; `--ordinary` runs it
without. `start_lateness_p99_ms` is that of the first 20 seconds, in which every link changes its
state; `lateness_p99_ms` that of the last minute, scrapes included. Then one link is cut: how long
until it is shown as down? Needs root.

    python benchmarks/country.py [--json] [--links 20000] [--snmp 300s] [--ordinary]
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.agents import COMMUNITY
from lab.daemons import free_port
from lab.fast_agent import Country
from lab.kernel import inside, run_nft
from lab.tun import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
_SCRAPE_SECONDS = 15.0
_SETTLE_SECONDS = 20.0
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_LOG_BYTES = 4096
_LATENESS = "netmon_engine_lateness_p99_seconds"
_MEBIBYTE = 1 << 20
_SETTINGS = """\
inventory: agencies.yaml
calendar: calendar.yaml
storage: {path: ledger.sqlite}
judge: {new_links: swift}
modules:
  echo: {default: {interval: 1s, timeout: 1s}}
"""
_SNMP = """\
  snmp: {default: {interval: %s, timeout: 1s}}
credentials:
  snmp: {lab: {version: 2c, community: {file: community}}}
"""
_CALENDAR = 'hours: ["07:30-17:00"]\nweekdays: [monday]\n'
_HEAD = """\
province: {id: vn, name: Việt Nam, name_en: Viet Nam}
centre:
  name: Trung tâm
  canaries: [{id: self, name: Chính máy này, address: 127.0.0.1}]
providers: {vnpt: {name: VNPT}}
kinds:
  commune: {name: UBND cấp xã, name_en: Commune, defaults: {provider: vnpt%s}}
agencies:
"""


def write_configuration(directory: Path, links: int, snmp: str) -> Path:
    """Write settings and an inventory of so many links; return the path of the settings."""
    lines = [_HEAD % (", snmp: lab" if snmp else "")]
    lines += (
        f"  - {{id: xa-{number}, name: UBND xã {number}, kind: commune, "
        f"router: {address_of(number)}}}\n"
        for number in range(links)
    )
    (directory / "agencies.yaml").write_text("".join(lines), encoding="utf-8")
    (directory / "calendar.yaml").write_text(_CALENDAR, encoding="utf-8")
    (directory / "community").write_text(COMMUNITY + "\n", encoding="utf-8")
    (directory / "community").chmod(0o600)
    settings = directory / "netmon.yaml"
    settings.write_text(_SETTINGS + (_SNMP % snmp if snmp else ""), encoding="utf-8")
    return settings


@dataclass(frozen=True, slots=True)
class Way:
    """How the daemon is run."""

    ordinary: bool = False
    """Without real-time priority."""
    profile: Path | None = None


class Netmon:
    """`netmon run` in a country's namespace."""

    def __init__(self, country: Country, settings: Path, way: Way) -> None:
        self._country = country
        self._port = free_port(country.namespace)
        self._log = settings.with_name("netmon.log")
        with self._log.open("wb") as log:
            self._process = country.popen(
                *(() if way.ordinary else ("chrt", "--rr", "1")),
                sys.executable,
                *(("-m", "cProfile", "-o", str(way.profile)) if way.profile else ()),
                *("-m", "netmon", "run", f"--config.file={settings}"),
                f"--web.listen-address=127.0.0.1:{self._port}",
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Return when it answers and has figures."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                if self.get("/-/ready")[0] == http.client.OK:
                    return
            time.sleep(_LOOK_SECONDS)
        sys.exit(f"netmon is not ready: {self.log[-2000:]}")

    @property
    def log(self) -> str:
        """The end of what it logged."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - _LOG_BYTES))
            return log.read().decode("utf-8", "replace")

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for a page as Prometheus does; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection), inside(self._country.namespace):
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            body = response.read()
            if response.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            return response.status, body

    def cpu_seconds(self) -> float:
        """Return the CPU time spent so far."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self) -> int:
        """Return the resident memory now."""
        statm = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="utf-8")
        return int(statm.split()[1]) * resource.getpagesize()

    def end(self) -> None:
        """End it as a supervisor does."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def running(links: int, snmp: str, way: Way) -> Iterator[tuple[Country, Netmon]]:
    """Run a daemon over a country."""
    with tempfile.TemporaryDirectory() as directory, Country() as country:
        netmon = Netmon(country, write_configuration(Path(directory), links, snmp), way)
        try:
            netmon.wait_ready()
            yield country, netmon
        finally:
            netmon.end()


def total(body: bytes, name: str) -> float:
    """Return the sum of a metric's series."""
    pattern = rb"^%s(?:\{[^}]*\})? (\S+)$" % name.encode()
    return sum(float(value) for value in re.findall(pattern, body, re.MULTILINE))


def detect(country: Country, netmon: Netmon, links: int) -> float:
    """Cut one link and return how many seconds later /metrics says netmon_link_up 0 for it.

    It is asked for when the log tells of the outage: to ask all the time would be a load.
    """
    victim = links // 2
    rules = (
        "table ip cut { chain input { type filter hook input priority 0;\n"
        f"ip daddr {address_of(victim)} icmp type echo-request drop\n}}\n}}\n"
    )
    wanted = f'netmon_link_up{{agency="xa-{victim}",link="primary"}} 0'.encode()
    run_nft(rules, country.namespace)
    cut = time.monotonic()
    while time.monotonic() < cut + _PATIENCE_SECONDS:
        time.sleep(_LOOK_SECONDS)
        if f"xa-{victim}/primary: up → down" in netmon.log:
            asked = time.monotonic()
            if wanted in netmon.get("/metrics")[1]:
                return asked - cut
    sys.exit(f"the cut was never seen: {netmon.log[-500:]}")


def measure(links: int, scrapes: int, snmp: str, way: Way) -> dict[str, float]:
    """Return the figures named at the top."""
    begun = time.monotonic()
    with running(links, snmp, way) as (country, netmon):
        ready_seconds = time.monotonic() - begun
        time.sleep(_SETTLE_SECONDS)
        first = netmon.get("/metrics")[1]
        spent: list[float] = []
        memory: list[int] = []
        for _ in range(scrapes):
            before, start = netmon.cpu_seconds(), time.monotonic()
            time.sleep(_SCRAPE_SECONDS)
            body = netmon.get("/metrics")[1]
            spent.append((netmon.cpu_seconds() - before) / (time.monotonic() - start))
            memory.append(netmon.memory_bytes())
        requests = total(body, "netmon_echo_requests_total")
        return {
            "links": links,
            "ready_seconds": ready_seconds,
            "echoes": requests,
            "echoes_lost": requests - total(body, "netmon_echo_replies_total"),
            "cpu_percent": statistics.mean(spent) * 100,
            "rss_mib": max(memory) / _MEBIBYTE,
            "start_lateness_p99_ms": total(first, _LATENESS) * 1000,
            "lateness_p99_ms": total(body, _LATENESS) * 1000,
            "links_up": total(body, "netmon_link_up"),
            "series": body.count(b"\n") - body.count(b"\n#"),
            "detect_s": detect(country, netmon, links),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--scrapes", type=int, default=4, help="of 15 seconds each")
    parser.add_argument("--snmp", default="", metavar="INTERVAL", help="poll all routers too")
    parser.add_argument("--ordinary", action="store_true", help="without real-time priority")
    parser.add_argument("--profile", type=Path, help="write cProfile's figures of the daemon")
    arguments = parser.parse_args()
    way = Way(arguments.ordinary, arguments.profile)
    figures = measure(arguments.links, arguments.scrapes, arguments.snmp, way)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20} {value:>14,.3f}")


if __name__ == "__main__":
    main()
