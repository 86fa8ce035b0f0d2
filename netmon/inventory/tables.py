"""The inventory as tables for people and records for programs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from rich.table import Table
from rich.text import Text

from netmon.ledger.report import instant, iso
from netmon.messages import Catalogue

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from netmon.inventory.coverage import Coverage
    from netmon.inventory.journal import Change
    from netmon.inventory.overview import Standing

Record = Mapping[str, Any]
_WIDEST_COLUMN = 60


def standing_records(rows: Iterable[Standing], zone: ZoneInfo) -> list[Record]:
    """Return one flat record for each router."""
    return [
        {
            "agency": row.agency.id,
            "agency_name": row.agency.name,
            "kind": row.agency.kind,
            "parent": row.agency.parent or "",
            "district": row.agency.district or "",
            "address": str(row.agency.router.address) if row.agency.router else "",
            **{key: row.identity.get(key, "") for key in _IDENTITY},
            "since": _when(row.since_us, zone),
            "interfaces": len(row.tables["interface"]),
            "neighbours": ", ".join(sorted(set(row.tables["neighbour"].values()))),
            "sources": ", ".join(row.sources),
            "disagreements": ", ".join(each.key for each in row.disagreements),
            "visited": _when(row.visit.at_us if row.visit else None, zone),
            "visit_status": row.visit.status if row.visit else "",
            "visit_detail": row.visit.detail if row.visit else "",
            "configuration": row.visit.configuration if row.visit else "",
        }
        for row in rows
    ]


def standing_table(rows: Iterable[Standing], zone: ZoneInfo, language: str) -> Table:
    """Return one line for each router."""
    columns = (
        "inventory.agency",
        "inventory.kind",
        "inventory.vendor",
        "inventory.model",
        "inventory.serial",
        "inventory.version",
        "inventory.since",
        "inventory.visited",
    )
    table = _table(language, "inventory.title", columns)
    for row in rows:
        visited = instant(row.visit.at_us, zone) if row.visit else ""
        status = row.visit.status if row.visit else ""
        table.add_row(
            row.agency.id,
            row.agency.kind,
            *(row.identity.get(key, "") for key in ("vendor", "model", "serial", "version")),
            instant(row.since_us, zone) if row.since_us else "",
            Text(f"{visited} {status}".strip(), style=_STYLES.get(status, "")),
        )
    return table


def detail_table(row: Standing, zone: ZoneInfo, language: str) -> Table:
    """Return everything that is known of one router."""
    table = _table(language, "inventory.title", ("inventory.subject", "inventory.value"))
    told = [*row.identity.items()]
    if row.since_us is not None:
        told.append((_word(language, "inventory.since"), instant(row.since_us, zone)))
    for each in row.disagreements:
        both = "; ".join(f"{source}: {value}" for source, value in each.told.items())
        told.append((f"{each.key} ≠", both))
    visit = row.visit
    if visit is not None:
        visited = f"{instant(visit.at_us, zone)} {visit.status} {visit.detail}".strip()
        told.append((_word(language, "inventory.visited"), visited))
        by = f" ({visit.changed_by})" if visit.changed_by else ""
        told.append(
            (
                _word(language, "inventory.configuration"),
                f"{visit.configuration} {visit.changed_at}{by}",
            )
        )
    tables = {**row.tables, **({"arp": visit.tables.get("arp", {})} if visit else {})}
    told += [
        (f"{sort} {name}", text) for sort, rows in tables.items() for name, text in rows.items()
    ]
    for subject, value in told:
        table.add_row(subject, value)
    return table


def changes_records(rows: Iterable[Change], zone: ZoneInfo) -> list[Record]:
    """Return one flat record for each change."""
    return [
        {
            "agency": row.agency,
            "at": iso(row.at_us, zone),
            "kind": row.kind,
            "subject": row.subject,
            "before": row.before,
            "after": row.after,
            "source": row.source,
            "moved_from": row.moved_from,
        }
        for row in rows
    ]


def changes_table(rows: Iterable[Change], zone: ZoneInfo, language: str) -> Table:
    """Return one line for each change."""
    columns = (
        "inventory.at",
        "inventory.agency",
        "inventory.change",
        "inventory.subject",
        "inventory.before",
        "inventory.after",
        "inventory.source",
    )
    table = _table(language, "inventory.changes", columns)
    for row in rows:
        after = row.after or _word(language, "inventory.gone")
        if row.moved_from:
            moved = Catalogue.load().text(language, "inventory.moved", agency=row.moved_from)
            after = f"{after} ({moved})"
        table.add_row(
            instant(row.at_us, zone), row.agency, row.kind, row.subject, row.before, after,
            row.source,
        )  # fmt: skip
    return table


def coverage_records(rows: Iterable[Coverage]) -> list[Record]:
    """Return one flat record for each kind of agency, the whole province last."""
    return [
        {
            "kind": row.kind or "all",
            **{name: getattr(row, name) for name in _COVERAGE},
            "mailbox_ratio": row.mailbox_ratio,
        }
        for row in rows
    ]


def coverage_table(rows: Iterable[Coverage], names: Mapping[str, str], language: str) -> Table:
    """Return one line for each kind of agency, the whole province last."""
    columns = (
        "inventory.kind",
        "inventory.agencies",
        "inventory.connected",
        "inventory.lan",
        "inventory.mailboxes",
        "inventory.document_system",
    )
    table = _table(language, "inventory.coverage", columns)
    for row in rows:
        ratio = row.mailbox_ratio
        table.add_row(
            names.get(row.kind, row.kind) or _word(language, "inventory.all"),
            str(row.agencies),
            f"{row.connected} / {row.agencies}",
            f"{row.lan} / {row.lan_known}",
            f"{row.mailboxes} / {row.staff}" + ("" if ratio is None else f" ({ratio:.0%})"),
            f"{row.document_system} / {row.document_system_known}",
        )
    return table


def to_xlsx(records: Sequence[Record], title: str) -> bytes:
    """Return records as a workbook of one sheet, headings fixed and filtered."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101  # a new workbook has one
    sheet.title = title
    names = list(records[0]) if records else []
    for column, name in enumerate(names, 1):
        values = [name, *(record[name] for record in records)]
        for row, value in enumerate(values, 1):
            cell = sheet.cell(row, column)
            cell.value = value
            if isinstance(value, str):
                # What a router says is text, never a formula.
                cell.data_type = "s"
        width = max(len(str(value)) for value in values) + 2
        sheet.column_dimensions[get_column_letter(column)].width = min(width, _WIDEST_COLUMN)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _table(language: str, title: str, columns: Iterable[str]) -> Table:
    table = Table(title=_word(language, title), title_justify="left")
    for column in columns:
        table.add_column(_word(language, column), overflow="fold")
    return table


def _word(language: str, key: str) -> str:
    return Catalogue.load().text(language, key)


def _when(at_us: int | None, zone: ZoneInfo) -> str:
    return "" if at_us is None else iso(at_us, zone)


_IDENTITY = ("name", "vendor", "model", "serial", "os", "version")
_COVERAGE = (
    "agencies", "connected", "lan", "lan_known", "staff", "mailboxes", "document_system",
    "document_system_known",
)  # fmt: skip
_STYLES = {"ok": "green", "partial": "yellow", "host_key": "bold red", "authentication": "red"}
