"""The lab's topology: every wire its own addresses, every router its way to the centre."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.topology import CENTRE, Plan, Topology

plans = st.builds(
    Plan,
    departments=st.integers(0, 20),
    districts=st.integers(0, 4),
    communes_per_district=st.integers(0, 6),
    backups=st.integers(0, 25),
)


@given(plans)
@settings(max_examples=60, deadline=None)
def test_no_two_wires_share_a_network_or_an_interface(plan: Plan) -> None:
    wires = Topology(plan).wires
    assert len({wire.network for wire in wires}) == len(wires)
    ends = [(wire.lower, wire.lower_interface) for wire in wires]
    ends += [(wire.upper, wire.upper_interface) for wire in wires]
    assert len(set(ends)) == len(ends)
    for wire in wires:
        assert set(wire.network.hosts()) == {wire.upper_address, wire.lower_address}


@given(plans)
@settings(max_examples=60, deadline=None)
def test_the_centre_knows_a_way_to_whatever_is_not_its_neighbour(plan: Plan) -> None:
    topology = Topology(plan)
    far = [wire.network for wire in topology.wires if wire.upper != CENTRE]
    assert [route.split()[0] for route in topology.routes(CENTRE)] == [str(each) for each in far]


@pytest.mark.parametrize("routers", [1, 4, 5, 14, 20, 100, 300])
def test_a_plan_of_a_size_has_that_size(routers: int) -> None:
    topology = Topology(Plan.of_size(routers))
    assert len(topology.nodes) == routers
    behind = [node for node in topology.nodes.values() if node.parent is not None]
    assert bool(behind) == (routers >= 5)


def test_an_uplink_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeyError, match="so-9 has no uplink wan0"):
        Topology(Plan()).wire("so-9")
