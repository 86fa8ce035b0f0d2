"""A file's bytes into text that a YAML parser may safely see."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from netmon.config.report import Place, Report
from netmon.config.words import printable

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 8_000_000
"""Twenty thousand links of one line each take 2 to 4 MB; what is larger is not an inventory."""

_BOM = b"\xef\xbb\xbf"
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)"
)
_TAB_INDENT = re.compile(r"^ *\t(?=[^\r\n]*[^\s#])", re.MULTILINE)


def read_text(path: Path, report: Report, max_bytes: int = MAX_FILE_BYTES) -> str | None:
    """Return the text of a file, or None where it is not text for us; all reasons are reported."""
    start = Place(printable(str(path)), 1, 1)
    content = _read_bytes(path, start, report, max_bytes)
    if content is None:
        return None
    text = _decode(content, start, report)
    if text is None:
        return None
    if not text.strip():
        report.error(start, "the file is empty")
        return None
    return None if _report_characters(text, start.file, report) else text


def is_file(path: Path) -> bool:
    """Tell whether a file is there; what cannot be asked for, such as a name too long, is not."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read_bytes(path: Path, start: Place, report: Report, max_bytes: int) -> bytes | None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            report.error(start, "is a directory: name a file in it")
            return None
        if not stat.S_ISREG(status.st_mode):
            # A FIFO or device would block or never end.
            report.error(start, "is not a regular file")
            return None
        if status.st_size <= max_bytes:
            with path.open("rb") as file:
                content = file.read(max_bytes + 1)
            if len(content) <= max_bytes:
                return content
        size = max(status.st_size, max_bytes + 1)
    except FileNotFoundError:
        report.error(start, "there is no such file")
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        report.error(start, f"cannot be read: {reason}")
    else:
        report.error(
            start,
            f"has {size / 1e6:.1f} MB, more than the {max_bytes / 1e6:g} MB that netmon reads: "
            "split it with include, or raise inventory_max_size in the settings",
        )
    return None


def _decode(content: bytes, start: Place, report: Report) -> str | None:
    if content.startswith(_BOM):
        report.error(start, "starts with a byte order mark (BOM): save it as UTF-8 without BOM")
        content = content[len(_BOM) :]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        place = place_in(before, len(before), start.file)
        byte = content[error.start]
        report.error(place, f"byte 0x{byte:02x} is not UTF-8: save the file as UTF-8")
        return None


def _report_characters(text: str, file: str, report: Report) -> bool:
    """Report what no editor shows and no parser should see; True if there was any."""
    for match in _FORBIDDEN.finditer(text):
        place = place_in(text, match.start(), file)
        report.error(place, f"control character U+{ord(match[0][0]):04X}: remove it")
        if report.full:
            return True
    tabs = 0
    for match in _TAB_INDENT.finditer(text):
        place = place_in(text, match.end() - 1, file)
        report.error(place, "a tab is not indentation in YAML: write spaces")
        tabs += 1
        if report.full:
            return True
    return tabs > 0 or _FORBIDDEN.search(text) is not None


def place_in(text: str, offset: int, file: str) -> Place:
    """Return the place of the character at `offset`."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Place(file, text.count("\n", 0, offset) + 1, offset - line_start + 1)
