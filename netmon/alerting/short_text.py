"""A page as one short text in Vietnamese: what an SMS or a chat message holds."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

GSM, UNICODE = "gsm", "unicode"
_STROKE = str.maketrans("đĐ", "dD")
# What GSM 03.38 holds in one septet, of what is left without accents.
_GSM_LETTERS = frozenset(
    "@$_ !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_PLAIN = str.maketrans(
    {"–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "’": "'", "‘": "'", "[": "(", "]": ")"}
)
_NOTHING_YET = "0001-"
"""Alertmanager's word for a time that is not known."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a gateway takes: letters with accents or without, and how many."""

    form: str = GSM
    longest: int = 160


def short_text(notification: Mapping[str, Any], shape: Shape, zone: ZoneInfo) -> str:
    """Return what Alertmanager told its webhook, in one text.

    Raises:
        ValueError: it is no notification of Alertmanager.
    """
    try:
        # One that goes on is told of together with others of its group that are over.
        alerts = [a for a in notification["alerts"] if a["status"] == notification["status"]]
        first = alerts[0]
        more = _more(len(alerts) - 1, len(notification["alerts"]) - len(alerts))
        over = notification["status"] == "resolved"
        begun = _local(first["startsAt"], zone)
        ended = _local(first["endsAt"], zone) if over else None
        head = "ĐÃ HẾT: " if over else _head(first)
        summary = str(first["annotations"]["summary"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        message = f"not what Alertmanager sends to a webhook: {error!r}"
        raise ValueError(message) from error
    tail = f"{more} {_times(begun, ended)}"
    return _fitted(_written(head + summary, shape.form), _written(tail, shape.form), shape.longest)


def gsm(text: str) -> str:
    """Return a text without accents, in letters that every telephone has."""
    bare = unicodedata.normalize("NFD", text.translate(_STROKE).translate(_PLAIN))
    kept = (letter for letter in bare if not unicodedata.combining(letter))
    return "".join(letter if letter in _GSM_LETTERS else "?" for letter in kept)


def _head(alert: Mapping[str, Any]) -> str:
    # The Watchdog says that the way works: nobody is to read of an outage every five minutes.
    severity = alert.get("labels", {}).get("severity")
    return "" if severity == "none" else "SỰ CỐ: "


def _more(others: int, over: int) -> str:
    counts = [f"+{others}"] * (others > 0) + [f"hết {over}"] * (over > 0)
    return f" ({', '.join(counts)})" if counts else ""


def _written(text: str, form: str) -> str:
    return gsm(text) if form == GSM else unicodedata.normalize("NFC", text)


def _local(written: str, zone: ZoneInfo) -> datetime:
    if written.startswith(_NOTHING_YET):
        message = f"no time: {written}"
        raise ValueError(message)
    return datetime.fromisoformat(written).astimezone(zone)


def _times(begun: datetime, ended: datetime | None) -> str:
    if ended is None:
        return f"Từ {begun:%H:%M %d/%m}."
    if begun.date() == ended.date():
        return f"{begun:%H:%M}-{ended:%H:%M} {ended:%d/%m}."
    return f"{begun:%H:%M %d/%m}-{ended:%H:%M %d/%m}."


def _fitted(text: str, tail: str, longest: int) -> str:
    """Return both; where that is too long, the text is cut, never what stands behind it."""
    room = longest - len(tail)
    if len(text) <= room:
        return text + tail
    # Three dots, as the one letter is not in every alphabet.
    return text[: room - 3].rstrip() + "..." + tail
