"""What the event loop owns: which links there are and what is held true of them.

Everything between a batch of echoes and a Snapshot, without a single await: a state is read,
decided and entered before anything else may run.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np

from netmon.clock import MICROSECONDS, Timeline
from netmon.config.settings import EchoModule, Settings
from netmon.judge.columns import EchoBatch
from netmon.judge.judge import Judge
from netmon.judge.restored import Restored
from netmon.ledger.account import Account
from netmon.ledger.memory import Memory
from netmon.model import Canary, Event, Inventory, LinkKey, Outcome, RouterReading
from netmon.probes.icmp import EchoTarget
from netmon.state import DaemonFigures, EchoColumns, OutageBook, Slots, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from netmon.ledger.restoration import RestoredLink

_log = logging.getLogger(__name__)

_STALL_US = 3 * MICROSECONDS
_CANARY_AGENCY = ""
"""Canaries are pinged like links; no agency can have the empty id."""


_READING_EVERY_US = 3600 * MICROSECONDS
"""So seldom a router's last poll is stored: an hour's is as good a witness as a minute's."""
_MEMORIES_AT_ONCE = 2000
"""So few that the thread which writes them keeps nobody waiting."""
_BURST_ECHOES = 5
_BURST_SPACING_SECONDS = 0.2


class Echoes(Protocol):
    """What the watch needs of the echo engine."""

    def set_targets(self, targets: Sequence[EchoTarget]) -> None:
        """Ping these, and nothing else."""
        ...

    def burst(self, slots: NDArray[np.int32], count: int, spacing_seconds: float) -> None:
        """Send confirming echoes."""
        ...

    def columns(self, row_of_slot: NDArray[np.int32]) -> EchoColumns:
        """Return the figures of all targets whose slot has a row."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts a watch is made of."""

    timeline: Timeline
    echoes: Echoes
    judge: Judge
    account: Account
    book: OutageBook


