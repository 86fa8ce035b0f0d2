"""The whole daemon against a hundred real routers: cuts, reloads, kill −9, a real Prometheus.

The tests of this module share one province and one daemon and heal what they break.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, Need, missing
from lab.prometheus import Prometheus, Scrape
from tests.support.daemon import Figures, Netmon

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

DISTRICT, COMMUNE, DEPARTMENT = "huyen-1", "xa-1-1", "so-1"
UNOBSERVED = {"agency": DEPARTMENT, "link": "primary", "state": "unobserved"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    if lack := missing(*LAB):
        pytest.skip(lack)
    with Lab(Plan(departments=60, districts=4, communes_per_district=9, backups=2)) as lab:
        yield lab


@pytest.fixture(scope="module")
def netmon(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Netmon]:
    settings = lab.inventory_yaml(tmp_path_factory.mktemp("netmon"))
    with Netmon(settings, lab.namespace("centre")) as netmon:
        netmon.until(lambda: links_up(netmon) == 102, "not every link came up")
        yield netmon


def links_up(netmon: Netmon) -> int:
    return int(sum(netmon.of("netmon_link_up").values()))


def links_down(netmon: Netmon) -> set[str]:
    down = netmon.of("netmon_link_up")
    return {dict(labels)["agency"] for labels, value in down.items() if value == 0}


def test_every_router_is_polled_and_named(netmon: Netmon) -> None:
    netmon.until(
        lambda: sum(netmon.of("netmon_snmp_up").values()) == 100, "not every router was polled"
    )
    assert len(netmon.of("netmon_router_info")) == 100


def test_promtool_finds_nothing_to_say_of_the_exposition(netmon: Netmon) -> None:
    if lack := missing(Need.PROMTOOL):
        pytest.skip(lack)
    promtool = shutil.which("promtool")
    assert promtool is not None
    done = subprocess.run(
        [promtool, "check", "metrics"], input=netmon.metrics(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr + done.stdout) == (0, b"")


def test_a_commune_that_is_cut_is_down_alone(lab: Lab, netmon: Netmon) -> None:
    with lab.faults.cut(COMMUNE):
        netmon.until(lambda: links_down(netmon) == {COMMUNE}, "the cut was not seen", 10)
        assert links_up(netmon) == 101
    netmon.until(lambda: not links_down(netmon), "the commune did not come back", 20)


def test_behind_a_district_that_is_cut_communes_are_unreachable(lab: Lab, netmon: Netmon) -> None:
    communes = [node.id for node in lab.topology.nodes.values() if node.parent == DISTRICT]
    assert len(communes) == 9
    with lab.faults.cut(DISTRICT):
        netmon.until(
            lambda: all(netmon.state(each) == "unreachable" for each in communes),
            "its communes are not unreachable",
            15,
        )
        assert links_down(netmon) == {DISTRICT}
        assert netmon.state(DISTRICT) == "down"
    netmon.until(lambda: links_up(netmon) == 102, "the district did not come back", 30)


def test_an_outage_has_the_times_of_the_cut(lab: Lab, netmon: Netmon) -> None:
    cut_at = time.time()  # noqa: TID251  # the truth to compare with
    with lab.faults.cut(DEPARTMENT):
        netmon.until(lambda: links_down(netmon) == {DEPARTMENT}, "the cut was not seen", 10)
        time.sleep(3)
    netmon.until(lambda: links_up(netmon) == 102, "the department did not come back", 20)
    healed_at = time.time()  # noqa: TID251  # the same
    outage = outages(netmon, DEPARTMENT)[-1]
    assert outage["seconds"] == pytest.approx(healed_at - cut_at, abs=4)


def counters(figures: Figures, *, but: str = "") -> Figures:
    """Return what may only grow, of all agencies but one."""
    return {
        (name, labels): value
        for (name, labels), value in figures.items()
        if name.endswith(("_total", "_count", "_bucket", "_sum"))
        and name.startswith(("netmon_link", "netmon_echo", "netmon_interface"))
        and dict(labels).get("agency") != but
    }


def test_a_reload_that_adds_a_commune_touches_no_other_link(netmon: Netmon) -> None:
    inventory = netmon.settings.with_name("agencies.yaml")
    text = inventory.read_text(encoding="utf-8")
    line = (
        f"  - {{id: xa-moi, name: UBND xã Mới, kind: commune, parent: {DISTRICT}, "
        "router: 10.20.250.2}"
    )
    before, begun = counters(netmon.figures()), time.monotonic()
    inventory.write_text(f"{text}{line}\n", encoding="utf-8")
    try:
        status, body = netmon.request("POST", "/-/reload")
        assert (status, b"xa-moi" in body) == (200, True), body
        netmon.until(lambda: bool(netmon.of("netmon_link_info", agency="xa-moi")), "no new link")
        after = counters(netmon.figures(), but="xa-moi")
        assert after.keys() == before.keys()
        assert {
            key: (value, after[key]) for key, value in before.items() if after[key] < value
        } == {}
        echoes = [key for key in before if key[0] == "netmon_echo_requests_total"]
        most = time.monotonic() - begun + 3
        assert all(after[key] - before[key] <= most for key in echoes)
    finally:
        inventory.write_text(text, encoding="utf-8")
    assert netmon.request("POST", "/-/reload")[0] == 200
    netmon.until(
        lambda: not any(dict(labels).get("agency") == "xa-moi" for _, labels in netmon.figures()),
        "series of the removed commune stay",
    )


def test_a_broken_file_changes_nothing_and_is_told(netmon: Netmon) -> None:
    inventory = netmon.settings.with_name("agencies.yaml")
    text = inventory.read_text(encoding="utf-8")
    inventory.write_text(text.replace("kind: commune,", "knd: commune,", 1), encoding="utf-8")
    try:
        status, body = netmon.request("POST", "/-/reload")
        assert status >= 400
        assert b"unknown key 'knd'; did you mean 'kind'?" in body
        netmon.until(
            lambda: netmon.of("netmon_config_last_reload_successful") == {(): 0.0},
            "the failed reload is on no metric",
        )
        assert links_up(netmon) == 102
        assert "agencies.yaml:" in netmon.log
    finally:
        inventory.write_text(text, encoding="utf-8")
    assert netmon.request("POST", "/-/reload")[0] == 200
    netmon.until(
        lambda: netmon.of("netmon_config_last_reload_successful") == {(): 1.0},
        "the good reload is on no metric",
    )


def test_sighup_reloads(netmon: Netmon) -> None:
    stamp = "netmon_config_last_reload_success_timestamp_seconds"
    before = netmon.of(stamp)[()]
    netmon.process.send_signal(signal.SIGHUP)
    netmon.until(lambda: netmon.of(stamp)[()] > before, "SIGHUP did not reload")


def test_a_real_prometheus_scrapes_it(lab: Lab, netmon: Netmon) -> None:
    if lack := missing(Need.PROMETHEUS):
        pytest.skip(lack)
    scrape = Scrape([f"127.0.0.1:{netmon.port}"])
    with Prometheus(scrape, lab.namespace("centre")) as prometheus:
        (answer,) = prometheus.wait_for("sum(netmon_link_up)")
        assert answer.value == 102
        assert prometheus.query("up")[0].value == 1
        (district,) = prometheus.query(f'netmon_agency_info{{agency="{DISTRICT}"}}')
        assert district.labels["name"] == "UBND huyện số 1"


def test_time_in_which_netmon_stood_still_is_unobserved(netmon: Netmon) -> None:
    before, outages_before = netmon.figures(), outages(netmon)
    netmon.process.send_signal(signal.SIGSTOP)
    time.sleep(6)
    netmon.process.send_signal(signal.SIGCONT)
    netmon.until(
        lambda: unobserved_seconds(netmon.figures()) - unobserved_seconds(before) >= 4,
        "the time is not unobserved",
    )
    netmon.until(lambda: links_up(netmon) == 102, "not every link is observed again", 15)
    assert unobserved_seconds(netmon.figures()) - unobserved_seconds(before) <= 9
    assert outages(netmon) == outages_before


def test_after_kill_9_the_account_goes_on_and_the_dead_time_is_unobserved(
    lab: Lab, netmon: Netmon
) -> None:
    with lab.faults.cut(COMMUNE):
        netmon.until(lambda: links_down(netmon) == {COMMUNE}, "the cut was not seen", 10)
        before = counters(netmon.figures())
        begun = outages(netmon, COMMUNE)[-1]["start"]
        netmon.kill()
        died = time.monotonic()
        time.sleep(3)
        netmon.start()
        dead_seconds = time.monotonic() - died
        netmon.until(lambda: links_down(netmon) == {COMMUNE}, "the outage did not go on", 10)
        after = counters(netmon.figures())
        ledger = [key for key in before if key[0].startswith("netmon_link")]
        assert ledger
        assert {key: after.get(key) for key in ledger if after.get(key, -1) < before[key]} == {}
        last = outages(netmon, COMMUNE)[-1]
        assert (last["start"], last["end"]) == (begun, None)
    netmon.until(lambda: links_up(netmon) == 102, "the commune did not come back", 20)
    unobserved = unobserved_seconds(after) - unobserved_seconds(before)
    assert unobserved == pytest.approx(dead_seconds, abs=3)


def test_sigterm_drains_and_exits_with_0(netmon: Netmon) -> None:
    assert netmon.stop() == 0
    assert "Traceback" not in netmon.log
    netmon.start()
    rows = subprocess.run(
        [sys.executable, "-m", "netmon", "ledger", "verify", f"--config.file={netmon.settings}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rows.returncode == 0, rows.stdout + rows.stderr


def unobserved_seconds(figures: Figures) -> float:
    """Return for how long the department's primary link was not observed."""
    return sum(
        value
        for (name, labels), value in figures.items()
        if name == "netmon_link_state_seconds_total" and UNOBSERVED.items() <= dict(labels).items()
    )


def outages(netmon: Netmon, *agency: str) -> list[dict[str, Any]]:
    """Return the outages of an agency, or of all, as the command line tells them."""
    done = subprocess.run(
        [
            sys.executable, "-m", "netmon", "outages", *agency, "--format=json",
            f"--config.file={netmon.settings}",
        ],
        capture_output=True,
        check=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
