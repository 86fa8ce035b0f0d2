"""Figures in words: instants, durations and numbers as Vietnamese and English readers want them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.clock import utc
from netmon.messages import Catalogue

if TYPE_CHECKING:
    from datetime import datetime

    from netmon.model import Outage, RouterReading

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_ABSENT = "–"
_THREE_DIGITS = 100
_SMALL_RATIO = 0.1
_LEAST_MILLISECONDS = 0.01
_PREFIXES = ("", "k", "M", "G", "T")


@dataclass(frozen=True, slots=True)
class Words:
    """One language, and the zone in which times are told."""

    catalogue: Catalogue
    language: str
    zone: ZoneInfo

    def text(self, key: str, **values: object) -> str:
        """Return a text of the catalogue."""
        return self.catalogue.text(self.language, key, **values)

    def local(self, at_us: int) -> datetime:
        """Return an instant in the province's zone."""
        return utc(at_us).astimezone(self.zone)

    def instant(self, at_us: int | None) -> str:
        """Return date and time of day to the second."""
        if at_us is None:
            return _ABSENT
        return self.local(at_us).strftime(f"%H:%M:%S {self._date}")

    def moment(self, at_us: int, now_us: int) -> str:
        """Return an instant as one says it: the day only if it is not today."""
        at, now = self.local(at_us), self.local(now_us)
        if at.date() == now.date():
            return self.text("time.today", time=at.strftime("%H:%M:%S"))
        return at.strftime(f"%H:%M:%S {self._date}")

    def offset(self, at_us: int) -> str:
        """Return the zone's offset, for example UTC+07:00."""
        said = self.local(at_us).strftime("%z")
        return f"UTC{said[:3]}:{said[3:5]}"

    def duration(self, seconds: float | None) -> str:
        """Return a length of time in its two largest units."""
        if seconds is None:
            return _ABSENT
        whole = max(0, int(seconds))
        days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
        if days:
            return self.text("duration.days", days=days, hours=hours)
        if hours:
            return self.text("duration.hours", hours=hours, minutes=minutes)
        if minutes:
            return self.text("duration.minutes", minutes=minutes, seconds=whole % _MINUTE)
        return self.text("duration.seconds", seconds=whole)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with the language's marks: 1.234,5 or 1,234.5."""
        said = f"{value:,.{digits}f}"
        if self.language == "vi":
            return said.translate(str.maketrans(",.", ".,"))
        return said

    def milliseconds(self, seconds: float | None) -> str:
        """Return a round-trip time: that of a near router is not rounded to nothing."""
        if seconds is None:
            return _ABSENT
        value = seconds * 1000
        if value < _LEAST_MILLISECONDS:
            return f"< {self.number(_LEAST_MILLISECONDS, 2)} ms"
        digits = 2 if value < 1 else 1 if value < _THREE_DIGITS else 0
        return f"{self.number(value, digits)} ms"

    def percent(self, ratio: float | None, digits: int = 0) -> str:
        """Return a ratio in per cent; digits only where they say something."""
        if ratio is None:
            return _ABSENT
        return f"{self.number(ratio * 100, digits)} %"

    def share(self, ratio: float | None) -> str:
        """Return a loss: a small one is not rounded to nothing."""
        return self.percent(ratio, 1 if ratio is not None and 0 < ratio < _SMALL_RATIO else 0)

    def bits(self, bits_per_second: int | None) -> str:
        """Return a bandwidth."""
        return _ABSENT if not bits_per_second else f"{self._scaled(bits_per_second)}bit/s"

    def bytes(self, count: int | None) -> str:
        """Return an amount of data."""
        return _ABSENT if count is None else f"{self._scaled(count)}B"

    def count(self, value: int | None) -> str:
        """Return a count."""
        return _ABSENT if value is None else self.number(value)

    def evidence(self, outage: Outage | None) -> str:
        """Return what speaks for an outage."""
        if outage is None:
            return ""
        said = [text for text in (self._report(outage), self._path_end(outage)) if text]
        return "; ".join(said)

    def note(self, outage: Outage) -> str:
        """Return what was learnt of an outage after its end."""
        return self.catalogue.retold(self.language, outage.note)

    def snmp(self, reading: RouterReading | None) -> str:
        """Return how the last SNMP poll ended."""
        return self.text(f"snmp.{reading.status.value}" if reading else "snmp.none")

    def _report(self, outage: Outage) -> str:
        evidence = outage.evidence
        if evidence.error is not None:
            error = self.text(f"echo_error.{evidence.error.value}")
            if evidence.offender is None:
                return error
            return self.text("evidence.reported", offender=evidence.offender, error=error)
        if evidence.sent:
            return self.text("evidence.lost", lost=evidence.lost, sent=evidence.sent)
        return self.catalogue.retold(self.language, evidence.text)

    def _path_end(self, outage: Outage) -> str:
        return self.text("evidence.path_end", hop=outage.path_end) if outage.path_end else ""

    @property
    def _date(self) -> str:
        return "%d/%m/%Y" if self.language == "vi" else "%Y-%m-%d"

    def _scaled(self, value: float) -> str:
        step = min(len(_PREFIXES) - 1, int(math.log10(max(value, 1)) // 3))
        scaled = value / 1000**step
        digits = 0 if scaled >= _THREE_DIGITS or scaled == int(scaled) else 1
        return f"{self.number(scaled, digits)} {_PREFIXES[step]}"
