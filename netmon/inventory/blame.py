"""Outages beside configurations: what was changed shortly before a line went down. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS, from_datetime, utc
from netmon.messages import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netmon.ledger.reader import Fact
    from netmon.model import Outage

WITHIN_US = 15 * 60 * MICROSECONDS
_MOST_PAST_US = 366 * 86_400 * MICROSECONDS
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Cisco: 08:12:33 ICT Mon Nov 23 2026
_CISCO = re.compile(
    r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d) (?P<zone>\S+) "
    r"\w+ (?P<month>\w{3})\w* +(?P<d>\d+) (?P<y>\d{4})"
)
# Huawei, Comware, Junos: 2026-11-23 08:12:33, then an offset or a zone's name, or nothing
_ISO = re.compile(
    r"(?P<y>\d{4})-(?P<month>\d\d)-(?P<d>\d\d) (?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d) ?(?P<zone>\S*)"
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A configuration changed: when the router says so, or else when it was found."""

    agency: str
    at_us: int


def config_changes(history: Iterable[Fact]) -> list[ConfigChange]:
    """Return the changes of configurations in a history of facts."""
    first: set[str] = set()
    found = []
    told = list(history)
    instants = {
        (f.agency, f.at_us): int(f.value) for f in told if f.key == "configured" and f.value
    }
    for fact in sorted(told, key=lambda each: each.at_us):
        if fact.key != "config":
            continue
        if fact.agency in first:
            at_us = instants.get((fact.agency, fact.at_us), fact.at_us)
            found.append(ConfigChange(fact.agency, at_us))
        first.add(fact.agency)
    return found


def noted(
    outages: Iterable[Outage], known: Sequence[ConfigChange], zone: tzinfo, language: str
) -> list[Outage]:
    """Return the outages; the note of one that began shortly after a change tells that change."""
    by_agency: dict[str, list[int]] = {}
    for change in known:
        by_agency.setdefault(change.agency, []).append(change.at_us)
    return [_noted(outage, by_agency, zone, language) for outage in outages]


def told_instant_us(text: str, zone: tzinfo, now_us: int) -> int | None:
    """Return the instant in a router's words; None: not understood, or not credible.

    A zone's name means nothing across vendors: only UTC and offsets are believed, all else is
    taken for the province's time.
    """
    match = _CISCO.search(text) or _ISO.search(text)
    if match is None:
        return None
    month = match["month"].lower()
    number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month) if month.isdigit() else 0
    fields = (int(match["y"]), number, *(int(match[name]) for name in ("d", "h", "m", "s")))
    try:
        at = datetime(*fields, tzinfo=_zone(match["zone"], zone))  # type: ignore[misc, arg-type]  # six fields and the zone
    except ValueError:
        return None
    at_us = from_datetime(at)
    # A router whose clock was never set says 1993, or next year.
    return at_us if now_us - _MOST_PAST_US < at_us <= now_us + WITHIN_US else None


def _zone(told: str, default: tzinfo) -> tzinfo:
    offset = _OFFSET.search(told)
    if offset is not None:
        sign = -1 if offset[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    return UTC if told.upper() in {"UTC", "GMT", "Z"} else default


def _noted(
    outage: Outage, by_agency: Mapping[str, Sequence[int]], zone: tzinfo, language: str
) -> Outage:
    times = [
        at_us
        for at_us in by_agency.get(outage.key.agency, ())
        if 0 <= outage.start_us - at_us <= WITHIN_US
    ]
    if not times:
        return outage
    text = Catalogue.load().text(
        language,
        "inventory.note",
        time=utc(max(times)).astimezone(zone).strftime("%H:%M"),
        minutes=(outage.start_us - max(times)) // (60 * MICROSECONDS),
        agency=outage.key.agency,
    )
    return replace(outage, note=f"{outage.note}; {text}" if outage.note else text)
