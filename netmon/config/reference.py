"""The tables of docs/configuration.md: made from the same declarations as the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.fields import Table
from netmon.config.forms import ListOf, MapOf
from netmon.config.inventory_fields import INVENTORY
from netmon.config.settings_fields import CALENDAR, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.config.fields import Field
    from netmon.config.forms import Form

_FILES = {"config/agencies.yaml": INVENTORY, "config/netmon.yaml": SETTINGS}
_FILES["config/calendar.yaml"] = CALENDAR


def reference_tables() -> str:
    """Return every key of every file as Markdown: a section a file, a table a mapping."""
    parts = []
    for file, table in _FILES.items():
        parts.append(f"## {file}\n")
        parts.extend(f"{_heading(path)}{_markdown(t)}" for path, t in tables_of(table))
    return "\n".join(parts)


def tables_of(root: Table, path: str = "") -> Iterator[tuple[str, Table]]:
    """Yield every table below and including `root` with its path, such as `agencies[].router`."""
    yield path, root
    for field in root.fields:
        mark, table = _inner(field.form)
        if table is not None:
            dot = "." if path else ""
            yield from tables_of(table, f"{path}{dot}{field.key}{mark}")


def _inner(form: Form[object]) -> tuple[str, Table | None]:
    match form:
        case Table():
            return "", form
        case ListOf(item=Table() as table):
            return "[]", table
        case MapOf(value=Table() as table):
            return ".NAME", table
    return "", None


def _heading(path: str) -> str:
    return f"### `{path}`\n\n" if path else ""


def _markdown(table: Table) -> str:
    rows = [_row(field) for field in table.fields]
    return "\n".join(["| key | written as | default | meaning |", "|---|---|---|---|", *rows, ""])


def _row(field: Field[object]) -> str:
    default = "required" if field.required else f"`{field.default}`" if field.default else ""
    accepts = field.form.accepts.replace("|", "\\|")
    return f"| `{field.key}` | {accepts} | {default} | {field.help} |"
