"""Asking the status page, and reading it as a person does."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS
from netmon.model import (
    State,
)
from netmon.web import Request, Response
from netmon_exporters.page import PageExporter
from tests.support.snapshots import (
    COMMUNE,
    DISTRICT,
    NOW_US,
    SECOND_COMMUNE,
    outage,
    reading,
    snapshot,
)

if TYPE_CHECKING:
    from netmon.state import Snapshot


class StoppedClock:
    """So many seconds after the snapshot."""

    def __init__(self, seconds: float) -> None:
        self._us = NOW_US + int(seconds * MICROSECONDS)

    def wall_us(self) -> int:
        """Return the instant."""
        return self._us

    def monotonic_us(self) -> int:
        """Return the same: it stands still as well."""
        return self._us


@cache
def exporter(seconds_later: float) -> PageExporter:
    """Return the exporter at an instant; templates are compiled once."""
    return PageExporter(StoppedClock(seconds_later))


def ask(
    taken: Snapshot,
    path: str = "/",
    *,
    seconds_later: float = 2,
    headers: dict[str, str] | None = None,
    **query: str,
) -> Response:
    routes = exporter(seconds_later).routes()
    handler = routes.get(path) or routes[path[: path.rindex("/") + 1]]
    return handler(taken, Request(path, query, headers or {}))


def words(response: Response) -> str:
    """Return the page's text as a reader sees it, white space folded."""
    return " ".join(Text.of(response).said)


class Text(HTMLParser):
    """Collects text and checks that tags close in order."""

    VOID = frozenset({"meta", "link", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.seen: set[str] = set()

    @classmethod
    def of(cls, response: Response) -> Text:
        """Parse a page."""
        parser = cls()
        parser.feed(b"".join(response.parts).decode())
        parser.close()
        assert parser.tags == []
        return parser

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in self.VOID:
            self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data.split()


def data(taken: Snapshot) -> bytes:
    return b"".join(ask(taken, "/api/v1/status").parts)


def district_down() -> Snapshot:
    return snapshot(
        {DISTRICT: State.DOWN, COMMUNE: State.UNREACHABLE, SECOND_COMMUNE: State.UNREACHABLE},
        open_outages=[outage(DISTRICT, minutes=95)],
        readings=[reading()],
    )
