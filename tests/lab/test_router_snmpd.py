"""A real snmpd in a namespace of its own: interfaces made anew, an agent that restarts."""

from __future__ import annotations

import asyncio
import os
import subprocess
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from lab.capabilities import LAB, missing
from lab.kernel import (
    enter_command,
    inside,
    new_prefix,
    remove_namespaces,
    run_ip,
    sweep_dead,
)
from netmon.clock import MICROSECONDS, SystemClock, Timeline
from netmon.config.settings import SnmpCredential, SnmpModule
from netmon.model import (
    Agency,
    InterfaceReading,
    Link,
    LinkKey,
    RestartKind,
    Role,
    Router,
    RouterReading,
    SnmpStatus,
)
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import text
from netmon.probes.snmp.engine import SnmpEngine
from netmon.probes.snmp.poller import (
    CHANGED_AT_MOST_EVERY_SECONDS,
    RouterMemory,
    RouterPoller,
)
from netmon.probes.snmp.profile_files import load_profiles
from netmon.probes.snmp.values import SnmpSecrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from netmon.probes.snmp.values import Session

pytestmark = pytest.mark.lab

ADDRESS = ip_address("10.213.7.2")
BACKUP = ip_address("10.214.7.2")
PATIENCE_SECONDS = 40
LIKE_A_ROUTER = """\
view router included .1
view router excluded .1.3.6.1.2.1.25
rocommunity public default -V router
"""
"""Most routers have no HOST-RESOURCES-MIB: the agent's clocks are those of the router."""


class RouterInANamespace:
    """A router with an uplink to a centre, and a backup line that ends in itself."""

    def __init__(self, folder: Path) -> None:
        prefix = new_prefix()
        self.name = f"{prefix}router"
        self.centre = f"{prefix}centre"
        self._folder = folder
        self._agent: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        run_ip([f"netns add {self.name}", f"netns add {self.centre}"])
        run_ip([f"link add npoll0 netns {self.centre} type veth peer name wan0 netns {self.name}"])
        run_ip(["address add 10.213.7.1/30 dev npoll0", "link set npoll0 up"], self.centre)
        self.inside("address add 10.213.7.2/30 dev wan0")
        self.inside("link set wan0 up")
        self.inside("route add default via 10.213.7.1")
        self.make_backup()

    def make_backup(self) -> None:
        self.inside("link add wan1 type veth peer name wan1p")
        self.inside("address add 10.214.7.2/30 dev wan1")
        self.inside("link set wan1 up")
        self.inside("link set wan1p up")

    def inside(self, command: str) -> None:
        run_ip([command], self.name)

    def start_agent(self, access: str = "rocommunity public\n") -> None:
        configuration = self._folder / "agent.conf"
        configuration.write_text(access, encoding="utf-8")
        command = f"snmpd -f -Ln -c {configuration} udp:{ADDRESS}:161"
        # It counts its boots in files of its own, and reads no others.
        environment = {
            **os.environ,
            "SNMP_PERSISTENT_DIR": str(self._folder),
            "SNMPCONFPATH": str(self._folder),
            "MIBS": "",
        }
        self._agent = subprocess.Popen(
            [*enter_command(self.name), *command.split()], env=environment
        )

    def stop_agent(self) -> None:
        if self._agent is not None:
            self._agent.terminate()
            self._agent.wait(10)

    def remove(self) -> None:
        self.stop_agent()
        remove_namespaces([self.name, self.centre])


@pytest.fixture
def router(tmp_path: Path) -> Iterator[RouterInANamespace]:
    if lack := missing(*LAB):
        pytest.skip(lack)
    sweep_dead()
    built = RouterInANamespace(tmp_path)
    try:
        built.build()
        built.start_agent()
        yield built
    finally:
        built.remove()


@pytest.fixture
async def session(router: RouterInANamespace) -> AsyncIterator[Session]:
    engine = SnmpEngine(SystemClock())
    with inside(router.centre):
        await engine.start()
    module = SnmpModule("lab", timeout_seconds=1, retries=0)
    secrets = SnmpSecrets(community="public")
    yield engine.session(ADDRESS, 161, SnmpCredential("2c"), secrets, module)
    await engine.close()


