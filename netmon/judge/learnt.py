"""What was learnt about links, as values that outlive a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.sequential import RUN_HALF_LIFE_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netmon.judge.links import LinkColumns

_NEWS_NATS = 0.5
_NEWS_LOSSES = 1.0
_NEWS_RATIO = 0.1
"""What moves less than this is not worth a row in the ledger."""
_NEWS_ONSET = 0.002


@dataclass(frozen=True, slots=True)
class Learnt:
    """How a link loses echoes, as `netmon.judge.sequential.Known` has it, at an instant."""

    at_us: int
    onset: float
    onset_echoes: float
    """How much evidence `onset` rests on."""
    runs: float
    trials: float
    hits: float
    suspicion: float


def learnt_at(links: LinkColumns, slot: int, now_us: int) -> Learnt:
    """Return what was learnt about the link in a slot."""
    return Learnt(
        now_us,
        float(links.onset[slot]),
        float(links.onset_echoes[slot]),
        float(links.runs[slot]),
        float(links.trials[slot]),
        float(links.hits[slot]),
        float(links.suspicion[slot]),
    )


def take_up(links: LinkColumns, slot: int, learnt: Learnt, now_us: int) -> None:
    """Let a link go on from what was learnt about it; evidence of runs fades with time."""
    keep = 0.5 ** (max(now_us - learnt.at_us, 0) / RUN_HALF_LIFE_US)
    links.onset[slot], links.onset_echoes[slot] = learnt.onset, learnt.onset_echoes
    links.runs[slot] = learnt.runs * keep
    links.trials[slot], links.hits[slot] = learnt.trials * keep, learnt.hits * keep
    links.suspicion[slot] = learnt.suspicion
    remember(links, np.array([slot]))


def news(links: LinkColumns) -> NDArray[np.intp]:
    """Return the slots about which more was learnt than was last remembered."""
    told = links.remembered
    moved = np.abs(links.suspicion - told[:, 0]) >= _NEWS_NATS
    more = np.abs(links.runs + links.trials - told[:, 1])
    moved |= more >= np.maximum(_NEWS_LOSSES, _NEWS_RATIO * told[:, 1])
    step = np.maximum(_NEWS_ONSET, _NEWS_RATIO * told[:, 2])
    moved |= np.abs(links.onset - told[:, 2]) >= step
    return np.flatnonzero(links.active & moved)


def remember(links: LinkColumns, slots: NDArray[np.intp]) -> None:
    """Note that the ledger knows what was learnt about these."""
    losses = links.runs[slots] + links.trials[slots]
    columns = (links.suspicion[slots], losses, links.onset[slots])
    links.remembered[slots] = np.stack(columns, axis=1)
