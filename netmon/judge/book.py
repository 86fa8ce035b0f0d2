"""The book of accounts: what is known of links about which something happened, and what was told.

A `Case` is opened only for a link whose state may change and closed when nothing is left to
remember. Decisions enter facts; `settle_accounts` then computes the timeline anew from all facts
and tells the difference. Thus parents, maintenance, blindness and health may arrive in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge import evidence, flaps, quality
from netmon.judge.cause import Ended
from netmon.judge.links import DEGRADED, NOBODY, UP, LinkColumns
from netmon.judge.roster import Roster
from netmon.judge.sequential import RUN_HALF_LIFE_US
from netmon.judge.timeline import (
    Change,
    Overlays,
    Piece,
    Span,
    Told,
    amend,
    compose,
    covers,
    trim,
)
from netmon.judge.upstream import FOREVER_US, Cut, OutageRecord, cuts, upstream_spans
from netmon.model import (
    STATE_CODES,
    STATES,
    Cause,
    Event,
    Evidence,
    Health,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    Reclassification,
    Role,
    State,
    Transition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from netmon.judge.policy import Policy

AUTHOR = "netmon"
MEMORY_US = 3_600_000_000
"""Nothing older than this is classed anew."""

_CALM_MEMORY_US = 120_000_000
"""Nor anything older than this of a link that answers and had no trouble of late."""
_SWEEP_US = 60_000_000
_SWEPT_AT_ONCE = 200
"""So few that a tick stays short even when every link of a country has a case."""


@dataclass(slots=True)
class Case:
    """The recent facts of one link, and what was told of it."""

    account: list[Piece]
    health: list[tuple[int, Health]]
    dark: list[Span] = field(default_factory=list)
    outages: list[OutageRecord] = field(default_factory=list)
    evidence: Evidence = field(default=Evidence())
    """What speaks for its last fall."""


class Book:
    """Cases by slot, and the facts that overlay them."""

    def __init__(self, links: LinkColumns, policy: Policy) -> None:
        self.links = links
        self.roster = Roster()
        self.maintenance: dict[LinkKey, list[Span]] = {}
        self.cases: dict[int, Case] = {}
        self.now_us = 0
        self.blind_reason = ""
        self._swept_us = 0
        self._to_sweep: list[int] = []
        self._grace_us = round(policy.recovery_grace_seconds * 1_000_000)

    # --- Facts -----------------------------------------------------------------------------------

    def fall(self, slot: int) -> list[Event]:
        """Enter that a link is down since the first loss of its run."""
        links, case = self.links, self._case(slot)
        start_us = self._date(slot, case, int(links.run_start_us[slot]))
        reply_us = int(links.last_reply_us[slot] or links.born_us[slot])
        case.outages.append(OutageRecord(min(reply_us, start_us - 1), start_us))
        case.evidence = evidence.of_fall(links, slot)
        self._set_health(slot, case, start_us, Health.DOWN)
        links.run[slot] = links.candidate_us[slot] = links.score[slot] = 0
        links.settled_us[slot] = max(links.settled_us[slot], links.last_silent_us[slot])
        self._mark_flap(slot, start_us)
        return [OutageStart(self._key(slot), start_us, self.now_us, case.evidence)]

    def recover(self, slot: int) -> list[Event]:
        """Enter that a link is up again since the first reply of its recovery."""
        links, case = self.links, self._case(slot)
        end_us = self._date(slot, case, int(links.candidate_us[slot]))
        outage = case.outages[-1]
        outage.end_us = end_us
        self._set_health(slot, case, end_us, Health.UP)
        links.run[slot] = links.candidate_us[slot] = links.score[slot] = 0
        links.settled_us[slot] = max(links.settled_us[slot], links.last_reply_us[slot])
        quality.forget(links, slot)
        # What the link lost while it was down says nothing about how it loses while it is up.
        links.losses[slot] = 0
        return [OutageEnd(self._key(slot), outage.start_us, end_us, self.now_us)]

    def began(self, slot: int) -> int:
        """Return when the outage of a link began that began last."""
        return self.cases[slot].outages[-1].start_us

    def ended(self, slot: int) -> Ended:
        """Return the outage of a link that ended last, for its cause to be found."""
        link, case = self.roster.link_at[slot], self.cases[slot]
        outage = case.outages[-1]
        siblings = self.roster.agency_slots[self.links.agency[slot]]
        return Ended(
            key=link.key,
            reply_us=outage.reply_us,
            start_us=outage.start_us,
            end_us=outage.end_us or self.now_us,
            owns_uplink=link.role is Role.PRIMARY or len(siblings) == 1,
            evidence=case.evidence,
        )

    def wake(self, slot: int) -> None:
        """Enter the first reply of a link that was not judged yet."""
        case = self._case(slot)
        at_us = self._date(slot, case, int(self.links.last_reply_us[slot]))
        self._set_health(slot, case, at_us, Health.UP)

    def turn(self, slot: int) -> None:
        """Enter that an answering link became degraded, or good again."""
        case = self._case(slot)
        better = self.links.health[slot] == DEGRADED
        at_us = self._date(slot, case, int(self.links.last_reply_us[slot]))
        case.evidence = evidence.of_quality(self.links, slot)
        self._set_health(slot, case, at_us, Health.UP if better else Health.DEGRADED)

    def darken(self, slot: int, since_us: int) -> None:
        """Enter that a link is unobserved from an instant on."""
        if self.links.dark_us[slot]:
            return
        case = self._case(slot)
        since_us = max(since_us, self._floor_us(slot), case.account[0][0])
        if case.dark and (last_end_us := case.dark[-1][1]) is not None:
            since_us = max(since_us, last_end_us)
        self.links.dark_us[slot] = since_us
        case.dark.append((since_us, None))

    def light(self, slot: int, at_us: int) -> None:
        """Enter that a link is observed again."""
        case = self._case(slot)
        if case.dark and case.dark[-1][1] is None:
            start_us = case.dark[-1][0]
            case.dark[-1] = (start_us, max(at_us, start_us, self._floor_us(slot)))

    # --- Accounts --------------------------------------------------------------------------------

    def concerned(self, slots: Iterable[int]) -> set[int]:
        """Return the given links and those behind them whose account may follow from theirs."""
        found: set[int] = set()
        agencies = set()
        for slot in slots:
            found.add(slot)
            agencies.add(int(self.links.agency[slot]))
        for agency in agencies:
            self._give_grace(agency)
            behind = self.roster.behind(agency)
            found.update(slot for slot in behind.tolist() if slot in self.cases)
        return found

    def settle_accounts(self, slots: Iterable[int]) -> list[Event]:
        """Tell what changed in the accounts of some links."""
        events: list[Event] = []
        parents: dict[int, list[Cut]] = {}
        for slot in sorted(slots):
            parent = int(self.links.parent[slot])
            if parent != NOBODY and parent not in parents:
                parents[parent] = self._cuts_of(parent)
            events += self._settle(slot, parents.get(parent, []))
        return events

    def grace_us(self, slot: int) -> int:
        """Return how long a link has to answer once its parent is back."""
        seconds = -(-int(self.links.interval_us[slot]) // 1_000_000)
        return max(self._grace_us, 3 * seconds * 1_000_000)

    def sweep(self) -> None:
        """Forget what is over and too old to be classed anew: a few cases at each call."""
        # What a link brought from the ledger has aged on its way; it fades from now on.
        self._swept_us = self._swept_us or self.now_us
        if not self._to_sweep and self.now_us - self._swept_us >= _SWEEP_US:
            keep = 0.5 ** ((self.now_us - self._swept_us) / RUN_HALF_LIFE_US)
            self.links.runs *= keep
            self.links.trials *= keep
            self.links.hits *= keep
            self._swept_us = self.now_us
            self._to_sweep = list(self.cases)
        for slot in self._to_sweep[-_SWEPT_AT_ONCE:]:
            if slot in self.cases:
                self._sweep_case(slot, self.cases[slot])
        del self._to_sweep[-_SWEPT_AT_ONCE:]

    def open_case(self, slot: int, state: State, health: Health) -> Case:
        """Open the case of a link that begins now, in the state that was told last."""
        links = self.links
        links.state[slot] = STATE_CODES[state]
        links.health[slot] = STATE_CODES[State(health.value)]
        # No transition yet: the first may be dated at the very beginning.
        links.told_us[slot] = 0
        case = Case(account=[(self.now_us, state)], health=[(self.now_us, health)])
        self.cases[slot] = case
        return case

    def _sweep_case(self, slot: int, case: Case) -> None:
        is_calm = not (case.outages or case.dark or self.links.run[slot])
        self._forget(slot, case, self.now_us - (_CALM_MEMORY_US if is_calm else MEMORY_US))
        if self._is_trivial(slot, case):
            del self.cases[slot]

    def _case(self, slot: int) -> Case:
        case = self.cases.get(slot)
        if case is None:
            told_us = int(self.links.told_us[slot])
            state = STATES[self.links.state[slot]]
            health = Health(STATES[self.links.health[slot]].value)
            case = Case(account=[(told_us, state)], health=[(told_us, health)])
            self.cases[slot] = case
        return case

    def _key(self, slot: int) -> LinkKey:
        return self.roster.link_at[slot].key

    def _floor_us(self, slot: int) -> int:
        return int(max(self.links.floor_us[slot], self.links.shown_us[slot]))

    def _date(self, slot: int, case: Case, at_us: int) -> int:
        # Late answers and reports may date before what is certain already: certainty wins.
        return max(at_us, self._floor_us(slot), case.health[-1][0])

    def _set_health(self, slot: int, case: Case, at_us: int, health: Health) -> None:
        case.health.append((at_us, health))
        self.links.health[slot] = STATE_CODES[State(health.value)]

    def _mark_flap(self, slot: int, at_us: int) -> None:
        links, one = self.links, np.array([slot])
        left = flaps.decayed(links.penalty[one], links.penalty_us[one], at_us)
        links.penalty[slot] = flaps.raised(float(left[0]))
        links.penalty_us[slot] = at_us
        links.flapping[one] = flaps.is_flapping(links.penalty[one], links.flapping[one])

    def _cuts_of(self, agency: int) -> list[Cut]:
        cases = (self.cases.get(slot) for slot in self.roster.agency_slots[agency])
        return cuts([[] if case is None else case.outages for case in cases])

    def _give_grace(self, agency: int) -> None:
        behind = self.roster.behind(agency)
        if agency == NOBODY or not len(behind):
            return
        found = self._cuts_of(agency)
        if not found or found[-1].end_us == FOREVER_US:
            self.links.grace_from_us[behind] = self.links.grace_until_us[behind] = 0
            return
        end_us = found[-1].end_us
        for slot in behind.tolist():
            if end_us > self.links.grace_from_us[slot]:
                self.links.grace_from_us[slot] = end_us
                self.links.grace_until_us[slot] = end_us + self.grace_us(slot)

    def _settle(self, slot: int, parent: list[Cut]) -> list[Event]:
        links, case, key = self.links, self._case(slot), self._key(slot)
        silent_us = int(links.last_silent_us[slot])
        if 0 < links.grace_until_us[slot] < silent_us:
            links.grace_until_us[slot] = 0
        spans = upstream_spans(case.outages, parent, silent_us, self.grace_us(slot))
        overlays = Overlays(case.dark, self.maintenance.get(key, ()), spans)
        wanted = compose(case.health, overlays, self.now_us)
        told = Told(case.account, int(links.told_us[slot]))
        corrections, changes, told = amend(told, wanted, self._floor_us(slot), self.now_us)
        events: list[Event] = [
            Reclassification(key, *correction, self.now_us, AUTHOR, self._why(correction.after))
            for correction in corrections
        ]
        events += [self._transition(slot, case, change) for change in changes]
        self._remember(slot, case, told)
        return events + self._notes(key, case, spans)

    def _transition(self, slot: int, case: Case, change: Change) -> Transition:
        return Transition(
            key=self._key(slot),
            at_us=change.at_us,
            decided_us=self.now_us,
            before=change.before,
            after=change.after,
            health=_health_at(case, change.at_us),
            evidence=self._evidence(slot, case, change.after),
        )

    def _remember(self, slot: int, case: Case, told: Told) -> None:
        case.account = list(told.account)
        since_us, state = case.account[-1]
        self.links.told_us[slot] = told.last_us
        self.links.state[slot] = STATE_CODES[state]
        if state is not State.UNKNOWN:
            self.links.since_us[slot] = since_us

    def _notes(self, key: LinkKey, case: Case, spans: list[Span]) -> list[Event]:
        notes: list[Event] = []
        for outage in case.outages:
            if outage.end_us is None or outage.upstream_noted:
                continue
            if covers(spans, outage.start_us, outage.end_us):
                outage.upstream_noted = True
                text = self._why(State.UNREACHABLE)
                notes.append(
                    OutageNote(key, outage.start_us, self.now_us, Cause.UPSTREAM, text=text)
                )
        return notes

    def _why(self, state: State) -> str:
        match state:
            case State.UNREACHABLE:
                return "every way from its parent to the centre was down"
            case State.UNOBSERVED:
                return self.blind_reason or "our own echoes could not be sent"
            case _:
                return "decided by the link's own echoes"

    def _evidence(self, slot: int, case: Case, after: State) -> Evidence:
        match after:
            case State.DOWN | State.DEGRADED:
                return case.evidence
            case State.UNREACHABLE:
                parent = self.roster.agencies[self.links.parent[slot]]
                return Evidence(f"every link of {parent} is down")
            case State.UNOBSERVED:
                return Evidence(self.blind_reason)
            case _:
                return Evidence()

    def _forget(self, slot: int, case: Case, before_us: int) -> None:
        kept = [o for o in case.outages if o.end_us is None or o.end_us > before_us]
        if len(kept) != len(case.outages):
            case.outages = kept
            self._close(self.roster.behind(int(self.links.agency[slot])), before_us)
            self._close(np.array([slot], np.int32), before_us)
        if len(case.account) > 1 or len(case.health) > 1 or len(case.dark) > 1:
            case.account = trim(case.account, before_us)
            case.health = _trim_health(case.health, before_us)
            case.dark = [s for s in case.dark if s[1] is None or s[1] > before_us]
            self._close(np.array([slot], np.int32), before_us)

    def _close(self, slots: NDArray[np.int32], before_us: int) -> None:
        self.links.floor_us[slots] = np.maximum(self.links.floor_us[slots], before_us)

    def _is_trivial(self, slot: int, case: Case) -> bool:
        links = self.links
        return (
            links.health[slot] in (UP, DEGRADED)
            and links.health[slot] == links.state[slot]
            and not links.dark_us[slot]
            and not case.outages
            and not case.dark
            and len(case.account) == len(case.health) == 1
        )


def _health_at(case: Case, at_us: int) -> Health:
    entries = reversed(case.health)
    return next((health for from_us, health in entries if from_us <= at_us), case.health[0][1])


def _trim_health(health: list[tuple[int, Health]], before_us: int) -> list[tuple[int, Health]]:
    base = [entry for entry in health if entry[0] <= before_us][-1:]
    kept = [entry for entry in health if entry[0] > before_us]
    return [(before_us, base[0][1]), *kept] if base else kept
