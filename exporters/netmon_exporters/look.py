"""What a template needs beside the figures: words, names and links for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from netmon.clock import MICROSECONDS
from netmon.model import Agency, InterfaceReading, Outage, State
from netmon_exporters.status import Status
from netmon_exporters.words import Words

if TYPE_CHECKING:
    from netmon_exporters.groups import Group


@dataclass(frozen=True, slots=True)
class Look:
    """What a template needs to speak to one reader."""

    words: Words
    chosen: bool
    """The reader chose the language: links keep it."""
    status: Status
    path: str

    def url(self, path: str, **query: str) -> str:
        """Return a link that keeps the reader's language."""
        wanted = {**query, **({"lang": self.words.language} if self.chosen else {})}
        return f"{path}?{urlencode(wanted)}" if wanted else path

    def agency_url(self, agency: str) -> str:
        """Return the link to an agency's page."""
        return self.url(f"/agency/{quote(agency, safe='')}")

    def switch_url(self, language: str) -> str:
        """Return the link to this page in another language."""
        return f"{self.path}?{urlencode({'lang': language})}"

    def name(self, agency: Agency) -> str:
        """Return an agency's name in the reader's language, where it has one."""
        english = agency.name_en if self.words.language == "en" else None
        return english or agency.name

    def kind(self, kind: str) -> str:
        """Return a kind's name in the reader's language."""
        known = self.status.snapshot.inventory.kinds.get(kind)
        if known is None:
            return kind
        return known.name_en if self.words.language == "en" else known.name

    def group_title(self, group: Group) -> str:
        """Return the title of a group of agencies."""
        return self.name(group.area) if group.area else self.kind(group.id)

    def together(self, outage: Outage) -> str:
        """Return in words with how many others an outage belongs together, or nothing."""
        group = self.status.together.get((outage.key, outage.start_us))
        if group is None:
            return ""
        inventory = self.status.snapshot.inventory
        where = [inventory.providers[group.provider].name]
        if group.area is not None:
            where.append(self.name(inventory.agencies[group.area]))
        count = len(group.keys) - 1
        return self.words.text("page.together", count=count, where=", ".join(where))

    @property
    def province(self) -> str:
        """The province's name in the reader's language."""
        province = self.status.snapshot.inventory.province
        return province.name_en if self.words.language == "en" else province.name

    def language_name(self, language: str) -> str:
        """Return what speakers of a language call it."""
        return self.words.catalogue.text(language, "page.language_name")

    def seconds_since(self, at_us: int | None) -> float | None:
        """Return how long ago an instant is."""
        if at_us is None:
            return None
        return (self.status.snapshot.at_us - at_us) / MICROSECONDS

    def lasted(self, outage: Outage) -> float:
        """Return how long an outage lasted, or has lasted so far."""
        end_us = self.status.snapshot.at_us if outage.end_us is None else outage.end_us
        return (end_us - outage.start_us) / MICROSECONDS

    def known(self, fact: bool | None) -> str:  # noqa: FBT001  # a fact, not a switch
        """Return yes, not yet, or that it is not known."""
        if fact is None:
            return self.words.text("page.not_known")
        return self.words.text("page.yes" if fact else "page.no")

    def part(self, count: int, known: int) -> str:
        """Return how many of those of which it is known."""
        if not known:
            return self.words.text("page.not_known")
        return f"{self.words.number(count)} / {self.words.number(known)}"

    def interface_state(self, interface: InterfaceReading) -> State:
        """Return an interface's state in the words of links."""
        return State.UP if interface.oper_up else State.DOWN

    def sum(self, *counts: int | None) -> int | None:
        """Return a sum of what is known, or None."""
        known = [count for count in counts if count is not None]
        return sum(known) if known else None
