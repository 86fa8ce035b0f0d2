"""Exporters at work: in threads, one rendering at a time for everybody who asks for the same."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from netmon.state import Snapshot
    from netmon.web.exchange import Exporter, Handler, Request

_log = logging.getLogger(__name__)

_WORTH_COMPRESSING_BYTES = 1024
_LARGE_BYTES = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL, _LEVEL_LARGE = 6, 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A response ready for the wire."""

    status: int
    headers: Mapping[str, str]
    parts: tuple[bytes, ...]
    length: int


_Key: TypeAlias = tuple[object, ...]


class Renderer:
    """Runs one exporter's handlers in threads of its own, so that it can hold up only itself.

    An answer is kept for a moment and given to everybody who asks for the same of the same
    snapshot; whoever asks while it is being made waits for it instead of making another. `failed`
    is called on the loop each time the exporter breaks.
    """

    def __init__(
        self,
        exporter: Exporter,
        failed: Callable[[], None],
        keep_seconds: float = 1.0,
        waiting_limit: int = 8,
    ) -> None:
        self.name = type(exporter).__name__
        self.routes = dict(exporter.routes())
        self._failed = failed
        self._keep_seconds = keep_seconds
        self._waiting_limit = waiting_limit
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"web-{self.name}")
        self._making: dict[_Key, asyncio.Task[Answer]] = {}
        self._kept: dict[_Key, tuple[Snapshot, Answer]] = {}

    async def answer(self, handler: Handler, snapshot: Snapshot, request: Request) -> Answer | None:
        """Return the answer to a request, or None when too many different ones wait already."""
        key = _key(request)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is snapshot:
            return kept[1]
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= self._waiting_limit:
                return None
            task = asyncio.create_task(self._make(key, handler, snapshot, request))
            self._making[key] = task
        # One impatient client must not cancel what others wait for.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Let the threads end when they have finished what they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _make(
        self, key: _Key, handler: Handler, snapshot: Snapshot, request: Request
    ) -> Answer:
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._threads, _render, handler, snapshot, request)
        except Exception:  # noqa: BLE001  # an exporter's bug must not stop the others
            _log.exception("%s: exporter %s is broken", request.path, self.name)
            self._failed()
            text = f"{self.name} failed; netmon's log says why.\n"
            return plain(500, text)
        finally:
            del self._making[key]
        self._keep(key, snapshot, answer)
        return answer

    def _keep(self, key: _Key, snapshot: Snapshot, answer: Answer) -> None:
        while len(self._kept) >= self._waiting_limit:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (snapshot, answer)
        # A large body must not stay in memory until somebody asks again.
        loop = asyncio.get_running_loop()
        loop.call_later(self._keep_seconds, self._drop, key, answer)

    def _drop(self, key: _Key, answer: Answer) -> None:
        kept = self._kept.get(key)
        if kept is not None and kept[1] is answer:
            del self._kept[key]


def plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of plain text."""
    body = text.encode()
    content = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
    return Answer(status, content, (body,), len(body))


def _key(request: Request) -> _Key:
    said = tuple(
        request.headers.get(name, "") for name in ("accept", "accept-language", "accept-encoding")
    )
    return (request.path, tuple(sorted(request.query.items())), said)


def _render(handler: Handler, snapshot: Snapshot, request: Request) -> Answer:
    response = handler(snapshot, request)
    parts, length = response.parts, sum(map(len, response.parts))
    headers = {"Content-Type": response.content_type, **response.headers}
    headers["Vary"] = "Accept, Accept-Encoding, Accept-Language"
    if length >= _WORTH_COMPRESSING_BYTES and _accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        parts = tuple(_compressed(parts, _LEVEL if length < _LARGE_BYTES else _LEVEL_LARGE))
        length = sum(map(len, parts))
    return Answer(response.status, headers, parts, length)


def _accepts_gzip(request: Request) -> bool:
    for offer in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, parameter = offer.partition(";")
        if coding.strip() == "gzip":
            return parameter.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _compressed(parts: Sequence[bytes], level: int) -> Iterator[bytes]:
    # Part by part: zlib lets other threads run while it compresses, and nothing is joined.
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    for part in parts:
        # Most parts only fill the compressor's buffer.
        if ready := compressor.compress(part):
            yield ready
    yield compressor.flush()
