"""The judge: settled echoes in, decisions out. One object, owned by the daemon's event loop."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge import flaps, horizon, quality, suspects
from netmon.judge.blind import CANARIES, DAEMON, Blind, Sight
from netmon.judge.book import MEMORY_US, Book
from netmon.judge.cause import Verdicts
from netmon.judge.columns import EchoBatch, JudgementColumns
from netmon.judge.echoes import Findings, Trust, hear, take, waves
from netmon.judge.learnt import Learnt, learnt_at, news, remember, take_up
from netmon.judge.links import DEGRADED, UNKNOWN, UP, LinkColumns
from netmon.judge.maintenance import planned_spans, replan
from netmon.judge.policy import NewLinks
from netmon.judge.roster import lay_out
from netmon.judge.sequential import SUSPICION_LEAST
from netmon.judge.upstream import OutageRecord
from netmon.model import (
    Event,
    Health,
    Inventory,
    LinkKey,
    Outcome,
    RouterReading,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from netmon.judge.policy import Policy
    from netmon.judge.restored import Restored

_FOREVER_US = 2**62
_STALE_INTERVALS = 5
_STALE_FLOOR_US = 10_000_000
_STALE_UNKNOWN_US = 60_000_000
_NOTHING: Mapping[LinkKey, Restored] = MappingProxyType({})


class Judge:
    """Samples → health → state → outage for every link.

    Instants are those of `netmon.clock.Timeline`. Call `observe` with what has been settled, then
    `tick`, then `suspects`, each round; all three are cheap when nothing happens.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._links = LinkColumns(0, policy.loss_window_echoes)
        self._book = Book(self._links, policy)
        self._sight = Sight()
        self._verdicts = Verdicts()
        self._boundaries: list[tuple[int, int]] = []
        self._boundaries_done_us = 0
        self._refuted = False

    # --- Links -----------------------------------------------------------------------------------

    def set_links(
        self,
        inventory: Inventory,
        slot_of: Mapping[LinkKey, int],
        capacity: int,
        now_us: int,
        restored: Mapping[LinkKey, Restored] = _NOTHING,
    ) -> list[Event]:
        """Take the links of an inventory: at start, and at every reload.

        A link that keeps its slot keeps everything; one that is new starts unknown, or where the
        ledger left it; one that is gone vanishes without an event.
        """
        self._advance(now_us)
        self._sight.started_us = self._sight.started_us or now_us
        self._sight.keep({canary.id for canary in inventory.canaries})
        self._links.grow(max(capacity, max(slot_of.values(), default=-1) + 1))
        old = self._book.roster
        self._remove([s for key, s in old.slot_of.items() if slot_of.get(key) != s])
        self._book.roster = roster = lay_out(inventory, slot_of, self._links)
        new = [key for key, slot in roster.slot_of.items() if not self._links.active[slot]]
        for key in new:
            self._add(roster.slot_of[key], restored.get(key))
        self._set_limits()
        moved = {
            slot
            for key, slot in roster.slot_of.items()
            if old.above.get(key) != roster.above.get(key) and key in old.slot_of
        }
        self._links.floor_us[list(moved)] = now_us
        self._verdicts.keep(inventory.agencies)
        changed = self._replan(inventory) | {roster.slot_of[key] for key in new} | moved
        return self._book.settle_accounts(changed)

    def expect_intervals(self, interval_us: Mapping[LinkKey, int]) -> None:
        """Tell how often links are probed; without it the judge learns it from their echoes."""
        for key, interval in interval_us.items():
            slot = self._book.roster.slot_of.get(key)
            if slot is not None:
                self._links.interval_us[slot] = interval
                self._links.interval_told[slot] = True

    def recall(self, readings: Mapping[str, RouterReading]) -> None:
        """Take up what routers said before netmon was restarted; call before `set_links`."""
        self._verdicts.recall(readings)

    # --- Evidence --------------------------------------------------------------------------------

    def observe(self, batch: EchoBatch) -> list[Event]:
        """Enter settled echoes and return what they decide."""
        batch = self._of_living_links(batch)
        if not len(batch):
            return []
        self._advance(int(batch.settled_us.max()))
        events: list[Event] = []
        touched: set[int] = set()
        revisit: set[int] = set()
        for wave in waves(batch):
            findings = hear(self._links, self._policy, wave, self._trust())
            self._decide(findings, events, touched, revisit)
        if touched or revisit:
            events += self._settle(touched, revisit)
        return events

    def canary(self, canary_id: str, outcome: Outcome, at_us: int) -> None:
        """Enter one settled echo of a canary; `at_us` is when it was sent."""
        self._sight.see(canary_id, outcome, at_us)

    def set_blind(self, reason: str, since_us: int) -> None:
        """Tell that the daemon itself is not well (stalled loop, clock) since an instant."""
        self._sight.begin(DAEMON, reason, since_us)

    def clear_blind(self, at_us: int) -> None:
        """Tell that the daemon is well again."""
        self._sight.end(DAEMON, at_us)

    def reading(self, reading: RouterReading, previous: RouterReading | None) -> list[Event]:
        """Enter a poll; tell the cause of outages for which it is the first good one after.

        `previous` is the poll before it. It matters only until the judge has seen a poll itself.
        """
        return self._verdicts.read(reading, previous)

    def tick(self, now_us: int) -> list[Event]:
        """Let time pass: windows, canaries, staleness, flaps."""
        self._advance(now_us)
        dark = self._judge_sight() | self._find_stale()
        due = self._due_boundaries()
        self._calm_flaps()
        self._book.sweep()
        return self._settle((), dark | due) if dark or due else []

    # --- Answers ---------------------------------------------------------------------------------

    @property
    def blind(self) -> Blind | None:
        """Why and since when netmon itself sees nothing; None: it sees."""
        return self._sight.verdict

    def suspects(self, now_us: int) -> NDArray[np.int32]:
        """Return the slots for which a confirming echo is wanted now; counts as sent."""
        if self._sight.verdict is not None:
            return np.zeros(0, np.int32)
        slots = suspects.wanted(self._links, now_us)
        return suspects.spend(self._links, slots, now_us, self._policy.burst_packets_per_second)

    def columns(self, slots: NDArray[np.int32]) -> JudgementColumns:
        """Return a copy of what is held true of some links."""
        links = self._links
        until_us = horizon.certain_until(
            links, self._seen_until_us(), self._book.now_us, len(self._book.roster.agencies)
        )
        boundary_us = self._boundaries[-1][0] if self._boundaries else _FOREVER_US
        links.shown_us = np.maximum(links.shown_us, np.minimum(until_us, boundary_us))
        return JudgementColumns(
            state=links.state[slots],
            health=links.health[slots],
            since_us=links.since_us[slots],
            settled_us=links.shown_us[slots],
            loss_ratio=quality.loss_ratio(links, slots),
            flapping=links.flapping[slots],
            silent_family_us=links.family_since_us[slots],
        )

    def learnt(self, most: int | None = None) -> dict[LinkKey, Learnt]:
        """Return what was learnt about some links since this was last asked; counts as stored."""
        slots = news(self._links)[:most]
        remember(self._links, slots)
        link_at, now_us = self._book.roster.link_at, self._book.now_us
        return {link_at[slot].key: learnt_at(self._links, slot, now_us) for slot in slots.tolist()}

    def readings(self, at_least_us: int, most: int | None = None) -> dict[str, RouterReading]:
        """Return some of the good polls that are so much newer than when this was last asked.

        While an outage is open, the poll before it: it is what tells its cause.
        """
        return self._verdicts.news(at_least_us, most)

    # --- Private ---------------------------------------------------------------------------------

    def _advance(self, now_us: int) -> None:
        self._book.now_us = max(self._book.now_us, now_us)
        self._sight.now_us = self._book.now_us

    def _remove(self, slots: Iterable[int]) -> None:
        for slot in slots:
            key = self._book.roster.link_at[slot].key
            self._links.clear(slot)
            self._book.cases.pop(slot, None)
            self._book.maintenance.pop(key, None)
            self._verdicts.drop(key)

    def _add(self, slot: int, restored: Restored | None) -> None:
        links, now_us = self._links, self._book.now_us
        links.begin(slot, now_us)
        if self._policy.new_links is NewLinks.SWIFT:
            links.suspicion[slot] = SUSPICION_LEAST
        if restored is not None and restored.learnt is not None:
            take_up(links, slot, restored.learnt, now_us)
        if restored is None or not restored.since_us:
            self._book.open_case(slot, State.UNKNOWN, Health.UNKNOWN)
            if self.blind is not None:
                self._book.darken(slot, now_us)
            return
        is_down = restored.open_outage_us is not None
        health = restored.health
        if is_down or health is Health.DOWN:
            health = Health.DOWN if is_down else Health.UNKNOWN
        case = self._book.open_case(slot, restored.state, health)
        links.since_us[slot] = restored.since_us
        if restored.open_outage_us is not None:
            start_us = restored.open_outage_us
            case.outages.append(OutageRecord(start_us - 1, start_us))
            self._verdicts.begin(self._book.roster.link_at[slot].key, start_us)
        self._book.darken(slot, now_us)

    def _set_limits(self) -> None:
        for slot, link in self._book.roster.link_at.items():
            limits = link.limits
            self._links.loss_limit[slot] = limits.loss_ratio if limits else np.inf
            self._links.rtt_limit_seconds[slot] = limits.rtt_seconds if limits else np.inf
            self._links.is_dual[slot] = len({each.version for each in link.addresses}) > 1
            if not self._links.is_dual[slot]:
                self._links.family_since_us[slot] = self._links.family_run[slot] = 0

    def _replan(self, inventory: Inventory) -> set[int]:
        """Lay out the maintenance windows; return the links whose plan changed."""
        book, now_us = self._book, self._book.now_us
        planned = planned_spans(inventory)
        changed = set()
        for key in planned.keys() | book.maintenance.keys():
            held = book.maintenance.pop(key, [])
            kept = [span for span in held if (span[1] or 0) > now_us - 2 * MEMORY_US]
            spans = replan(kept, planned.get(key, ()), now_us)
            if spans:
                book.maintenance[key] = spans
            if spans != kept:
                changed.add(book.roster.slot_of[key])
        self._boundaries = sorted(
            (
                (at_us, book.roster.slot_of[key])
                for key, spans in book.maintenance.items()
                for span in spans
                for at_us in span
                if at_us is not None and at_us > self._boundaries_done_us
            ),
            reverse=True,
        )
        return changed

    def _of_living_links(self, batch: EchoBatch) -> EchoBatch:
        links = self._links
        inside = (batch.slot >= 0) & (batch.slot < links.capacity)
        if not inside.all():
            batch = take(batch, inside)
        # An echo from before a link began belongs to the link that had the slot before.
        living = links.active[batch.slot] & (batch.sent_us >= links.born_us[batch.slot])
        return batch if living.all() else take(batch, living)

    def _seen_until_us(self) -> int:
        well_us = self._sight.well_us
        return _FOREVER_US if well_us is None or self._refuted else well_us

    def _trust(self) -> Trust:
        return Trust(
            seen_until_us=self._seen_until_us(),
            sighted_us=self._sight.ended_us,
            blind=self._sight.verdict is not None,
        )

    def _decide(
        self, findings: Findings, events: list[Event], touched: set[int], revisit: set[int]
    ) -> None:
        book = self._book
        for slot, at_us in zip(findings.lit.tolist(), findings.lit_us.tolist(), strict=True):
            book.light(slot, at_us)
        for slot in findings.darkened.tolist():
            book.darken(slot, int(self._links.fault_start_us[slot]))
        for slot in findings.fallen.tolist():
            events += book.fall(slot)
            self._verdicts.begin(book.roster.link_at[slot].key, book.began(slot))
        for slot in findings.recovered.tolist():
            events += book.recover(slot)
            self._verdicts.await_reading(book.ended(slot))
        for slot in findings.woken.tolist():
            book.wake(slot)
        for slot in findings.turned.tolist():
            book.turn(slot)
        touched.update(findings.fallen.tolist(), findings.recovered.tolist())
        for slots in (findings.darkened, findings.woken, findings.turned, findings.stale_account):
            revisit.update(slots.tolist())

    def _settle(self, touched: Iterable[int], revisit: set[int]) -> list[Event]:
        concerned = self._book.concerned(touched) | revisit
        events = self._book.settle_accounts(concerned)
        self._verdicts.take_back(events)
        return events

    def _judge_sight(self) -> set[int]:
        """Decide whether we are cut off; return the links that this makes unobserved."""
        sight = self._sight
        self._refuted = sight.is_doubtful and self._links_answer(sight.doubt_us)
        if self._refuted:
            sight.end(CANARIES, self._book.now_us)
        elif sight.is_doubtful:
            since_us = sight.well_us or self._book.now_us
            sight.begin(CANARIES, "no canary answers: netmon itself is cut off", since_us)
        verdict = sight.verdict
        if verdict is None:
            return set()
        self._book.blind_reason = verdict.reason
        return self._darken_all(verdict.since_us)

    def _links_answer(self, since_us: int) -> bool:
        """Tell whether at least half of the links that stood went on answering."""
        links = self._links
        stood = links.active & ((links.health == UP) | (links.health == DEGRADED))
        answered = stood & (links.last_reply_us > since_us)
        asked = stood if CANARIES in self._sight.verdicts else (
            answered | (stood & (links.last_silent_us > since_us))
        )  # fmt: skip
        return bool(asked.any()) and 2 * int(answered.sum()) >= int(asked.sum())

    def _darken_all(self, since_us: int) -> set[int]:
        links = self._links
        slots = np.flatnonzero(links.active & (links.dark_us == 0))
        if not len(slots):
            return set()
        # A link that answered since was seen; a run of losses that began since was our own.
        answers = np.isin(links.health[slots], (UP, DEGRADED))
        own_us = np.where(answers, links.settled_us[slots], links.shown_us[slots])
        most = np.where(links.run_start_us[slots] >= since_us, 0, 1)
        links.run[slots] = np.minimum(links.run[slots], most)
        links.losses[slots] = np.minimum(links.losses[slots], most)
        for slot, start_us in zip(
            slots.tolist(), np.maximum(own_us, since_us).tolist(), strict=True
        ):
            self._book.darken(slot, start_us)
        return set(slots.tolist())

    def _find_stale(self) -> set[int]:
        """Return links of which nothing was heard for several intervals: unobserved."""
        links = self._links
        interval_us = links.interval_us
        patience_us = np.where(
            interval_us > 0,
            np.maximum(_STALE_INTERVALS * interval_us, _STALE_FLOOR_US),
            _STALE_UNKNOWN_US,
        )
        judged = links.active & (links.dark_us == 0) & (links.health != UNKNOWN)
        is_stale = judged & (self._book.now_us - links.heard_us > patience_us)
        slots = np.flatnonzero(is_stale).tolist()
        for slot in slots:
            last_us = int(max(links.last_sent_us[slot], links.fault_last_us[slot]))
            self._book.darken(slot, last_us + int(interval_us[slot]))
        return set(slots)

    def _due_boundaries(self) -> set[int]:
        due = set()
        while self._boundaries and self._boundaries[-1][0] <= self._book.now_us:
            due.add(self._boundaries.pop()[1])
        self._boundaries_done_us = self._book.now_us
        return due

    def _calm_flaps(self) -> None:
        links = self._links
        marked = np.flatnonzero(links.flapping)
        if len(marked):
            left = flaps.decayed(links.penalty[marked], links.penalty_us[marked], self._book.now_us)
            links.flapping[marked] = flaps.is_flapping(left, links.flapping[marked])
