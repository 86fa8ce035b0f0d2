"""Forms of dates and times: written as people write them, never as numbers base 60."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from netmon.clock import from_datetime
from netmon.config.forms import Refusal, Scalar
from netmon.config.words import Guesser, quoted

Span: TypeAlias = tuple[time, time]
Daily: TypeAlias = tuple[int, int]
"""Minute of the day at which a span begins, and its length in minutes."""

_DAY_MINUTES = 24 * 60

_TIME = r"([01]\d|2[0-4]):([0-5]\d)"
_SPAN = re.compile(rf"{_TIME}\s*-\s*{_TIME}", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DATE_OTHERWISE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_DATETIME = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)[T ]\s*{_TIME}(?::([0-5]\d))?\s*(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII
)


def _convert_date(written: str) -> date:
    found = _DATE.fullmatch(written)
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            raise Refusal(f"{quoted(written)} is no day of the calendar") from None
    other = _DATE_OTHERWISE.fullmatch(written)
    example = f"{other[3]}-{other[2]:0>2}-{other[1]:0>2}" if other else "2025-04-30"
    raise Refusal(f"{quoted(written)} is not a date netmon reads: write {example}")


day = Scalar(
    _convert_date, "a date such as 2025-04-30", {"type": "string", "pattern": f"^{_DATE.pattern}$"}
)


def _convert_year(written: str) -> str:
    if re.fullmatch(r"(?:19|20|21)\d\d", written, re.ASCII):
        return written
    raise Refusal(f"{quoted(written)} is not a year: write one such as 2025")


year = Scalar(
    _convert_year, "a year such as 2025", {"type": "string", "pattern": r"^(19|20|21)\d\d$"}
)


def _convert_datetime(written: str) -> datetime:
    found = _DATETIME.fullmatch(written)
    if not found or found[2] == "24":
        raise Refusal(
            f'{quoted(written)} is not a date and time: write the time as "2025-04-26 22:00", '
            "local time, or with its offset, 2025-04-26T22:00+07:00"
        )
    on = _convert_date(found[1])
    at = time(int(found[2]), int(found[3]), int(found[4] or 0), tzinfo=_offset(found[5]))
    return datetime.combine(on, at)


def local_instant_us(at: datetime, zone: tzinfo) -> int:
    """Return the instant of a time as written: in `zone`, if it has no offset of its own."""
    return from_datetime(at if at.tzinfo is not None else at.replace(tzinfo=zone))


def _offset(written: str | None) -> timezone | None:
    if written is None:
        return None
    if written == "Z":
        return UTC
    hours, minutes = int(written[1:3]), int(written[4:6])
    sign = -1 if written[0] == "-" else 1
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


moment = Scalar(
    _convert_datetime,
    'a date and time such as "2025-04-26 22:00"',
    {"type": "string", "pattern": f"^{_DATETIME.pattern}$"},
)


def _convert_span(written: str) -> Span:
    found = _SPAN.fullmatch(written)
    if not found:
        raise Refusal(f'{quoted(written)} is not a span of time: write the times as "07:30-11:30"')
    start, end = (time(int(h) % 24, int(m)) for h, m in (found.group(1, 2), found.group(3, 4)))
    if found[1] == "24" or (found[3] == "24" and found[4] != "00") or not start < _end(end):
        raise Refusal(f"{quoted(written)} does not end after it begins, within one day")
    return start, end


def _end(end: time) -> time:
    return time.max if end == time(0) else end


span = Scalar(
    _convert_span,
    'a span of time such as "07:30-11:30"',
    {"type": "string", "pattern": f"^{_SPAN.pattern}$"},
)


def _convert_daily(written: str) -> Daily:
    found = _SPAN.fullmatch(written)
    if not found:
        raise Refusal(f'{quoted(written)} is not a span of time: write the times as "22:00-02:00"')
    start, end = (int(h) * 60 + int(m) for h, m in (found.group(1, 2), found.group(3, 4)))
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end:
        raise Refusal(f"{quoted(written)} is empty or no time of a day: 00:00-24:00 is a whole one")
    return start, end - start if end > start else end - start + _DAY_MINUTES


daily = Scalar(
    _convert_daily,
    'a span of time, over midnight if need be, such as "22:00-02:00"',
    {"type": "string", "pattern": f"^{_SPAN.pattern}$"},
)


def _convert_nightly(written: str) -> int | None:
    if written == "never":
        return None
    found = re.fullmatch(_TIME, written, re.ASCII)
    if not found or found[1] == "24":
        raise Refusal(f'{quoted(written)} is not a time of day: write it as "01:30", or never')
    return int(found[1]) * 60 + int(found[2])


nightly = Scalar(
    _convert_nightly,
    'a time of day such as "01:30", or never',
    {"type": "string", "pattern": f"^(never|{_TIME})$"},
)
"""Minutes after midnight, or None: never."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _convert_weekday(written: str) -> int:
    if written in WEEKDAYS:
        return WEEKDAYS.index(written)
    hint = Guesser().hint(written, WEEKDAYS) or ": write it in full, such as monday"
    raise Refusal(f"{quoted(written)} is not a weekday{hint}")


weekday = Scalar(_convert_weekday, "a weekday such as monday", {"enum": list(WEEKDAYS)})


def _convert_zone(written: str) -> ZoneInfo:
    known = available_timezones()
    if written not in known:
        hint = Guesser().hint(written, known) or ": write one such as Asia/Ho_Chi_Minh"
        raise Refusal(f"{quoted(written)} is not a time zone{hint}")
    return ZoneInfo(written)


zone = Scalar(
    _convert_zone,
    "a time zone such as Asia/Ho_Chi_Minh",
    {"type": "string", "pattern": "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"},
)
