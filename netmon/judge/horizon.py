"""Up to where the account of every link is certain.

An answering link is certain up to its last replied echo, a silent one up to its last lost echo,
and a link that is down no further than its parent, whose fate may class it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.links import DOWN, NOBODY, UNKNOWN, LinkColumns

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DARK_MARGIN_US = 10_000_000
"""An echo that was sent so long ago is settled: it cannot end a link's darkness any more."""


def certain_until(
    links: LinkColumns, seen_until_us: int, now_us: int, agencies: int
) -> NDArray[np.int64]:
    """Return for every slot up to when no later decision will be dated back before."""
    own = np.maximum(links.settled_us, links.floor_us)
    is_down = links.health == DOWN
    own = np.where(is_down | (links.health == UNKNOWN), np.minimum(own, seen_until_us), own)
    pending = np.where(is_down, links.candidate_us > 0, links.run > 0)
    own = np.where((links.dark_us > 0) & ~pending, np.maximum(own, now_us - _DARK_MARGIN_US), own)
    has_parent = is_down & (links.parent != NOBODY) & links.active
    if has_parent.any():
        parent = _agency_until(links, own, agencies)[links.parent]
        own = np.where(has_parent, np.minimum(own, parent), own)
        in_grace = is_down & (links.grace_until_us > 0)
        own = np.where(in_grace, np.minimum(own, links.grace_from_us), own)
    return np.maximum(np.maximum(own, links.floor_us), links.shown_us)


def _agency_until(links: LinkColumns, own: NDArray[np.int64], agencies: int) -> NDArray[np.int64]:
    """Return for each agency up to when it is certain whether it was cut off."""
    placed = links.active & (links.agency != NOBODY)
    stands = placed & (links.health != DOWN)
    fallen = placed & (links.health == DOWN)
    # One link that stands keeps its agency on; all of them must stay down to keep it cut off.
    latest = np.zeros(agencies, np.int64)
    np.maximum.at(latest, links.agency[stands], own[stands])
    earliest = np.full(agencies, np.iinfo(np.int64).max)
    np.minimum.at(earliest, links.agency[fallen], own[fallen])
    has_standing = np.zeros(agencies, np.bool_)
    has_standing[links.agency[stands]] = True
    return np.where(has_standing, latest, earliest)
