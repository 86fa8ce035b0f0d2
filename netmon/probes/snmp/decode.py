"""SNMP values as Python values: what agents really send, taken for what they meant."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from netmon.probes.snmp.values import Missing, oid_text

if TYPE_CHECKING:
    from netmon.probes.snmp.values import Value

_COUNTER64_BYTES = 8
_LONGEST_UTF8_REMNANT = 3


def text(value: Value) -> str:
    """Return a value as text in NFC without control characters and outer blanks.

    Agents pad with NUL, cut UTF-8 in the middle of a letter (ifAlias holds 64 octets) and use
    code pages of their day.
    """
    if isinstance(value, Missing):
        return ""
    if isinstance(value, tuple):
        return oid_text(value)
    if not isinstance(value, bytes):
        return str(value)
    if value.isascii():
        decoded = value.decode("ascii")
    else:
        decoded = unicodedata.normalize("NFC", _decode(value))
    return decoded.strip() if decoded.isprintable() else _without_controls(decoded)


def number(value: Value) -> int | None:
    """Return a value as an integer; None where it is none.

    Counter64 comes as an 8-byte string from some agents, and numbers as decimal text from others.
    """
    if isinstance(value, int):
        return value
    if not isinstance(value, bytes):
        return None
    if value.strip().isdigit():
        return int(value)
    return int.from_bytes(value) if len(value) == _COUNTER64_BYTES else None


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > 0 and error.start >= len(raw) - _LONGEST_UTF8_REMNANT:
            head = raw[: error.start]
            if not head.isascii():
                return head.decode("utf-8")
        return raw.decode("cp1252", errors="replace")


def _without_controls(decoded: str) -> str:
    """Blank out control characters but keep line breaks: sysDescr has several lines."""
    kept = "".join(
        char if char == "\n" or not unicodedata.category(char).startswith("C") else " "
        for char in decoded.replace("\r\n", "\n").replace("\r", "\n")
    )
    return kept.strip()
