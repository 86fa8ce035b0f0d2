"""Outages and availability for people and programs: tables, JSON, CSV.

Functions of values: they print nothing and ask no clock.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from netmon.clock import MICROSECONDS, utc
from netmon.judge.availability import Period, Reading, Span
from netmon.judge.tally import CLASSES, Tally
from netmon.ledger.headings import heading
from netmon.model import Hours, MaintenanceWindow, Outage, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from netmon.judge.availability_rows import Group, Row
    from netmon.ledger.reader import Report

_STATE_STYLES = {State.UP: "green", State.DEGRADED: "yellow", State.DOWN: "red"}


def instant(at_us: int, zone: ZoneInfo) -> str:
    """Return an instant to the second in the zone's time, with its offset."""
    return utc(at_us).astimezone(zone).replace(microsecond=0).isoformat(sep=" ")


def duration(length_us: int) -> str:
    """Return a length to the second as days, hours, minutes and seconds: "1d 02:03:04"."""
    minutes, seconds = divmod(length_us // MICROSECONDS, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours:02}:{minutes:02}:{seconds:02}"
    return f"{days}d {clock}" if days else clock


def percentage(ratio: float | None) -> str:
    """Return a ratio as a percentage that never rounds a failure up to 100; absence as a dash."""
    if ratio is None:
        return "–"
    thousandths = int(ratio * 100_000)
    return f"{thousandths / 1000:.3f} %"


def outages_table(
    outages: Sequence[Outage], zone: ZoneInfo, at_us: int, language: str = "vi"
) -> Table:
    """Return outages as a table; those not over last until `at_us`, the end of the account."""
    table = _table(
        language, "outages", ("agency", "link", "start", "end", ">duration", "cause", "evidence")
    )
    for outage in outages:
        end = "" if outage.end_us is None else instant(outage.end_us, zone)
        table.add_row(
            outage.key.agency,
            outage.key.link,
            instant(outage.start_us, zone),
            Text(end or heading("open", language), style="" if end else "red"),
            duration(_length_us(outage, at_us)),
            heading(f"cause.{outage.cause}", language),
            "; ".join(part for part in (_evidence(outage), outage.note) if part),
        )
    return table


def outages_records(
    outages: Iterable[Outage], zone: ZoneInfo, at_us: int
) -> list[dict[str, str | float | None]]:
    """Return outages as flat records for JSON and CSV; times are ISO 8601 with their offset."""
    return [
        {
            "agency": outage.key.agency,
            "link": outage.key.link,
            "start": iso(outage.start_us, zone),
            "end": None if outage.end_us is None else iso(outage.end_us, zone),
            "seconds": _length_us(outage, at_us) / MICROSECONDS,
            "cause": outage.cause.value,
            "evidence": _evidence(outage),
            "path_end": outage.path_end,
            "note": outage.note,
        }
        for outage in outages
    ]


def availability_table(
    report: Report, group: Group, hours: Hours | None = None, language: str = "vi"
) -> Table:
    """Return one group's rows: availability in both readings, coverage, seconds by class."""
    columns = (
        "name", ">links", ">measured", ">agreed", ">target", ">coverage", ">outages", ">down",
        ">unreachable", ">maintenance", ">unobserved",
    )  # fmt: skip
    table = _table(language, f"availability.{group}", columns)
    zone, period = report.calendar.zone, report.period
    worked = heading(f"hours.{hours or 'all'}", language)
    table.caption = (
        f"{instant(period.start_us, zone)} – {instant(period.end_us, zone)}, {worked}, "
        f"#{report.last_id} {report.hash[:16]}"
    )
    for row in report.rows:
        if row.group is group:
            table.add_row(*_availability_cells(row, hours))
    return table


def availability_records(report: Report) -> list[dict[str, Any]]:
    """Return every row as a record for JSON and CSV: seconds of every class, to the microsecond."""
    return [_record(report.period, row, report.calendar.zone) for row in report.rows]


def availability_json(report: Report) -> str:
    """Return the report with what seals it."""
    zone = report.calendar.zone
    document = {
        "start": iso(report.period.start_us, zone),
        "end": iso(report.period.end_us, zone),
        "ledger": {"entry": report.last_id, "hash": report.hash},
        "rows": availability_records(report),
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def spans_table(spans: Iterable[Span], zone: ZoneInfo, language: str = "vi") -> Table:
    """Return whose second it was: one line per span."""
    table = _table(language, "spans", ("start", "end", ">duration", "state", "cause"))
    for span in spans:
        table.add_row(
            instant(span.start_us, zone),
            instant(span.end_us, zone),
            duration(span.end_us - span.start_us),
            Text(heading(f"state.{span.state}", language), _STATE_STYLES.get(span.state, "")),
            "" if span.cause is None else heading(f"cause.{span.cause}", language),
        )
    return table


def maintenance_table(
    windows: Iterable[tuple[MaintenanceWindow, str]], zone: ZoneInfo, language: str = "vi"
) -> Table:
    """Return the windows that were entered by hand, and who did it."""
    columns = ("id", "start", "end", "covers", "reason", "author")
    table = _table(language, "maintenance", columns)
    for window, author in windows:
        table.add_row(
            window.id,
            instant(window.start_us, zone),
            instant(window.end_us, zone),
            _covers(window) or heading("everything", language),
            window.reason,
            author,
        )
    return table


def to_json(records: Sequence[Mapping[str, object]]) -> str:
    """Return records as JSON."""
    return json.dumps(records, ensure_ascii=False, indent=2)


def to_csv(records: Sequence[Mapping[str, object]]) -> str:
    """Return records as CSV (RFC 4180) with a line of headings; nested values are JSON."""
    if not records:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in record.items()} for record in records)
    return text.getvalue()


