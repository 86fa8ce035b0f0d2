"""A netmon of routers that are visited: its YAML on disk, its commands, and what they left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from dulwich.repo import Repo

from lab.capabilities import Need, find_program, missing
from lab.kernel import enter_command
from netmon.inventory.configs import ConfigStore
from netmon.inventory.journal import Change, changes
from netmon.judge.calendar import Calendar
from netmon.ledger.ledger import Ledger
from netmon.ledger.reader import LedgerReader
from netmon.probes.ssh.round import configurations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from netmon.ledger.reader import Fact

_ROOT = Path(__file__).resolve().parents[2]
_SETTINGS = """\
inventory: agencies.yaml
storage: {{path: ledger.sqlite3}}
web: {{listen_address: "127.0.0.1:0", language: en}}
visits: {{at: {at}, splay: {splay}, threads: {threads}, deadline: 60s}}
modules: {{snmp: {{default: {{interval: 1s, timeout: 1s, retries: 0}}}}}}
credentials:
  snmp: {{province: {{version: 2c, community: {{file: community}}}}}}
  ssh: {{province: {{user: {user}, password: {{file: password}}}}}}
"""
_INVENTORY = """\
province: {id: p, name: Tỉnh thử, name_en: Test province, timezone: Asia/Ho_Chi_Minh}
centre: {name: Trung tâm}
kinds: {commune: {name: UBND cấp xã, name_en: Commune, defaults: {ssh: province}}}
agencies:
"""


def find_word(directory: Path, word: str, but: Collection[str] = ()) -> list[str]:
    """Return where a word stands: in files beneath, in every object of their git repository."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name not in but)
    found = [str(path) for path in files if word.encode() in path.read_bytes()]
    for head in directory.rglob("configurations.git/HEAD"):
        with Repo(str(head.parent)) as repository:
            objects = (repository[name] for name in repository.object_store)
            found += [str(each) for each in objects if word.encode() in each.as_raw_string()]
    return found


def assert_sound(directory: Path) -> None:
    """Demand that git finds nothing wrong with the configurations in a directory of visits."""
    if lack := missing(Need.GIT):
        pytest.skip(lack)
    command = [find_program("git"), "-C", str(configurations(directory)), "fsck", "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Site:
    """A directory with a configuration of netmon, run here or in a namespace."""

    def __init__(
        self, directory: Path, login: tuple[str, str], namespace: str | None = None
    ) -> None:
        self.directory = directory
        self.settings = directory / "netmon.yaml"
        self._user, password = login
        self._namespace = namespace
        self._lines: list[str] = []
        directory.mkdir(exist_ok=True)
        self.write_secret("password", password)
        self.write_secret("community", "SEEDcommunity")
        self.write_settings()
        # As a daemon that ran once would leave it: commands need a ledger, and begin none.
        Ledger.open(directory / "ledger.sqlite3", calendar=Calendar(ZoneInfo("UTC"))).close()

    def write_settings(self, at: str = "never", splay: str = "0s", threads: int = 8) -> None:
        """Write netmon.yaml, with the time at which the round begins."""
        text = _SETTINGS.format(user=self._user, at=json.dumps(at), splay=splay, threads=threads)
        self.settings.write_text(text, "utf-8")

    def write_secret(self, name: str, secret: str) -> None:
        """Write a file that a credential refers to."""
        path = self.directory / name
        path.write_text(secret, "utf-8")
        path.chmod(0o600)

    def add(self, agency: str, router: Mapping[str, object]) -> None:
        """Write one more agency to the inventory."""
        fields = json.dumps({"id": agency, "name": f"UBND xã {agency}", "kind": "commune",
                             "router": dict(router)}, ensure_ascii=False)  # fmt: skip
        self._lines.append(f"  - {fields}\n")
        (self.directory / "agencies.yaml").write_text(_INVENTORY + "".join(self._lines), "utf-8")

    def command(self, *words: str) -> list[str]:
        """Return the command line of a netmon command on this configuration."""
        where = [] if self._namespace is None else enter_command(self._namespace)
        return [*where, sys.executable, "-m", "netmon", *words, f"--config.file={self.settings}"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a netmon command to its end."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, cwd=_ROOT
        )

    def facts(self, agency: str, source: str = "ssh") -> dict[str, str]:
        """Return what a source tells of an agency's router."""
        return {
            fact.key: fact.value
            for fact in self._history(agency)
            if fact.source == source
        }  # fmt: skip

    def changes(self) -> list[Change]:
        """Return what `netmon inventory changes` tells."""
        return changes(self._history())

    def configuration(self, agency: str) -> str | None:
        """Return the configuration that is kept."""
        store = ConfigStore.open(configurations(self.directory / "routers"))
        try:
            return store.text(agency)
        finally:
            store.close()

    def find(self, word: str) -> list[str]:
        """Return where a word stands in what netmon wrote."""
        return find_word(self.directory, word, but={"password", "community"})

    def _history(self, agency: str | None = None) -> list[Fact]:
        reader = LedgerReader.open(self.directory / "ledger.sqlite3")
        try:
            return list(reader.facts(agency, history=True))
        finally:
            reader.close()
