"""The demo runs on a copy of the shipped province that people may edit."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import yaml

from netmon.demo.files import write_demo_files
from netmon.demo.province import DEMO_COMMUNITY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_every_credential_that_the_province_names_is_defined(tmp_path: Path) -> None:
    settings = yaml.safe_load(write_demo_files(tmp_path).read_text(encoding="utf-8"))
    agencies = yaml.safe_load((tmp_path / settings["inventory"]).read_text(encoding="utf-8"))
    assert set(_values(agencies, "snmp")) == settings["credentials"]["snmp"].keys()


def test_no_router_of_the_demo_has_a_terminal(tmp_path: Path) -> None:
    """A visit would leave the toy network and log in to whoever has that address outside."""
    settings = yaml.safe_load(write_demo_files(tmp_path).read_text(encoding="utf-8"))
    agencies = yaml.safe_load((tmp_path / settings["inventory"]).read_text(encoding="utf-8"))
    assert list(_values(agencies, "ssh")) == []
    assert "ssh" not in settings["credentials"]


def test_the_page_is_where_and_in_the_language_that_was_asked_for(tmp_path: Path) -> None:
    path = write_demo_files(tmp_path, "127.0.0.1:1234", "en")
    web = yaml.safe_load(path.read_text(encoding="utf-8"))["web"]
    assert web == {"listen_address": "127.0.0.1:1234", "language": "en"}


def test_the_community_is_in_a_file_of_its_own_that_others_cannot_read(tmp_path: Path) -> None:
    settings = write_demo_files(tmp_path)
    community = tmp_path / "community"
    assert community.read_text(encoding="ascii").strip() == DEMO_COMMUNITY
    assert stat.S_IMODE(community.stat().st_mode) == 0o600
    assert DEMO_COMMUNITY not in settings.read_text(encoding="utf-8")


def _values(node: Any, key: str) -> Iterator[str]:  # noqa: ANN401  # any YAML
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _values(child, key)
