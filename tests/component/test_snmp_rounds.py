"""Rounds ask every router once an interval, at its own moment, and any of them out of turn."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import SystemClock, Timeline
from netmon.config.settings import (
    SecretReference,
    SecretSource,
    Settings,
    SnmpCredential,
    SnmpModule,
    Storage,
)
from netmon.judge.calendar import Calendar
from netmon.model import (
    Agency,
    Inventory,
    Link,
    LinkKey,
    Province,
    Role,
    Router,
    RouterReading,
    SnmpStatus,
)
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.poller import RouterMemory, RouterPoller
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.profiles import Profile, Profiles
from netmon.probes.snmp.rounds import SnmpRounds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from netmon.probes.snmp.values import Session

PROVINCE = Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL")
COMMUNITY = "NETMON_TEST_COMMUNITY"
PROFILES = load_profiles()


class Polls(RouterPoller):
    """Notes who is polled when, and asks nobody."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(PROFILES, timeline)
        self.times: list[tuple[str, int]] = []
        self.memories: dict[str, RouterMemory] = {}
        self.breaks = ""
        self.hold: asyncio.Event | None = None
        self._line = timeline

    async def poll(self, session: Session, agency: Agency, memory: RouterMemory) -> RouterReading:
        del session
        self.times.append((agency.id, self._line.monotonic_us()))
        self.memories[agency.id] = memory
        memory.identified_at_us = 1
        if agency.id == self.breaks:
            message = "a bug"
            raise RuntimeError(message)
        if self.hold is not None:
            await self.hold.wait()
        return RouterReading(agency.id, self._line.now_us(), SnmpStatus.OK)

    @property
    def polled(self) -> list[str]:
        return [agency for agency, _ in self.times]


class World:
    """Rounds over some routers."""

    def __init__(self, engine: SnmpEngine, timeline: Timeline) -> None:
        self.poller = Polls(timeline)
        self.readings: list[RouterReading] = []
        self.rounds = SnmpRounds(engine, self.poller, timeline, self.readings.append)

    def put_in_force(self, *agencies: Agency) -> dict[str, SnmpModule]:
        return self.rounds.set_inventory(inventory(*agencies), SETTINGS)


SETTINGS = Settings(
    inventory=Path("agencies.yaml"),
    storage=Storage(Path("ledger.sqlite3")),
    calendar=Calendar(ZoneInfo("Asia/Ho_Chi_Minh")),
    snmp_modules={"fast": SnmpModule("fast", interval_seconds=0.5)},
    snmp_credentials={
        "good": SnmpCredential("2c", SecretReference(SecretSource.ENVIRONMENT, COMMUNITY)),
        "lost": SnmpCredential("2c", SecretReference(SecretSource.ENVIRONMENT, "NETMON_NOT_SET")),
    },
)


def agency(number: int, *, snmp: str | None = "good") -> Agency:
    name, address = f"xa-{number}", IPv4Address(f"10.9.{number // 250}.{number % 250 + 1}")
    link = Link(LinkKey(name, "primary"), Role.PRIMARY, (address,), "default")
    return Agency(
        name, name, "commune", router=Router(address, snmp=snmp), snmp_module="fast", links=(link,)
    )


def inventory(*agencies: Agency) -> Inventory:
    return Inventory(PROVINCE, {}, {}, {each.id: each for each in agencies})


@contextlib.asynccontextmanager
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv(COMMUNITY, "S3cret-word")
    clock = SystemClock()
    engine = SnmpEngine(clock)
    yield World(engine, Timeline(clock))
    await engine.close()


async def test_a_round_asks_everybody_once_spread_and_in_the_same_order_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(*map(agency, range(40)))
        for _ in range(2):
            await here.rounds.run("fast")
        polls = here.poller.times
        first, second = here.poller.polled[:40], here.poller.polled[40:]
        assert sorted(first) == sorted(f"xa-{number}" for number in range(40))
        assert second == first
        assert polls[79][1] - polls[40][1] > 200_000
        assert len(here.readings) == 80


async def test_routers_whose_moments_are_close_are_asked_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(*map(agency, range(200)))
        waits: list[float] = []
        sleep = asyncio.sleep

        async def noted(seconds: float) -> None:
            waits.append(seconds)
            await sleep(seconds)

        monkeypatch.setattr("netmon.probes.snmp.rounds.asyncio.sleep", noted)
        await here.rounds.run("fast")
        assert len(here.readings) == 200
        assert len(waits) <= 8  # 0.4 s in steps of 0.05 s, not 200 wakes
        assert min(waits) > 0.05


async def test_one_router_is_asked_out_of_turn_but_never_twice_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(agency(1), agency(2))
        here.poller.hold = asyncio.Event()
        under_way = asyncio.create_task(here.rounds.poll_now("xa-1"))
        await asyncio.sleep(0)
        await here.rounds.poll_now("xa-1")
        await here.rounds.poll_now("not-there")
        here.poller.hold.set()
        await under_way
        assert here.poller.polled == ["xa-1"]


async def test_a_router_that_leaves_while_it_is_asked_leaves_no_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(agency(1))
        here.poller.hold = asyncio.Event()
        under_way = asyncio.create_task(here.rounds.poll_now("xa-1"))
        await asyncio.sleep(0)
        here.put_in_force(agency(2))
        here.poller.hold.set()
        await under_way
        assert here.readings == []


async def test_a_bug_at_one_router_is_its_own_reading_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(*map(agency, range(4)))
        here.poller.breaks = "xa-2"
        await here.rounds.run("fast")
        statuses = {reading.agency: reading.status for reading in here.readings}
        assert statuses.pop("xa-2") is SnmpStatus.FAULT
        assert set(statuses.values()) == {SnmpStatus.OK}


async def test_a_secret_that_cannot_be_read_is_told_and_the_others_are_polled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        modules = here.put_in_force(agency(1), agency(2, snmp="lost"), agency(3, snmp=None))
        assert list(modules) == ["fast"]
        await here.rounds.run("fast")
        readings = {reading.agency: reading for reading in here.readings}
        assert readings.keys() == {"xa-1", "xa-2"}
        assert readings["xa-2"].status is SnmpStatus.NO_SECRET
        assert "NETMON_NOT_SET" in readings["xa-2"].detail


async def test_memory_stays_over_a_reload_and_goes_with_another_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(agency(1))
        await here.rounds.poll_now("xa-1")
        kept = here.poller.memories["xa-1"]
        here.put_in_force(replace(agency(1), name="Renamed"))
        await here.rounds.poll_now("xa-1")
        assert here.poller.memories["xa-1"] is kept
        moved = replace(agency(1), router=Router(IPv4Address("10.9.9.9"), snmp="good"))
        here.put_in_force(moved)
        await here.rounds.poll_now("xa-1")
        assert here.poller.memories["xa-1"] is not kept


async def test_other_profiles_have_routers_identified_anew_and_the_same_ones_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with world(monkeypatch) as here:
        here.put_in_force(agency(1))
        await here.rounds.poll_now("xa-1")
        memory = here.poller.memories["xa-1"]
        here.rounds.set_profiles(load_profiles())
        assert memory.identified_at_us == 1
        here.rounds.set_profiles(Profiles([Profile("generic")]))
        assert memory.identified_at_us is None
