"""IPv4 and IPv6 of one link, where it has both: which of them has gone silent.

A reply of either is a sign of life of the link. A family that does not answer while the other does
is a fault of its own: it makes the link degraded, is told by name, and its silence is no evidence
about the link any more: it would look like a loss of every second echo, draw confirming echoes for
ever, and make a true cut slow to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.model import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netmon.judge.columns import EchoBatch
    from netmon.judge.links import LinkColumns

SILENT_ECHOES = 10
"""So many of one family in a row, with the other answering meanwhile, make it silent …"""
_ANSWERS = 3
"""… and so many replies in a row bring it back."""
_NAMES = ("IPv4", "IPv6")


def hear_families(links: LinkColumns, wave: EchoBatch) -> NDArray[np.bool_]:
    """Enter one echo of each link; tell which are silence that says nothing about their links."""
    void = np.zeros(len(wave), np.bool_)
    both = np.flatnonzero(links.is_dual[wave.slot] & (wave.outcome != Outcome.FAULT))
    if not len(both):
        return void
    slots, replied = wave.slot[both], wave.outcome[both] == Outcome.REPLIED
    family = (wave.family[both] == 6).astype(np.intp)  # noqa: PLR2004  # as in IPv6
    _count(links, (slots, family), replied, wave.sent_us[both])
    since_us = links.family_since_us
    other_us = links.family_reply_us[slots, 1 - family]
    falls = links.family_run[slots, family] >= SILENT_ECHOES
    falls &= other_us > links.family_start_us[slots, family]
    # Both silent is a cut of the link; the family that was the first to go stays named.
    falls &= since_us[slots].max(axis=1) == 0
    since_us[slots[falls], family[falls]] = links.family_start_us[slots[falls], family[falls]]
    returns = links.family_run[slots, family] <= -_ANSWERS
    since_us[slots[returns], family[returns]] = 0
    void[both] = ~replied & (since_us[slots, family] > 0)
    return void


def has_silent_family(links: LinkColumns, slots: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell of which links a family is silent."""
    silent: NDArray[np.bool_] = links.family_since_us[slots].max(axis=1) > 0
    return silent


def silent_family(links: LinkColumns, slot: int) -> str:
    """Return the name of the family of a link that is silent, or nothing."""
    silent = np.flatnonzero(links.family_since_us[slot])
    return _NAMES[silent[0]] if len(silent) else ""


def _count(
    links: LinkColumns,
    at: tuple[NDArray[np.int32], NDArray[np.intp]],
    replied: NDArray[np.bool_],
    sent_us: NDArray[np.int64],
) -> None:
    """Count losses in a row upwards from 1, replies in a row downwards from -1."""
    run = links.family_run[at]
    begins = ~replied & (run <= 0)
    links.family_start_us[at] = np.where(begins, sent_us, links.family_start_us[at])
    links.family_run[at] = np.where(
        replied, np.maximum(np.minimum(run, 0) - 1, -_ANSWERS), np.maximum(run, 0) + 1
    )
    reply_us = links.family_reply_us[at]
    links.family_reply_us[at] = np.where(replied, np.maximum(reply_us, sent_us), reply_us)
