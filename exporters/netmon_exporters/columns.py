"""Families whose values are columns, and the blocks that render them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netmon.state import Snapshot
from netmon_exporters.exposition import Block, Family, Labels, Sample, template_labels

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ColumnFamily:
    """A family whose values are columns: [row, sample], NaN where there is no series."""

    family: Family
    row_labels: tuple[str, ...]
    values: Callable[[Snapshot], Column]
    samples: tuple[Sample, ...] = (Sample(),)


class LazyRows(Sequence[Labels]):
    """Labels of rows, each made when it is asked for: for families that hold few series."""

    def __init__(self, make: Callable[[int], Labels], rows: range) -> None:
        self._make, self._rows = make, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Labels: ...

    @overload
    def __getitem__(self, at: slice) -> LazyRows: ...

    def __getitem__(self, at: int | slice) -> Labels | LazyRows:
        if isinstance(at, slice):
            return LazyRows(self._make, self._rows[at])
        return template_labels(self._make(self._rows[at]))


def blocks(
    families: Sequence[ColumnFamily], rows: Sequence[Labels]
) -> list[tuple[ColumnFamily, Block]]:
    """Return a block for each family over the same rows."""
    ready = [template_labels(row) for row in rows]
    return [(each, Block(each.family, each.samples, each.row_labels, ready)) for each in families]


def column(values: ArrayLike) -> Column:
    """Return one figure of every row as a column."""
    return np.asarray(values, np.float64).reshape(-1, 1)


def column_of_known(values: Iterable[float | None]) -> Column:
    """Return one fact of every row as a column; None: no series."""
    return column([float("nan") if value is None else float(value) for value in values])
