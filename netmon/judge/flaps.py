"""Flap damping: every outage doubles a penalty that decays by half every few minutes.

A mark beside the account, never in it: the outages of a flapping link are entered like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF_LIFE_US = 300_000_000.0
_FLAPPING = 7.0
"""Three outages at once: 1, 3, 7."""
_CALM = 1.0
"""A link that flaps is calm again when no more than one outage is left of its penalty."""


def decayed(
    penalty: NDArray[np.float64], since_us: NDArray[np.int64], now_us: int
) -> NDArray[np.float64]:
    """Return what is left of penalties at `now_us`."""
    elapsed_us = np.maximum(now_us - since_us, 0)
    left: NDArray[np.float64] = penalty * np.exp2(-elapsed_us / _HALF_LIFE_US)
    return left


def raised(penalty: float) -> float:
    """Return the penalty after one more outage."""
    return 2.0 * penalty + 1.0


def is_flapping(penalty: NDArray[np.float64], flapping: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which links flap, with hysteresis."""
    mark: NDArray[np.bool_] = np.where(flapping, penalty > _CALM, penalty >= _FLAPPING - 1.0)
    return mark
