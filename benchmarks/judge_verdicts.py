"""Which cause the judge gives to faults whose cause is known: a confusion matrix.

One toy province in virtual time, driven echo by echo through the real judge. Each trial has an
agency of its own, a fault at a seeded moment, and a router that tells its clocks truly: some run
for minutes, some are about to wrap (sysUpTime, 497 days). It is polled at intervals and when an
outage ends, as the daemon does.

python -m benchmarks.judge_verdicts [--trials 25] [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from netmon.judge.cause import TICKS_WRAP_SECONDS
from netmon.model import (
    Cause,
    InterfaceReading,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    Role,
    RouterReading,
    SnmpStatus,
)
from tests.support.judge_world import SECOND, START, World, cut_between, inventory, link

NO_OUTAGE = "no outage"
SECONDS = 240
_POLL_SECONDS = 15
_BOOT_SECONDS = 2.0
"""So long a router is up before its circuit carries echoes again."""

Span = tuple[float, float]


class Fault(StrEnum):
    """What happens to an agency."""

    POWER = "power cycle"
    CIRCUIT = "circuit cut"
    BEYOND = "cut beyond the uplink"
    AGENT = "agent restart"
    BEYOND_AND_AGENT = "cut beyond, agent restarts"
    AGENT_UNPOLLED = "the same, never polled before"
    POWER_UNPOLLED = "power cycle, never polled before"
    DISTRICT = "district cut"
    PRIMARY_FIRST = "both uplinks, primary first"
    BACKUP_FIRST = "both uplinks, backup first"


@dataclass
class Router:
    """What a router would say of itself at any moment, in seconds after START."""

    began: float
    """When router and agent started: long ago, as a negative number."""
    down: dict[int, list[Span]]
    """By interface, when it had no carrier."""
    restart: float | None = None
    agent_restart: float | None = None
    unpolled: bool = False
    """Whether its first poll is the one after its outage."""
    received: int = 10**6

    def reading(self, agency: str, at: float, links: tuple[str, ...]) -> RouterReading:
        """Return a good poll."""
        restarted = self.restart is not None and at >= self.restart
        agent_anew = self.agent_restart is not None and at >= self.agent_restart
        began = self.restart if restarted and self.restart is not None else self.began
        agent_began = self.agent_restart if agent_anew else began
        uptime = (at - (began if agent_began is None else agent_began)) % TICKS_WRAP_SECONDS
        count = 700 if restarted else self.received + round((at + SECONDS) * 1000)
        rows = tuple(
            InterfaceReading(
                index,
                f"wan{index}",
                oper_up=True,
                receive_bytes=count,
                last_change_seconds=self._last_change(index, at, uptime),
                links=(name,),
            )
            for index, name in enumerate(links)
        )
        boots = 7 + restarted + agent_anew
        moment_us = START + round(at * SECOND)
        return RouterReading(
            agency, moment_us, SnmpStatus.OK, uptime_seconds=uptime, engine_boots=boots,
            uplink_index=0, interfaces=rows,
        )  # fmt: skip

    def _last_change(self, index: int, at: float, uptime: float) -> float:
        changes = [end for _, end in self.down.get(index, ()) if end <= at]
        if self.restart is not None and at >= self.restart:
            changes.append(self.restart + 1)
        if not changes:
            return 12.0
        ago = at - max(changes)
        # Forgotten with the agent's restart: it calls 0 what was before it.
        if self.agent_restart is not None and ago > uptime:
            return 0.0
        return (uptime - ago) % TICKS_WRAP_SECONDS


@dataclass
class Trials:
    """Every trial's agency: who it is, what happens to it, and the truth about its links."""

    parents: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cuts: dict[str, list[Span]] = field(default_factory=dict)
    routers: dict[str, Router] = field(default_factory=dict)
    truth: dict[tuple[str, str], tuple[Fault, str]] = field(default_factory=dict)
    """By agency and link: the fault and the one right verdict."""

    def add(self, fault: Fault, number: int, dice: random.Random) -> None:
        """Lay out one trial."""
        agency, links = f"{fault.name.lower()}-{number}", tuple("a")
        start, length = dice.uniform(40, 80), dice.uniform(8, 90)
        began = -dice.choice([dice.uniform(600, 4e7), TICKS_WRAP_SECONDS - dice.uniform(0, 200)])
        spans, router, right = [(start, start + length)], Router(began, {}), ""
        if fault in (Fault.POWER, Fault.POWER_UNPOLLED):
            router.unpolled = fault is Fault.POWER_UNPOLLED
            router.restart = start + length - min(_BOOT_SECONDS, 0.5 * length)
            right = Cause.POWER
        elif fault is Fault.CIRCUIT:
            router.down, right = {0: spans}, Cause.CIRCUIT
        elif fault in (Fault.AGENT, Fault.BEYOND_AND_AGENT, Fault.AGENT_UNPOLLED):
            router.agent_restart = start + dice.uniform(0.2, 0.8) * length
            router.unpolled = fault is Fault.AGENT_UNPOLLED
            right = NO_OUTAGE if fault is Fault.AGENT else Cause.BEYOND
            spans = [] if fault is Fault.AGENT else spans
        elif fault is Fault.DISTRICT:
            router.down, right = {0: spans}, Cause.CIRCUIT
            self._add_communes(agency, spans, dice)
        elif fault is Fault.BEYOND:
            right = Cause.BEYOND
        else:
            links, right = tuple("ab"), Cause.CIRCUIT
            later = [(start + dice.uniform(0.3, 6), start + length + dice.uniform(0.3, 6))]
            both = (spans, later) if fault is Fault.PRIMARY_FIRST else (later, spans)
            router.down = dict(enumerate(both))
            self._enter(fault, agency, "b", both[1], right)
            spans = both[0]
        self.parents[agency], self.names[agency], self.routers[agency] = None, links, router
        self._enter(fault, agency, "a", spans, right)

    def _add_communes(self, district: str, spans: list[Span], dice: random.Random) -> None:
        for number in range(2):
            agency = f"{district}-{number}"
            self.parents[agency], self.names[agency] = district, ("a",)
            self.routers[agency] = Router(-dice.uniform(600, 4e7), {})
            self._enter(Fault.DISTRICT, agency, "a", spans, Cause.UPSTREAM)

    def _enter(self, fault: Fault, agency: str, name: str, spans: list[Span], right: str) -> None:
        self.cuts[f"{agency}/{name}"] = spans
        self.truth[agency, name] = (fault, right)

    def world(self) -> World:
        """Return the province of all trials."""
        links = [
            link(agency, name, role=Role.PRIMARY if name == "a" else Role.BACKUP)
            for agency, names in self.names.items()
            for name in names
        ]
        return World(inventory(self.parents, links), cut_between(self.cuts), watch=False)

    def reachable(self, agency: str, at: float) -> bool:
        """Whether a poll comes through: it goes the primary's way."""
        cuts = self.cuts[f"{agency}/a"]
        if self.routers[agency].unpolled and at < max(end for _, end in cuts):
            return False
        return not any(a <= at < b for a, b in cuts)


