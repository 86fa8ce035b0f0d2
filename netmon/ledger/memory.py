"""What the judge remembers over a restart: how links lose echoes, what routers last said.

It is no part of the account: it holds no second, and the journal does not tell it. A row that is
missing means only that nothing is known; one that was changed is found by its seal.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from netmon.judge.learnt import Learnt
from netmon.model import InterfaceReading, LinkKey, RouterReading, SnmpStatus

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

_LINK = "link"
_ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of links and routers."""

    links: Mapping[LinkKey, Learnt]
    readings: Mapping[str, RouterReading]
    """The last good poll of each agency's router, as far as a cause can be told from it."""

    def __bool__(self) -> bool:
        return bool(self.links or self.readings)


def save(connection: sqlite3.Connection, memory: Memory) -> None:
    """Replace what is remembered of these links and routers."""
    rows = [(_LINK, *key, _learnt_text(learnt)) for key, learnt in memory.links.items()]
    rows += [
        (_ROUTER, agency, "", _reading_text(reading)) for agency, reading in memory.readings.items()
    ]
    connection.executemany(
        "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?, ?)",
        ((*row, seal(*row)) for row in rows),
    )


def load(connection: sqlite3.Connection, keys: Collection[LinkKey] | None = None) -> Memory:
    """Return what is remembered of all links, or of those named, and of their routers.

    What is not as it was written is not known: a damaged memory keeps no daemon from starting.
    """
    links: dict[LinkKey, Learnt] = {}
    readings: dict[str, RouterReading] = {}
    agencies = None if keys is None else {key.agency for key in keys}
    for (kind, agency, link, content), is_whole in _rows(connection):
        if not is_whole:
            continue
        # Another release may have remembered other things: they are not known either.
        with contextlib.suppress(TypeError, ValueError):
            if kind == _LINK and (keys is None or LinkKey(agency, link) in keys):
                links[LinkKey(agency, link)] = Learnt(*json.loads(content))
            elif kind == _ROUTER and (agencies is None or agency in agencies):
                readings[agency] = _reading(agency, json.loads(content))
    return Memory(links, readings)


def broken_seals(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the names of rows that are not as they were written."""
    for row, is_whole in _rows(connection):
        if not is_whole:
            yield " ".join(row[:3])


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[tuple[str, str, str, str], bool]]:
    """Yield the rows, and whether each is as it was written."""
    query = "SELECT kind, agency, link, content, seal FROM memory"
    for kind, agency, link, content, stored in connection.execute(query):
        row = (kind, agency, link, content)
        yield row, seal(*row) == stored


def seal(kind: str, agency: str, link: str, content: str) -> bytes:
    """Return what shows that a row is as it was written."""
    return sha256(json.dumps([kind, agency, link, content]).encode()).digest()


def _learnt_text(learnt: Learnt) -> str:
    return json.dumps(astuple(learnt), separators=(",", ":"))


def _reading_text(reading: RouterReading) -> str:
    interfaces = [
        [each.index, each.name, each.receive_bytes, each.last_change_seconds, each.links]
        for each in reading.interfaces
    ]
    fields = [
        reading.at_us,
        reading.uptime_seconds,
        reading.host_uptime,
        reading.engine_boots,
        reading.uplink_index,
        interfaces,
    ]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _reading(agency: str, fields: list[Any]) -> RouterReading:
    at_us, uptime_seconds, host_uptime, engine_boots, uplink_index, interfaces = fields
    return RouterReading(
        agency,
        at_us,
        SnmpStatus.OK,
        uptime_seconds=uptime_seconds,
        host_uptime=host_uptime,
        engine_boots=engine_boots,
        uplink_index=uplink_index,
        interfaces=tuple(
            InterfaceReading(
                index,
                name,
                receive_bytes=received,
                last_change_seconds=changed,
                links=tuple(links),
            )
            for index, name, received, changed, links in interfaces
        ),
    )
