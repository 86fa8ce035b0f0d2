"""A trap of a known router has it looked at at once, and never more often than is good for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

import pytest

from netmon.clock import SystemClock
from netmon.config.settings import SecretReference, SecretSource, SnmpCredential, SnmpTraps
from netmon.errors import CapabilityError
from netmon.model import Agency, Inventory, IPAddress, Link, LinkKey, Province, Role, Router
from netmon.probes.snmp import trap_watch
from netmon.probes.snmp.trap import Trap, TrapKind
from netmon.probes.snmp.trap_watch import TrapWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.net

LOOPBACK = IPv4Address("127.0.0.1")
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
PROVINCE = Province("tg", "Tiền Giang", "Tien Giang", "Asia/Ho_Chi_Minh", "TTTHDL")


def inventory(address: IPAddress = LOOPBACK) -> Inventory:
    link = Link(LinkKey("xa", "backup"), Role.BACKUP, (ip_address("10.9.0.1"),), "default")
    agency = Agency("xa", "UBND xã", "commune", router=Router(address), links=(link,))
    return Inventory(PROVINCE, {}, {}, {"xa": agency})


@dataclass
class Looks:
    """Who was looked at."""

    agencies: list[str] = field(default_factory=list)
    traps: list[Trap] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self, agency: str) -> None:
        self.agencies.append(agency)
        self.came.set()

    def note(self, agency: str, trap: Trap) -> None:
        assert agency == "xa"
        self.traps.append(trap)


def settings(folder: Path, address: str = "127.0.0.1:0", *words: str) -> SnmpTraps:
    references = []
    for number, word in enumerate(words or ("S3cret-word",)):
        file = folder / f"community-{number}"
        file.write_text(word, encoding="utf-8")
        references.append(SecretReference(SecretSource.FILE, str(file)))
    return SnmpTraps(address, tuple(references))


@contextlib.asynccontextmanager
async def watching(wanted: SnmpTraps | None) -> AsyncIterator[tuple[TrapWatch, Looks]]:
    looks = Looks()
    watch = TrapWatch(SystemClock(), looks.look, looks.note)
    try:
        await watch.listen(wanted)
        watch.set_inventory(inventory())
        yield watch, looks
    finally:
        await watch.close()


async def send_trap(port: int | None, community: str = "S3cret-word") -> None:
    process = await asyncio.create_subprocess_exec(
        "snmptrap", "-v2c", "-c", community, f"127.0.0.1:{port}", "", LINK_DOWN,
        env={**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"},
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 20) == 0


def trap(kind: TrapKind, source: IPAddress = LOOPBACK, at_us: int | None = None) -> Trap:
    return Trap(kind, source, SystemClock().monotonic_us() if at_us is None else at_us, "")


async def test_a_trap_of_a_known_router_has_it_looked_at_and_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with watching(settings(tmp_path)) as (watch, looks):
        await send_trap(watch.port)
        await asyncio.wait_for(looks.came.wait(), 10)
        assert looks.agencies == ["xa"]
        assert [trap.kind for trap in looks.traps] == [TrapKind.LINK_DOWN]
        assert "xa: trap linkDown from 127.0.0.1" in caplog.text
        assert "S3cret" not in caplog.text
        figures = watch.figures()
        assert figures is not None
        assert (figures.by_kind["linkDown"], figures.by_kind["linkUp"]) == (1, 0)


async def test_all_addresses_of_an_agency_are_its_own_and_strangers_are_counted(
    tmp_path: Path,
) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        watch._on_trap(trap(TrapKind.LINK_UP, IPv4Address("10.9.0.1")))
        watch._on_trap(trap(TrapKind.LINK_UP, IPv4Address("192.0.2.66")))
        assert looks.agencies == ["xa"]
        figures = watch.figures()
        assert figures is not None
        assert (figures.by_kind["linkUp"], figures.strangers) == (2, 1)


async def test_an_ipv4_router_is_known_on_a_socket_of_both_families(tmp_path: Path) -> None:
    async with watching(settings(tmp_path, "[::]:0")) as (watch, looks):
        watch._on_trap(trap(TrapKind.COLD_START, IPv6Address("::ffff:127.0.0.1")))
        assert looks.agencies == ["xa"]


async def test_a_storm_is_looked_at_twice_at_its_start_and_after_a_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trap_watch, "_LOOK_AT_MOST_EVERY_SECONDS", 0.05)
    async with watching(settings(tmp_path)) as (watch, looks):
        for _ in range(10):
            watch._on_trap(trap(TrapKind.LINK_DOWN))
        assert looks.agencies == ["xa"]
        looks.came.clear()
        await asyncio.wait_for(looks.came.wait(), 10)
        assert looks.agencies == ["xa", "xa"]
        assert not watch._waiting


async def test_a_router_that_calls_without_end_is_looked_at_and_leaves_few_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trap_watch, "_LOOK_AT_MOST_EVERY_SECONDS", 0)
    async with watching(settings(tmp_path)) as (watch, looks):
        for _ in range(1000):
            watch._on_trap(trap(TrapKind.AUTHENTICATION_FAILURE))
        assert (len(looks.agencies), len(looks.traps)) == (1000, 20)


async def test_an_agency_that_is_gone_is_not_looked_at_when_its_rest_is_over(
    tmp_path: Path,
) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        for _ in range(2):
            watch._on_trap(trap(TrapKind.LINK_DOWN))
        (timer,) = watch._waiting.values()
        watch.set_inventory(Inventory(PROVINCE, {}, {}, {}))
        assert timer.cancelled()
        assert {*watch._waiting, *watch._rested_us, *watch._allowances} == set()
        assert looks.agencies == ["xa"]


async def test_the_failure_that_our_own_poll_caused_does_not_cause_another_poll(
    tmp_path: Path,
) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        for _ in range(3):
            watch._on_trap(trap(TrapKind.AUTHENTICATION_FAILURE))
        assert (looks.agencies, watch._waiting) == (["xa"], {})


async def test_a_trap_that_says_nothing_of_links_is_counted_only(tmp_path: Path) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        watch._on_trap(trap(TrapKind.OTHER))
        figures = watch.figures()
        assert figures is not None
        assert (looks.agencies, figures.by_kind["other"]) == ([], 1)


async def test_a_router_that_left_the_inventory_is_a_stranger(tmp_path: Path) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        watch._on_trap(trap(TrapKind.LINK_DOWN))
        watch.set_inventory(Inventory(PROVINCE, {}, {}, {}))
        watch._on_trap(trap(TrapKind.LINK_DOWN))
        assert (looks.agencies, watch._rested_us) == (["xa"], {})


async def test_without_the_setting_nothing_listens_and_nothing_is_counted() -> None:
    async with watching(None) as (watch, _):
        assert (watch.port, watch.figures()) == (None, None)


async def test_a_community_that_cannot_be_read_is_told_and_the_others_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = settings(tmp_path, "127.0.0.1:0", "first", "second")
    (tmp_path / "community-0").unlink()
    async with watching(wanted) as (watch, looks):
        assert "community-0" in caplog.text
        await send_trap(watch.port, "second")
        await asyncio.wait_for(looks.came.wait(), 10)


async def test_a_reload_changes_the_communities_and_keeps_the_counts(tmp_path: Path) -> None:
    async with watching(settings(tmp_path)) as (watch, looks):
        watch._on_trap(trap(TrapKind.OTHER))
        await watch.listen(settings(tmp_path, f"127.0.0.1:{watch.port}", "new-word"))
        await send_trap(watch.port, "new-word")
        await asyncio.wait_for(looks.came.wait(), 10)
        figures = watch.figures()
        assert figures is not None
        assert (figures.by_kind["other"], figures.by_kind["linkDown"]) == (1, 1)


async def test_an_address_that_cannot_be_had_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    async with watching(settings(tmp_path)) as (watch, _):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind((str(LOOPBACK), 0))
            there = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(CapabilityError, match="free the port"):
                await watch.listen(settings(tmp_path, there))
        assert watch.port is not None
        await watch.listen(None)
        assert watch.port is None


def test_pysnmp_is_not_loaded_where_traps_are_not_received() -> None:
    check = "import sys, netmon.daemon; sys.exit('pysnmp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


async def send_signed_trap(port: int | None, password: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "snmptrap", "-v3", "-e", "0x80001f8804736f6d65", "-u", "netmon", "-l", "authNoPriv",
        "-a", "SHA", "-A", password, f"127.0.0.1:{port}", "", LINK_DOWN,
        env={**os.environ, "MIBS": "", "SNMPCONFPATH": "/nonexistent"},
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_routers_wrong_password_is_counted_each_time_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "auth").write_text("S3cret-auth", encoding="utf-8")
    password = SecretReference(SecretSource.FILE, str(tmp_path / "auth"))
    credential = SnmpCredential("3", user="netmon", auth_protocol="SHA", auth_password=password)
    async with watching(SnmpTraps("127.0.0.1:0", credentials=(credential,))) as (watch, looks):
        for _ in range(2):
            await send_signed_trap(watch.port, "another-word")
        assert looks.agencies == []
        await send_signed_trap(watch.port, "S3cret-auth")
        await asyncio.wait_for(looks.came.wait(), 20)
        figures = watch.figures()
    assert figures is not None
    assert (figures.refused["secret"], figures.by_kind["linkDown"]) == (2, 1)
    told = [r.getMessage() for r in caplog.records if "refused" in r.getMessage()]
    words = "the user 'netmon' has another authentication password or protocol there"
    assert told == [f"xa: trap from 127.0.0.1 refused: {words}"]
    assert "S3cret" not in caplog.text


async def test_a_user_whose_secret_cannot_be_read_is_told_and_the_communities_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    password = SecretReference(SecretSource.FILE, str(tmp_path / "gone"))
    credential = SnmpCredential("3", user="netmon", auth_protocol="SHA", auth_password=password)
    wanted = settings(tmp_path)
    both = SnmpTraps(wanted.listen_address, wanted.communities, (credential,))
    async with watching(both) as (watch, looks):
        await send_trap(watch.port)
        await asyncio.wait_for(looks.came.wait(), 20)
    assert "traps of the user 'netmon' are ignored" in caplog.text
