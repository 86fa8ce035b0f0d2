"""The whole daemon and a real router that sends a trap: it is looked at on the spot."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from netmon.ledger.facts import TRAP
from netmon.ledger.reader import LedgerReader
from tests.net.snmp_agents import free_port, snmpd
from tests.support.daemon import Netmon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("snmpd") is None or shutil.which("snmptrap") is None,
        reason="needs root for echoes, and net-snmp's programs",
    ),
]

SETTINGS = """\
inventory: agencies.yaml
storage: {{path: ledger.sqlite3}}
modules:
  echo: {{default: {{interval: 1h}}}}
  snmp: {{default: {{interval: 1h}}}}
credentials:
  snmp: {{here: {{version: 2c, community: {{file: word}}}}}}
snmp_traps: {{listen_address: "127.0.0.1:{port}", communities: [{{file: word}}]}}
"""
INVENTORY = """\
province: {{id: p, name: P, name_en: P}}
centre: {{name: C}}
kinds: {{commune: {{name: xã, name_en: commune}}}}
agencies:
  - id: xa
    name: Xã Một
    kind: commune
    router: {{address: 127.0.0.1, snmp: here, snmp_port: {port}}}
"""
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[tuple[Netmon, int]]:
    trap_port = free_port()
    with snmpd(tmp_path, "rocommunity public\n") as port:
        settings = tmp_path / "netmon.yaml"
        settings.write_text(SETTINGS.format(port=trap_port), encoding="utf-8")
        (tmp_path / "agencies.yaml").write_text(INVENTORY.format(port=port), encoding="utf-8")
        (tmp_path / "word").write_text("public\n", encoding="utf-8")
        with Netmon(settings) as netmon:
            netmon.until(lambda: total(netmon, "netmon_snmp_up") == 1, "the router is not polled")
            yield netmon, trap_port


def total(netmon: Netmon, name: str, **labels: str) -> float:
    return sum(netmon.of(name, **labels).values())


def test_a_trap_has_the_router_polled_and_its_links_confirmed_at_once(
    daemon: tuple[Netmon, int],
) -> None:
    netmon, port = daemon
    answers = total(netmon, "netmon_snmp_answers_total")
    echoes = total(netmon, "netmon_echo_requests_total")

    def called_until_there_was_a_burst() -> bool:
        # While the echo engine is late itself, as it may be at its start, it sends no burst.
        command = ["snmptrap", "-v2c", "-c", "public", f"127.0.0.1:{port}", "", LINK_DOWN]
        subprocess.run(command, check=True, env={**os.environ, "MIBS": ""})
        return total(netmon, "netmon_echo_requests_total") >= echoes + 5

    netmon.until(called_until_there_was_a_burst, "no burst was sent")
    assert total(netmon, "netmon_traps_total", kind="linkDown") >= 1
    netmon.until(
        lambda: total(netmon, "netmon_snmp_answers_total") > answers, "the router was not polled"
    )
    assert "xa: trap linkDown from 127.0.0.1" in netmon.log
    assert netmon.stop() == 0
    with contextlib.closing(
        LedgerReader.open(netmon.settings.with_name("ledger.sqlite3"))
    ) as ledger:
        rows = [fact for fact in ledger.facts() if fact.source == TRAP]
    assert [(row.agency, row.key) for row in rows] == [("xa", "trap/linkDown")]
    assert LINK_DOWN in rows[0].value


def test_a_reload_tells_of_a_wrong_profile_and_takes_up_a_right_one(
    daemon: tuple[Netmon, int],
) -> None:
    netmon, _ = daemon
    own = netmon.settings.with_name("own")
    own.mkdir()
    profile = own / "ours.yaml"
    profile.write_text("vndor: Ours\n", encoding="utf-8")
    with netmon.settings.open("a", encoding="utf-8") as file:
        file.write("profiles: own\n")
    status, body = netmon.request("POST", "/-/reload")
    assert status != 200
    assert b"unknown key 'vndor'; did you mean 'vendor'?" in body
    profile.write_text(
        "vendor: Ours\nmatch: {object_id: 1.3.6.1.4.1.8072, description: '^Linux'}\n",
        encoding="utf-8",
    )
    assert netmon.request("POST", "/-/reload")[0] == 200
