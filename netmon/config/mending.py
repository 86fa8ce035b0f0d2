"""Reads on after a syntax error: the list entry that holds it is left out, the others are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netmon.config.nodes import Document, SyntaxFault, compose

if TYPE_CHECKING:
    from netmon.config.report import Report

_MOST_ENTRIES_LEFT_OUT = 20
_MOST_LETTERS_AGAIN = 20_000_000
"""Every entry left out costs one more pass over the text."""
_ENTRY = re.compile(r"( *)-(?: |$)")
_TOP_LEVEL = re.compile(r"[^\s#-]")


def compose_mended(text: str, file: str, report: Report) -> Document:
    """Compose a text; after a syntax error, compose it again without the entry that holds it.

    The document is not `complete` if anything was left out: what seems missing may be there.
    """
    document = compose(text, file, report)
    lines = text.split("\n")
    passes = min(_MOST_ENTRIES_LEFT_OUT, _MOST_LETTERS_AGAIN // max(1, len(text)))
    for _ in range(passes):
        if document.fault is None or not _leave_out(lines, document.fault):
            return document
        again = compose("\n".join(lines), file, report)
        document = again._replace(complete=False)
    return document


def _leave_out(lines: list[str], fault: SyntaxFault) -> bool:
    """Empty the lines of the outermost list entry around a fault; False if there is none."""
    start = _start_of_entry(lines, min(fault.line, len(lines)) - 1)
    if start is None:
        return False
    entry = _ENTRY.match(lines[start])
    indent = len(entry[1]) if entry else 0
    lines[start] = ""
    for at in range(start + 1, len(lines)):
        entry = _ENTRY.match(lines[at])
        if _TOP_LEVEL.match(lines[at]) or (entry and len(entry[1]) <= indent):
            break
        lines[at] = ""
    return True


def _start_of_entry(lines: list[str], at: int) -> int | None:
    found: tuple[int, int] | None = None
    for number in range(at, -1, -1):
        entry = _ENTRY.match(lines[number])
        if entry and (found is None or len(entry[1]) < found[0]):
            found = len(entry[1]), number
        if _TOP_LEVEL.match(lines[number]):
            break
    return None if found is None else found[1]
