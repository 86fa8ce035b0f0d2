"""The journal, read from its beginning: everything else in the ledger follows from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from netmon.judge.calendar import Calendar
from netmon.ledger.book import LinkBook, told
from netmon.ledger.entries import Entry, Kind, to_event, to_evidence
from netmon.ledger.rows import outage_row
from netmon.model import (
    Cause,
    Health,
    LinkKey,
    Outage,
    OutageEnd,
    OutageNote,
    OutageStart,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Fact = tuple[int, str, str, str, str, int]
"""A row of the table `fact`."""


@dataclass(slots=True)
class Books:
    """All that follows from a stretch of the journal. Serialised, it stands for deleted rows."""

    calendar: Calendar = field(default_factory=lambda: Calendar(ZoneInfo("UTC")))
    links: dict[LinkKey, LinkBook] = field(default_factory=dict)
    outages: dict[tuple[LinkKey, int], Outage] = field(default_factory=dict)
    windows: dict[str, tuple[int, int | None, str]] = field(default_factory=dict)
    facts: dict[int, Fact] = field(default_factory=dict)

    def enter(self, number: int, entry: Entry) -> None:
        """Take one row of the journal into account."""
        event = to_event(entry)
        if event is not None:
            self.links.setdefault(event.key, LinkBook()).enter(event, self.calendar)
            if isinstance(event, OutageStart | OutageEnd | OutageNote):
                name = (event.key, event.start_us)
                outage = told(self.outages.get(name), event)
                if outage is not None:
                    self.outages[name] = outage
            return
        match entry.kind:
            case Kind.CALENDAR:
                self.calendar = Calendar.from_text(entry.content)
            case Kind.MAINTENANCE:
                name_ = json.loads(entry.content)["id"]
                self.windows[name_] = (entry.start_us, entry.end_us, entry.content)
            case Kind.FACT:
                fields = json.loads(entry.content)
                texts = (fields["agency"], fields["key"], fields["value"], fields["source"])
                self.facts[number] = (number, *texts, entry.start_us)
            case _:
                pass

    def forget_ended(self) -> list[tuple[LinkKey, int]]:
        """Drop the outages that are over and return their names."""
        ended = [name for name, outage in self.outages.items() if outage.end_us is not None]
        for name in ended:
            del self.outages[name]
        return ended

    def to_text(self) -> str:
        """Return the books as one line of JSON."""
        fields = {
            "calendar": self.calendar.to_text(),
            "links": [[*key, asdict(book)] for key, book in sorted(self.links.items())],
            "outages": [[*key, *outage_row(each)] for (key, _), each in self.outages.items()],
            "windows": [[name, *row] for name, row in self.windows.items()],
            "facts": list(self.facts.values()),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Books:
        """Return the books that `to_text` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(
            Calendar.from_text(fields["calendar"]),
            {LinkKey(agency, link): _book(book) for agency, link, book in fields["links"]},
            dict(_outages(fields["outages"])),
            {name: (start, end, content) for name, start, end, content in fields["windows"]},
            {row[0]: (row[0], row[1], row[2], row[3], row[4], row[5]) for row in fields["facts"]},
        )


def _book(fields: dict[str, Any]) -> LinkBook:
    cause = fields.pop("open_cause")
    return LinkBook(
        State(fields.pop("state")),
        Health(fields.pop("health")),
        open_cause=None if cause is None else Cause(cause),
        **fields,
    )


def _outages(rows: Iterable[list[Any]]) -> Iterable[tuple[tuple[LinkKey, int], Outage]]:
    for agency, link, start_us, end_us, cause, evidence, path_end, note in rows:
        key = LinkKey(agency, link)
        outage = Outage(
            key, start_us, end_us, Cause(cause), to_evidence(json.loads(evidence)), path_end, note
        )
        yield (key, start_us), outage
