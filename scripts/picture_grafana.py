"""Draw the dashboards of the documentation from what a real Prometheus answers.

    python scripts/picture_grafana.py [--minutes 8] [--again] [--all FOLDER]

The demo runs, Prometheus scrapes it and evaluates the recording rules, every query of every panel
is asked as Grafana asks it, and Grafana's own data library makes texts and colours of the answers.
There is no Grafana server: `picture_panels` puts them on a page, and a headless Chromium takes the
picture. `--again` draws the answers of the last run once more.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from picture import ADDRESS, ROOT, wait_until_ready
from picture_panels import page

from grafana.check import reading
from grafana.source.records import rules_file
from lab.prometheus import Prometheus, Scrape

ANSWERS = ROOT / ".cache/grafana-answers.json"
PICTURES = ROOT / "docs/pictures"
WIDE, PHONE = 1280, 390
SHOWN = {
    "grafana-overview-vi.png": ("vi", "overview", WIDE),
    "grafana-overview-phone.png": ("vi", "overview", PHONE),
    "grafana-link-en.png": ("en", "link", WIDE),
    "grafana-availability-vi.png": ("vi", "availability", WIDE),
}
# Machado, Oliveira and Fernandes (2009), severity 1.
WITHOUT_GREEN = """<style>html { filter: url(#sight); }</style><svg width=0 height=0>
<filter id=sight><feColorMatrix values="0.367322 0.860646 -0.227968 0 0
0.280085 0.672501 0.047413 0 0 -0.011820 0.042940 0.968881 0 0 0 0 0 1 0"/></filter></svg>"""
_TALLEST = {PHONE: 1500, WIDE: 2000}
_QUICK = {"30s": "2s", "5m": "5s", "1h": "10s"}


def main() -> int:
    """Ask, read, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--again", action="store_true", help="draw the last answers once more")
    parser.add_argument("--all", type=Path, help="draw everything there is into this folder")
    parser.add_argument(
        "--without-green", action="store_true", help="as people see it who lack one kind of cone"
    )
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if lack := reading.lack() or ("" if chromium else "chromium (apt install chromium)"):
        print(f"missing: {lack}", file=sys.stderr)
        return 2
    if not options.again:
        ANSWERS.write_text(json.dumps(record(options.minutes * 60)), "utf-8")
    answers = json.loads(ANSWERS.read_text("utf-8"))
    shown = SHOWN
    folder = PICTURES
    if options.all:
        folder = options.all
        shown = {
            f"{language}-{name}-{width}.png": (language, name, width)
            for language in ("vi", "en")
            for name in answers
            for width in (WIDE, PHONE)
        }
    for name, (language, dashboard, width) in shown.items():
        text, height = drawn(language, dashboard, answers[dashboard], width)
        text = text + WITHOUT_GREEN if options.without_green else text
        shoot(str(chromium), text, (width, min(height, _TALLEST[width])), folder / name)
    return 0


def record(seconds: float) -> dict[str, Any]:
    """Run the demo under a real Prometheus; return the answers to every query, by dashboard."""
    rules = Path(tempfile.mkdtemp()) / "rules.yml"
    # The same rules, evaluated more often: nobody waits an hour for a picture.
    quick = re.sub(r"interval: (\w+)", lambda found: f"interval: {_QUICK[found[1]]}", rules_file())
    # What is added up hour by hour is added up ten seconds by ten seconds.
    quick = quick.replace("[1h]", f"[{_QUICK['1h']}]")
    rules.write_text(quick, "utf-8")
    start = (
        "import pathlib, sys; from netmon.cli import main; from netmon.demo import files; "
        f"files.shipped_configuration = lambda: pathlib.Path({str(province())!r}); "
        f"sys.exit(main(['demo', '--web.listen-address={ADDRESS}']))"
    )
    demo = subprocess.Popen([sys.executable, "-c", start], cwd=ROOT)
    try:
        wait_until_ready()
        alerts = ROOT / "exporters/prometheus/rules/netmon.yml"
        with Prometheus(Scrape([ADDRESS], interval="2s", rule_files=[rules, alerts])) as running:
            time.sleep(seconds)
            # With a district cut there is most to see; the demo does that in its turn.
            running.wait_for('netmon_link_state{state="unreachable"} == 1', patience_seconds=300)
            time.sleep(8)
            return ask(running, int(seconds))
    finally:
        demo.terminate()
        demo.wait()


def province() -> Path:
    """Copy the shipped province, with every hour a business hour: pictures are drawn at any."""
    folder = Path(tempfile.mkdtemp()) / "config"
    shutil.copytree(ROOT / "config", folder)
    days = "monday, tuesday, wednesday, thursday, friday, saturday, sunday"
    calendar = f'hours: ["00:00-24:00"]\nweekdays: [{days}]\n'
    (folder / "calendar.yaml").write_text(calendar, "utf-8")
    return folder


def ask(prometheus: Prometheus, seconds: int) -> dict[str, Any]:
    """Return each dashboard's answers; of the one link that was worst, where one is chosen."""
    worst = prometheus.query(
        'topk(1, sum by (agency, link) (netmon_link_state_seconds_total{state="down"}))'
    )[0].labels
    values = {**worst, "kind": ".*", "district": ".*", "provider": ".*"}
    end = time.time()  # noqa: TID251  # the end of what is shown
    view = reading.View(end, seconds // 5 * 5 - 20, values, rate_interval="20s", step=5)
    found = {}
    for path in sorted((ROOT / "grafana/dashboards/vi").glob("*.json")):
        dashboard = json.loads(path.read_text("utf-8"))
        name = dashboard["uid"].rpartition("-")[2]
        jobs = reading.asked(prometheus.fetch, dashboard, view)
        found[name] = [{key: job[key] for key in job if key != "panel"} for job in jobs]
    return found


def drawn(language: str, name: str, answers: list[dict[str, Any]], width: int) -> tuple[str, int]:
    """Return the page of one dashboard with the answers that were recorded, and its height."""
    path = ROOT / f"grafana/dashboards/{language}/netmon-{language}-{name}.json"
    dashboard = json.loads(path.read_text("utf-8"))
    jobs = [
        {**job, "panel": panel} for job, panel in zip(answers, dashboard["panels"], strict=True)
    ]
    return page(dashboard, jobs, reading.read(jobs), width)


def shoot(chromium: str, text: str, size: tuple[int, int], target: Path) -> None:
    """Take the picture of a page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(text, "utf-8")
        subprocess.run(
            [
                chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--no-first-run", "--disable-background-networking", "--disable-sync",
                f"--window-size={size[0]},{size[1]}", f"--user-data-dir={folder}/profile",
                f"--screenshot={target.absolute()}", f"file://{folder}/page.html",
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
    if (squeeze := shutil.which("pngquant")) is not None:
        subprocess.run([squeeze, "--force", "--ext=.png", str(target)], check=True)
    print(f"drew {target}")


if __name__ == "__main__":
    sys.exit(main())
