"""The sequential test: how many lost echoes in a row make a link down, and replies make it up.

Wald's sequential probability ratio test, restarted at every reply. Under "it is cut" every echo
is lost; a run of n losses decides when an uncut link would show one so long less often than the
operator accepts false alarms. Of an uncut link there are two views, and the test obeys both:

* Losses come one by one, or go on as they have so far in the link's own runs.
* The line is dead for spells now and then, of which a new link's first ones cannot be told from
  a cut. How likely that is, `suspicion` says, as log odds: every spell that ended raises it, every
  hour without one lowers it. A link that nobody knows begins suspected and so is judged slowly;
  within half a day without a spell it has cleared itself.

Only runs that ended in a reply teach anything. What was decided to be an outage says nothing about
the line in between, so that a link which is cut again and again is judged each time as fast as the
first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

YEAR_US = 31_557_600_000_000
_HOUR_US = 3_600_000_000

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
SUSPICION_UNKNOWN = 0.0
"""Log odds of a link that nobody knows …"""
SUSPICION_LEAST = -20.0
"""… of one that has cleared itself: a single spell does not bring it back …"""
_SUSPICION_MOST = 20.0
"""… and of one that has spells all the time."""
LONGEST_SECONDS = 60.0
"""So long a run is an outage, whatever the line is like."""

_ONSET_FLOOR = 0.001
_PRIOR_HITS = 0.25
_PRIOR_TRIALS = 20.0
_DEVIATIONS_ALONE = 1.0
_DEVIATIONS_IN_SPELLS = 2.0
"""By so many standard deviations the learnt persistence is taken for worse than it looks."""
_PERSISTENCE_CEILING = 0.98
_FEWEST_LOSSES = 3

_SPELL_SECONDS = 3.0
"""So long, in the mean, are the spells that we are prepared for before we have seen any."""
_PRIOR_SPELLS = 5.0
"""So many spells is that guess worth."""
_SPELLS_PER_HOUR = 1.0
"""A line that has spells has so many; seldomer ones pass for what they are, short outages."""
_SPELL_NATS = 8.5
"""A spell is so much likelier on such a line than an outage that nobody had time to decide."""
_CHANCE_PER_YEAR = 100.0
"""A run that single losses would show more often than this is no spell."""

_STRAY_REPLY = 0.05
"""Chance that a link which is down answers an echo: routing that flaps, a line that sparks."""
_LOSS_IN_RECOVERY = 0.2
"""Chance that a link which is back loses an echo: routes and caches are still settling."""
REPLY_SCORE = float(np.log((1 - _LOSS_IN_RECOVERY) / _STRAY_REPLY))
LOSS_SCORE = float(np.log(_LOSS_IN_RECOVERY / (1 - _STRAY_REPLY)))
RECOVERED_SCORE = float(np.log(2000.0))
"""Three replies in a row, or four with one loss between them."""


class Known(NamedTuple):
    """What is known of links, one element each."""

    onset: NDArray[np.float64]
    """Chance that an echo begins a run of losses."""
    runs: NDArray[np.float64]
    """Remembered runs that ended."""
    trials: NDArray[np.float64]
    """Remembered losses within runs that ended, from the second of each run on …"""
    hits: NDArray[np.float64]
    """… and those of them that another loss followed."""
    suspicion: NDArray[np.float64]
    """Log odds that the line is dead for spells."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often links are asked, and how often we may be wrong."""

    echoes_per_year: NDArray[np.float64]
    confirming_seconds: float
    """Between two confirming echoes."""
    false_alarms_per_year: float


def losses_needed(known: Known, pace: Pace) -> NDArray[np.int32]:
    """Return how many losses in a row decide that a link is down."""
    onset = np.maximum(known.onset, _ONSET_FLOOR)
    runs_per_alarm = onset * pace.echoes_per_year / pace.false_alarms_per_year
    nats = np.maximum(np.log(runs_per_alarm), 0.0)
    # Of all losses, those from the second of each run on are the ones that followed another.
    alone = _persistence(
        known.trials + _PRIOR_HITS, known.runs + known.trials, _PRIOR_TRIALS, _DEVIATIONS_ALONE
    )
    seldom = np.maximum(nats + np.minimum(known.suspicion, 0.0), 0.0)
    goes_on = float(np.exp(-pace.confirming_seconds / _SPELL_SECONDS))
    prior = _PRIOR_SPELLS / (1 - goes_on)
    spells = _persistence(known.hits + prior * goes_on, known.trials, prior, _DEVIATIONS_IN_SPELLS)
    chance = np.maximum(_runs(nats, np.maximum(alone, onset)), _runs(seldom, spells))
    needed = 1 + np.ceil(chance)
    most = max(round(LONGEST_SECONDS / pace.confirming_seconds), _FEWEST_LOSSES)
    losses: NDArray[np.int32] = np.clip(needed, _FEWEST_LOSSES, most).astype(np.int32)
    return losses


def learn_run(known: Known, length: NDArray[np.int32], echoes_per_year: float) -> Known:
    """Return what is known after one ended run each of `length` losses; 0: none ended.

    Spells are told by `trials` and `hits`, which leave out the step from the first loss to the
    second: the first confirming echo leaves later after a loss than the next ones do, so that a
    bursty line would look better than it is.
    """
    later = np.maximum(length - 1, 0)
    runs, trials = known.runs + (length > 0), known.trials + later
    hits = known.hits + np.maximum(later - 1, 0)
    keep = np.where(runs + trials > RUN_MEMORY_LOSSES, 0.5, 1.0)
    is_spell = length >= _spell_losses(known.onset, echoes_per_year)
    suspicion = np.where(is_spell, known.suspicion + _SPELL_NATS, known.suspicion)
    suspicion = np.minimum(suspicion, _SUSPICION_MOST)
    return Known(known.onset, runs * keep, trials * keep, hits * keep, suspicion)


def clear(suspicion: NDArray[np.float64], seen_us: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the suspicion that is left after so much time without a spell."""
    cleared: NDArray[np.float64] = suspicion - seen_us * (_SPELLS_PER_HOUR / _HOUR_US)
    return np.maximum(cleared, SUSPICION_LEAST)


def _spell_losses(onset: NDArray[np.float64], echoes_per_year: float) -> NDArray[np.float64]:
    """Return from how many losses on a run is hardly one of single losses."""
    onset = np.clip(onset, _ONSET_FLOOR, 0.5)
    nats = np.maximum(np.log(onset * echoes_per_year / _CHANCE_PER_YEAR), 0.0)
    needed: NDArray[np.float64] = 1 + np.ceil(np.maximum(_runs(nats, onset), 1.0))
    return needed


def _persistence(
    hits: NDArray[np.float64], trials: NDArray[np.float64], prior: float, deviations: float
) -> NDArray[np.float64]:
    """Return how likely a loss follows a loss; `hits` hold those of `prior` trials more."""
    weight = trials + prior
    mean = hits / weight
    deviation = np.sqrt(mean * (1 - mean) * trials) / weight
    worse: NDArray[np.float64] = mean + deviations * deviation
    return worse


def _runs(nats: NDArray[np.float64], persistence: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return over how many losses a run of this persistence becomes so unlikely."""
    chance: NDArray[np.float64] = nats / -np.log(np.minimum(persistence, _PERSISTENCE_CEILING))
    return chance
