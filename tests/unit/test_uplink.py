"""Which interface leads to the centre, and why."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest

from netmon.model import Agency, InterfaceReading, Router, Uplink
from netmon.probes.snmp.interfaces import InterfaceTable
from netmon.probes.snmp.uplink import Evidence, Route, choose

ADDRESS = ip_address("10.1.0.2")
CENTRE = ip_address("10.0.0.1")
DEFAULT = IPv4Network("0.0.0.0/0")
HOP = IPv4Address("10.1.0.1")
TABLE = InterfaceTable(
    readings={
        1: InterfaceReading(1, "lo"),
        2: InterfaceReading(2, "Gi0/0", "GigabitEthernet0/0", "TSLCD", oper_up=True),
        3: InterfaceReading(3, "Gi0/1", "GigabitEthernet0/1", "Dự phòng", oper_up=False),
        4: InterfaceReading(4, "Gi0/2", "GigabitEthernet0/2", "TSLCD", oper_up=False),
    },
    types={1: 24, 2: 6, 3: 6, 4: 6},
)


def agency(uplink: Uplink | None = None) -> Agency:
    return Agency("xa", "Xã", "commune", router=Router(ADDRESS, uplink=uplink))


@pytest.mark.parametrize(
    ("evidence", "index", "reason"),
    [
        pytest.param(
            Evidence([Route(DEFAULT, 3, HOP)]), 3, "default route via 10.1.0.1",
            id="the default route",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 3), Route(IPv4Network("10.0.0.0/8"), 2, HOP)]),
            2, "route to 10.0.0.0/8 via 10.1.0.1",
            id="the longest route that leads to the centre",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 3), Route(IPv4Network("10.9.0.0/16"), 2)]),
            3, "default route",
            id="not one that leads elsewhere",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 3), Route(DEFAULT, 2)]), 2, "default route",
            id="of two default routes the one whose interface is up",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 4, metric=1), Route(DEFAULT, 3, metric=5)]),
            4, "default route",
            id="of two that are down the cheaper",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 0, HOP)], {}, {}, [(IPv4Network("10.1.0.0/30"), 2)]),
            2, "default route via 10.1.0.1",
            id="a route that names no interface: where its next hop is at home",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 1)], {ADDRESS: 2}), 2, "holds 10.1.0.2",
            id="a loopback is no uplink",
        ),
        pytest.param(
            Evidence([Route(DEFAULT, 99)], {ADDRESS: 2}), 2, "holds 10.1.0.2",
            id="nor an interface that is not there",
        ),
        pytest.param(
            Evidence((), {ADDRESS: 3}), 3, "holds 10.1.0.2",
            id="without routes, the interface that holds the address",
        ),
    ],
)  # fmt: skip
def test_the_uplink_is_found_by_what_the_router_shows(
    evidence: Evidence, index: int, reason: str
) -> None:
    choice = choose(TABLE, agency(), evidence, CENTRE)

    assert (choice.index, choice.reason) == (index, reason)


def test_without_the_centres_address_only_the_default_route_counts() -> None:
    evidence = Evidence([Route(IPv4Network("10.0.0.0/8"), 2), Route(DEFAULT, 3)])

    assert choose(TABLE, agency(), evidence).index == 3


def test_the_only_interface_of_a_router_that_shows_nothing_is_its_uplink() -> None:
    table = InterfaceTable({1: TABLE.readings[1], 2: TABLE.readings[2]}, {1: 24, 2: 6})

    assert choose(table, agency(), Evidence()).reason == "the only interface"


def test_a_router_that_shows_nothing_needs_the_operator() -> None:
    choice = choose(TABLE, agency(), Evidence())

    assert choice.index is None
    assert "name the interface as `uplink` in agencies.yaml" in choice.reason


@pytest.mark.parametrize(
    ("uplink", "index", "reason"),
    [
        (Uplink(name="gigabitethernet0/1"), 3, "agencies.yaml: name 'gigabitethernet0/1'"),
        (Uplink(alias="tslcd"), 2, "agencies.yaml: alias 'tslcd'"),
        (Uplink(index=4), 4, "agencies.yaml: index 4"),
    ],
)
def test_what_the_operator_says_comes_first(uplink: Uplink, index: int, reason: str) -> None:
    choice = choose(TABLE, agency(uplink), Evidence([Route(DEFAULT, 2)], {ADDRESS: 2}))

    assert (choice.index, choice.reason) == (index, reason)


@pytest.mark.parametrize(
    ("uplink", "reason"),
    [
        pytest.param(
            Uplink(name="Gi0/9"),
            "agencies.yaml names the uplink by name 'Gi0/9', which the router does not have; "
            "did you mean 'Gi0/2'? (it has: lo, Gi0/0, Gi0/1, Gi0/2)",
            id="name",
        ),
        pytest.param(
            Uplink(alias="internet"),
            "agencies.yaml names the uplink by alias 'internet', which the router does not have "
            "(it has: TSLCD, Dự phòng)",
            id="alias",
        ),
        pytest.param(
            Uplink(index=77),
            "agencies.yaml names the uplink by index '77', which the router does not have "
            "(it has: 1, 2, 3, 4)",
            id="index",
        ),
    ],
)
def test_what_the_operator_names_and_the_router_lacks_is_not_guessed(
    uplink: Uplink, reason: str
) -> None:
    choice = choose(TABLE, agency(uplink), Evidence([Route(DEFAULT, 2)], {ADDRESS: 2}))

    assert (choice.index, choice.reason) == (None, reason)
