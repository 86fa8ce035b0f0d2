"""The inventory as targets of stock exporters, in the format of Prometheus' service discovery."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.alerting.rules import Tree
    from netmon.model import Agency, Inventory, IPAddress, Link

EXPORTERS: tuple[str, ...] = ("blackbox", "snmp")
"""For whom targets are listed: every address of a link, or every router that is polled."""


def target_groups(inventory: Inventory, exporter: str | None = None) -> str:
    """Return target groups as JSON; None: of every exporter.

    What begins with `__meta_netmon_` is there for relabelling and then gone; the rest become
    labels.
    """
    groups: list[Tree] = []
    for agency in inventory.agencies.values():
        if exporter in {None, "blackbox"}:
            groups += (_link_group(agency, link) for link in agency.links)
        if exporter in {None, "snmp"}:
            groups += _router_groups(agency)
    return json.dumps(groups, ensure_ascii=False, indent=1) + "\n"


def _link_group(agency: Agency, link: Link) -> Tree:
    labels = {
        **_agency_labels(agency, "blackbox"),
        "link": link.key.link,
        "role": link.role.value,
        "provider": link.provider or "",
        "__meta_netmon_circuit": link.circuit or "",
    }
    return {"targets": [str(address) for address in link.addresses], "labels": _filled(labels)}


def _router_groups(agency: Agency) -> Iterator[Tree]:
    router = agency.router
    if router is None or router.snmp is None:
        return
    labels = {**_agency_labels(agency, "snmp"), "__meta_netmon_credential": router.snmp}
    target = _with_port(router.address, router.snmp_port)
    yield {"targets": [target], "labels": _filled(labels)}


def _agency_labels(agency: Agency, exporter: str) -> dict[str, str]:
    return {
        "agency": agency.id,
        "kind": agency.kind,
        "district": agency.district or "",
        "__meta_netmon_for": exporter,
        "__meta_netmon_name": agency.name,
        "__meta_netmon_parent": agency.parent or "",
    }


def _filled(labels: dict[str, str]) -> Tree:
    return {name: value for name, value in labels.items() if value}


def _with_port(address: IPAddress, port: int) -> str:
    """Return the address as snmp_exporter takes it: the usual port is left out."""
    if port == 161:  # noqa: PLR2004  # SNMP's own port
        return str(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"  # noqa: PLR2004  # IPv6
