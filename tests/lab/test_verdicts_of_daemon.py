"""Who is to blame: real faults, real routers' own words, and what the daemon makes of them.

All faults happen at once in one province, each at an agency of its own; the account is read when
every router has told its side.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lab import Lab, Plan
from lab.capabilities import LAB, Need, missing
from tests.support.daemon import Netmon

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

PRIMARY_FIRST, BACKUP_FIRST, BEHIND = "so-0", "so-1", "so-2"
POWER, CIRCUIT, BEYOND, SPARED = "so-3", "so-4", "so-5", "so-8"
BEYOND_WITH_AGENT, AGENT = "so-6", "so-7"
DISTRICT, COMMUNES = "huyen-0", ("xa-0-0", "xa-0-1")
IF_LAST_CHANGE = "1.3.6.1.2.1.2.2.1.9.2"
STEP_SECONDS = 4.0
DOWN_SECONDS = 20.0
"""snmpd looks at its interfaces each 15 s: a shorter cut may leave no trace in ifLastChange."""


@dataclass(frozen=True)
class Seen:
    """What was seen during the faults, and the account after them."""

    states: dict[str, dict[str, str | None]]
    """By moment, the state of every agency's primary link."""
    outages: list[dict[str, Any]]
    causes_on_metrics: set[tuple[str, str, str]]

    def causes(self, agency: str, link: str = "primary") -> list[str]:
        """Return the causes of a link's outages, in their order."""
        return [
            each["cause"]
            for each in self.outages
            if (each["agency"], each["link"]) == (agency, link)
        ]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    if lack := missing(*LAB, Need.SNMPGET):
        pytest.skip(lack)
    plan = Plan(departments=9, districts=1, communes_per_district=2, backups=2)
    with Lab(plan) as lab:
        settings = lab.inventory_yaml(tmp_path_factory.mktemp("netmon"))
        inventory = settings.with_name("agencies.yaml")
        text = inventory.read_text(encoding="utf-8")
        behind = text.replace(f"{{id: {BEHIND},", f"{{id: {BEHIND}, parent: {PRIMARY_FIRST},")
        inventory.write_text(behind, encoding="utf-8")
        flap_once(lab, BEYOND)
        with Netmon(settings, lab.namespace("centre")) as netmon:
            yield see(lab, netmon)


def flap_once(lab: Lab, router: str) -> None:
    """Let a router's uplink change, and its agent notice.

    An agent that has seen no change tells 0, as one does that keeps no times: nothing could be
    read from it.
    """
    ask = ("snmpget", "-v2c", "-c", "lab", "-Oqvt", "127.0.0.1", IF_LAST_CHANGE)
    deadline = time.monotonic() + 30
    with lab.faults.cut(router):
        while lab.run(*ask, place=router).stdout.strip() == "0":
            assert time.monotonic() < deadline, "the agent does not notice that its uplink is down"
            time.sleep(0.2)


def see(lab: Lab, netmon: Netmon) -> Seen:
    """Make every fault, heal it, and return what netmon said of it."""
    netmon.until(lambda: links_up(netmon) == 14, "not every link came up")
    netmon.until(lambda: sum(netmon.of("netmon_snmp_up").values()) == 12, "not every poll is good")
    netmon.until(lambda: polled_twice(netmon), "no second round")
    states = {}
    began = time.monotonic()
    with contextlib.ExitStack() as faults:
        for fault in (
            lab.faults.power_off(POWER),
            lab.faults.cut(CIRCUIT),
            lab.faults.lose(BEYOND, 1.0),
            lab.faults.lose(BEYOND_WITH_AGENT, 1.0),
            lab.faults.cut(DISTRICT),
            lab.faults.cut(PRIMARY_FIRST, interface="wan0"),
            lab.faults.cut(BACKUP_FIRST, interface="wan1"),
            lab.faults.lose(BEHIND, 1.0),
        ):
            faults.enter_context(fault)
        time.sleep(STEP_SECONDS)
        states["one uplink cut"] = states_of(netmon)
        faults.enter_context(lab.faults.cut(PRIMARY_FIRST, interface="wan1"))
        faults.enter_context(lab.faults.cut(BACKUP_FIRST, interface="wan0"))
        for router in (AGENT, BEYOND_WITH_AGENT):
            lab.faults.stop_agent(router).heal()
        time.sleep(STEP_SECONDS)
        states["both uplinks cut"] = states_of(netmon)
        time.sleep(max(0.0, began + STEP_SECONDS + DOWN_SECONDS - time.monotonic()))
    netmon.until(lambda: links_up(netmon) == 14, "not every link came back")
    time.sleep(2 * STEP_SECONDS)
    # Its agent answers before it shows its interfaces again: the cause comes with a later poll.
    netmon.until(
        lambda: any(agency == POWER for agency, _, _ in causes_on_metrics(netmon)),
        "no cause is told of the power cut",
    )
    states["healed"] = states_of(netmon)
    return Seen(states, outages(netmon), causes_on_metrics(netmon))


