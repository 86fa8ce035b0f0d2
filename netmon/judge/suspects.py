"""Which links want a confirming echo now, within the budget of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.links import DOWN, LinkColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OVERDUE_MARGIN_US = 100_000
_OVERDUE_RTTS = 4


def wanted(links: LinkColumns, now_us: int) -> NDArray[np.int32]:
    """Return the links whose fate is open.

    A run of losses, a recovery not yet confirmed, silence after the parent's return, or an echo
    that should have been answered by now: that begins the burst before the echo's own time-out.
    """
    is_down = links.health == DOWN
    rtt_us = np.nan_to_num(links.rtt_seconds) * 1_000_000
    due_us = links.last_sent_us + links.interval_us + _OVERDUE_MARGIN_US + _OVERDUE_RTTS * rtt_us
    probed = (links.interval_us > 0) & (links.last_reply_us > 0)
    overdue = probed & (now_us > due_us) & ~is_down
    open_up = ~is_down & (links.run > 0)
    open_down = is_down & ((links.candidate_us > 0) | (links.grace_until_us > now_us))
    seen = links.active & (links.dark_us == 0)
    return np.flatnonzero(seen & (open_up | open_down | overdue)).astype(np.int32)


def spend(
    links: LinkColumns, slots: NDArray[np.int32], now_us: int, packets_per_second: float
) -> NDArray[np.int32]:
    """Return those whose budget allows an echo now, and take it from their budgets."""
    depth = max(packets_per_second, 1.0)
    elapsed_seconds = (now_us - links.tokens_us[slots]) / 1_000_000
    tokens = np.minimum(links.tokens[slots] + elapsed_seconds * packets_per_second, depth)
    links.tokens_us[slots] = now_us
    allowed = tokens >= 1
    links.tokens[slots] = tokens - allowed
    return slots[allowed]
