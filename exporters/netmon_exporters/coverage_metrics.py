"""Metrics of how far the province has come, and of which routers there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from netmon.inventory.coverage import Coverage, coverage, software
from netmon_exporters.exposition import Family

if TYPE_CHECKING:
    from netmon.state import Snapshot

Samples = Iterable[tuple[dict[str, str], float]]


def _have(snapshot: Snapshot) -> Samples:
    return _indicators(snapshot, ("connected", "lan", "document_system"))


def _known(snapshot: Snapshot) -> Samples:
    names = {"connected": "agencies", "lan": "lan_known"}
    names["document_system"] = "document_system_known"
    return (
        ({"kind": row.kind, "indicator": indicator}, float(getattr(row, field)))
        for row in coverage(snapshot.inventory)
        for indicator, field in names.items()
    )


def _indicators(snapshot: Snapshot, names: Iterable[str]) -> Samples:
    return (
        ({"kind": row.kind, "indicator": name}, float(getattr(row, name)))
        for row in coverage(snapshot.inventory)
        for name in names
    )


def _of_kind(figure: Callable[[Coverage], float]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: (
        ({"kind": row.kind}, figure(row)) for row in coverage(snapshot.inventory)
    )


def _routers(snapshot: Snapshot) -> Samples:
    counted = software(asdict(reading.facts) for reading in snapshot.readings.values())
    return (
        ({"vendor": vendor, "os": system, "version": version}, count)
        for (vendor, system, version), count in counted.items()
        if vendor or system or version
    )


COVERAGE_FAMILIES: tuple[tuple[Family, Callable[[Snapshot], Samples]], ...] = (
    (
        Family(
            "netmon_coverage_agencies",
            "gauge",
            "Agencies that are connected, have a local network, use the document system.",
            ("kind", "indicator"),
        ),
        _have,
    ),
    (
        Family(
            "netmon_coverage_known_agencies",
            "gauge",
            "Of how many agencies that is known at all.",
            ("kind", "indicator"),
        ),
        _known,
    ),
    (
        Family(
            "netmon_coverage_mailboxes",
            "gauge",
            "Mailboxes issued, in agencies of which both mailboxes and officials are known.",
            ("kind",),
        ),
        _of_kind(lambda row: row.mailboxes),
    ),
    (
        Family(
            "netmon_coverage_officials",
            "gauge",
            "Officials of agencies of which both mailboxes and officials are known.",
            ("kind",),
        ),
        _of_kind(lambda row: row.staff),
    ),
    (
        Family(
            "netmon_inventory_routers",
            "gauge",
            "Routers by what they say they are over SNMP.",
            ("vendor", "os", "version"),
            "no router said so yet",
        ),
        _routers,
    ),
)
