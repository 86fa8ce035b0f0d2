"""Degraded or not: loss over a window of echoes and smoothed RTT, with hysteresis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.families import has_silent_family
from netmon.judge.links import DEGRADED, UP, LinkColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RELAPSE = 0.5
"""A degraded link is up again below half its loss limit …"""
_RTT_RELAPSE = 0.8
"""… and below this share of its RTT limit."""
_RTT_SMOOTHING = 1 / 16


def push_losses(links: LinkColumns, slots: NDArray[np.int32], lost: NDArray[np.bool_]) -> None:
    """Enter one settled echo of each link into its loss window."""
    at = links.ring_at[slots]
    before = links.ring[slots, at]
    links.ring[slots, at] = lost
    links.ring_lost[slots] += lost.astype(np.int32) - before
    links.ring_at[slots] = (at + 1) % links.window
    links.ring_filled[slots] = np.minimum(links.ring_filled[slots] + 1, links.window)


def push_rtt(
    links: LinkColumns, slots: NDArray[np.int32], rtt_seconds: NDArray[np.float64]
) -> None:
    """Enter one reply of each link; NaN is no measurement and changes nothing."""
    known = ~np.isnan(rtt_seconds)
    slots, rtt_seconds = slots[known], rtt_seconds[known]
    smoothed = links.rtt_seconds[slots]
    moved = smoothed + (rtt_seconds - smoothed) * _RTT_SMOOTHING
    links.rtt_seconds[slots] = np.where(np.isnan(smoothed), rtt_seconds, moved)


def loss_ratio(links: LinkColumns, slots: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return loss over the window; NaN where nothing was sent."""
    filled = links.ring_filled[slots].astype(np.float64)
    filled[filled == 0] = np.nan
    ratio: NDArray[np.float64] = links.ring_lost[slots] / filled
    return ratio


def turned(links: LinkColumns, slots: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return those of the answering links that must change between up and degraded."""
    health = links.health[slots]
    loss, rtt = loss_ratio(links, slots), links.rtt_seconds[slots]
    loss_limit, rtt_limit = links.loss_limit[slots], links.rtt_limit_seconds[slots]
    # NaN compares false: what was not measured is no reason for anything.
    worse = (loss > loss_limit) | (rtt > rtt_limit)
    still = (loss > loss_limit * _RELAPSE) | (rtt > rtt_limit * _RTT_RELAPSE)
    measured = links.ring_filled[slots] >= max(links.window // 2, 1)
    silent = has_silent_family(links, slots)
    falls = (health == UP) & (worse & measured | silent)
    rises = (health == DEGRADED) & ~still & measured & ~silent
    found: NDArray[np.int32] = slots[falls | rises]
    return found


def forget(links: LinkColumns, slot: int) -> None:
    """Empty the window: what was lost in an outage does not make its end degraded."""
    links.ring[slot] = 0
    links.ring_at[slot] = links.ring_filled[slot] = links.ring_lost[slot] = 0
    links.rtt_seconds[slot] = np.nan
