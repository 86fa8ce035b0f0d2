"""One file into one record: reading, composing and the table of its top level together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.mending import compose_mended
from netmon.config.nodes import MapNode
from netmon.config.source import MAX_FILE_BYTES, read_text
from netmon.config.words import printable

if TYPE_CHECKING:
    from pathlib import Path

    from netmon.config.fields import Record, Table
    from netmon.config.report import Report


def read_root(path: Path, report: Report, max_bytes: int = MAX_FILE_BYTES) -> MapNode | None:
    """Return the mapping that a file holds, `cut` where it could not be read to its end."""
    text = read_text(path, report, max_bytes)
    if text is None:
        return None
    document = compose_mended(text, printable(str(path)), report)
    if isinstance(document.root, MapNode):
        document.root.cut |= not document.complete
        return document.root
    if document.root is not None and document.complete:
        message = "the file holds no mapping: it consists of lines such as `key: value`"
        report.error(document.root.place, message)
    return None


def read_table(
    path: Path, table: Table, report: Report, max_bytes: int = MAX_FILE_BYTES
) -> Record | None:
    """Return a file as a record of `table`; None after reporting that it is none."""
    root = read_root(path, report, max_bytes)
    return None if root is None else table.read(root, report)
