"""The inventory as tables for people and records for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from netmon.ledger.report import instant, iso
from netmon.messages import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from netmon.inventory.coverage import Coverage
    from netmon.inventory.journal import Change
    from netmon.inventory.latest import LastVisit
    from netmon.inventory.overview import Standing
    from netmon.inventory.sheets import Record

_ROUTERS = "inventory.routers"
_MINUTES = len("2026-11-23 08:12")
_DAYS = len("2026-11-23")


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


def standing_trees(rows: Sequence[Standing], zone: ZoneInfo) -> list[Record]:
    """Return everything that is known of each router, for JSON."""
    return [
        {
            **record,
            **{key: row.visit.facts.get(key, "") if row.visit else "" for key in _LIVELY},
            "disagreements": {each.key: dict(each.told) for each in row.disagreements},
            "tables": {**row.tables, "arp": row.visit.tables.get("arp", {}) if row.visit else {}},
        }
        for record, row in zip(standing_records(rows, zone), rows, strict=True)
    ]


def standing_table(rows: Iterable[Standing], zone: ZoneInfo, language: str) -> Table:
    """Return one line for each router."""
    columns = (
        "inventory.agency",
        "inventory.name",
        "inventory.vendor",
        "inventory.model",
        "inventory.serial",
        "inventory.version",
        "inventory.since",
        "inventory.visited",
    )
    table = _table(language, "inventory.title", columns)
    for row in rows:
        table.add_row(
            row.agency.id,
            row.agency.name,
            *(row.identity.get(key, "") for key in ("vendor", "model", "serial", "version")),
            _minute(row.since_us, zone)[:_DAYS],
            _visited(row.visit, zone, language),
        )
    return table


def detail_table(row: Standing, zone: ZoneInfo, language: str) -> Table:
    """Return everything that is known of one router."""
    title = f"{row.agency.name} ({row.agency.id})"
    table = _titled(language, title, ("inventory.subject", "inventory.value"))
    for key, value in row.identity.items():
        table.add_row(fact_word(language, key), value)
    for each in row.disagreements:
        told = "; ".join(f"{source}: {value}" for source, value in each.told.items())
        table.add_row(f"{fact_word(language, each.key)} ≠", Text(told, style="yellow"))
    table.add_row(_word(language, "inventory.since"), _minute(row.since_us, zone))
    visit = row.visit
    if visit is not None:
        visited = _visited(visit, zone, language)
        table.add_row(_word(language, "inventory.visited"), visited)
        if visit.detail:
            table.add_row("", visit.detail)
        for key in _LIVELY:
            if key in visit.facts:
                table.add_row(fact_word(language, key), visit.facts[key])
        by = f" ({visit.changed_by})" if visit.changed_by else ""
        kept = f"{visit.configuration} {visit.changed_at}{by}".strip()
        table.add_row(_word(language, "inventory.configuration"), kept)
    arp = visit.tables.get("arp", {}) if visit else {}
    for sort, rows in {**row.tables, "arp": arp}.items():
        for name, text in rows.items():
            table.add_row(f"{fact_word(language, sort)} {name}", text)
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
            _minute(row.at_us, zone), row.agency, fact_word(language, row.kind), row.subject,
            row.before, after, row.source,
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


def software_records(counted: Mapping[tuple[str, str, str], int]) -> list[Record]:
    """Return one flat record for each vendor, system and version."""
    return [
        {"vendor": vendor, "os": system, "version": version, "routers": count}
        for (vendor, system, version), count in counted.items()
    ]


def software_table(records: Iterable[Record], language: str) -> Table:
    """Return one line for each vendor, system and version."""
    columns = ("inventory.vendor", "inventory.os", "inventory.version", _ROUTERS)
    table = _table(language, "inventory.software", columns)
    for record in records:
        table.add_row(*map(str, record.values()))
    return table


def _table(language: str, title: str, columns: Iterable[str]) -> Table:
    return _titled(language, _word(language, title), columns)


def _titled(language: str, title: str, columns: Iterable[str]) -> Table:
    table = Table(
        title=title, title_style="bold", title_justify="left",
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False,
    )  # fmt: skip
    for column in columns:
        table.add_column(_word(language, column), overflow="fold")
    return table


def _word(language: str, key: str) -> str:
    return Catalogue.load().text(language, key)


def fact_word(language: str, key: str) -> str:
    """Return what people call a sort of fact."""
    texts = Catalogue.load().texts.get(f"fact.{key}")
    return key if texts is None else texts[language]


def status_word(language: str, status: str) -> str:
    """Return what people call the end of a visit."""
    return _word(language, f"visit.{status}")


def _visited(visit: LastVisit | None, zone: ZoneInfo, language: str) -> Text:
    if visit is None:
        return Text()
    words = f"{_minute(visit.at_us, zone)} {status_word(language, visit.status)}"
    return Text(words, style=_STYLES.get(visit.status, ""))


def _minute(at_us: int | None, zone: ZoneInfo) -> str:
    return "" if at_us is None else instant(at_us, zone)[:_MINUTES]


def _when(at_us: int | None, zone: ZoneInfo) -> str:
    return "" if at_us is None else iso(at_us, zone)


_LIVELY = ("uptime", "booted")
"""Facts of the last visit that the journal does not tell: they are others each time."""
_IDENTITY = ("name", "vendor", "model", "serial", "os", "version")
_COVERAGE = (
    "agencies", "connected", "lan", "lan_known", "staff", "mailboxes", "document_system",
    "document_system_known",
)  # fmt: skip
_STYLES = {"ok": "green", "partial": "yellow", "host_key": "bold red", "authentication": "red"}
