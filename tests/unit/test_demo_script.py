"""What the demo plays, on whom, and how the inventory becomes toy routers."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.demo.faults import FULL_SCRIPT, Fault, script_of, victims
from netmon.demo.filters import compile_losses
from netmon.demo.plan import RouterPlan, plan_routers
from netmon.demo.province import StandIns
from netmon.model import Agency, Inventory, IPAddress, Link, LinkKey, Province, Role, Router


def _agency(agency_id: str, *addresses: str, parent: str | None = None) -> Agency:
    links = tuple(
        Link(LinkKey(agency_id, f"l{i}"), Role.PRIMARY, (ip_address(address),), "default")
        for i, address in enumerate(addresses)
    )
    router = Router(ip_address(addresses[0]), platform="cisco_xe") if addresses else None
    return Agency(agency_id, agency_id.upper(), "kind", parent, router=router, links=links)


def _inventory(*agencies: Agency) -> Inventory:
    province = Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL")
    return Inventory(province, {}, {}, {agency.id: agency for agency in agencies})


INVENTORY = _inventory(
    _agency("huyen", "10.0.0.1"),
    _agency("xa", "10.0.0.2", parent="huyen"),
    _agency("so", "10.0.0.3", "10.1.0.3"),
    _agency("chua-noi-mang"),
)


def test_the_first_fault_comes_within_ten_seconds_and_is_over_within_forty_of_its_start() -> None:
    first = min(FULL_SCRIPT.steps, key=lambda step: step.after_seconds)
    assert first.fault is Fault.CUT
    assert first.after_seconds <= 10
    assert first.after_seconds + first.seconds <= 40
    assert first.seconds <= 40


def test_every_fault_is_played_in_each_cycle_and_over_when_it_ends() -> None:
    assert {step.fault for step in FULL_SCRIPT.steps} == set(Fault)
    ends = [step.after_seconds + step.seconds for step in FULL_SCRIPT.steps]
    assert max(ends) < FULL_SCRIPT.cycle_seconds <= 300


@pytest.mark.parametrize("fault", Fault)
def test_one_fault_alone_is_played_again_and_again(fault: Fault) -> None:
    (step,) = script_of(fault).steps
    assert step.fault is fault
    assert step.after_seconds + step.seconds < script_of(fault).cycle_seconds


def test_a_district_fault_needs_somebody_behind_and_the_others_need_nobody() -> None:
    assert victims(Fault.DISTRICT, INVENTORY) == ["huyen"]
    assert victims(Fault.CUT, INVENTORY) == ["xa", "so"]


def test_a_circuit_is_cut_only_where_the_router_tells_that_its_uplink_moved() -> None:
    silent = Agency(
        "mikrotik", "M", "kind",
        router=Router(ip_address("10.0.0.9"), platform="mikrotik_routeros"),
        links=(Link(LinkKey("mikrotik", "l"), Role.PRIMARY, (ip_address("10.0.0.9"),), "d"),),
    )  # fmt: skip
    assert victims(Fault.CUT, _inventory(silent)) == []
    assert victims(Fault.PATH, _inventory(silent)) == ["mikrotik"]


def test_an_agency_without_any_address_gets_no_router() -> None:
    assert [plan.agency for plan in plan_routers(INVENTORY)] == ["huyen", "xa", "so"]


def test_a_plan_travels_as_json_without_loss() -> None:
    for plan in plan_routers(INVENTORY):
        assert RouterPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(st.lists(addresses, unique=True, min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_stand_ins_are_loopback_addresses_each_its_own_and_always_the_same(
    originals: list[IPAddress],
) -> None:
    inventory = _inventory(*(_agency(f"a{i}", str(address)) for i, address in enumerate(originals)))
    stand_ins = StandIns()
    found = _translated(stand_ins, inventory)
    assert len(set(found)) == len(originals)
    assert all(address in IPv4Network("127.0.0.0/8") for address in found)
    assert _translated(stand_ins, inventory) == found


def _translated(stand_ins: StandIns, inventory: Inventory) -> list[IPAddress]:
    translated = stand_ins.translate(inventory, 1161)
    for agency in translated.agencies.values():
        assert agency.router is not None
        assert agency.router.snmp_port == 1161
        assert agency.router.address == agency.links[0].addresses[0]
    return [link.addresses[0] for link in translated.links.values()]


def test_addresses_that_differ_in_their_first_octet_only_stand_apart() -> None:
    inventory = _inventory(_agency("a", "10.1.2.3"), _agency("b", "172.1.2.3"))
    assert _translated(StandIns(), inventory) == [
        IPv4Address("127.1.2.3"),
        IPv4Address("127.1.2.4"),
    ]


def test_a_filter_for_nobody_is_empty() -> None:
    assert compile_losses({}) == b""
