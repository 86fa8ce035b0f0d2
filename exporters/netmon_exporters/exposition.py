"""The text exposition of many series at little cost.

Metric name and labels of a series are rendered once for each generation of the inventory; values
are rendered again only in slices where one changed, and there only those of samples that move: of
the seconds in each state one figure in fourteen does. What comes out equals what prometheus-client
makes of the same figures, byte for byte.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from prometheus_client.utils import floatToGoString

Labels = Mapping[str, str]

_SLICE_SAMPLES = 512
"""Small enough that rendering one never holds the interpreter for long."""
_SLICES_PER_REST = 8
_REST_SECONDS = 0.000_05
_HOLE = "%s\n"
_PLAIN_BELOW = 1e6
"""From here on Go's notation differs from Python's."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family. `name` is the one in the classic format, with `_total` or `_info`."""

    name: str
    kind: str
    """gauge, counter, histogram or info."""
    help: str
    labels: tuple[str, ...] = ()
    absent: str = ""
    """When a series of it is not there, in words, for the documentation."""

    def header(self, *, openmetrics: bool) -> bytes:
        """Return the HELP and TYPE lines, named as each format wants them."""
        name, kind = self.name, self.kind
        if openmetrics:
            name = name.removesuffix("_total") if kind == "counter" else name
            name = name.removesuffix("_info") if kind == "info" else name
        elif kind == "info":
            kind = "gauge"
        return f"# HELP {name} {self.help}\n# TYPE {name} {kind}\n".encode()


def escaped(value: str) -> str:
    """Return a label's value in NFC, escaped as both formats want it."""
    text = unicodedata.normalize("NFC", value)
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def series(name: str, labels: Labels) -> str:
    """Return name and labels of one series, up to the value, the labels sorted."""
    said = ",".join(f'{label}="{escaped(labels[label])}"' for label in sorted(labels))
    return f"{name}{{{said}}} " if said else f"{name} "


def encoded(text: str) -> bytes:
    """Return UTF-8; what no text can hold (lone surrogates of a hostile agent) becomes "?"."""
    return text.encode("utf-8", "replace")


def number(value: float) -> str:
    """Return a number as prometheus-client writes it."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # it carries no types


class Texts(dict[float, str]):
    """Numbers as prometheus-client writes them, each rendered once."""

    def __missing__(self, value: float) -> str:
        text = repr(value) if 0 <= value < _PLAIN_BELOW else number(value)
        self[value] = text
        return text


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a row: the ending of its name, and the labels it has beside the row's."""

    suffix: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Template:
    """The text of a slice with holes for the values that move; the others are written in it."""

    absent: bytes
    hot: NDArray[np.bool_]
    """By sample: whether its values move."""
    text: str


class Block:
    """The series of one family: the same samples for every row."""

    def __init__(
        self,
        family: Family,
        samples: Sequence[Sample],
        row_labels: Sequence[str],
        rows: Sequence[Labels],
    ) -> None:
        self.family = family
        self._lines = [_line(family.name + s.suffix, row_labels, s.labels) for s in samples]
        self._row = "".join(self._lines)
        self._rows = rows
        self._step = max(1, _SLICE_SAMPLES // len(samples))
        count = -(-len(rows) // self._step)
        self._slices: list[bytes] = [b""] * count
        self._templates: list[_Template | None] = [None] * count
        self._bits: NDArray[np.int64] | None = None

    def render(self, values: NDArray[np.float64]) -> list[bytes]:
        """Return the lines of all rows in slices. `values` is [row, sample]; NaN: no series."""
        bits = np.ascontiguousarray(values, np.float64).view(np.int64).copy()
        moved, texts = self._moved(bits), Texts()
        for turn, index in enumerate(np.flatnonzero(moved.any(axis=1)).tolist()):
            start = index * self._step
            part = values[start : start + self._step]
            self._slices[index] = self._slice(index, part, moved[index], texts)
            if turn % _SLICES_PER_REST == 0:
                # The event loop would otherwise wait a whole switch interval for its turn.
                time.sleep(_REST_SECONDS)
        self._bits = bits
        return list(self._slices)

    def _moved(self, bits: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which samples of each slice have another value than before in any row."""
        if self._bits is None or not len(self._rows):
            return np.ones((len(self._slices), len(self._lines)), np.bool_)
        starts = np.arange(0, len(bits), self._step)
        return np.logical_or.reduceat(bits != self._bits, starts, axis=0)

    def _slice(
        self, index: int, values: NDArray[np.float64], moved: NDArray[np.bool_], texts: Texts
    ) -> bytes:
        absent = np.isnan(values)
        template = self._template(index, values, absent, moved)
        if template.absent:
            present = values[template.hot & ~absent]
        else:
            present = values[:, template.hot].ravel()
        return encoded(template.text % tuple(map(texts.__getitem__, present.tolist())))

    def _template(
        self,
        index: int,
        values: NDArray[np.float64],
        absent: NDArray[np.bool_],
        moved: NDArray[np.bool_],
    ) -> _Template:
        mark = absent.tobytes() if absent.any() else b""
        cached, hot = self._templates[index], moved
        if cached is not None and not _is_too_wide(cached.hot, moved):
            if cached.absent == mark and not (moved & ~cached.hot).any():
                return cached
            hot = moved | cached.hot
        start = index * self._step
        rows = self._rows[start : start + self._step]
        if mark or not hot.all():
            text = self._text(rows, values, absent, hot)
        else:
            text = "".join([self._row % row for row in rows])
        template = self._templates[index] = _Template(mark, hot, text)
        return template

    def _text(
        self,
        rows: Sequence[Labels],
        values: NDArray[np.float64],
        absent: NDArray[np.bool_],
        hot: NDArray[np.bool_],
    ) -> str:
        texts, is_hot, known = Texts(), hot.tolist(), values.tolist()
        parts = []
        for row, sample in np.argwhere(~absent).tolist():
            line = self._lines[sample] % rows[row]
            if not is_hot[sample]:
                line = f"{line[: -len(_HOLE)]}{texts[known[row][sample]]}\n"
            parts.append(line)
        return "".join(parts)


def _is_too_wide(hot: NDArray[np.bool_], moved: NDArray[np.bool_]) -> bool:
    """Tell whether a template still has holes for everything though few samples move."""
    return bool(hot.all()) and 2 * int(np.count_nonzero(moved)) <= len(hot)


def template_labels(labels: Labels) -> dict[str, str]:
    """Return a row's labels as blocks want them: escaped for the format and for `%`."""
    return {name: escaped(value).replace("%", "%%") for name, value in labels.items()}


def _line(name: str, row_labels: Sequence[str], fixed: Sequence[tuple[str, str]]) -> str:
    """Return a line whose row labels are to be filled in first, and its value later."""
    values = {label: f"%({label})s" for label in row_labels}
    values |= {label: escaped(value).replace("%", "%%%%") for label, value in fixed}
    said = ",".join(f'{label}="{values[label]}"' for label in sorted(values))
    return f"{name}{{{said}}} %{_HOLE}"
