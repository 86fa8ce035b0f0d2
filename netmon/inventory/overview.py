"""What stands where, one row for each router: from inventory, journal and last visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.inventory.journal import IDENTITY, Disagreement, disagreements
from netmon.inventory.latest import LastVisit
from netmon.ledger.facts import TRAP
from netmon.model import Agency

if TYPE_CHECKING:
    from netmon.ledger.reader import Fact
    from netmon.model import Inventory

_SOURCES = ("ssh", "snmp")
"""Whom to believe first: the router's own terminal tells the most."""
_SORTS = ("interface", "address", "neighbour")


@dataclass(frozen=True)
class Standing:
    """A router as it is known."""

    agency: Agency
    identity: Mapping[str, str]
    """name, vendor, model, serial, os, version; only what is known."""
    since_us: int | None
    """Since when this serial number stands there."""
    tables: Mapping[str, Mapping[str, str]]
    """Sort (interface, address, neighbour) → name → text."""
    sources: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]
    visit: LastVisit | None


def standing(
    inventory: Inventory, facts: Iterable[Fact], visit_of: Mapping[str, LastVisit]
) -> list[Standing]:
    """Return the routers in the order of the inventory; agencies without one are left out."""
    by_agency: dict[str, list[Fact]] = {}
    for fact in facts:
        by_agency.setdefault(fact.agency, []).append(fact)
    return [
        _standing(agency, by_agency.get(agency.id, []), visit_of.get(agency.id))
        for agency in inventory.agencies.values()
        if agency.router is not None
    ]


def described(row: Standing) -> str:
    """Return "vendor os version", by which a platform is found."""
    return " ".join(row.identity.get(key, "") for key in ("vendor", "os", "version")).strip()


def _standing(agency: Agency, facts: list[Fact], visit: LastVisit | None) -> Standing:
    told = [fact for fact in facts if fact.value and fact.source != TRAP]
    best = {fact.key: fact for fact in sorted(told, key=_trust)}
    serial = best.get("serial")
    return Standing(
        agency=agency,
        identity={key: best[key].value for key in IDENTITY if key in best},
        since_us=None if serial is None else serial.at_us,
        tables={sort: _rows(told, sort) for sort in _SORTS},
        sources=tuple(sorted({fact.source for fact in told})),
        disagreements=tuple(disagreements(told)),
        visit=visit,
    )


def _trust(fact: Fact) -> int:
    """Sort the most trusted last: it wins."""
    return -_SOURCES.index(fact.source) if fact.source in _SOURCES else -len(_SOURCES)


def _rows(told: list[Fact], sort: str) -> dict[str, str]:
    """Return the rows of the most trusted source that has any: names differ between sources."""
    prefix = f"{sort}/"
    rows: dict[str, dict[str, str]] = {}
    for fact in sorted(told, key=_trust):
        if fact.key.startswith(prefix):
            rows.setdefault(fact.source, {})[fact.key.removeprefix(prefix)] = fact.value
    return next(reversed(rows.values()), {})
