"""CPU and memory of a daemon from its start until its first figures, with many links.

Every link is pinged once an hour, so that the start is measured and not the pinging. Goal: at most
10 s of CPU for 20,000 links.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))

from benchmarks.config_load import inventory_text  # noqa: E402  # scripts are no package

_ADDRESS = "127.0.0.1:9881"
_SETTINGS = """\
inventory: agencies.yaml
storage: {path: ledger.sqlite}
modules: {echo: {default: {interval: 3600s, timeout: 1s}}}
credentials: {snmp: {province: {version: 2c, community: {env: NETMON_BENCHMARK_UNSET}}}}
"""


def measure(links: int) -> dict[str, float]:
    """Start a daemon with so many links and stop it when it has figures."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "agencies.yaml").write_text(inventory_text(links), encoding="utf-8")
        settings = directory / "netmon.yaml"
        settings.write_text(_SETTINGS, encoding="utf-8")
        begun = time.monotonic()
        process = subprocess.Popen(
            [
                sys.executable, "-m", "netmon", "run", f"--config.file={settings}",
                f"--web.listen-address={_ADDRESS}", "--log.level=error",
            ],
            cwd=_ROOT,
        )  # fmt: skip
        try:
            _wait_until_ready(process)
            wall_seconds = time.monotonic() - begun
            cpu_seconds, rss_mib = _usage(process.pid)
        finally:
            process.terminate()
            process.wait()
    return {
        "links": links,
        "cpu_seconds": cpu_seconds,
        "wall_seconds": round(wall_seconds, 2),
        "rss_mib": rss_mib,
    }


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{_ADDRESS}/-/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    message = f"netmon ended with {process.returncode} before it was ready"
    raise RuntimeError(message)


def _usage(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    seconds = ticks / os.sysconf("SC_CLK_TCK")
    return seconds, round(pages * resource.getpagesize() / 2**20, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.links)
    if options.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:>14} {value:>10}")


if __name__ == "__main__":
    main()
