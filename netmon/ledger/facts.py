"""Facts about routers: what differs from what is known becomes rows of the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.ledger.entries import Entry, Kind

if TYPE_CHECKING:
    from netmon.ledger.store import Store

_FEWEST = 2
"""So many different characters a serial number has at least."""


TRAP = "trap"
"""Source and sort of what traps leave in the journal: something that happened, and no fact."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source told about an agency's router at an instant."""

    agency: str
    source: str
    """snmp, ssh"""
    at_us: int
    facts: Mapping[str, str]
    within: Collection[str] = ()
    """Sorts of fact ("interface") that were told completely: what is not told is gone."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact that was entered. `before` None: it was never told; `after` empty: it is gone."""

    agency: str
    key: str
    before: str | None
    after: str
    source: str
    at_us: int
    news: bool = False
    """The source told this sort of fact before, and nobody else told this value."""
    elsewhere: str = ""
    """Another agency whose router had this serial number until now."""

    @property
    def kind(self) -> str:
        """The sort of fact: "interface" of "interface/ge-0/0/0"."""
        return _sort(self.key)


def enter_facts(store: Store, told: Told) -> list[FactChange]:
    """Store the facts that differ from what this source told before; return them."""
    known = store.facts_of(told.agency, told.source)
    wanted = dict(told.facts)
    for key, value in known.items():
        if value and _sort(key) in told.within:
            wanted.setdefault(key, "")
    changed = {key: value for key, value in wanted.items() if known.get(key, "") != value}
    serial = changed.get("serial", "")
    elsewhere = store.other_holder(told.agency, serial) if is_one_of_a_kind(serial) else ""
    first = store.status().last_id + 1
    entries = [_entry(told, key, value) for key, value in changed.items()]
    store.append(entries)
    for number, entry in enumerate(entries, first):
        store.save_fact(number, entry)
    present = store.present_facts(told.agency)
    sorts = {_sort(key) for key in known}
    return [
        FactChange(
            told.agency,
            key,
            known.get(key),
            value,
            told.source,
            told.at_us,
            _sort(key) in sorts and not _confirmed(present, told.source, key, value),
            elsewhere if key == "serial" else "",
        )
        for key, value in changed.items()
    ]


def is_one_of_a_kind(serial: str) -> bool:
    """Tell whether a serial number can be one: makers also write "None", "0000000000", "N/A"."""
    letters = [character for character in serial if character.isalnum()]
    return len(set(letters)) >= _FEWEST and any(map(str.isdigit, letters))


def _sort(key: str) -> str:
    return key.partition("/")[0]


def _confirmed(present: Mapping[tuple[str, str], str], source: str, key: str, value: str) -> bool:
    return any(other != source and k == key and v == value for (other, k), v in present.items())


def _entry(told: Told, key: str, value: str) -> Entry:
    fields = {"agency": told.agency, "key": key, "value": value, "source": told.source}
    content = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return Entry(Kind.FACT, told.at_us, told.at_us, content=content)
