"""The toy agents answer as RFC 3416 says, and their counters and clocks run as a router's do."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from netmon.demo.agent import respond
from netmon.demo.codec import Oid, Query, Request, decode_query
from netmon.demo.device import ToyDevice
from netmon.demo.plan import RouterPlan, UplinkPlan
from netmon.demo.vendors import VENDORS, Vendor, vendor_of


class Seconds:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _plan(platform: str = "cisco_xe") -> RouterPlan:
    uplinks = (
        UplinkPlan("primary", (ip_address("10.0.0.2"), ip_address("fd00::2")), 10**8, "TSLCD 1"),
        UplinkPlan("backup", (ip_address("10.0.0.6"),), 10**7, "TSLCD 2"),
    )
    return RouterPlan(
        "xa", ip_address("10.0.0.2"), platform, "UBND xã", has_lan=True, uplinks=uplinks
    )


DEVICE = ToyDevice(_plan(), Seconds())


def _answer(
    device: ToyDevice, request: Request, *names: Oid, repetitions: int = 0, non_repeaters: int = 0
) -> list[tuple[Oid, Any]]:
    query = Query(request, 7, b"c", names, non_repeaters, repetitions)
    message, rest = decoder.decode(respond(device, query), asn1Spec=v2c.Message())
    assert not rest
    pdu = v2c.apiMessage.get_pdu(message)
    assert int(v2c.apiPDU.get_request_id(pdu)) == 7
    return [(tuple(name), value) for name, value in v2c.apiPDU.get_varbinds(pdu)]


def _walk(device: ToyDevice) -> dict[Oid, Any]:
    found: dict[Oid, Any] = {}
    name: Oid = (1,)
    while True:
        ((name, value),) = _answer(device, Request.NEXT, name)
        if isinstance(value, rfc1905.EndOfMibView):
            return found
        found[name] = value


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.platform)
def test_a_walk_goes_up_without_repetition_and_get_agrees_with_it(vendor: Vendor) -> None:
    device = ToyDevice(_plan(vendor.platform), Seconds())
    walked = _walk(device)
    assert all(before < after for before, after in pairwise(walked))
    assert all(_answer(device, Request.GET, name) == [(name, walked[name])] for name in walked)


LAST_BUT_ONE: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 3, 0)


@given(
    st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=14).map(lambda x: (1, 3, *x)),
             min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(0, 4),
)  # fmt: skip
@example([LAST_BUT_ONE], 0, 4)
@settings(max_examples=60, deadline=None)
def test_getbulk_is_getnext_done_over_and_over(
    names: list[Oid], non_repeaters: int, repetitions: int
) -> None:
    expected = [_answer(DEVICE, Request.NEXT, name)[0] for name in names[:non_repeaters]]
    row = names[non_repeaters:]
    for _ in range(repetitions if row else 0):
        bindings = [_answer(DEVICE, Request.NEXT, name)[0] for name in row]
        expected += bindings
        row = [name for name, _ in bindings]
    found = _answer(
        DEVICE, Request.BULK, *names, repetitions=repetitions, non_repeaters=non_repeaters
    )
    assert [name for name, _ in found] == [name for name, _ in expected]


def test_an_answer_that_is_too_large_says_so_and_a_bulk_answer_stops_early() -> None:
    sys_descr: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
    query = Query(Request.GET, 7, b"c", (sys_descr,) * 10)
    message, _ = decoder.decode(respond(DEVICE, query), asn1Spec=v2c.Message())
    assert int(v2c.apiPDU.get_error_status(v2c.apiMessage.get_pdu(message))) == 1
    rows = _answer(DEVICE, Request.BULK, (1,), repetitions=1000)
    assert 10 < len(rows) < 1000


def test_an_object_that_is_not_there_is_told_apart_from_the_others() -> None:
    ((_, missing), (_, present)) = _answer(
        DEVICE, Request.GET, (1, 3, 9, 9), (1, 3, 6, 1, 2, 1, 1, 5, 0)
    )
    assert isinstance(missing, rfc1905.NoSuchObject)
    assert bytes(present) == b"rt-xa"


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_noise_is_no_query_and_no_crash(noise: bytes) -> None:
    assert decode_query(noise) is None


def _number(device: ToyDevice, name: Oid) -> int:
    return int(_answer(device, Request.GET, name)[0][1])


@given(st.floats(0, 4000), st.floats(0, 4000))
@settings(max_examples=60, deadline=None)
def test_counters_never_go_back(first: float, second: float) -> None:
    clock = Seconds()
    device = ToyDevice(_plan(), clock)
    octets: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1)
    readings = []
    for seconds in sorted((first, second)):
        clock.now = 1000.0 + seconds
        readings.append(_number(device, octets))
    assert readings[0] <= readings[1]


def test_a_device_whose_entry_changed_runs_on() -> None:
    clock = Seconds()
    former = ToyDevice(_plan(), clock)
    former.restart()
    clock.now += 5
    former.set_carrier("primary", is_up=False)
    device = ToyDevice(_plan("huawei"), clock)
    device.continue_from(former)
    assert device.uptime_ticks() == 500
    assert _number(device, (1, 3, 6, 1, 2, 1, 2, 2, 1, 9, 1)) == 500
    assert _number(device, (1, 3, 6, 1, 2, 1, 2, 2, 1, 8, 1)) == 2


def test_uptime_wraps_at_32_bits() -> None:
    clock = Seconds()
    device = ToyDevice(_plan(), clock)
    device.restart()
    clock.now += 2**32 / 100 + 1
    assert device.uptime_ticks() == 100


def test_the_inventory_decides_the_make_of_a_router_and_else_its_id_does() -> None:
    assert all(vendor_of("xa", vendor.platform) is vendor for vendor in VENDORS)
    assert len({vendor_of(f"xa-{i}", "").platform for i in range(200)}) == len(VENDORS)
