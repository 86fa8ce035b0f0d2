"""Polling a router: what is asked, what is remembered, and what is said of it."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

from netmon.clock import MICROSECONDS, Timeline
from netmon.model import (
    Agency,
    Link,
    LinkKey,
    RestartKind,
    Role,
    Router,
    RouterReading,
    SnmpStatus,
    Uplink,
)
from netmon.probes.snmp import mib
from netmon.probes.snmp.poller import RouterMemory, RouterPoller
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.values import Oid, SnmpError, Value
from tests.component.snmp_recordings import RecordedSession, say

WAN_ADDRESS = ip_address("10.1.0.2")
BACKUP_ADDRESS = ip_address("10.2.0.2")
MINUTE = 60


class TwoClocks:
    """A machine's clocks, moved by hand."""

    def __init__(self) -> None:
        self.us = 1_000_000_000_000

    def monotonic_us(self) -> int:
        return self.us

    def wall_us(self) -> int:
        return self.us


class Bench:
    """A router of two uplinks, its poller and the time."""

    def __init__(self, session: RecordedSession | None = None) -> None:
        self.clock = TwoClocks()
        self.session = session or two_uplinks()
        self.poller = RouterPoller(load_profiles(), Timeline(self.clock))
        self.memory = RouterMemory()
        self.agency = agency()
        self.uptime_ticks = 100_000_000

    async def poll(self, *, after_seconds: float = MINUTE, runs: bool = True) -> RouterReading:
        self.clock.us += round(after_seconds * MICROSECONDS)
        if runs and mib.SYS_UP_TIME in self.session.variables:
            self.uptime_ticks += round(after_seconds * 100)
            self.session.say({mib.SYS_UP_TIME: self.uptime_ticks})
        return await self.poller.poll(self.session, self.agency, self.memory)


def agency(uplink: Uplink | None = None) -> Agency:
    links = tuple(
        Link(LinkKey("xa", role.value), role, (address,), "default")
        for role, address in ((Role.PRIMARY, WAN_ADDRESS), (Role.BACKUP, BACKUP_ADDRESS))
    )
    router = Router(WAN_ADDRESS, uplink=uplink)
    return Agency("xa", "Xã Một", "commune", router=router, links=links)


def interface(index: int, name: str, octets: int = 1000, **more: Value) -> dict[Oid, Value | None]:
    return {
        (*mib.IF_DESCR, index): name.encode(),
        (*mib.IF_NAME, index): name.encode(),
        (*mib.IF_TYPE, index): 6,
        (*mib.IF_ADMIN_STATUS, index): 1,
        (*mib.IF_OPER_STATUS, index): more.get("oper", 1),
        (*mib.IF_SPEED, index): 100_000_000,
        (*mib.IF_HIGH_SPEED, index): 100,
        (*mib.IF_HC_IN_OCTETS, index): octets,
        (*mib.IF_HC_OUT_OCTETS, index): octets * 2,
        (*mib.IF_IN_OCTETS, index): octets % 2**32,
        (*mib.IF_OUT_OCTETS, index): octets * 2 % 2**32,
        (*mib.IF_LAST_CHANGE, index): 50_000_000,
        (*mib.IF_IN_ERRORS, index): 3,
        (*mib.IF_OUT_DISCARDS, index): 4,
    }


def holds(address: str, index: int) -> dict[Oid, Value | None]:
    return {(*mib.IP_AD_ENT_IF_INDEX, *IPv4Address(address).packed): index}


def two_uplinks() -> RecordedSession:
    session = say(
        (mib.SYS_DESCR, b"A router"),
        (mib.SYS_OBJECT_ID, (1, 3, 6, 1, 4, 1, 99_999, 1)),
        (mib.SYS_UP_TIME, 100_000_000),
        (mib.SYS_NAME, b"r1"),
        (mib.SNMP_ENGINE_BOOTS, 4),
    )
    session.say(interface(1, "lan0") | interface(2, "wan0") | interface(3, "wan1", oper=2))
    session.say(holds("10.1.0.2", 2) | holds("10.2.0.2", 3))
    session.say({(*mib.IP_ROUTE_IF_INDEX, 0, 0, 0, 0): 2})
    return session


async def test_the_first_poll_finds_the_router_its_uplink_and_the_interfaces_of_its_links() -> None:
    reading = await Bench().poll()

    assert (reading.status, reading.detail) == (SnmpStatus.OK, "")
    assert reading.facts.name == "r1"
    assert (reading.uplink_index, reading.uplink_reason) == (2, "default route")
    assert [(row.name, row.links, row.oper_up) for row in reading.interfaces] == [
        ("wan0", ("primary",), True),
        ("wan1", ("backup",), False),
    ]
    assert reading.uptime_seconds == 1_000_060
    assert reading.engine_boots == 4
    wan = reading.interfaces[0]
    assert (wan.receive_bytes, wan.transmit_bytes) == (1000, 2000)
    assert (wan.receive_errors, wan.transmit_errors) == (3, None)
    assert wan.last_change_seconds == 500_000
    assert wan.speed_bits_per_second == 100_000_000


