"""The hot path: settled echoes into runs, scores and windows, and out of them what must change.

Everything here is done on columns. Python objects are made by the caller, and only for the links
that a `Findings` names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.judge.columns import EchoBatch
from netmon.judge.families import hear_families
from netmon.judge.links import (
    DEGRADED,
    DOWN,
    RECENT_REPLIES,
    UNKNOWN,
    UNOBSERVED,
    UP,
    LinkColumns,
    learn_interval,
)
from netmon.judge.quality import push_losses, push_rtt, turned
from netmon.judge.sequential import (
    LOSS_SCORE,
    ONSET_MEMORY_ECHOES,
    RECOVERED_SCORE,
    REPLY_SCORE,
    YEAR_US,
    Known,
    Pace,
    clear,
    learn_run,
    losses_needed,
)
from netmon.model import NO_ERROR, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.judge.policy import Policy

_UNKNOWN_INTERVAL_US = 1_000_000
_ECHOES_PER_YEAR = YEAR_US / _UNKNOWN_INTERVAL_US


def _no_slots() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


def _no_instants() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Trust:
    """What our own sight allows to conclude."""

    seen_until_us: int
    """A run of losses that began later may be our own: no link falls by it yet."""
    sighted_us: int
    """Silence of an echo sent earlier says nothing: we were blind."""
    blind: bool


@dataclass(slots=True)
class Findings:
    """Slots of links about which something must be decided; with dates where they are needed."""

    lit: NDArray[np.int32] = field(default_factory=_no_slots)
    lit_us: NDArray[np.int64] = field(default_factory=_no_instants)
    darkened: NDArray[np.int32] = field(default_factory=_no_slots)
    woken: NDArray[np.int32] = field(default_factory=_no_slots)
    turned: NDArray[np.int32] = field(default_factory=_no_slots)
    fallen: NDArray[np.int32] = field(default_factory=_no_slots)
    recovered: NDArray[np.int32] = field(default_factory=_no_slots)
    stale_account: NDArray[np.int32] = field(default_factory=_no_slots)
    """Health is as it was, and yet the account must be looked at again."""


def waves(batch: EchoBatch) -> Iterator[EchoBatch]:
    """Split a batch so that no link stands twice in one piece; order within links is kept."""
    order = np.argsort(batch.slot, kind="stable")
    ordered = batch.slot[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    if len(first) == len(ordered):
        yield batch
        return
    lengths = np.diff(np.r_[first, len(ordered)])
    rank = np.arange(len(ordered)) - np.repeat(first, lengths)
    for place in range(int(lengths.max())):
        yield take(batch, order[rank == place])


def take(batch: EchoBatch, index: NDArray[np.intp] | NDArray[np.bool_]) -> EchoBatch:
    """Return some elements of a batch."""
    return EchoBatch(
        slot=batch.slot[index],
        outcome=batch.outcome[index],
        sent_us=batch.sent_us[index],
        settled_us=batch.settled_us[index],
        rtt_seconds=batch.rtt_seconds[index],
        error=batch.error[index],
        offender=batch.offender[index],
        family=batch.family[index],
    )


def hear(links: LinkColumns, policy: Policy, wave: EchoBatch, trust: Trust) -> Findings:
    """Enter one settled echo of each link and tell what must be decided."""
    findings = Findings()
    links.heard_us[wave.slot] = np.maximum(links.heard_us[wave.slot], wave.settled_us)
    is_fault = wave.outcome == Outcome.FAULT
    if is_fault.any():
        findings.darkened = _hear_faults(links, policy, take(wave, is_fault))
    is_silent = wave.outcome == Outcome.SILENT
    # While we are blind, and of echoes sent then, only an answer is evidence.
    void = is_silent & (trust.blind | (wave.sent_us < trust.sighted_us))
    if not trust.blind:
        void |= hear_families(links, wave)
    evidence = ~(is_fault | void)
    if not evidence.all():
        wave, is_silent = take(wave, evidence), is_silent[evidence]
    if len(wave):
        _hear_evidence(links, policy, wave, is_silent, trust, findings)
    return findings


def _hear_faults(links: LinkColumns, policy: Policy, wave: EchoBatch) -> NDArray[np.int32]:
    # A fault resets no count: it is not evidence either way.
    slots = wave.slot
    first = slots[links.faults[slots] == 0]
    links.fault_start_us[first] = wave.sent_us[links.faults[slots] == 0]
    links.faults[slots] += 1
    links.fault_last_us[slots] = np.maximum(links.fault_last_us[slots], wave.sent_us)
    enough = links.faults[slots] >= policy.faults_until_unobserved
    darkened: NDArray[np.int32] = slots[enough & (links.dark_us[slots] == 0)]
    return darkened


def _hear_evidence(
    links: LinkColumns,
    policy: Policy,
    wave: EchoBatch,
    is_silent: NDArray[np.bool_],
    trust: Trust,
    findings: Findings,
) -> None:
    slots = wave.slot
    calm = (links.run[slots] == 0) & (links.candidate_us[slots] == 0)
    learn_interval(links, slots[calm], wave.sent_us[calm])
    links.last_sent_us[slots] = np.maximum(links.last_sent_us[slots], wave.sent_us)
    links.faults[slots[wave.sent_us > links.fault_last_us[slots]]] = 0
    if not trust.blind:
        _light(links, wave, trust, findings)
    push_losses(links, slots, is_silent)
    if is_silent.any():
        _hear_silence(links, policy, take(wave, is_silent), trust, findings)
        wave = take(wave, ~is_silent)
    if len(wave):
        _hear_replies(links, wave, findings)
    _find_stale_accounts(links, slots, findings)


def _light(links: LinkColumns, wave: EchoBatch, trust: Trust, findings: Findings) -> None:
    dark_us = links.dark_us[wave.slot]
    lit = (dark_us > 0) & (wave.sent_us >= np.maximum(dark_us, trust.sighted_us))
    findings.lit, findings.lit_us = wave.slot[lit], wave.sent_us[lit]
    links.dark_us[findings.lit] = 0


def _hear_silence(
    links: LinkColumns, policy: Policy, wave: EchoBatch, trust: Trust, findings: Findings
) -> None:
    slots, sent_us = wave.slot, wave.sent_us
    is_down = links.health[slots] == DOWN
    # Silence of an echo that was sent before one that was answered is loss, and no sign of a cut.
    counts = ~is_down & (sent_us > links.last_reply_us[slots])
    _learn_losses(links, slots[~is_down], sent_us[~is_down])
    begins = counts & (links.run[slots] == 0)
    _begin_runs(links, policy, slots[begins], sent_us[begins])
    said = (wave.error != NO_ERROR) | begins
    links.error[slots[said]], links.offender[slots[said]] = wave.error[said], wave.offender[said]
    running = slots[counts]
    links.run[running] += 1
    links.last_silent_us[slots] = np.maximum(links.last_silent_us[slots], sent_us)
    enough = links.run[running] >= links.needed[running]
    findings.fallen = running[enough & (links.run_start_us[running] <= trust.seen_until_us)]
    if is_down.any():
        _hear_silence_of_the_down(links, slots[is_down], sent_us[is_down])


def _learn_losses(links: LinkColumns, slots: NDArray[np.int32], sent_us: NDArray[np.int64]) -> None:
    """Learn how losses follow each other in the order in which echoes were sent.

    A confirming echo may have been answered before the time-out of the loss that it followed: for
    the decision that loss is void, for the memory of the link it is not.
    """
    replies_us = links.replies_us[slots]
    before_us = links.last_silent_us[slots]
    between = (replies_us > before_us[:, np.newaxis]) & (replies_us < sent_us[:, np.newaxis])
    # With every remembered reply later than this loss, the earlier ones are forgotten.
    goes_on = ~between.any(axis=1) & (replies_us.min(axis=1) < sent_us) & (links.losses[slots] > 0)
    begins = slots[~goes_on]
    known = learn_run(_known(links, begins), links.losses[begins], _ECHOES_PER_YEAR)
    links.runs[begins], links.trials[begins], links.hits[begins] = known[1:4]
    links.suspicion[begins] = known.suspicion
    links.onset[begins] += (1 - links.onset[begins]) / links.onset_echoes[begins]
    links.losses[begins] = 0
    links.losses[slots] += 1


def _begin_runs(
    links: LinkColumns, policy: Policy, slots: NDArray[np.int32], sent_us: NDArray[np.int64]
) -> None:
    links.run_start_us[slots] = sent_us
    pace = Pace(
        echoes_per_year=YEAR_US / _interval_us(links, slots),
        confirming_seconds=1 / policy.burst_packets_per_second,
        false_alarms_per_year=policy.false_alarms_per_link_year,
    )
    links.needed[slots] = losses_needed(_known(links, slots), pace)


def _known(links: LinkColumns, slots: NDArray[np.int32]) -> Known:
    columns = (links.onset, links.runs, links.trials, links.hits, links.suspicion)
    return Known(*(column[slots] for column in columns))


def _interval_us(links: LinkColumns, slots: NDArray[np.int32]) -> NDArray[np.int64]:
    interval_us = links.interval_us[slots]
    return np.where(interval_us > 0, interval_us, _UNKNOWN_INTERVAL_US)


def _hear_silence_of_the_down(
    links: LinkColumns, slots: NDArray[np.int32], sent_us: NDArray[np.int64]
) -> None:
    candidate_us = links.candidate_us[slots]
    against = slots[(candidate_us > 0) & (sent_us > candidate_us)]
    links.score[against] += LOSS_SCORE
    dismissed = against[links.score[against] <= 0]
    links.candidate_us[dismissed] = 0
    links.settled_us[dismissed] = np.maximum(
        links.settled_us[dismissed], links.last_silent_us[dismissed]
    )
    still = links.candidate_us[slots] == 0
    links.settled_us[slots[still]] = np.maximum(links.settled_us[slots[still]], sent_us[still])


def _hear_replies(links: LinkColumns, wave: EchoBatch, findings: Findings) -> None:
    slots, sent_us = wave.slot, wave.sent_us
    push_rtt(links, slots, wave.rtt_seconds)
    seen_us = np.clip(sent_us - links.last_reply_us[slots], 0, links.interval_us[slots])
    links.suspicion[slots] = clear(links.suspicion[slots], seen_us)
    links.last_reply_us[slots] = np.maximum(links.last_reply_us[slots], sent_us)
    at = links.replies_at[slots]
    links.replies_us[slots, at] = sent_us
    links.replies_at[slots] = (at + 1) % RECENT_REPLIES
    health = links.health[slots]
    is_down = health == DOWN
    if is_down.any():
        findings.recovered = _score_replies(links, slots[is_down], sent_us[is_down])
        slots, sent_us, health = slots[~is_down], sent_us[~is_down], health[~is_down]
    links.settled_us[slots] = np.maximum(links.settled_us[slots], sent_us)
    _end_runs(links, slots, sent_us)
    findings.woken = slots[health == UNKNOWN]
    answering = slots[((health == UP) | (health == DEGRADED)) & (links.run[slots] == 0)]
    findings.turned = turned(links, answering)


def _score_replies(
    links: LinkColumns, slots: NDArray[np.int32], sent_us: NDArray[np.int64]
) -> NDArray[np.int32]:
    begins = links.candidate_us[slots] == 0
    links.candidate_us[slots[begins]] = sent_us[begins]
    links.score[slots[begins]] = 0.0
    links.score[slots] += REPLY_SCORE
    return slots[links.score[slots] >= RECOVERED_SCORE]


def _end_runs(links: LinkColumns, slots: NDArray[np.int32], sent_us: NDArray[np.int64]) -> None:
    run = links.run[slots]
    ended = (run > 0) & (sent_us > links.last_silent_us[slots])
    # A late answer to an echo in the middle of the run: what was lost after it still counts.
    split = (run > 0) & ~ended & (sent_us > links.run_start_us[slots])
    links.run[slots[split]] = 1
    links.run_start_us[slots[split]] = links.last_silent_us[slots[split]]
    echoes = links.onset_echoes[slots]
    links.onset[slots] -= links.onset[slots] / echoes
    links.onset_echoes[slots] = np.minimum(echoes + 1, ONSET_MEMORY_ECHOES)
    links.run[slots[ended]] = 0


def _find_stale_accounts(links: LinkColumns, slots: NDArray[np.int32], findings: Findings) -> None:
    is_down = links.health[slots] == DOWN
    decided = np.where(is_down, links.candidate_us[slots] == 0, links.run[slots] == 0)
    seen_again = (links.state[slots] == UNOBSERVED) & (links.dark_us[slots] == 0) & decided
    until_us = links.grace_until_us[slots]
    grace_over = is_down & (until_us > 0) & (links.last_silent_us[slots] > until_us)
    findings.stale_account = slots[seen_again | grace_over]
