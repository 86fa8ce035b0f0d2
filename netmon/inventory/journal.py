"""What changed on routers, told from the facts in the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.ledger.facts import is_one_of_a_kind

if TYPE_CHECKING:
    from netmon.ledger.reader import Fact

KINDS: tuple[str, ...] = (
    "model", "serial", "version", "interface", "neighbour", "address", "config",
)  # fmt: skip
"""Sorts of fact whose change is told. Bounded: a metric label."""
_COMPARED = frozenset({"name", "model", "serial", "version"})
"""Vendor and system are our own words for what a router says, chosen apart for each source."""
IDENTITY: tuple[str, ...] = ("name", "vendor", "model", "serial", "os", "version")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed on a router. `before` empty: it was not there; `after` empty: gone."""

    agency: str
    at_us: int
    kind: str
    subject: str
    """Which one: the interface's name; empty where there is one only."""
    before: str
    after: str
    source: str
    moved_from: str = ""
    """The agency whose router this was."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two sources that tell different things about the same."""

    key: str
    told: Mapping[str, str]
    """Source → value."""


def changes(history: Iterable[Fact]) -> list[Change]:
    """Return the changes in a history of facts, by time.

    What is told for the first time is no change, except a serial number that was elsewhere. What
    a second source confirms is told once.
    """
    told: dict[tuple[str, str], dict[str, str]] = {}
    first_us: dict[tuple[str, str, str], int] = {}
    holders: dict[str, str] = {}
    found = []
    for fact in sorted(history, key=lambda each: each.at_us):
        kind, _, subject = fact.key.partition("/")
        sources = told.setdefault((fact.agency, fact.key), {})
        before, moved_from = sources.get(fact.source, ""), _moved_from(fact, kind, holders)
        # A source that tells a sort of fact for the first time tells what is, not what changed.
        first = first_us.setdefault((fact.agency, fact.source, kind), fact.at_us)
        confirmed = any(v == fact.value for s, v in sources.items() if s != fact.source)
        sources[fact.source] = fact.value
        if kind in KINDS and (moved_from or (first < fact.at_us and not confirmed)):
            place = (fact.agency, fact.at_us, kind, subject)
            found.append(Change(*place, before, fact.value, fact.source, moved_from))
    return found


def disagreements(present: Iterable[Fact]) -> list[Disagreement]:
    """Return what the sources tell differently; one that only says more agrees."""
    told: dict[str, dict[str, str]] = {}
    for fact in present:
        if fact.value and fact.key in _COMPARED:
            told.setdefault(fact.key, {})[fact.source] = fact.value
    return [
        Disagreement(key, sources) for key, sources in told.items() if not _agree(*sources.values())
    ]


def _moved_from(fact: Fact, kind: str, holders: dict[str, str]) -> str:
    if kind != "serial" or not is_one_of_a_kind(fact.value):
        return ""
    before = holders.get(fact.value, fact.agency)
    holders[fact.value] = fact.agency
    return "" if before == fact.agency else before


def _agree(*values: str) -> bool:
    longest = max(values, key=len).casefold()
    return all(value.casefold() in longest for value in values)