async def test_a_known_router_is_asked_in_one_get() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.gets.clear()
    bench.session.walks.clear()

    reading = await bench.poll()

    assert reading.status is SnmpStatus.OK
    assert (len(bench.session.gets), bench.session.walks) == (1, [])
    assert len(bench.session.gets[0]) == 6 + 2 * (11 + 1)


async def test_a_router_is_identified_again_after_a_day() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.say({mib.SYS_LOCATION: b"UBND"})

    assert (await bench.poll(after_seconds=80_000)).facts.location == ""
    assert (await bench.poll(after_seconds=8_000)).facts.location == "UBND"


async def test_after_a_restart_interfaces_are_found_again_by_name() -> None:
    bench = Bench()
    await bench.poll()
    lines = {
        oid: None for oid in bench.session.variables if oid[: len(mib.IF_ENTRY)] == mib.IF_ENTRY
    }
    bench.session.say(lines)
    bench.session.say(interface(1, "wan0", 7) | interface(2, "lan0") | interface(3, "wan1"))
    bench.session.say(holds("10.1.0.2", 1) | {(*mib.IP_ROUTE_IF_INDEX, 0, 0, 0, 0): 1})
    bench.uptime_ticks = 0

    reading = await bench.poll(after_seconds=30)

    assert reading.restart is not None
    assert (reading.restart.kind, reading.restart.seconds_ago) == (RestartKind.ROUTER, 30)
    assert reading.uplink_index == 1
    assert reading.interfaces[0].receive_bytes == 7


async def test_an_interface_that_was_made_anew_is_followed_to_its_new_index() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.say({(*column, 2): None for column in (mib.IF_DESCR, mib.IF_NAME)})
    bench.session.say(dict.fromkeys(interface(2, "wan0")))
    bench.session.say(interface(9, "wan0", 5) | holds("10.1.0.2", 9))
    bench.session.say({(*mib.IP_ROUTE_IF_INDEX, 0, 0, 0, 0): 9})

    soon = await bench.poll(after_seconds=30)
    later = await bench.poll(after_seconds=300)

    assert soon.status is SnmpStatus.PARTIAL
    assert soon.detail == "interface 'wan0' is no longer at index 2"
    assert [row.name for row in soon.interfaces] == ["wan1"]
    assert later.status is SnmpStatus.OK
    assert [(row.index, row.receive_bytes) for row in later.interfaces] == [(9, 5), (3, 1000)]


async def test_a_dead_row_of_the_same_name_is_not_taken_for_the_interface_made_anew() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.say({(*mib.IF_OPER_STATUS, 2): 2})
    bench.session.say(interface(9, "wan0", 5) | holds("10.1.0.2", 9))
    bench.session.say({(*mib.IP_ROUTE_IF_INDEX, 0, 0, 0, 0): 9})

    reading = await bench.poll(after_seconds=400)

    assert reading.status is SnmpStatus.OK
    assert (reading.interfaces[0].index, reading.interfaces[0].oper_up) == (9, True)


async def test_nor_where_no_address_points_to_it() -> None:
    bench = Bench()
    bench.agency = agency(Uplink(name="lan0"))
    await bench.poll()
    bench.session.say({(*mib.IF_OPER_STATUS, 1): 2})
    bench.session.say(interface(9, "lan0", 5))

    reading = await bench.poll(after_seconds=400)

    assert (reading.uplink_index, reading.interfaces[0].oper_up) == (9, True)


async def test_a_router_that_just_started_is_looked_at_again_when_its_tables_are_filled() -> None:
    bench = Bench()
    bench.uptime_ticks = 0
    await bench.poll()
    bench.session.say({mib.SYS_LOCATION: b"UBND"})

    assert (await bench.poll(after_seconds=300)).facts.location == ""
    assert (await bench.poll(after_seconds=300)).facts.location == "UBND"


async def test_another_interface_at_the_remembered_index_is_not_taken_for_the_uplink() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.say(interface(2, "tun0", 999_999))

    reading = await bench.poll()

    assert "wan0" not in [row.name for row in reading.interfaces]
    assert reading.status is SnmpStatus.PARTIAL


async def test_a_router_that_was_replaced_is_identified_again() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.say({mib.SYS_NAME: b"r2", mib.SYS_DESCR: b"Another"})

    reading = await bench.poll(after_seconds=400)

    assert (reading.facts.name, reading.facts.description) == ("r2", "Another")