def iso(at_us: int, zone: ZoneInfo) -> str:
    """Return an instant as ISO 8601 to the microsecond, with the zone's offset."""
    return utc(at_us).astimezone(zone).isoformat()


def _table(language: str, title: str, columns: Iterable[str]) -> Table:
    table = Table(title=heading(title, language), title_justify="left")
    for column in columns:
        # Figures are compared by the eye: they stand right-aligned, marked here by ">".
        name = column.removeprefix(">")
        table.add_column(
            heading(name, language), justify="right" if column[0] == ">" else "left", no_wrap=True
        )
    return table


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
        *(
            duration(row.agreed.of(state, hours=hours))
            for state in (
                State.DOWN,
                State.UNREACHABLE,
                State.MAINTENANCE,
                State.UNOBSERVED,
            )
        ),
    ]


def _record(period: Period, row: Row, zone: ZoneInfo) -> dict[str, Any]:
    record: dict[str, Any] = {
        "group": row.group.value,
        "id": row.id,
        "name": row.name,
        "start": iso(period.start_us, zone),
        "end": iso(period.end_us, zone),
        "links": row.links,
        "outages": row.outages,
        "target_ratio": None if row.target is None else row.target.availability_ratio,
        "target_source": None if row.target is None else row.target.source,
    }
    for reading in Reading:
        tally = row.tally(reading)
        for hours in (None, *Hours):
            prefix = f"{reading}_{hours or 'all'}"
            record[f"{prefix}_availability_ratio"] = tally.availability(hours)
            record[f"{prefix}_coverage_ratio"] = tally.coverage(hours)
            record |= _seconds(prefix, tally, hours)
    return record


def _seconds(prefix: str, tally: Tally, hours: Hours | None) -> dict[str, float]:
    return {
        f"{prefix}_{state}{f'_{cause}' if cause else ''}_seconds": (
            tally.of(state, cause, hours) / MICROSECONDS
        )
        for state, cause in CLASSES
    }


def _length_us(outage: Outage, at_us: int) -> int:
    end_us = max(at_us, outage.start_us) if outage.end_us is None else outage.end_us
    return end_us - outage.start_us


def _evidence(outage: Outage) -> str:
    evidence = outage.evidence
    if evidence.text:
        return evidence.text
    if evidence.error is not None:
        return f"{evidence.offender or ''} {evidence.error}".strip()
    return f"{evidence.lost}/{evidence.sent}" if evidence.sent else ""


def _covers(window: MaintenanceWindow) -> str:
    tail = "/…" if window.subtree else ""
    parts = [f"{agency}{tail}" for agency in sorted(window.agencies)]
    parts += [str(key) for key in sorted(window.links)]
    parts += sorted(window.providers)
    return ", ".join(parts)


def _cell(value: object) -> object:
    return "" if value is None else value
