"""The watch keeps canaries apart from links, and links apart from each other."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from netmon.clock import SystemClock, Timeline
from netmon.config.settings import EchoModule, Settings, Storage
from netmon.judge.calendar import Calendar
from netmon.judge.columns import EchoBatch
from netmon.judge.judge import Judge
from netmon.judge.policy import NewLinks, Policy
from netmon.ledger.account import Account
from netmon.model import NO_ERROR, STATES, Canary, Event, LinkKey, Outcome
from netmon.state import DaemonFigures, EchoColumns, OutageBook, Snapshot
from netmon.watch import Parts, Watch
from tests.support.snapshots import agencies, inventory, reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from netmon.probes.icmp import EchoTarget

GATEWAY = Canary("gateway", "Cổng ra", ip_address("192.0.2.1"))


class ScriptedEchoes:
    """Remembers what it was told to ping."""

    def __init__(self) -> None:
        self.targets: tuple[EchoTarget, ...] = ()

    def set_targets(self, targets: Sequence[EchoTarget]) -> None:
        self.targets = tuple(targets)

    def burst(self, slots: NDArray[np.int32], count: int, spacing_seconds: float) -> None:
        assert (count, spacing_seconds) == (1, 0.0)
        assert len(slots)

    def columns(self, row_of_slot: NDArray[np.int32]) -> EchoColumns:
        rows = [row_of_slot[each.slot] for each in self.targets]
        kept = np.array([row for row in rows if row >= 0], np.int32)
        zeros = np.zeros(len(kept), np.int64)
        return EchoColumns(
            row=kept,
            family=np.full(len(kept), 4, np.int8),
            requests=zeros,
            replies=zeros,
            errors=np.zeros((len(kept), 11), np.int64),
            rtt_buckets=np.zeros((len(kept), 11), np.int64),
            rtt_sum_seconds=np.zeros(len(kept)),
            last_rtt_seconds=np.zeros(len(kept)),
            jitter_seconds=np.zeros(len(kept)),
            last_reply_us=zeros,
        )


class World:
    """A watch with its judge and account, and everything it recorded."""

    def __init__(self, tmp_path: Path, *canaries: Canary) -> None:
        calendar = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
        self.timeline = Timeline(SystemClock())
        self.echoes = ScriptedEchoes()
        self.events: list[Event] = []
        self.settings = Settings(
            inventory=tmp_path / "agencies.yaml",
            storage=Storage(tmp_path / "ledger.sqlite"),
            calendar=calendar,
            echo_modules={name: EchoModule(name) for name in ("default", "standard")},
        )
        parts = Parts(
            self.timeline,
            self.echoes,
            Judge(Policy(new_links=NewLinks.SWIFT)),
            Account(calendar),
            OutageBook(),
        )
        self.watch = Watch(parts, self.events.extend)
        self.inventory = replace(inventory(), canaries=canaries)
        self.watch.set_inventory(self.inventory, self.settings, {})

    def settle(self, outcome: Outcome, key: LinkKey) -> None:
        """Settle one echo of a link or canary, now."""
        slot = next(each.slot for each in self.echoes.targets if each.key == key)
        now = np.array([self.timeline.now_us()], np.int64)
        self.watch.observe(
            EchoBatch(
                slot=np.array([slot], np.int32),
                outcome=np.array([outcome], np.int8),
                sent_us=now,
                settled_us=now,
                rtt_seconds=np.array([0.001 if outcome is Outcome.REPLIED else np.nan]),
                error=np.array([NO_ERROR], np.int8),
                offender=np.zeros(1, np.uint64),
                family=np.array([4], np.int8),
            )
        )

    def snapshot(self) -> Snapshot:
        return self.watch.gather(self.timeline.now_us(), DaemonFigures("test", 1))


def test_a_canary_is_pinged_and_shown_as_no_link(tmp_path: Path) -> None:
    world = World(tmp_path, GATEWAY)
    canary = LinkKey("", GATEWAY.id)
    assert canary in {each.key for each in world.echoes.targets}
    world.settle(Outcome.REPLIED, canary)
    assert world.watch.canaries == {"gateway": True}
    world.settle(Outcome.SILENT, canary)
    assert world.watch.canaries == {"gateway": False}
    snapshot = world.snapshot()
    assert snapshot.keys == tuple(world.inventory.links)
    assert set(snapshot.echo.row.tolist()) == set(range(len(snapshot.keys)))
    assert not world.events


def test_rows_follow_the_inventory_whatever_the_slots(tmp_path: Path) -> None:
    world = World(tmp_path)
    first, *others = world.inventory.links
    world.settle(Outcome.REPLIED, first)
    world.settle(Outcome.REPLIED, first)
    world.settle(Outcome.REPLIED, first)
    reversed_agencies = dict(reversed(list(world.inventory.agencies.items())))
    turned = replace(world.inventory, agencies=reversed_agencies)
    assert world.watch.set_inventory(turned, world.settings, {}) == frozenset()
    snapshot = world.snapshot()
    states = {
        key: STATES[code] for key, code in zip(snapshot.keys, snapshot.judgement.state, strict=True)
    }
    assert states[first] == "up"
    assert {states[key] for key in others} == {"unknown"}


def test_a_link_that_leaves_takes_its_series_and_readings_along(tmp_path: Path) -> None:
    world = World(tmp_path)
    gone = next(each for each in agencies() if not world.inventory.children[each.id])
    world.watch.take_reading(reading(gone.id))
    assert gone.id in world.snapshot().readings
    left = inventory(*(each for each in agencies() if each.id != gone.id))
    removed = world.watch.set_inventory(left, world.settings, {})
    assert removed == {link.key for link in gone.links}
    snapshot = world.snapshot()
    assert gone.id not in snapshot.readings
    assert not removed & set(snapshot.keys)
    world.watch.take_reading(reading(gone.id))
    assert gone.id not in world.snapshot().readings


def test_every_change_of_the_inventory_is_a_new_generation(tmp_path: Path) -> None:
    world = World(tmp_path)
    before = world.snapshot().generation
    world.watch.set_inventory(world.inventory, world.settings, {})
    assert world.snapshot().generation > before


def test_there_is_no_snapshot_before_the_first_inventory(tmp_path: Path) -> None:
    world = World(tmp_path)
    empty = Watch(
        Parts(
            world.timeline,
            world.echoes,
            Judge(Policy(new_links=NewLinks.SWIFT)),
            Account(world.settings.calendar),
            OutageBook(),
        ),
        world.events.extend,
    )
    with pytest.raises(RuntimeError, match="before the first set_inventory"):
        empty.gather(0, DaemonFigures("test", 1))
