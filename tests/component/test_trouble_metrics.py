"""What is not well, by name: which links and agencies have a series, and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from netmon.model import LinkKey, Role, State
from netmon.web import Request
from netmon_exporters.prometheus import PrometheusExporter
from tests.support.snapshots import (
    COMMUNE,
    DEPARTMENT,
    DISTRICT,
    SECOND_COMMUNE,
    agencies,
    link,
    reading,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netmon.state import Snapshot

MAIN, SPARE = LinkKey(DEPARTMENT, "chinh"), LinkKey(DEPARTMENT, "du-phong")


def exposed(
    taken: Snapshot, name: str, exporter: PrometheusExporter | None = None
) -> list[Mapping[str, str]]:
    """Return the labels of every series of a metric."""
    handler = (exporter or PrometheusExporter()).routes()["/metrics"]
    text = b"".join(handler(taken, Request("/metrics")).parts).decode()
    return [
        sample.labels
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def links(taken: Snapshot) -> set[tuple[str, str, str]]:
    found = exposed(taken, "netmon_link_trouble_info")
    return {(each["agency"], each["link"], each["trouble"]) for each in found}


def troubled(taken: Snapshot) -> dict[str, str]:
    found = exposed(taken, "netmon_agency_trouble_info")
    assert len(found) == len({each["agency"] for each in found}), "an agency has one trouble"
    return {each["agency"]: each["trouble"] for each in found}


def test_where_all_is_well_there_is_no_series() -> None:
    assert links(snapshot()) == set()
    assert troubled(snapshot()) == {}


def test_names_stand_in_the_series_itself() -> None:
    taken = snapshot({COMMUNE: State.DOWN})
    place = {
        "agency": COMMUNE,
        "name": "UBND xã Tân Hội Đông",
        "kind": "commune",
        "parent": DISTRICT,
        "district": DISTRICT,
        "provider": "vnpt",
        "provider_name": "Viễn thông Tiền Giang (VNPT)",
        "trouble": "down",
    }
    own = {"link": "chinh", "role": "primary", "circuit": "TSL-0042"}
    assert exposed(taken, "netmon_link_trouble_info") == [{**place, **own}]
    assert exposed(taken, "netmon_agency_trouble_info") == [place]


@pytest.mark.parametrize(
    ("state", "health", "trouble"),
    [
        (State.DOWN, State.DOWN, "down"),
        (State.UNREACHABLE, State.DOWN, "unreachable"),
        (State.UNOBSERVED, State.UP, "unobserved"),
        (State.UNKNOWN, State.UNKNOWN, "unknown"),
        (State.MAINTENANCE, State.DOWN, "maintenance"),
        (State.MAINTENANCE, State.UNKNOWN, "maintenance"),
        (State.MAINTENANCE, State.UP, None),
        (State.MAINTENANCE, State.DEGRADED, None),
        (State.UP, State.UP, None),
    ],
)
def test_the_state_and_what_lies_beneath_it_say_what_is_wrong(
    state: State, health: State, trouble: str | None
) -> None:
    taken = snapshot({COMMUNE: state}, health={COMMUNE: health})
    assert links(taken) == ({(COMMUNE, "chinh", trouble)} if trouble else set())
    assert troubled(taken) == ({COMMUNE: trouble} if trouble else {})


def degraded(loss_ratio: float) -> Snapshot:
    taken = snapshot({MAIN: State.DEGRADED, SPARE: State.DEGRADED})
    loss = np.full(len(taken.keys), loss_ratio)
    return replace(taken, judgement=replace(taken.judgement, loss_ratio=loss))


@pytest.mark.parametrize(("loss_ratio", "why"), [(0.05, "loss"), (0.049, "rtt"), (np.nan, "rtt")])
def test_a_degraded_link_loses_more_than_its_limit_or_is_slow(loss_ratio: float, why: str) -> None:
    # The spare link has no limits: it cannot lose more than they allow.
    assert links(degraded(loss_ratio)) == {
        (DEPARTMENT, "chinh", why),
        (DEPARTMENT, "du-phong", "rtt"),
    }
    assert troubled(degraded(loss_ratio)) == {}


@pytest.mark.parametrize("state", State)
def test_coming_and_going_counts_only_where_the_state_is_the_links_own(state: State) -> None:
    taken = snapshot({COMMUNE: state})
    flapping = np.array([key.agency == COMMUNE for key in taken.keys])
    taken = replace(taken, judgement=replace(taken.judgement, flapping=flapping))
    told = (COMMUNE, "chinh", "flapping") in links(taken)
    assert told == (state in {State.UP, State.DEGRADED, State.DOWN})


@pytest.mark.parametrize(
    ("main", "spare", "trouble"),
    [
        (State.DOWN, State.UP, None),
        (State.DOWN, State.DEGRADED, None),
        (State.DOWN, State.DOWN, "down"),
        (State.DOWN, State.UNKNOWN, "down"),
        (State.UNREACHABLE, State.DOWN, "down"),
        (State.UNREACHABLE, State.UNOBSERVED, "unobserved"),
        (State.UNREACHABLE, State.MAINTENANCE, "maintenance"),
        (State.UNKNOWN, State.MAINTENANCE, "unknown"),
        (State.UNREACHABLE, State.UNREACHABLE, "unreachable"),
    ],
)
def test_an_agency_is_in_trouble_when_no_link_of_it_answers(
    main: State, spare: State, trouble: str | None
) -> None:
    health = {key: State.DOWN for key, state in ((MAIN, main), (SPARE, spare))
              if state is State.MAINTENANCE}  # fmt: skip
    taken = snapshot({MAIN: main, SPARE: spare}, health=health)
    assert troubled(taken) == ({DEPARTMENT: trouble} if trouble else {})


def test_planned_work_during_which_a_link_answers_keeps_its_agency_out_of_trouble() -> None:
    taken = snapshot({MAIN: State.MAINTENANCE, SPARE: State.DOWN}, health={MAIN: State.UP})
    assert troubled(taken) == {}


def test_an_agency_with_links_of_two_carriers_names_none() -> None:
    first, *rest = agencies()
    other = replace(link(DEPARTMENT, "du-phong", "10.87.1.1", role=Role.BACKUP), provider="viettel")
    members = (replace(first, links=(first.links[0], other)), *rest)
    (labels,) = exposed(
        snapshot({DEPARTMENT: State.DOWN}, members=members), "netmon_agency_trouble_info"
    )
    assert (labels["provider"], labels["provider_name"]) == ("", "")


def test_agencies_without_links_have_no_trouble_and_shift_nobody_elses() -> None:
    first, second, *rest = agencies()
    members = (replace(first, links=()), second, *rest)
    assert troubled(snapshot({SECOND_COMMUNE: State.DOWN}, members=members)) == {
        SECOND_COMMUNE: "down"
    }


def test_what_is_over_vanishes_and_a_new_inventory_brings_its_names() -> None:
    exporter, name = PrometheusExporter(), "netmon_link_trouble_info"
    assert exposed(snapshot({COMMUNE: State.DOWN}), name, exporter)
    assert not exposed(snapshot(), name, exporter)
    first, second, third, *rest = agencies()
    renamed = (first, second, replace(third, name="UBND phường Mới"), *rest)
    taken = snapshot({COMMUNE: State.DOWN}, members=renamed, generation=2)
    assert [each["name"] for each in exposed(taken, name, exporter)] == ["UBND phường Mới"]


def test_carriers_and_areas_are_counted_and_named() -> None:
    taken = snapshot()
    assert exposed(taken, "netmon_provider_links") == [{"provider": "vnpt"}]
    name = "UBND huyện Châu Thành"
    assert exposed(taken, "netmon_district_info") == [{"district": DISTRICT, "name": name}]
    handler = PrometheusExporter().routes()["/metrics"]
    text = b"".join(handler(taken, Request("/metrics")).parts).decode()
    assert 'netmon_provider_links{provider="vnpt"} 4.0\n' in text
    assert f'netmon_district_agencies{{district="{DISTRICT}"}} 3.0\n' in text


def test_of_a_routers_interfaces_only_the_uplink_has_counters_of_its_own() -> None:
    taken = snapshot(readings=[reading()])
    for name in ("receive_bytes_total", "transmit_bytes_total", "speed_bytes_per_second"):
        (labels,) = exposed(taken, f"netmon_uplink_{name}")
        assert labels == {"agency": DEPARTMENT, "interface": "ether1"}
    unknown = replace(reading(), uplink_index=None)
    assert not exposed(snapshot(readings=[unknown]), "netmon_uplink_receive_bytes_total")
