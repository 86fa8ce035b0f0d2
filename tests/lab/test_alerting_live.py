"""From a cut wire to the webhook: real routers, netmon, Prometheus and Alertmanager.

How long each way took: --junit-xml=FILE -o junit_family=xunit1. NETMON_DISTRICT_CUTS=10 cuts
districts ten times in each order; once is the default.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from lab import Lab, Plan
from lab.alertmanager import Alertmanager, WebhookReceiver
from lab.capabilities import LAB, Need, missing
from lab.prometheus import Prometheus, Scrape
from tests.support.daemon import Netmon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

CUTS = int(os.environ.get("NETMON_DISTRICT_CUTS", "1"))
"""Each in a district of its own: of a link that flaps netmon asks for more and more evidence."""
COMMUNES = 10
DISTRICTS = 2 * CUTS
LINKS = 2 + DISTRICTS * (1 + COMMUNES)
PAGE_SECONDS = 10.0

_ALERTING = """\
alerting:
  page_after: 1s
  group_wait: 3s
  group_interval: 1s
  drill_webhook: http://127.0.0.1:{port}/-/drill
  receivers: {{on-call: {{webhook: ["{url}"]}}}}
"""


@dataclass
class WayOfAPage:
    """Everything between a wire and a phone, and what the phone was told."""

    lab: Lab
    netmon: Netmon
    alertmanager: Alertmanager
    prometheus: Prometheus
    phone: WebhookReceiver
    pages: list[dict[str, Any]] = field(default_factory=list)

    def told(self, status: str) -> list[tuple[str, str]]:
        """Return alert and agency of every critical page so far, in order of delivery."""
        for delivery in self.phone.pending():
            self.pages += delivery["alerts"]
        told = (critical(each) for each in self.pages if each["status"] == status)
        return [each for each in told if each is not None]

    def until(self, holds: Callable[[], bool], complaint: str, patience: float) -> float:
        """Wait until it holds; return how long it took."""
        begun = time.monotonic()
        while not holds():
            assert time.monotonic() < begun + patience, f"{complaint}: {self.pages}"
            time.sleep(0.05)
        return time.monotonic() - begun

    def all_up(self) -> None:
        """Wait until every link answers."""
        up = "count(netmon_link_up == 1)"
        self.prometheus.wait_for(up, lambda found: bool(found) and found[0].value == LINKS, 60)

    def settle(self) -> None:
        """Wait until nothing is down nor told any more."""
        self.all_up()
        critical = 'ALERTS{severity="critical"}'
        self.prometheus.wait_for(critical, lambda found: not found, 40)
        # Alertmanager tells the end within its group_interval.
        time.sleep(2)


def critical(alert: dict[str, Any]) -> tuple[str, str] | None:
    """Return name and agency of an alert for which somebody must act now."""
    labels = alert["labels"]
    if labels["severity"] != "critical":
        return None
    return labels["alertname"], labels.get("agency", "")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WayOfAPage]:
    if lack := missing(*LAB, Need.PROMETHEUS, Need.ALERTMANAGER):
        pytest.skip(lack)
    plan = Plan(departments=2, districts=DISTRICTS, communes_per_district=COMMUNES, backups=0)
    with Lab(plan) as lab:
        centre = lab.namespace("centre")
        settings = lab.inventory_yaml(tmp_path_factory.mktemp("alerting"))
        netmon = Netmon(settings, centre)
        with WebhookReceiver(centre) as phone:
            section = _ALERTING.format(port=netmon.port, url=phone.url)
            settings.write_text(settings.read_text("utf-8") + section, "utf-8")
            rules, config = (
                export(settings, what, name)
                for what, name in (("rules", "rules.yml"), ("alertmanager", "alertmanager.yml"))
            )
            export(settings, "alertmanager-templates", "netmon.tmpl")
            with netmon, Alertmanager(config, centre) as alertmanager:
                scrape = Scrape(
                    [f"127.0.0.1:{netmon.port}"],
                    rule_files=[rules],
                    alertmanagers=[f"127.0.0.1:{alertmanager.port}"],
                )
                with Prometheus(scrape, centre) as prometheus:
                    path = WayOfAPage(lab, netmon, alertmanager, prometheus, phone)
                    path.all_up()
                    yield path


def export(settings: Path, what: str, name: str) -> Path:
    """Run `netmon export`; return the file."""
    output = settings.with_name(name)
    subprocess.run(
        [
            sys.executable, "-m", "netmon", "export", what,
            f"--config.file={settings}", f"--output={output}",
        ],
        check=True,
    )  # fmt: skip
    return output


def test_one_page_for_a_cut_commune_none_for_planned_work_and_none_is_closed_by_netmons_death(
    path: WayOfAPage, record_property: Callable[[str, object], None]
) -> None:
    cut, planned = "xa-0-3", "xa-0-7"
    plan_work(path, planned)
    page, end = ("AgencyDown", cut), ("NetmonAbsent", "")
    with path.lab.faults.cut(planned), path.lab.faults.cut(cut):
        took = path.until(lambda: page in path.told("firing"), "no page", PAGE_SECONDS)
        record_property("cut_to_webhook_seconds", took)
        path.netmon.kill()
        absent = path.until(lambda: end in path.told("firing"), "netmon's death is not told", 20)
        record_property("kill_to_webhook_seconds", absent)
        # What Prometheus took for over would have been told a group_interval after its last scrape.
        time.sleep(2)
        assert path.told("firing") == [page, end]
        assert path.told("resolved") == []
        path.netmon.start()
        path.until(lambda: end in path.told("resolved"), "netmon's return is not told", 20)
        time.sleep(3)
        assert path.told("resolved") == [end], "netmon's return closed the commune's page"
    over = path.until(lambda: page in path.told("resolved"), "its end is not told", 20)
    record_property("healed_to_webhook_seconds", over)
    path.settle()
    assert path.told("firing") == [page, end]
    assert_whole(path, cut)
    path.pages.clear()


def plan_work(path: WayOfAPage, agency: str) -> None:
    """Enter an hour of planned work by hand, and wait until it is in force."""
    subprocess.run(
        [
            sys.executable, "-m", "netmon", "maintenance", "add", f"work-{agency}", "thử",
            "--for=1h", f"--agency={agency}", f"--config.file={path.netmon.settings}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    path.netmon.until(lambda: path.netmon.state(agency) == "maintenance", "work is not in force")


def assert_whole(path: WayOfAPage, agency: str) -> None:
    """Compare names and texts at the webhook with those of the inventory, byte by byte."""
    name = f"UBND xã số {agency.removeprefix('xa-')}"
    (alert, *_) = [each for each in path.pages if critical(each) == ("AgencyDown", agency)]
    assert alert["labels"]["name"].encode() == name.encode()
    assert alert["annotations"]["summary"].encode() == f"{name} mất kết nối.".encode()
    assert all(unicodedata.is_normalized("NFC", text) for text in alert["annotations"].values())


def test_a_district_with_ten_communes_that_is_cut_is_exactly_one_page(
    path: WayOfAPage, record_property: Callable[[str, object], None]
) -> None:
    """One with its communes cut before it, the other with nothing cut but itself."""
    took = []
    for number in range(0, DISTRICTS, 2):
        child_first, parent_first = f"huyen-{number}", f"huyen-{number + 1}"
        faults = [path.lab.faults.cut(each) for each in path.lab.topology.children(child_first)]
        time.sleep(0.5)
        faults += [path.lab.faults.cut(district) for district in (child_first, parent_first)]
        pages = [("AgencyDown", child_first), ("AgencyDown", parent_first)]
        try:
            took.append(path.until(lambda: len(path.told("firing")) >= 2, "no page", 30))
            time.sleep(3)
        finally:
            for fault in reversed(faults):
                fault.heal()
        path.until(lambda: len(path.told("resolved")) >= 2, "its end is not told", 40)
        path.settle()
        assert (sorted(path.told("firing")), sorted(path.told("resolved"))) == (pages, pages)
        path.pages.clear()
    record_property("cut_to_webhook_seconds", took)


def test_a_drill_goes_the_whole_way_and_tells_how_long_it_took(path: WayOfAPage) -> None:
    done = path.lab.run(
        sys.executable, "-m", "netmon", "drill", "so-1", "--seconds=20", "--lang=en",
        f"--url=http://127.0.0.1:{path.netmon.port}",
        f"--alertmanager=http://127.0.0.1:{path.alertmanager.port}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Alertmanager has it after" in done.stdout
    path.netmon.until(
        lambda: bool(path.netmon.of("netmon_drill_duration_seconds", agency="so-1")), "no metric"
    )
    path.until(lambda: ("NetmonDrill", "so-1") in path.told("firing"), "nobody is told", 10)
    assert [each["labels"]["drill"] for each in path.pages if critical(each)] == ["true"]