class Watch:
    """Holds inventory, slots and judgement together. Lives on the event loop only."""

    def __init__(self, parts: Parts, record: Callable[[Sequence[Event]], None]) -> None:
        self._timeline = parts.timeline
        self._echoes = parts.echoes
        self._judge = parts.judge
        self._account = parts.account
        self._book = parts.book
        self._record = record
        self._slots = Slots()
        self._canary_of_slot: dict[int, str] = {}
        self._canary_slots = np.empty(0, np.int32)
        self._canaries: dict[str, bool] = {}
        self._inventory: Inventory | None = None
        self._generation = 0
        self._keys: tuple[LinkKey, ...] = ()
        self._rows = np.empty(0, np.int32)
        self._readings: dict[str, RouterReading] = {}
        self._alive_us = 0
        """When the loop last came by."""

    @property
    def inventory(self) -> Inventory | None:
        """The inventory in force; None before the first."""
        return self._inventory

    def set_inventory(
        self,
        inventory: Inventory,
        settings: Settings,
        restored: Mapping[LinkKey, RestoredLink],
    ) -> frozenset[LinkKey]:
        """Put an inventory in force; return the links that are gone.

        Links that stay keep every figure to the last digit; new ones take up their account from
        `restored`, where the ledger knows them from before.
        """
        canary_keys = [LinkKey(_CANARY_AGENCY, canary.id) for canary in inventory.canaries]
        removed, _ = self._slots.replace([*inventory.links, *canary_keys])
        self._inventory = inventory
        self._generation += 1
        self._keys = tuple(inventory.links)
        self._rows = np.array([self._slots[key] for key in self._keys], np.int32)
        self._set_canaries(inventory.canaries)
        self._book.forget(removed)
        slot_of = {key: self._slots[key] for key in self._keys}
        self._account.set_links(slot_of, self._slots.capacity, restored)
        events = self._judge.set_links(
            inventory,
            slot_of,
            self._slots.capacity,
            self._timeline.now_us(),
            {key: _judged(link) for key, link in restored.items() if link.since_us},
        )
        self._judge.expect_intervals(
            {
                key: round(settings.echo_modules[link.echo_module].interval_seconds * MICROSECONDS)
                for key, link in inventory.links.items()
            }
        )
        self._echoes.set_targets(self._targets(inventory, settings.echo_modules))
        self._readings = {
            agency: reading
            for agency, reading in self._readings.items()
            if agency in inventory.agencies and inventory.agencies[agency].router is not None
        }
        self._enter(events)
        return frozenset(key for key in removed if key.agency != _CANARY_AGENCY)

    def recall(self, readings: Mapping[str, RouterReading]) -> None:
        """Take up what routers said before netmon was restarted; before the first inventory."""
        self._judge.recall(readings)

    def news(self) -> Memory:
        """Return some of what the next daemon should know and the ledger does not yet."""
        readings = self._judge.readings(_READING_EVERY_US, _MEMORIES_AT_ONCE)
        return Memory(self._judge.learnt(_MEMORIES_AT_ONCE), readings)

    def all_news(self) -> Memory:
        """Return all of it, to the last poll."""
        return Memory(self._judge.learnt(), self._judge.readings(at_least_us=1))

    def settle(self, events: Sequence[Event]) -> None:
        """Enter events in the account and in the book of outages: they are durable."""
        self._account.apply(events)
        self._book.apply(event for event in events if event.key in self._slots)

    def observe(self, batch: EchoBatch) -> None:
        """Take what became of echoes; the echo engine calls this on each tick."""
        self._notice_stall()
        if len(self._canary_slots):
            mask = np.isin(batch.slot, self._canary_slots)
            if mask.any():
                self._observe_canaries(batch, np.flatnonzero(mask))
                batch = _selected(batch, ~mask)
        if len(batch):
            self._enter(self._judge.observe(batch))
        self._confirm()

    def tick(self) -> None:
        """Let time pass for the judge: windows, canaries, silence of our own."""
        self._notice_stall()
        self._enter(self._judge.tick(self._timeline.now_us()))
        self._confirm()

    def take_reading(self, reading: RouterReading) -> None:
        """Take the result of an SNMP poll."""
        if self._inventory is None or reading.agency not in self._inventory.agencies:
            return
        previous = self._readings.get(reading.agency)
        self._readings[reading.agency] = reading
        self._enter(self._judge.reading(reading, previous))

    def look_closely(self, agency_id: str) -> None:
        """Send a burst of echoes over every link of an agency: its router called for attention."""
        agency = self._inventory.agencies.get(agency_id) if self._inventory else None
        if agency is not None:
            slots = np.array([self._slots[link.key] for link in agency.links], np.int32)
            self._echoes.burst(slots, _BURST_ECHOES, _BURST_SPACING_SECONDS)

    def enter_note(self, event: Event) -> None:
        """Enter something learnt elsewhere, for example where the path of an outage ends."""
        if event.key in self._slots:
            self._enter([event])

    def gather(self, alive_us: int, figures: DaemonFigures) -> Snapshot:
        """Return the present figures; seconds are counted no further than `alive_us`."""
        if self._inventory is None:
            message = "gather() before the first set_inventory()"
            raise RuntimeError(message)
        row_of_slot = np.full(max(1, self._slots.capacity), -1, np.int32)
        row_of_slot[self._rows] = np.arange(len(self._rows), dtype=np.int32)
        judgement = self._judge.columns(self._rows)
        return Snapshot(
            at_us=self._timeline.now_us(),
            generation=self._generation,
            inventory=self._inventory,
            keys=self._keys,
            echo=self._echoes.columns(row_of_slot),
            judgement=judgement,
            account=self._account.columns(
                self._rows, judgement.state, judgement.since_us, judgement.settled_us, alive_us
            ),
            readings=dict(self._readings),
            open_outages=self._book.open,
            recent_outages=self._book.recent,
            daemon=figures,
        )

    @property
    def canaries(self) -> Mapping[str, bool]:
        """Canary id → whether its last echo was answered."""
        return dict(self._canaries)

    def _enter(self, events: Sequence[Event]) -> None:
        if events:
            self._record(events)

    def _notice_stall(self) -> None:
        """Enter time in which the loop or the machine stood still: nothing was observed then.

        Before any echo is judged that was settled since, lest it vouch for the time before it.
        """
        before_us, self._alive_us = self._alive_us, self._timeline.now_us()
        if not before_us or self._alive_us - before_us <= _STALL_US:
            return
        _log.warning("stood still for %.1f s", (self._alive_us - before_us) / MICROSECONDS)
        self._judge.set_blind("netmon stood still", before_us)
        self._enter(self._judge.tick(self._alive_us))
        self._judge.clear_blind(self._alive_us)

    def _confirm(self) -> None:
        suspects = self._judge.suspects(self._timeline.now_us())
        if len(suspects):
            self._echoes.burst(suspects, 1, 0.0)

    def _observe_canaries(self, batch: EchoBatch, positions: Iterable[int]) -> None:
        for position in positions:
            canary = self._canary_of_slot[int(batch.slot[position])]
            outcome = Outcome(int(batch.outcome[position]))
            self._canaries[canary] = outcome is Outcome.REPLIED
            self._judge.canary(canary, outcome, int(batch.sent_us[position]))

    def _set_canaries(self, canaries: Sequence[Canary]) -> None:
        self._canary_of_slot = {
            self._slots[LinkKey(_CANARY_AGENCY, canary.id)]: canary.id for canary in canaries
        }
        self._canary_slots = np.array(sorted(self._canary_of_slot), np.int32)
        known = frozenset(self._canary_of_slot.values())
        self._canaries = {key: value for key, value in self._canaries.items() if key in known}

    def _targets(self, inventory: Inventory, modules: Mapping[str, EchoModule]) -> list[EchoTarget]:
        targets = [
            EchoTarget(link.key, self._slots[link.key], address, modules[link.echo_module])
            for link in inventory.links.values()
            for address in link.addresses
        ]
        for canary in inventory.canaries:
            key = LinkKey(_CANARY_AGENCY, canary.id)
            targets.append(EchoTarget(key, self._slots[key], canary.address, EchoModule("canary")))
        return targets


def _selected(batch: EchoBatch, mask: NDArray[np.bool_]) -> EchoBatch:
    return EchoBatch(**{field.name: getattr(batch, field.name)[mask] for field in fields(batch)})


def _judged(link: RestoredLink) -> Restored:
    outage_us = None if link.outage is None else link.outage.start_us
    return Restored(link.state, link.health, link.since_us, outage_us, link.learnt)
