"""The demo's own copy of the configuration, to be edited and reloaded at will."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from netmon.demo.province import DEMO_COMMUNITY

_SETTINGS = """\
# yaml-language-server: $schema=schema/netmon.schema.json
#
# The settings of `netmon demo`, made anew for each run. Add a commune of your own to
# agencies.yaml beside this file, and let netmon reload: the toy province gives it life.

inventory: agencies.yaml
calendar: calendar.yaml

storage:
  path: ledger.sqlite3

web:
  listen_address: "{listen_address}"
  language: {language}

# The lines of the toy province are either whole or cut: a new one need not be watched first.
judge:
  new_links: swift

modules:
  echo:
    default: {{interval: 1s, timeout: 1s}}
  snmp:
    default: {{interval: 10s, timeout: 1s, retries: 0}}

credentials:
  snmp:
    province: {{version: 2c, community: {{file: community}}}}
"""
_TERMINALS = re.compile(r"^ +ssh: .*\n", re.MULTILINE)


def write_demo_files(
    directory: Path, listen_address: str = "127.0.0.1:9877", language: str = "vi"
) -> Path:
    """Copy the shipped province into a directory, with settings for the demo.

    Returns:
        The path of the settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    source = shipped_configuration()
    shutil.copyfile(source / "calendar.yaml", directory / "calendar.yaml")
    # Toy routers have no terminals: visits would leave the toy network, for whoever has that
    # address outside.
    agencies = _TERMINALS.sub("", (source / "agencies.yaml").read_text(encoding="utf-8"))
    (directory / "agencies.yaml").write_text(agencies, encoding="utf-8")
    if (source / "schema").is_dir():
        shutil.copytree(source / "schema", directory / "schema", dirs_exist_ok=True)
    settings = directory / "netmon.yaml"
    text = _SETTINGS.format(listen_address=listen_address, language=language)
    settings.write_text(text, encoding="utf-8")
    community = directory / "community"
    community.touch(mode=0o600)
    community.write_text(DEMO_COMMUNITY + "\n", encoding="ascii")
    return settings


def shipped_configuration() -> Path:
    """Return the directory of the shipped province: in the wheel, else in the checkout."""
    packaged = Path(__file__).with_name("config")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "config"
