"""Forms of numbers with their units. Nothing is guessed: a number without its unit is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from netmon.config.forms import Refusal, Scalar
from netmon.config.words import quoted

_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_DIGITS_WITH_MARKS = re.compile(r"\d{1,3}(?:[_.,' ]\d{3})+|\d+(?:_\d+)+", re.ASCII)
_NUMBER = r"(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?"
_DECIMAL = re.compile(rf"-?{_NUMBER}", re.ASCII)
_MEASURE = re.compile(rf"({_NUMBER})\s*([A-Za-z%].*)", re.ASCII)
_DECIMAL_COMMA = re.compile(r"(-?\d+),(\d+)(.*)", re.ASCII)

_SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
}
_BITS_PER_SECOND = {"kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_BYTES = {"kB": 10**3, "MB": 10**6}


def integer(least: int, most: int, what: str = "a whole number") -> Scalar[int]:
    """Return the form of a decimal integer within bounds."""
    accepts = f"{what} from {least} to {most}"

    def convert(written: str) -> int:
        if not _PLAIN_INTEGER.fullmatch(written):
            raise Refusal(f"{quoted(written)} is not a whole number{_integer_hint(written)}")
        value = int(written)
        if not least <= value <= most:
            raise Refusal(f"{quoted(written)} is out of bounds: write {accepts}")
        return value

    return Scalar(convert, accepts, {"type": "integer", "minimum": least, "maximum": most})


def _integer_hint(written: str) -> str:
    stripped = written.lstrip("0")
    if re.fullmatch(r"0\d+", written, re.ASCII):
        return f", as some programs read it as octal: write {stripped or '0'}"
    if _DIGITS_WITH_MARKS.fullmatch(written):
        return f" netmon reads: write {re.sub(r'[^0-9]', '', written)}"
    return ": write digits only, such as 120"


def decimal(least: float, most: float, example: str, swapped: str = "") -> Scalar[float]:
    """Return the form of a decimal number within bounds, with a point."""
    accepts = f"a number from {least:g} to {most:g} such as {example}"

    def convert(written: str) -> float:
        if not _DECIMAL.fullmatch(written):
            hint = _comma_hint(written) or f": write {accepts}"
            raise Refusal(f"{quoted(written)} is not a number netmon reads{hint}")
        value = float(written)
        if not least <= value <= most:
            raise Refusal(f"{quoted(written)} is out of bounds: write {accepts}{swapped}")
        return value

    return Scalar(convert, accepts, {"type": "number", "minimum": least, "maximum": most})


def _comma_hint(written: str) -> str:
    comma = _DECIMAL_COMMA.fullmatch(written)
    return f": write a point, {comma[1]}.{comma[2]}{comma[3]}" if comma else ""


def duration(least: str, most: str, example: str) -> Scalar[float]:
    """Return the form of a duration in seconds; `least` and `most` are durations as written."""
    accepts = f"a duration from {least} to {most} such as {example}"
    bounds = _seconds(least, accepts), _seconds(most, accepts)

    def convert(written: str) -> float:
        seconds = _seconds(written, accepts)
        if not bounds[0] <= seconds <= bounds[1]:
            raise Refusal(f"{quoted(written)} is out of bounds: write {accepts}")
        return float(seconds)

    return Scalar(convert, accepts, _pattern(_SECONDS))


def days(most: int) -> Scalar[int]:
    """Return the form of a number of days."""
    seconds = duration("1d", f"{most}d", "1100d")

    def convert(written: str) -> int:
        count = seconds.convert(written) / 86_400
        if count != int(count):
            raise Refusal(f"{quoted(written)} is not a whole number of days: write such as 1100d")
        return int(count)

    return Scalar(convert, seconds.accepts, seconds.shape)


def _seconds(written: str, accepts: str) -> Fraction:
    number, unit = _measure(written, _SECONDS, accepts)
    return number * _SECONDS[unit]


_EXAMPLE_BANDWIDTH = "a bandwidth such as 200 Mbit/s"


def _convert_bandwidth(written: str) -> int:
    number, unit = _measure(written, _BITS_PER_SECOND, _EXAMPLE_BANDWIDTH)
    bits = number * _BITS_PER_SECOND[unit]
    if bits.denominator != 1 or not 1000 <= bits <= 10**15:  # noqa: PLR2004  # 1 kbit/s to 1 Pbit/s
        raise Refusal(f"{quoted(written)} is no bandwidth of a line: write such as 200 Mbit/s")
    return int(bits)


def size(least: int, most: int) -> Scalar[int]:
    """Return the form of a size of a file in bytes."""
    accepts = f"a size from {least / 1e6:g} MB to {most / 1e6:g} MB such as 8 MB"

    def convert(written: str) -> int:
        number, unit = _measure(written, _BYTES, accepts)
        count = number * _BYTES[unit]
        if not least <= count <= most:
            raise Refusal(f"{quoted(written)} is out of bounds: write {accepts}")
        return int(count)

    return Scalar(convert, accepts, _pattern(_BYTES))


_Units: TypeAlias = Mapping[str, Fraction] | Mapping[str, int]


def _measure(written: str, units: _Units, accepts: str) -> tuple[Fraction, str]:
    """Return number and unit of a text such as "200 Mbit/s"."""
    found = _MEASURE.fullmatch(written)
    if found and found[2] in units:
        return Fraction(found[1]), found[2]
    known = ", ".join(units)
    if found:
        near = [unit for unit in units if unit.lower() == found[2].lower()]
        blank = " " if near and "/" in near[0] else ""
        remedy = f"; did you mean {found[1]}{blank}{near[0]}?" if near else f": write {accepts}"
        raise Refusal(f"{quoted(written)}: {quoted(found[2])} is no unit here ({known}){remedy}")
    if _DECIMAL.fullmatch(written):
        raise Refusal(f"{quoted(written)} has no unit ({known}): write {accepts}")
    hint = _comma_hint(written) or f": write {accepts}"
    raise Refusal(f"{quoted(written)} is not understood{hint}")


_RATIO = "a percentage such as 99.5%, or a ratio such as 0.995"
_PERCENTAGE = re.compile(rf"({_NUMBER})\s*%", re.ASCII)


def _convert_ratio(written: str) -> float:
    percentage = _PERCENTAGE.fullmatch(written)
    if percentage:
        value = Fraction(percentage[1]) / 100
    elif _DECIMAL.fullmatch(written):
        value = Fraction(written)
        if value == 1:
            raise Refusal(f"{quoted(written)} may mean 1% or all: write 1% or 100%")
    else:
        hint = _comma_hint(written) or f": write {_RATIO}"
        raise Refusal(f"{quoted(written)} is neither a percentage nor a ratio{hint}")
    if 0 <= value <= 1:
        return float(value)
    meant = f"write {written}%" if not percentage and 0 < value <= 100 else f"write {_RATIO}"  # noqa: PLR2004  # per cent
    raise Refusal(f"{quoted(written)} is not between 0% and 100%: {meant}")


ratio = Scalar(
    _convert_ratio,
    _RATIO,
    {
        "anyOf": [
            {"type": "string", "pattern": rf"^{_NUMBER}\s*%$"},
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        ]
    },
)


def rate(unit: str, least: float, most: float) -> Scalar[float]:
    """Return the form of "1 per link-year": a number and what it counts."""
    accepts = f"a number {unit}, such as 1 {unit}"
    pattern = re.compile(rf"({_NUMBER})\s+{re.escape(unit)}", re.ASCII)

    def convert(written: str) -> float:
        found = pattern.fullmatch(written)
        if not found:
            hint = _comma_hint(written) or f": write {accepts}"
            raise Refusal(f"{quoted(written)} is not understood{hint}")
        value = float(found[1])
        if not least <= value <= most:
            raise Refusal(f"{quoted(written)} is out of bounds: write {least:g} to {most:g} {unit}")
        return value

    return Scalar(convert, accepts, {"type": "string", "pattern": f"^{_NUMBER}\\s+{unit}$"})


def _pattern(units: _Units) -> dict[str, object]:
    return {"type": "string", "pattern": rf"^{_NUMBER}\s*(?:{'|'.join(units)})$"}


bandwidth = Scalar(_convert_bandwidth, _EXAMPLE_BANDWIDTH, _pattern(_BITS_PER_SECOND))