async def test_a_restart_of_the_agent_alone_leaves_the_counters_going_on() -> None:
    bench = Bench()
    bench.session.say({mib.HR_SYSTEM_UPTIME: 900_000_000})
    narrow = dict.fromkeys([(*mib.IF_HC_IN_OCTETS, 2), (*mib.IF_HC_OUT_OCTETS, 2)])
    bench.session.say(narrow | {(*mib.IF_IN_OCTETS, 2): 2**32 - 1000})
    await bench.poll(runs=False)
    bench.uptime_ticks = 0
    bench.session.say({mib.HR_SYSTEM_UPTIME: 900_006_000, (*mib.IF_IN_OCTETS, 2): 500})

    reading = await bench.poll()

    assert reading.restart is not None
    assert reading.restart.kind is RestartKind.AGENT
    assert reading.interfaces[0].receive_bytes == 2**32 + 500
    assert reading.uptime_seconds == 9_000_060


async def test_a_32_bit_counter_goes_on_over_its_wrap() -> None:
    bench = Bench()
    bench.session.say(dict.fromkeys([(*mib.IF_HC_IN_OCTETS, 2), (*mib.IF_HC_OUT_OCTETS, 2)]))
    bench.session.say({(*mib.IF_IN_OCTETS, 2): 2**32 - 1000})
    first = await bench.poll()
    bench.session.say({(*mib.IF_IN_OCTETS, 2): 500})
    second = await bench.poll()

    assert first.interfaces[0].receive_bytes == 2**32 - 1000
    assert second.interfaces[0].receive_bytes == 2**32 + 500


async def test_the_uptime_goes_on_over_497_days() -> None:
    bench = Bench()
    bench.uptime_ticks = 2**32 - 12_000
    before = await bench.poll()
    bench.session.say({mib.SYS_UP_TIME: 3000})
    after = await bench.poll(after_seconds=90, runs=False)

    assert after.restart is not None
    assert after.restart.kind is RestartKind.WRAP
    assert before.uptime_seconds is not None
    assert after.uptime_seconds == pytest.approx(before.uptime_seconds + 90)


@pytest.mark.parametrize("status", [SnmpStatus.TIMEOUT, SnmpStatus.AUTHENTICATION])
async def test_an_agent_that_does_not_answer_ends_in_the_status_and_its_words(
    status: SnmpStatus,
) -> None:
    bench = Bench()
    bench.session.trouble[(1, 3)] = SnmpError(status, "no answer from 10.1.0.2: look at the ACL")

    reading = await bench.poll()

    assert reading.status is status
    assert reading.detail == "no answer from 10.1.0.2: look at the ACL"
    assert reading.uptime_seconds is None
    assert reading.interfaces == ()


async def test_a_known_router_that_falls_silent_keeps_its_facts_and_loses_its_figures() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.trouble[(1, 3)] = SnmpError(SnmpStatus.TIMEOUT, "silence")

    reading = await bench.poll()

    assert reading.status is SnmpStatus.TIMEOUT
    assert reading.facts.name == "r1"
    assert (reading.interfaces, reading.uptime_seconds, reading.restart) == ((), None, None)


async def test_a_restart_during_silence_is_told_at_the_first_answer() -> None:
    bench = Bench()
    await bench.poll()
    bench.session.trouble[(1, 3)] = SnmpError(SnmpStatus.TIMEOUT, "silence")
    await bench.poll(after_seconds=600)
    bench.session.trouble.clear()
    bench.uptime_ticks = 0

    reading = await bench.poll(after_seconds=120)

    assert reading.restart is not None
    assert (reading.restart.kind, reading.restart.seconds_ago) == (RestartKind.ROUTER, 120)


async def test_tables_that_fail_leave_what_could_be_read() -> None:
    bench = Bench()
    bench.session.trouble[mib.IF_ENTRY] = SnmpError(SnmpStatus.TIMEOUT, "ifTable: silence")

    reading = await bench.poll()

    assert reading.status is SnmpStatus.PARTIAL
    assert "ifTable: silence" in reading.detail
    assert reading.facts.name == "r1"
    assert reading.uptime_seconds is not None


async def test_a_router_without_any_clock_is_partial_and_has_no_uptime() -> None:
    bench = Bench()
    bench.session.say({mib.SYS_UP_TIME: None})

    reading = await bench.poll()

    assert reading.status is SnmpStatus.PARTIAL
    assert reading.uptime_seconds is None
    assert reading.detail == "the router does not tell its uptime"


async def test_the_operators_uplink_is_the_uplink() -> None:
    bench = Bench()
    bench.agency = agency(Uplink(name="LAN0"))

    reading = await bench.poll()

    assert (reading.uplink_index, reading.uplink_reason) == (1, "agencies.yaml: name 'LAN0'")
    assert [row.name for row in reading.interfaces] == ["lan0", "wan0", "wan1"]


async def test_an_uplink_that_the_router_does_not_have_is_told_and_not_guessed() -> None:
    bench = Bench()
    bench.agency = agency(Uplink(name="wan7"))

    reading = await bench.poll()

    assert reading.status is SnmpStatus.PARTIAL
    assert reading.uplink_index is None
    assert reading.detail == (
        "agencies.yaml names the uplink by name 'wan7', which the router does not have; "
        "did you mean 'wan1'? (it has: lan0, wan0, wan1)"
    )
