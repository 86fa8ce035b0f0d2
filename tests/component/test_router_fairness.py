"""A router with much to tell does not keep the event loop from the others."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from netmon.probes.snmp import mib
from netmon.probes.snmp.facts import read_facts, read_system
from netmon.probes.snmp.interfaces import read_table
from netmon.probes.snmp.profile_files import load_profiles
from tests.component.snmp_recordings import say

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 3000


class Turns:
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@contextlib.contextmanager
def other_work() -> Iterator[Turns]:
    turns = Turns()
    running = asyncio.ensure_future(turns.run())
    try:
        yield turns
    finally:
        running.cancel()


async def test_other_work_goes_on_between_the_rows_of_a_long_column() -> None:
    router = say(
        (mib.SYS_DESCR, b"D-Link"),
        *(((*mib.IF_DESCR, row), b"port") for row in range(1, ROWS)),
    )
    with other_work() as turns:
        await read_facts(router, await read_system(router), load_profiles())

    assert turns.count >= ROWS // 100


async def test_other_work_goes_on_between_the_interfaces_of_a_long_table() -> None:
    router = say(*(((*mib.IF_DESCR, row), b"port") for row in range(1, ROWS)))
    with other_work() as turns:
        table = await read_table(router)

    assert len(table.readings) == ROWS - 1
    assert turns.count >= ROWS // 1000