Matrix = Counter[tuple[Fault, str, str]]
"""Links by fault, right verdict, verdict given."""


def confusion(trials: int, seed: int) -> Matrix:
    """Run every fault so many times; return what was told of each link."""
    dice = random.Random(seed)
    plan = Trials()
    for fault in Fault:
        for number in range(trials):
            plan.add(fault, number, dice)
    world = plan.world()
    _run(world, plan)
    verdicts = _verdicts(world)
    return Counter(
        (fault, right, " + ".join(verdicts.get(LinkKey(*name), [NO_OUTAGE])))
        for name, (fault, right) in plan.truth.items()
    )


def _run(world: World, plan: Trials) -> None:
    """Let time pass; poll each router at intervals, and at once when an outage of it ends."""
    agencies = list(plan.routers)
    due = {agency: index % _POLL_SECONDS for index, agency in enumerate(agencies)}
    latest: dict[str, RouterReading] = {}
    seen = 0
    while world.now_us < START + SECONDS * SECOND:
        world.step()
        at = (world.now_us - START) / SECOND
        ended = {e.key.agency for e in world.events[seen:] if isinstance(e, OutageEnd)}
        seen = len(world.events)
        for agency in agencies:
            if agency not in ended and due[agency] > at:
                continue
            due[agency] = due[agency] if due[agency] > at else due[agency] + _POLL_SECONDS
            if plan.reachable(agency, at):
                reading = plan.routers[agency].reading(agency, at, plan.names[agency])
                world.take(world.judge.reading(reading, latest.get(agency)))
                latest[agency] = reading


def _verdicts(world: World) -> dict[LinkKey, list[str]]:
    causes: dict[tuple[LinkKey, int], str] = {}
    for event in world.events:
        if isinstance(event, OutageStart):
            causes[event.key, event.start_us] = Cause.UNKNOWN
        elif isinstance(event, OutageNote) and event.cause is not None:
            causes[event.key, event.start_us] = event.cause
    found: dict[LinkKey, list[str]] = {}
    for (key, _), cause in causes.items():
        found.setdefault(key, []).append(cause)
    return found


def main() -> None:
    """Print the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    matrix = confusion(options.trials, options.seed)
    rows = [
        {"fault": fault, "right": right, "verdict": verdict, "links": count}
        for (fault, right, verdict), count in sorted(matrix.items())
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'fault':30}{'right':12}{'verdict':12}{'links':>6}")
    for row in rows:
        print(f"{row['fault']:30}{row['right']:12}{row['verdict']:12}{row['links']:6}")


if __name__ == "__main__":
    main()
