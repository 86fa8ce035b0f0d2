"""The web server: exporters' pages, health, readiness and reload.

Exporters are found by the entry point group `netmon.exporters`; netmon itself knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from netmon.state import Snapshot


@dataclass(frozen=True, slots=True)
class Request:
    """What an exporter may know of an HTTP request. Header names are in lower case."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What an exporter answers."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Snapshot, Request], Response]
"""Called in a worker thread: it may take its time and must not touch anything but its arguments."""


class Exporter(Protocol):
    """Shows snapshots to somebody. One instance per daemon; handlers may run concurrently."""

    def routes(self) -> Mapping[str, Handler]:
        """Return the handler of every path this exporter answers with GET."""
        ...
