"""Outages and availability as records, JSON and CSV, and how their figures are written.

Functions of values: they print nothing and ask no clock.
"""

from __future__ import annotations

import csv
import io
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from netmon.clock import MICROSECONDS, utc
from netmon.judge.availability import Period, Reading
from netmon.judge.tally import CLASSES, Tally
from netmon.model import Hours, LinkKey, Outage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from netmon.judge.availability_rows import Row
    from netmon.judge.groups import Group
    from netmon.ledger.reader import Report


def instant(at_us: int, zone: ZoneInfo) -> str:
    """Return an instant to the second in the zone's time, without its offset."""
    return utc(at_us).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


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


def length_us(outage: Outage, at_us: int) -> int:
    """Return how long an outage lasted; one that is not over lasts until `at_us`."""
    end_us = max(at_us, outage.start_us) if outage.end_us is None else outage.end_us
    return end_us - outage.start_us


def evidence_text(outage: Outage) -> str:
    """Return in a few words what spoke for an outage."""
    evidence = outage.evidence
    if evidence.text:
        return evidence.text
    if evidence.error is not None:
        return f"{evidence.offender or ''} {evidence.error}".strip()
    return f"{evidence.lost}/{evidence.sent}" if evidence.sent else ""


def outages_records(
    outages: Iterable[Outage],
    zone: ZoneInfo,
    at_us: int,
    groups: Mapping[tuple[LinkKey, int], Group] = MappingProxyType({}),
) -> list[dict[str, str | float | None]]:
    """Return outages as flat records for JSON and CSV; times are ISO 8601 with their offset.

    Outages that belong together bear the same `group`.
    """
    return [
        {
            "agency": outage.key.agency,
            "link": outage.key.link,
            "start": iso(outage.start_us, zone),
            "end": None if outage.end_us is None else iso(outage.end_us, zone),
            "seconds": length_us(outage, at_us) / MICROSECONDS,
            "cause": outage.cause.value,
            "evidence": evidence_text(outage),
            "path_end": outage.path_end,
            "note": outage.note,
            **_group_fields(groups.get((outage.key, outage.start_us)), zone),
        }
        for outage in outages
    ]


def _group_fields(group: Group | None, zone: ZoneInfo) -> dict[str, str | float | None]:
    if group is None:
        return {"group": None, "group_links": None}
    name = "/".join((group.provider, group.area or "", iso(group.start_us, zone)))
    return {"group": name, "group_links": len(group.keys)}


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


def _cell(value: object) -> object:
    return "" if value is None else value
