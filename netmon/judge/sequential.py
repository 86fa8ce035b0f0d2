"""The sequential test: how many lost echoes in a row make a link down, and replies make it up.

Wald's sequential probability ratio test, restarted at every reply. Under "the link is up" losses
come as a first-order Markov chain: a run of losses begins with probability `onset` at an echo and
goes on with probability `persistence`; under "it is cut" every echo is lost. A run of n losses
then has the ratio 1 / (onset * persistence ** (n - 1)); it decides when that exceeds the number
of echoes in a year over the false alarms that the operator accepts in one. Both probabilities are
those of the link itself, learnt from its runs that ended in a reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

YEAR_US = 31_557_600_000_000

ONSET_UNKNOWN = 0.01
"""A link that we do not know yet is taken for a mediocre one."""
ONSET_PRIOR_ECHOES = 128.0
"""So many echoes is that guess worth …"""
ONSET_MEMORY_ECHOES = 2048.0
"""… and so many the newest of all."""
RUN_MEMORY_LOSSES = 16384.0
"""Beyond so many losses all evidence is halved, so that new evidence weighs more."""
RUN_HALF_LIFE_US = 7 * 86_400_000_000
"""And by half in a week: it is the recent loss of a link that counts."""
FALSE_ALARM_US = 30_000_000
"""An outage that is over so soon was perhaps a long burst of losses: the link learns from it."""

_ONSET_FLOOR = 0.001
_PRIOR_HITS = 0.25
_PRIOR_TRIALS = 20.0
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

    `trials` counts remembered losses within runs, from the second of each run on, and `hits` those
    of them that were followed by another loss.
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


def learn_run(
    trials: NDArray[np.float64], hits: NDArray[np.float64], length: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the new trials and hits after one ended run each of `length` losses.

    The step from the first loss to the second is left out: the first confirming echo leaves later
    after a loss than the next ones do, so that a bursty line would look better than it is.
    """
    later = np.maximum(length - 1, 0)
    return _bounded(trials + later, hits + np.maximum(later - 1, 0))


def learn_false_alarm(
    trials: NDArray[np.float64], hits: NDArray[np.float64], length: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the same after runs that were taken for outages and soon ended in a reply.

    Left out, they would hide just the runs that show the persistence of a line; how much longer
    they went on is not counted, so that a few short outages do not make a link slow to judge.
    """
    later = np.maximum(length - 1, 0)
    return _bounded(trials + later, hits + later)


def _bounded(
    trials: NDArray[np.float64], hits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    keep = np.where(trials > RUN_MEMORY_LOSSES, 0.5, 1.0)
    return trials * keep, hits * keep
