"""A netmon configuration for the lab's province."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.agents import COMMUNITY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.topology import Node, Topology

_KINDS = {
    "department": ("Sở, ban, ngành", "Department"),
    "district": ("UBND cấp huyện", "District People's Committee"),
    "commune": ("UBND cấp xã", "Commune People's Committee"),
}
_NAMES = {"department": "Sở số", "district": "UBND huyện số", "commune": "UBND xã số"}
_SETTINGS = """\
inventory: agencies.yaml
calendar: calendar.yaml
storage: {path: ledger.sqlite}
web: {listen_address: "127.0.0.1:9877"}
judge: {new_links: swift}
modules:
  echo: {default: {interval: 1s, timeout: 1s}}
  snmp: {default: {interval: 5s, timeout: 1s}}
credentials:
  snmp: {lab: {version: 2c, community: {file: community}}}
"""
_CALENDAR = """\
hours: ["07:30-11:30", "13:30-17:00"]
weekdays: [monday, tuesday, wednesday, thursday, friday]
"""


def write_inventory(topology: Topology, directory: Path) -> Path:
    """Write settings, calendar, inventory and community; return the path of the settings."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "netmon.yaml": _SETTINGS,
        "calendar.yaml": _CALENDAR,
        "agencies.yaml": "\n".join(_inventory_lines(topology)) + "\n",
        "community": COMMUNITY + "\n",
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    (directory / "community").chmod(0o600)
    return directory / "netmon.yaml"


def _inventory_lines(topology: Topology) -> Iterator[str]:
    yield "province: {id: lab, name: Tỉnh thử nghiệm, name_en: Lab province}"
    yield "centre:"
    yield "  name: Trung tâm tích hợp dữ liệu"
    yield "  canaries: [{id: self, name: Chính máy này, address: 127.0.0.1}]"
    yield "providers: {vnpt: {name: VNPT}}"
    yield "kinds:"
    for kind, (name, name_en) in _KINDS.items():
        area = ", area: true" if kind == "district" else ""
        yield f"  {kind}: {{name: {json.dumps(name, ensure_ascii=False)}, name_en: {name_en}{area},"
        yield "    defaults: {snmp: lab, provider: vnpt, bandwidth: 100 Mbit/s}}"
    yield "agencies:"
    for node in topology.nodes.values():
        yield f"  - {_agency(topology, node)}"


def _agency(topology: Topology, node: Node) -> str:
    fields = [
        f"id: {node.id}",
        f"name: {_NAMES[node.kind]} {node.id.partition('-')[2]}",
        f"kind: {node.kind}",
        f"router: {topology.wire(node.id).lower_address}",
    ]
    if node.parent is not None:
        fields.append(f"parent: {node.parent}")
    wires = [wire for wire in topology.wires if wire.lower == node.id]
    if len(wires) > 1:
        roles = ("backup" if wire.is_backup else "primary" for wire in wires)
        entries = (
            f"{{role: {role}, address: {wire.lower_address}}}"
            for role, wire in zip(roles, wires, strict=True)
        )
        fields.append(f"links: [{', '.join(entries)}]")
    return "{" + ", ".join(fields) + "}"
