"""Outages, availability, spans and planned work as tables for a terminal.

Functions of values: they print nothing and ask no clock. Figures are never cut off; what is text
wraps where the terminal is narrow.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from netmon.ledger.report import duration, evidence_text, instant, length_us, percentage
from netmon.messages import Catalogue
from netmon.model import Hours, LinkKey, MaintenanceWindow, Outage, Reclassification, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from netmon.judge.availability import Span
    from netmon.judge.availability_rows import Group, Row
    from netmon.ledger.reader import Report

_STATE_STYLES = {State.UP: "green", State.DEGRADED: "yellow", State.DOWN: "red"}
_DASH = "–"
_NOTHING = frozenset({_DASH})
_LONGEST_WORD = 40
"""Longer ones are broken: an error message may hold a path."""
_SECONDS_BY_CLASS = (State.DOWN, State.UNREACHABLE, State.MAINTENANCE, State.UNOBSERVED)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column by the name of its heading."""

    name: str
    right: bool = False
    wraps: bool = False
    """Text that may take several lines; all else stands whole."""
    dull: frozenset[str] = frozenset()
    """A column that holds nothing else is left out."""


def outages_table(
    outages: Sequence[Outage],
    zone: ZoneInfo,
    at_us: int,
    language: str = "vi",
    groups: Mapping[tuple[LinkKey, int], str] = MappingProxyType({}),
) -> Table:
    """Return outages as a table; those not over last until `at_us`, the end of the account.

    `groups` says in words with whom an outage, named by its link and start, belongs together.
    """
    columns = (
        _Column("link", wraps=True), _Column("start"), _Column("end"),
        _Column("duration", right=True), _Column("cause", wraps=True),
        _Column("group", wraps=True, dull=frozenset({""})), _Column("evidence", wraps=True),
    )  # fmt: skip
    rows = [
        (
            str(outage.key),
            instant(outage.start_us, zone),
            _end(outage.start_us, outage.end_us, zone)
            if outage.end_us is not None
            else Text(_heading("open", language), style="red"),
            duration(length_us(outage, at_us)),
            _heading(f"cause.{outage.cause}", language),
            groups.get((outage.key, outage.start_us), ""),
            _told(outage, language),
        )
        for outage in outages
    ]
    return _table(_heading("outages", language), language, columns, rows, zone.key)


def availability_table(
    report: Report, group: Group, hours: Hours | None = None, language: str = "vi"
) -> Table:
    """Return one group's rows: availability in both readings, coverage, seconds by class.

    Classes in which nobody spent a second are left out.
    """
    columns = (
        _Column("name", wraps=True), _Column("links", right=True, dull=frozenset({"1"})),
        _Column("measured", right=True), _Column("agreed", right=True),
        _Column("target", right=True, dull=_NOTHING), _Column("coverage", right=True),
        _Column("outages.count", right=True),
        *(_Column(str(state), right=True, dull=_NOTHING) for state in _SECONDS_BY_CLASS),
    )  # fmt: skip
    zone, period = report.calendar.zone, report.period
    worked = _heading(f"hours.{hours or 'all'}", language)
    caption = (
        f"{instant(period.start_us, zone)} – {instant(period.end_us, zone)} {zone.key}, "
        f"{worked}, "
        f"#{report.last_id} {report.hash[:16]}"
    )
    rows = [_availability_cells(row, hours) for row in report.rows if row.group is group]
    return _table(_heading(f"availability.{group}", language), language, columns, rows, caption)


def spans_table(spans: Iterable[Span], zone: ZoneInfo, language: str = "vi") -> Table:
    """Return whose second it was: one line per span."""
    columns = (
        _Column("start"), _Column("end"), _Column("duration", right=True),
        _Column("state", wraps=True), _Column("cause", wraps=True),
    )  # fmt: skip
    rows = [
        (
            instant(span.start_us, zone),
            _end(span.start_us, span.end_us, zone),
            duration(span.end_us - span.start_us),
            Text(_heading(f"state.{span.state}", language), _STATE_STYLES.get(span.state, "")),
            "" if span.cause is None else _heading(f"cause.{span.cause}", language),
        )
        for span in spans
    ]
    return _table(_heading("spans", language), language, columns, rows, zone.key)


