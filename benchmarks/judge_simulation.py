"""False downs, time to decision and packets of our rule, with the peers' rules beside it.

Two parts, both seeded. *False downs*: runs of losses of links that were never cut, drawn for at
least `--link-hours` of each kind of loss after a first day that is counted apart, with the judge's
own functions learning and deciding. Every rule sees the same runs. *Decisions*: the real judge,
which knows the links from the first part, driven echo by echo in virtual time with losses,
confirming echoes and time-outs, until each link is cut; and links without loss that are new.

Kinds of loss: independent (a share of all echoes), and bursty (Gilbert: the line is dead for
spells of exponential length, one or three seconds in the mean, and perfect between them).

Peers, at the pace that each of them would have: "3 misses" and Gatus' 3/2 once a second; NAV's
pping every 20 s with 4 misses, then 1 min and 4 min of waiting before the alarm.

python benchmarks/judge_simulation.py [--link-hours 1000000] [--json]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.judge.columns import EchoBatch
from netmon.judge.echoes import take
from netmon.judge.judge import Judge
from netmon.judge.learnt import Learnt
from netmon.judge.policy import Policy
from netmon.judge.restored import Restored
from netmon.judge.sequential import (
    ONSET_MEMORY_ECHOES,
    ONSET_PRIOR_ECHOES,
    ONSET_UNKNOWN,
    RUN_HALF_LIFE_US,
    SUSPICION_UNKNOWN,
    YEAR_US,
    Known,
    Pace,
    clear,
    learn_run,
    losses_needed,
)
from netmon.model import (
    NO_ERROR,
    Agency,
    Health,
    Inventory,
    Kind,
    Link,
    LinkKey,
    OutageStart,
    Outcome,
    Province,
    Role,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND_US = 1_000_000
ECHOES_PER_YEAR = YEAR_US / SECOND_US
HOUR_SECONDS = 3600.0
HOURS_PER_YEAR = 8766.0
TIMEOUT_SECONDS = 1.0
RTT_SECONDS = 0.02
TICK_US = 200_000
BURST_SECONDS = 0.2
BURST_AFTER_SECONDS = 0.28
"""The overdue margin, four RTT, and half a tick: then the first confirming echo leaves."""
RUNS_AT_ONCE = 16
FIRST_DAY_HOURS = 24.0
MISSES = 3
NAV_PACE_SECONDS, NAV_MISSES = 20.0, 4
NAV_SECONDS = (NAV_MISSES - 1) * NAV_PACE_SECONDS + 60 + 240

START_US = 1_700_000_000 * SECOND_US
AGES_HOURS = (0, 3, 6, 9, 13)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Loss:
    """A kind of loss: independent with a share, or spells of a mean length covering a share."""

    share: float
    spell_seconds: float = 0.0

    def __str__(self) -> str:
        how = f"spells of {self.spell_seconds:g} s" if self.spell_seconds else "independent"
        return f"{self.share:.1%} {how}"


KINDS = (
    *(Loss(share) for share in (0.0, 0.001, 0.01, 0.05, 0.1)),
    *(Loss(share, spell) for spell in (1.0, 3.0) for share in (0.001, 0.01, 0.05, 0.1)),
)


@dataclass
class Runs:
    """A draw of runs of losses of every link, in several ways of looking at them."""

    gap_seconds: Floats
    """Time from the run before."""
    lost: NDArray[np.int32]
    """Echoes lost in a row, confirming ones included."""
    regular: NDArray[np.int32]
    """Regular echoes lost in a row, one a second."""
    dead_seconds: Floats
    """From the first lost echo to the last one."""


def schedule() -> Floats:
    """Return when echoes leave after a first lost one, in seconds."""
    burst = BURST_AFTER_SECONDS + BURST_SECONDS * np.arange(4000)
    regular = np.arange(1, 800, dtype=np.float64)
    return np.sort(np.r_[0.0, burst[burst < regular[-1]], regular])


SCHEDULE = schedule()


def draw(loss: Loss, links: int, generator: np.random.Generator) -> Runs:
    """Draw the next runs of each link."""
    shape = (links, RUNS_AT_ONCE)
    if loss.spell_seconds:
        return _draw_spells(loss, shape, generator)
    lost = generator.geometric(1 - loss.share, shape).astype(np.int32)
    # Confirming echoes are lost independently of the regular ones: peers have a draw of their own.
    regular = generator.geometric(1 - loss.share, shape).astype(np.int32)
    gap = generator.geometric(loss.share, shape).astype(np.float64)
    return Runs(gap, lost, regular, SCHEDULE[np.minimum(lost, len(SCHEDULE)) - 1])


def _draw_spells(loss: Loss, shape: tuple[int, int], generator: np.random.Generator) -> Runs:
    # The length of a spell beyond the first echo that it swallows is exponential again.
    beyond = generator.exponential(loss.spell_seconds, shape)
    lost = np.searchsorted(SCHEDULE, beyond).astype(np.int32)
    swallows = 1 / (1 - np.exp(-1 / loss.spell_seconds)) / loss.spell_seconds
    mean_good = loss.spell_seconds * (1 / loss.share - 1)
    spells = generator.geometric(min(1 / swallows, 1.0), shape) if swallows > 1 else 1
    gap = generator.gamma(spells, mean_good + loss.spell_seconds, shape)
    lost = np.maximum(lost, 1)
    return Runs(gap, lost, 1 + np.floor(beyond).astype(np.int32), beyond)


class Ours:
    """What the judge remembers of every link."""

    def __init__(self, links: int, false_alarms_per_link_year: float) -> None:
        self.known = Known(
            np.full(links, ONSET_UNKNOWN),
            np.zeros(links),
            np.zeros(links),
            np.zeros(links),
            np.full(links, SUSPICION_UNKNOWN),
        )
        self.onset_echoes = np.full(links, ONSET_PRIOR_ECHOES)
        self.pace = Pace(np.full(links, ECHOES_PER_YEAR), BURST_SECONDS, false_alarms_per_link_year)

    def clear_all(self) -> None:
        """Let a day without loss pass."""
        self._watch(np.full(len(self.known.onset), 86_400.0), 0)

    def needed(self) -> NDArray[np.int32]:
        """Return how many losses in a row would decide now."""
        return losses_needed(self.known, self.pace)

    def learn(self, runs: Runs) -> None:
        """Remember runs as the judge does: what it called an outage teaches nothing."""
        needed = self.needed()
        self._watch(runs.gap_seconds.sum(axis=1), runs.lost.shape[1])
        for lost in runs.lost.T:
            ended = np.where(lost >= needed, 0, lost).astype(np.int32)
            self.known = learn_run(self.known, ended, ECHOES_PER_YEAR)

    def remembered(self, links: int, now_us: int) -> list[Learnt]:
        """Return what is known of the first links."""
        columns = (self.known.onset, self.onset_echoes, *self.known[1:])
        rows = np.stack(columns, axis=1)[:links].tolist()
        return [Learnt(now_us, *row) for row in rows]

    def _watch(self, seconds: Floats, count: int) -> None:
        """Let time with so many runs in it pass, as the judge does echo by echo."""
        keep = 0.5 ** (seconds * SECOND_US / RUN_HALF_LIFE_US)
        self.onset_echoes = np.minimum(self.onset_echoes + seconds, ONSET_MEMORY_ECHOES)
        rate = count / np.maximum(seconds, count)
        onset = rate + (self.known.onset - rate) * np.exp(-seconds / self.onset_echoes)
        cleared = clear(self.known.suspicion, (seconds * SECOND_US).astype(np.int64))
        runs, trials, hits = (column * keep for column in self.known[1:4])
        self.known = Known(onset, runs, trials, hits, cleared)


def false_downs(
    loss: Loss, link_hours: float, ours: Ours, generator: np.random.Generator
) -> dict[str, float]:
    """Return false downs per link-year of every rule over at least so many link-hours.

    The first day of every link, in which the judge does not know it yet, is told apart: there the
    judge learns after every run, later after every draw of them.
    """
    links = len(ours.known.onset)
    first, later = Tally(), Tally()
    while loss.share and later.hours < link_hours:
        runs = draw(loss, links, generator)
        if first.hours < FIRST_DAY_HOURS * links:
            for column in range(RUNS_AT_ONCE):
                one = Runs(*(getattr(runs, each.name)[:, [column]] for each in fields(Runs)))
                first.count(one, ours)
                ours.learn(one)
        else:
            later.count(runs, ours)
            ours.learn(runs)
    return {
        **later.per_year(),
        "first day: netmon": first.per_year()["netmon"],
        "link-hours": later.hours or link_hours,
        "median losses needed": float(np.median(ours.needed())),
        "confirming echoes per link-hour": later.confirming / (later.hours or link_hours),
    }


class Tally:
    """What was counted over some link-hours."""

    def __init__(self) -> None:
        self.hours = 0.0
        self.confirming = 0
        self.downs = dict.fromkeys(("netmon", "netmon, reported", "3 misses", "NAV"), 0)

    def count(self, runs: Runs, ours: Ours) -> None:
        """Count runs that are judged by what is known before them."""
        needed = ours.needed()[:, np.newaxis]
        decided = runs.lost >= needed
        # A loss is known at its time-out; an answer before that disproves the outage.
        known_us = SCHEDULE[np.minimum(needed, len(SCHEDULE)) - 1] + TIMEOUT_SECONDS
        answered = SCHEDULE[np.minimum(runs.lost, len(SCHEDULE) - 1)] + RTT_SECONDS
        self.hours += float(runs.gap_seconds.sum()) / HOUR_SECONDS
        self.confirming += int(runs.lost.sum())
        self.downs["netmon"] += int((decided & (answered > known_us)).sum())
        self.downs["netmon, reported"] += int(decided.sum())
        self.downs["3 misses"] += int((runs.regular >= MISSES).sum())
        self.downs["NAV"] += int((runs.dead_seconds >= NAV_SECONDS).sum())

    def per_year(self) -> dict[str, float]:
        """Return false downs per link-year by rule; Gatus 3/2 falls as 3 misses do."""
        hours = self.hours or 1.0
        rates = {rule: count / hours * HOURS_PER_YEAR for rule, count in self.downs.items()}
        return rates | {"Gatus 3/2": rates["3 misses"]}


def inventory(links: int) -> Inventory:
    """Return agencies of one link each."""
    agencies = {}
    for number in range(links):
        name = f"a{number}"
        link = Link(LinkKey(name, "l"), Role.PRIMARY, (IPv4Address("192.0.2.1"),), "m")
        agencies[name] = Agency(name, name, "k", links=(link,))
    province = Province("p", "P", "P", "Asia/Ho_Chi_Minh", "C")
    return Inventory(province, {"k": Kind("k", "K", "K")}, {}, agencies)


class Wire:
    """Links with losses in virtual time, in columns, judged by the real judge."""

    def __init__(
        self, loss: Loss, learnt: Sequence[Learnt], generator: np.random.Generator
    ) -> None:
        self.loss, self.generator = loss, generator
        self.links = links = len(learnt)
        self.judge = Judge(Policy())
        self.now_us = START_US
        inv = inventory(links)
        self.slots = {key: slot for slot, key in enumerate(inv.links)}
        restored = {
            key: Restored(State.UNOBSERVED, Health.UP, START_US, learnt=learnt[slot])
            for key, slot in self.slots.items()
        }
        self.judge.set_links(inv, self.slots, links, START_US, restored)
        self.phase_us = generator.integers(0, SECOND_US, links)
        self.next_us = self.now_us + self.phase_us
        self.cut_us = np.full(links, np.iinfo(np.int64).max)
        self.dead_until_us = np.zeros(links, np.int64)
        self.dead_from_us = self.now_us + self._good(links)
        self.bursts = 0
        self.flying: list[EchoBatch] = []

    def run(self, seconds: float) -> list[OutageStart]:
        """Let time pass; return the outages that began."""
        begun: list[OutageStart] = []
        until_us = self.now_us + round(seconds * SECOND_US)
        while self.now_us < until_us:
            self.now_us += TICK_US
            due = np.flatnonzero(self.next_us <= self.now_us).astype(np.int32)
            self._send(due, self.next_us[due])
            self.next_us[due] += SECOND_US
            events = self.judge.observe(self._settled())
            events += self.judge.tick(self.now_us)
            begun += [event for event in events if isinstance(event, OutageStart)]
            suspects = self.judge.suspects(self.now_us)
            self.bursts += len(suspects)
            self._send(suspects, np.full(len(suspects), self.now_us))
        return begun

    def _good(self, count: int) -> NDArray[np.int64]:
        if not self.loss.spell_seconds:
            return np.full(count, 2**60)
        mean = self.loss.spell_seconds * (1 / self.loss.share - 1)
        return (self.generator.exponential(mean, count) * SECOND_US).astype(np.int64)

    def _lost(self, slots: NDArray[np.int32], at_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        cut = at_us >= self.cut_us[slots]
        if not self.loss.spell_seconds:
            return cut | (self.generator.random(len(slots)) < self.loss.share)
        begins = slots[(at_us >= self.dead_from_us[slots])]
        spell = self.generator.exponential(self.loss.spell_seconds, len(begins)) * SECOND_US
        self.dead_until_us[begins] = self.dead_from_us[begins] + spell.astype(np.int64)
        self.dead_from_us[begins] = self.dead_until_us[begins] + self._good(len(begins))
        return cut | (at_us < self.dead_until_us[slots])

    def _send(self, slots: NDArray[np.int32], at_us: NDArray[np.int64]) -> None:
        if not len(slots):
            return
        lost = self._lost(slots, at_us)
        self.flying.append(_batch(slots, at_us, lost))

    def _settled(self) -> EchoBatch:
        if not self.flying:
            return _batch(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.bool_))
        every = EchoBatch(
            *(
                np.concatenate([getattr(some, column.name) for some in self.flying])
                for column in fields(EchoBatch)
            )
        )
        settled = every.settled_us <= self.now_us
        self.flying = [take(every, ~settled)]
        done = take(every, settled)
        return take(done, np.argsort(done.sent_us, kind="stable"))


def _batch(
    slots: NDArray[np.int32], sent_us: NDArray[np.int64], lost: NDArray[np.bool_]
) -> EchoBatch:
    delay = np.where(lost, TIMEOUT_SECONDS, RTT_SECONDS) * SECOND_US
    return EchoBatch(
        slot=slots,
        outcome=np.where(lost, Outcome.SILENT, Outcome.REPLIED).astype(np.int8),
        sent_us=sent_us,
        settled_us=sent_us + delay.astype(np.int64),
        rtt_seconds=np.where(lost, np.nan, RTT_SECONDS),
        error=np.full(len(slots), NO_ERROR, np.int8),
        offender=np.zeros(len(slots), np.uint64),
        family=np.full(len(slots), 4, np.int8),
    )


def decisions(
    loss: Loss, learnt: Sequence[Learnt], minutes: float, generator: np.random.Generator
) -> dict[str, float]:
    """Return the times from a true cut to the decision, by the real judge and by the peers."""
    links = len(learnt)
    wire = Wire(loss, learnt, generator)
    false = len(wire.run(minutes * 60))
    bursts = wire.bursts
    wire.cut_us = wire.now_us + generator.integers(0, SECOND_US, links)
    found = {event.key: event for event in reversed(wire.run(90))}
    seconds = np.array(
        [
            (found[key].decided_us - int(wire.cut_us[slot])) / SECOND_US
            for key, slot in wire.slots.items()
            if key in found
        ]
    )
    waits = generator.random(links)
    misses = waits + MISSES - 1 + TIMEOUT_SECONDS
    nav = generator.random(links) * NAV_PACE_SECONDS + NAV_SECONDS + TIMEOUT_SECONDS
    percentiles: Callable[[Floats], list[float]] = lambda times: [  # noqa: E731  # used thrice
        float(value) for value in np.percentile(times, (50, 99))
    ]
    figures: dict[str, float] = {"found": len(seconds) / links, "false in warm-up": false}
    for name, times in (("netmon", seconds), ("3 misses", misses), ("NAV", nav)):
        figures[f"{name} median s"], figures[f"{name} p99 s"] = percentiles(times)
    figures["confirming echoes per link-hour"] = bursts / links / minutes * 60
    return figures


def main() -> None:
    """Print both parts as tables, or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--link-hours", type=float, default=1e6)
    parser.add_argument("--only", default="", help="kinds of loss whose name contains this")
    parser.add_argument("--links", type=int, default=1000, help="links of the real judge")
    parser.add_argument("--minutes", type=float, default=5, help="its minutes before the cut")
    parser.add_argument("--false-alarms", type=float, default=1.0, help="per link-year")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results: dict[str, dict[str, dict[str, float]]] = {}
    for number, kind in enumerate(KINDS):
        if options.only not in str(kind):
            continue
        generator = np.random.default_rng(number)
        ours = Ours(20_000, options.false_alarms)
        wrong = false_downs(kind, options.link_hours, ours, generator)
        if not kind.share:
            ours.clear_all()
        learnt = ours.remembered(options.links, START_US)
        right = decisions(kind, learnt, options.minutes, generator)
        results[str(kind)] = {"false downs per link-year": wrong, "decision": right}
        _tell(str(kind), results[str(kind)], options)
    for hours in AGES_HOURS:
        name = f"no loss, {hours:g} hours after it was added"
        if options.only in name:
            new = Learnt(START_US, 0.0, ONSET_MEMORY_ECHOES, 0.0, 0.0, 0.0, -float(hours))
            generator = np.random.default_rng(hours)
            right = decisions(Loss(0.0), [new] * options.links, 0.5, generator)
            results[name] = {"decision": right}
            _tell(name, results[name], options)
    if options.json:
        print(json.dumps(results, indent=2))


def _tell(name: str, parts: dict[str, dict[str, float]], options: argparse.Namespace) -> None:
    if options.json:
        return
    print(name)
    for part, figures in parts.items():
        line = ", ".join(f"{figure} {value:.4g}" for figure, value in figures.items())
        print(f"  {part}: {line}", flush=True)


if __name__ == "__main__":
    main()
