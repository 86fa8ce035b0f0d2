"""Records as files for spreadsheets. What a router says is text there, whatever it looks like."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

from netmon.ledger.report import to_csv

Record = Mapping[str, Any]

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes a file of UTF-8 for another alphabet."""
_WIDEST_COLUMN = 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_safe_csv(records: Sequence[Record]) -> str:
    """Return records as CSV in which no cell is taken for a formula."""
    return to_csv([{name: _harmless(value) for name, value in row.items()} for row in records])


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
            if isinstance(value, str):
                cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
                # Set last: the library takes what begins with = for a formula.
                cell.data_type = "s"
            else:
                cell.value = value
        width = max(len(str(value)) for value in values) + 2
        sheet.column_dimensions[get_column_letter(column)].width = min(width, _WIDEST_COLUMN)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _harmless(value: object) -> object:
    """Put before what a spreadsheet would reckon with the sign by which it takes it as text."""
    if isinstance(value, str) and value.startswith(_FORMULA) and value != "-":
        return f"'{value}"
    return value
