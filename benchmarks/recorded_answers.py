"""What netmon reads in answers of real routers, recorded by others: one line for each question.

The recordings are the test data of ntc-templates as the simulator FakeNOS packages them: the source
distribution of ntc-templates itself has none. Fetched from the package index, not kept in the
project, read as YAML and never run.

    python benchmarks/recorded_answers.py [--wheel FILE]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from netmon.probes.ssh.platforms import load_platforms
from netmon.probes.ssh.reading import Unreadable, read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from netmon.probes.ssh.platforms import Command, Platform

_PACKAGE = "fakenos==1.2.1"
_FOLDER = "fakenos/plugins/nos/platforms_yaml"
_SAME = {"cisco_xe": "cisco_ios"}
"""Platforms that answer as another one does."""
_ROWS: Mapping[tuple[str, str], Mapping[str, int]] = {
    ("cisco_ios", "show interfaces"): {"interface": 16},
    ("cisco_ios", "show ip arp"): {"arp": 7},
    ("cisco_ios", "show lldp neighbors detail"): {"neighbour": 1},
    # The simulator has indented the fourth, as no router would.
    ("cisco_ios", "show cdp neighbors detail"): {"neighbour": 3},
    ("fortinet", "get system interface"): {"interface": 14, "address": 5},
    ("fortinet", "get system arp"): {"arp": 4},
    ("hp_comware", "display interface brief"): {"interface": 11},
    ("hp_comware", "display arp"): {"arp": 3},
    ("hp_comware", "display lldp neighbor-information list"): {"neighbour": 2},
    ("huawei_vrp", "display interface description"): {"interface": 30},
    ("huawei_vrp", "display arp all"): {"arp": 5},
    ("huawei_vrp", "display lldp neighbor"): {"neighbour": 1},
    ("juniper_junos", "show arp no-resolve"): {"arp": 9},
    ("juniper_junos", "show lldp neighbors"): {"neighbour": 2},
    ("mikrotik_routeros", "interface print terse without-paging"): {"interface": 11},
}
"""How many rows there are, counted by hand."""


def main() -> None:
    """Print what was read, as the table of docs/inventory.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="the package, where it was fetched before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel or _fetch(Path(folder))
        print("| platform | question | lines | read |\n|---|---|---|---|")
        asked = read = unfit = 0
        for platform in load_platforms().values():
            answers = _answers(wheel, _SAME.get(platform.name, platform.name))
            for command, text in _recorded(platform, answers):
                told = _told(platform, command, text)
                asked, read = asked + 1, read + bool(told)
                unfit += told == _UNFIT
                lines = len(text.strip().splitlines())
                print(f"| `{platform.name}` | `{command.send}` | {lines} | {told or 'nothing'} |")
    print(f"\n{asked} answers, {read - unfit} read, {unfit} that their template does not fit")


_UNFIT = "its template does not fit"


def _fetch(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(folder)]
    subprocess.run([*command, "--only-binary=:all:", _PACKAGE], check=True)
    return next(folder.glob("*.whl"))


def _answers(wheel: Path, name: str) -> Mapping[str, Mapping[str, str]]:
    with zipfile.ZipFile(wheel) as archive:
        try:
            text = archive.read(f"{_FOLDER}/{name}.yaml").decode()
        except KeyError:
            return {}
    commands: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)["commands"]
    return commands


def _recorded(
    platform: Platform, answers: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[Command, str]]:
    for command in platform.commands:
        if command.send in answers:
            # The simulator keeps its answers as format strings.
            yield command, answers[command.send]["output"].replace("{{", "{").replace("}}", "}")


def _told(platform: Platform, command: Command, text: str) -> str:
    try:
        answers = read_answer(platform, command, text)
    except Unreadable:
        return _UNFIT
    facts = [f"{name} {value}" for name, value in answers.facts.items()]
    there = _ROWS.get((_SAME.get(platform.name, platform.name), command.send), {})
    tables = [
        f"{len(answers.tables.get(sort, ()))} of {count} {sort}" for sort, count in there.items()
    ]
    return ", ".join((*facts, *tables))


if __name__ == "__main__":
    main()