def maintenance_table(
    windows: Iterable[tuple[MaintenanceWindow, str]], zone: ZoneInfo, language: str = "vi"
) -> Table:
    """Return the windows that were entered by hand, and who did it."""
    columns = (
        _Column("id"), _Column("start"), _Column("end"), _Column("covers", wraps=True),
        _Column("reason", wraps=True), _Column("author", wraps=True),
    )  # fmt: skip
    rows = [
        (
            window.id,
            instant(window.start_us, zone),
            _end(window.start_us, window.end_us, zone),
            _covers(window) or _heading("everything", language),
            window.reason,
            author,
        )
        for window, author in windows
    ]
    return _table(_heading("maintenance", language), language, columns, rows, zone.key)


def reclassifications_table(
    entries: Iterable[Reclassification], zone: ZoneInfo, language: str = "vi"
) -> Table:
    """Return the seconds that were moved to another class: from where, by whom and why."""
    columns = (
        _Column("link", wraps=True), _Column("start"), _Column("end"),
        _Column("moved", wraps=True), _Column("reason", wraps=True),
        _Column("author", wraps=True), _Column("entered"),
    )  # fmt: skip
    rows = [
        (
            str(entry.key),
            instant(entry.start_us, zone),
            _end(entry.start_us, entry.end_us, zone),
            " → ".join(_heading(f"state.{each}", language) for each in (entry.before, entry.after)),
            entry.reason,
            entry.author,
            instant(entry.decided_us, zone),
        )
        for entry in entries
    ]
    return _table(_heading("reclassifications", language), language, columns, rows, zone.key)


def _table(
    title: str,
    language: str,
    columns: Iterable[_Column],
    rows: Sequence[Sequence[str | Text]],
    caption: str,
) -> Table:
    table = Table(
        title=title, title_justify="left", caption=caption, caption_justify="left",
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False,
    )  # fmt: skip
    shown = []
    for place, column in enumerate(columns):
        texts = [str(row[place]) for row in rows]
        if column.dull and set(texts) <= column.dull:
            continue
        shown.append(place)
        width = _least_width(texts, wraps=column.wraps)
        name = _heading(column.name, language)
        table.add_column(
            name if column.wraps else _over_lines(name, width),
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            min_width=width,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(row[place] for place in shown))
    return table


def _told(outage: Outage, language: str) -> str:
    """Return what spoke for an outage and what was learnt of it, in the reader's language."""
    words = Catalogue.load()
    said = (evidence_text(outage), outage.note)
    return "; ".join(words.retold(language, part) for part in said if part)


def _heading(name: str, language: str) -> str:
    return Catalogue.load().text(language, f"account.{name.replace('.', '_')}")


def _over_lines(name: str, width: int) -> str:
    """Break a heading between words so that it is hardly wider than what stands below it."""
    if not width:
        return name
    return textwrap.fill(name, width, break_long_words=False, break_on_hyphens=False)


def _least_width(texts: Sequence[str], *, wraps: bool) -> int:
    """Return how narrow a column may become: figures and words are never cut."""
    if not wraps:
        return max(map(cell_len, texts), default=0)
    words = (word for text in texts for word in text.split())
    return min(_LONGEST_WORD, max(map(cell_len, words), default=0))


def _availability_cells(row: Row, hours: Hours | None) -> list[str | Text]:
    agreed = row.agreed.availability(hours)
    target = None if row.target is None else row.target.availability_ratio
    missed = target is not None and agreed is not None and agreed < target
    return [
        f"{row.name} ({row.id})" if row.id and row.id != row.name else row.name,
        str(row.links),
        percentage(row.measured.availability(hours)),
        Text(percentage(agreed), style="red" if missed else ""),
        percentage(target),
        percentage(row.agreed.coverage(hours)),
        str(row.outages),
        *(_length(row.agreed.of(state, hours=hours)) for state in _SECONDS_BY_CLASS),
    ]


def _length(length: int) -> str:
    return duration(length) if length else _DASH


def _end(start_us: int, end_us: int, zone: ZoneInfo) -> str:
    """Return an end; of the same day only the time."""
    start, end = instant(start_us, zone), instant(end_us, zone)
    day, _, clock = end.partition(" ")
    return clock if start.startswith(day) else end


def _covers(window: MaintenanceWindow) -> str:
    tail = "/…" if window.subtree else ""
    parts = [f"{agency}{tail}" for agency in sorted(window.agencies)]
    parts += [str(key) for key in sorted(window.links)]
    parts += sorted(window.providers)
    return ", ".join(parts)
