"""The pages that an alert leads to: every command is one that exists, in both languages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from netmon.cli.commands import parser
from netmon_exporters.prometheus import families

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs/runbooks").glob("*.md") if path.stem != "README")
GROUPS: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "exporters/prometheus/rules/netmon.yml").read_text("utf-8")
)["groups"]
SEVERITIES = {
    rule["alert"]: rule["labels"]["severity"]
    for group in GROUPS
    for rule in group["rules"]
    if "alert" in rule
}


def halves(page: Path) -> tuple[str, str]:
    vietnamese, _, english = page.read_text("utf-8").partition("\n## In English\n")
    return vietnamese, english


def commands(text: str) -> list[str]:
    return re.findall(r"^ *\$ (.+)$", text, re.MULTILINE)


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {page.stem for page in PAGES} == set(SEVERITIES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_languages_say_the_same_commands_and_the_alerts_severity(page: Path) -> None:
    vietnamese, english = halves(page)
    assert commands(vietnamese) == commands(english)
    for half in (vietnamese, english):
        assert f"**{SEVERITIES[page.stem]}**" in half
        assert len(re.findall(r"^\d\. ", half, re.MULTILINE)) >= 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_netmon_is_one_that_it_takes(page: Path) -> None:
    for command in commands(halves(page)[0]):
        program, *arguments = shlex.split(command, comments=False)
        if program == "netmon":
            parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_metric_that_is_looked_for_exists(page: Path) -> None:
    known = {family.name for family in families()}
    for wanted in re.findall(r"\bnetmon_[a-z_]+", "\n".join(commands(page.read_text("utf-8")))):
        assert any(name.startswith(wanted) for name in known), wanted


def test_the_table_of_contents_names_every_alert_with_its_severity() -> None:
    table = (ROOT / "docs/runbooks/README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+) \|", table, re.MULTILINE)
    assert dict(rows) == SEVERITIES
