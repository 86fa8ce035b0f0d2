"""What the web server and its exporters say to each other."""

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
    """What an exporter answers. A large body may come in parts, which are never joined."""

    body: bytes | tuple[bytes, ...]
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The body in parts, however it was given."""
        return (self.body,) if isinstance(self.body, bytes) else self.body


Handler: TypeAlias = Callable[[Snapshot, Request], Response]
"""Called in a worker thread: it may take its time and must not touch anything but its arguments."""


class Exporter(Protocol):
    """Shows snapshots to somebody. One instance per daemon; handlers may run concurrently."""

    def routes(self) -> Mapping[str, Handler]:
        """Return the handler of every path this exporter answers with GET and HEAD.

        A path that ends in "/" (other than "/" itself) stands for everything below it.
        """
        ...


Action: TypeAlias = Callable[[str, Mapping[str, str], bytes], "ReloadResult"]
"""What a path of the daemon's own does, given method, query and body; called on the event loop."""


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """How a reload, or another action, ended: in words for the person who asked for it."""

    ok: bool
    text: str
