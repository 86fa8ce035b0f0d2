"""The sequential test: how many lost echoes in a row make a link down, and replies make it up.

Wald's sequential probability ratio test, restarted at every reply. Under "the link is up" losses
come as a first-order Markov chain: a run of losses begins with probability `onset` at an echo and
goes on with probability `persistence`; under "it is cut" every echo is lost. A run of n losses
then has the ratio 1 / (onset * persistence ** (n - 1)); it decides when that exceeds the number
of echoes in a year over the false alarms that the operator accepts in one. Both probabilities are
those of the link itself, learnt from the runs that ended in a reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

YEAR_US = 31_557_600_000_000

ONSET_UNKNOWN = 0.01
"""A link that we do not know yet is taken for a mediocre one."""
ONSET_MEMORY_ECHOES = 2048.0
RUN_MEMORY_LOSSES = 2048.0
"""Beyond so many losses the older half of the evidence is forgotten by halving."""

_ONSET_FLOOR = 0.001
_PRIOR_HITS = 1.0
_PRIOR_TRIALS = 30.0
_DEVIATIONS = 2.0
"""By so many standard deviations the learnt persistence is taken for worse than it looks."""
_PERSISTENCE_CEILING = 0.98
_FEWEST_LOSSES = 3
_MOST_LOSSES = 900

_STRAY_REPLY = 0.05
"""Chance that a link which is down answers an echo: routing that flaps, a line that sparks."""
_LOSS_IN_RECOVERY = 0.2
"""Chance that a link which is back loses an echo: routes and caches are still settling."""
REPLY_SCORE = float(np.log((1 - _LOSS_IN_RECOVERY) / _STRAY_REPLY))
LOSS_SCORE = float(np.log(_LOSS_IN_RECOVERY / (1 - _STRAY_REPLY)))
RECOVERED_SCORE = float(np.log(2000.0))
"""Three replies in a row, or four with one loss between them."""


def losses_needed(
    onset: NDArray[np.float64],
    trials: NDArray[np.float64],
    hits: NDArray[np.float64],
    echoes_per_year: NDArray[np.float64],
    false_alarms_per_year: float,
) -> NDArray[np.int32]:
    """Return how many losses in a row decide that a link is down.

    `trials` counts remembered losses within runs that ended in a reply, `hits` those of them that
    were followed by another loss.
    """
    onset = np.maximum(onset, _ONSET_FLOOR)
    weight = trials + _PRIOR_TRIALS
    mean = (hits + _PRIOR_HITS) / weight
    deviation = np.sqrt(mean * (1 - mean) * trials) / weight
    persistence = np.maximum(mean, onset) + _DEVIATIONS * deviation
    persistence = np.minimum(persistence, _PERSISTENCE_CEILING)
    runs_per_alarm = np.maximum(onset * echoes_per_year / false_alarms_per_year, 1.0)
    needed = 1 + np.ceil(np.log(runs_per_alarm) / -np.log(persistence))
    losses: NDArray[np.int32] = np.clip(needed, _FEWEST_LOSSES, _MOST_LOSSES).astype(np.int32)
    return losses


def learn_onset(onset: NDArray[np.float64], began_run: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the new onsets after one reply each; `began_run`: a run lay before that reply."""
    return onset + (began_run - onset) / ONSET_MEMORY_ECHOES


def learn_run(
    trials: NDArray[np.float64], hits: NDArray[np.float64], length: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the new trials and hits after one ended run each of `length` losses."""
    trials, hits = trials + length, hits + (length - 1)
    keep = np.where(trials > RUN_MEMORY_LOSSES, 0.5, 1.0)
    return trials * keep, hits * keep