def links_up(netmon: Netmon) -> int:
    return int(sum(netmon.of("netmon_link_up").values()))


def polled_twice(netmon: Netmon) -> bool:
    (rounds,) = netmon.of("netmon_rounds_total", round="snmp default").values()
    return rounds >= 2


def states_of(netmon: Netmon) -> dict[str, str | None]:
    one_hot = netmon.of("netmon_link_state", link="primary")
    on = (dict(labels) for labels, value in one_hot.items() if value == 1)
    return {labels["agency"]: labels["state"] for labels in on}


def causes_on_metrics(netmon: Netmon) -> set[tuple[str, str, str]]:
    found = netmon.of("netmon_link_outages_total")
    counted = (dict(labels) for labels, value in found.items() if value)
    return {(each["agency"], each["link"], each["cause"]) for each in counted}


def outages(netmon: Netmon) -> list[dict[str, Any]]:
    done = subprocess.run(
        [
            sys.executable, "-m", "netmon", "outages", "--format=json",
            f"--config.file={netmon.settings}",
        ],
        capture_output=True,
        check=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("agency", "link", "causes"),
    [
        pytest.param(POWER, "primary", ["power"], id="the router's power failed"),
        pytest.param(CIRCUIT, "primary", ["circuit"], id="its circuit was cut"),
        pytest.param(BEYOND, "primary", ["beyond"], id="it was cut off beyond its uplink"),
        pytest.param(DISTRICT, "primary", ["circuit"], id="a district's circuit was cut"),
        pytest.param(COMMUNES[0], "primary", ["upstream"], id="a commune behind it"),
        pytest.param(COMMUNES[1], "primary", ["upstream"], id="the other commune behind it"),
        pytest.param(PRIMARY_FIRST, "primary", ["circuit"], id="both cut, the primary first"),
        pytest.param(BACKUP_FIRST, "primary", ["circuit"], id="both cut, the backup first"),
        pytest.param(PRIMARY_FIRST, "backup", ["circuit"], id="its backup"),
        pytest.param(BACKUP_FIRST, "backup", ["circuit"], id="the other's backup"),
        # snmpd forgot with its restart when an interface changed: no power cut all the same.
        pytest.param(BEYOND_WITH_AGENT, "primary", ["unknown"], id="its agent restarted meanwhile"),
        pytest.param(AGENT, "primary", [], id="only its agent restarted"),
        pytest.param(SPARED, "primary", [], id="nothing happened to it"),
    ],
)
def test_the_cause_is_the_true_one(seen: Seen, agency: str, link: str, causes: list[str]) -> None:
    notes = [each["note"] for each in seen.outages if each["agency"] == agency]
    assert seen.causes(agency, link) == causes, notes
    on_metrics = {cause for a, b, cause in seen.causes_on_metrics if (a, b) == (agency, link)}
    assert on_metrics == set(causes)


def test_behind_a_cut_district_communes_are_unreachable_from_the_start(seen: Seen) -> None:
    during = seen.states["one uplink cut"]
    assert during[DISTRICT] == "down"
    assert [during[commune] for commune in COMMUNES] == ["unreachable", "unreachable"]


def test_behind_two_uplinks_an_agency_is_unreachable_only_when_both_are_cut(seen: Seen) -> None:
    assert seen.states["one uplink cut"][BEHIND] == "down"
    assert seen.states["both uplinks cut"][BEHIND] == "unreachable"


def test_a_cut_backup_leaves_the_primary_up(seen: Seen) -> None:
    assert seen.states["one uplink cut"][BACKUP_FIRST] == "up"
    assert seen.states["both uplinks cut"][BACKUP_FIRST] == "down"


def test_an_agent_that_restarts_takes_no_link_down(seen: Seen) -> None:
    assert {moment[AGENT] for moment in seen.states.values()} == {"up"}


def test_every_link_is_up_again_and_no_outage_stays_open(seen: Seen) -> None:
    assert set(seen.states["healed"].values()) == {"up"}
    assert [outage for outage in seen.outages if outage["end"] is None] == []