class Watch:
    """Polls until something is so."""

    def __init__(self, session: Session) -> None:
        links = tuple(
            Link(LinkKey("xa", role.value), role, (address,), "default")
            for role, address in ((Role.PRIMARY, ADDRESS), (Role.BACKUP, BACKUP))
        )
        self._agency = Agency("xa", "Xã Một", "commune", router=Router(ADDRESS), links=links)
        self._session = session
        self._poller = RouterPoller(load_profiles(), Timeline(SystemClock()))
        self.memory = RouterMemory()

    async def until(self, is_so: Callable[[RouterReading], bool]) -> RouterReading:
        """Poll until a reading is as wanted: an agent refreshes its tables when it likes to."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                reading = await self._poller.poll(self._session, self._agency, self.memory)
                if is_so(reading):
                    return reading
                self._age()
                await asyncio.sleep(0.2)

    def _age(self) -> None:
        """Let the last identification lie so far back that a change is looked into."""
        if self.memory.identified_at_us is not None:
            self.memory.identified_at_us -= CHANGED_AT_MOST_EVERY_SECONDS * MICROSECONDS


def backup(reading: RouterReading) -> InterfaceReading | None:
    return next((row for row in reading.interfaces if "backup" in row.links), None)


async def test_a_routers_life(router: RouterInANamespace, session: Session) -> None:
    """Its uplink is found; a dead backup shows while all else is fine, and comes back anew."""
    watch = Watch(session)
    first = await watch.until(lambda reading: reading.status is SnmpStatus.OK)
    assert first.uplink_reason == "default route via 10.213.7.1"
    assert [(row.name, row.links) for row in first.interfaces] == [
        ("wan0", ("primary",)),
        ("wan1", ("backup",)),
    ]
    old = backup(first)
    assert old is not None

    router.inside("link set wan1 down")
    down = await watch.until(
        lambda reading: (row := backup(reading)) is not None and not row.oper_up
    )
    assert down.status is SnmpStatus.OK
    assert down.interfaces[0].oper_up

    router.inside("link delete wan1")
    router.make_backup()
    anew = await watch.until(
        lambda reading: (row := backup(reading)) is not None and bool(row.oper_up)
    )
    new = backup(anew)
    assert new is not None
    assert new.index > old.index
    names = [text(row.value) for row in (await session.walk(mib.IF_NAME)).rows]
    assert names.count("wan1") == 2  # snmpd keeps the row of the one that is gone

    router.stop_agent()
    await watch.until(lambda reading: reading.status is SnmpStatus.REFUSED)
    await asyncio.sleep(11)  # less than the tolerance cannot be told from a late answer
    router.start_agent()
    back = await watch.until(lambda reading: reading.uptime_seconds is not None)
    assert back.restart is not None
    assert back.restart.kind is RestartKind.AGENT


async def test_a_reboot_is_told_and_what_it_changed_is_found_anew(
    router: RouterInANamespace, session: Session
) -> None:
    """Uptime and counters begin again, and an interface of another number is the same link's."""
    router.stop_agent()
    router.start_agent(LIKE_A_ROUTER)
    watch = Watch(session)
    first = await watch.until(lambda reading: reading.status is SnmpStatus.OK)
    before = backup(first)
    assert before is not None
    assert first.engine_boots is not None
    await asyncio.sleep(11)  # less than the tolerance cannot be told from a late answer

    router.stop_agent()
    router.inside("link delete wan1")
    router.make_backup()
    router.start_agent(LIKE_A_ROUTER)
    back = await watch.until(
        lambda reading: reading.restart is not None and reading.restart.kind is RestartKind.ROUTER
    )
    assert back.engine_boots is not None
    assert back.engine_boots > first.engine_boots
    assert back.uptime_seconds is not None
    assert back.uptime_seconds < 11
    assert back.restart is not None
    assert back.restart.seconds_ago == pytest.approx(back.uptime_seconds, abs=1)
    after = backup(back)
    assert after is not None
    assert (after.name, after.oper_up) == ("wan1", True)
    assert after.index > before.index
    later = await watch.until(lambda reading: reading.restart is not None)
    assert later.restart is not None
    assert later.restart.kind is RestartKind.NONE
