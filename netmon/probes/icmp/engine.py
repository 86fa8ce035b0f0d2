"""The echo engine: a whole province's echo requests on one socket per address family.

Every tick it sends what is due, takes what has arrived, settles echoes and tells the outcome of
the settled ones in one `EchoBatch`. Everything happens on the event loop, between two awaits.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netmon.judge.columns import EchoBatch
from netmon.model import Outcome
from netmon.probes.icmp.adapter import IcmplibSockets
from netmon.probes.icmp.bursts import Bursts, take_turns
from netmon.probes.icmp.flight import Flight, Positions, Stage
from netmon.probes.icmp.lanes import Lane, merge_rounds
from netmon.probes.icmp.packet import Cookie
from netmon.probes.icmp.receive import Receiver
from netmon.probes.icmp.settle import CLOCK_STEP_US, Settler
from netmon.probes.icmp.targets import EchoTarget, TargetTable
from netmon.probes.icmp.transmit import (
    STAMPED_AT_MOST,
    Sockets,
    Transmitter,
    wall_offset_us,
)
from netmon.state import EchoColumns, EngineFigures, RoundFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netmon.clock import Clock, Timeline
    from netmon.config.settings import EchoModule
    from netmon.probes.icmp.reasons import ErrorReport
    from netmon.probes.icmp.sockets import EchoSocket, SocketFactory

OnBatch = Callable[[EchoBatch], None]

_MICROSECONDS = 1_000_000
_MEMORY_US = 5 * _MICROSECONDS
"""How long an echo is remembered at least, to tell duplicates and late replies from strangers."""
_SENDS_PER_TICK = 1024
"""So that a stall that is made up for cannot itself stall the loop; never less than twice what
falls due in a tick, or nothing would ever be made up for."""
_NEW_PER_SECOND = 2500
"""So many new targets are let in: what is told of a link for the first time is judged, entered and
logged, which takes a hundred times as long as its echo. A whole country at once was late by
seconds."""
_LATE_US = 100_000
_CALM_US = _MICROSECONDS
"""So long after echoes went out late, a link that seems silent may only have been asked late."""
_LATENESS_SECONDS = 60.0
_EXPIRY_GRACE_US = 2_000
"""A reply that the kernel has stamped may need this long until it can be read."""


class EchoEngine:
    """Pings targets, each at its own pace, and tells what became of every echo."""

    def __init__(
        self,
        timeline: Timeline,
        clock: Clock,
        on_batch: OnBatch,
        sockets: SocketFactory | None = None,
        tick_seconds: float = 0.05,
    ) -> None:
        self._timeline = timeline
        self._clock = clock
        self._on_batch = on_batch
        self._tick_us = round(tick_seconds * _MICROSECONDS)
        cookie = Cookie(secrets.token_bytes(24))
        self._flight = Flight(secrets.randbits(40), _MEMORY_US)
        self._settler = Settler(self._flight, cookie)
        self._transmitter = Transmitter(timeline, clock, self._flight, self._settler, cookie)
        self._sockets = Sockets(sockets or IcmplibSockets())
        self._lanes: list[Lane] = []
        self._lane_of_target = np.zeros(0, np.int16)
        self._receivers: dict[int, Receiver] = {}
        self._bursts = Bursts()
        self._calm_from_us = 0
        self._begins_us = np.zeros(0, np.int64)
        self._all_begun_us = 0
        self._due_since_us = 0
        """Nothing waits to be sent that fell due earlier."""
        self._held = np.zeros(0, np.uint64)
        self._last_us = timeline.now_us()
        self._wall_offset_us = wall_offset_us(timeline, clock)
        self._clock_steps = 0
        self._lateness_us: deque[int] = deque(maxlen=round(_LATENESS_SECONDS / tick_seconds))
        self._draining = False
        self._stopped = False
        self._finished = asyncio.Event()

    def set_targets(self, targets: Sequence[EchoTarget]) -> None:
        """Make these the targets.

        One whose link, slot, address and module are unchanged keeps its figures and its place on
        the wheel; one that is gone vanishes at once, with the echoes it still awaits.
        """
        before, table = self._settler.table, TargetTable(targets)
        new_index = table.take_over(before)
        self._settler.table = table
        self._let_in(len(table), new_index)
        self._flight.remap(new_index, int(table.slot.max(initial=-1)) + 1)
        self._bursts.remap(new_index)
        self._lay_lanes(table, new_index)
        self._set_up_sockets()

    def burst(self, slots: NDArray[np.int32], count: int, spacing_seconds: float) -> None:
        """Send `count` extra echoes to each link, beginning with the next tick.

        The addresses of a link take turns, so that `count` is what the link gets in all. While
        the engine itself is late, and shortly after, nothing is sent: whoever asks takes our
        lateness for silence, and answering it with more echoes would make it worse.
        """
        if self._timeline.now_us() < self._calm_from_us:
            return
        targets = take_turns(self._settler.table.slot, slots, count)
        if targets.size:
            spacing_us = round(spacing_seconds * _MICROSECONDS)
            self._bursts.add(targets, self._timeline.now_us(), spacing_us)

    async def run(self) -> None:
        """Tick until cancelled, stopped or drained, then close the sockets."""
        planned_us = self._last_us = self._timeline.now_us()
        try:
            while not self._stopped:
                now_us = self._timeline.now_us()
                unfinished = self._tick(now_us, planned_us)
                if self._draining and not unfinished and not self._flight.awaited():
                    break
                if unfinished:
                    planned_us = self._due_since_us
                    await asyncio.sleep(0)
                    continue
                planned_us = (now_us // self._tick_us + 1) * self._tick_us
                delay_us = planned_us - self._timeline.now_us()
                await asyncio.sleep(max(delay_us, 0) / _MICROSECONDS)
        finally:
            self._sockets.close()
            self._finished.set()

    def stop(self) -> None:
        """End `run` after the present tick; what is on its way is not waited for."""
        self._stopped = True

    async def drain(self, timeout_seconds: float) -> None:
        """Send no more, wait for what is on its way, tell it, and end `run`."""
        self._draining = True
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._finished.wait()
        except TimeoutError:
            self.stop()

    def columns(self, row_of_slot: NDArray[np.int32]) -> EchoColumns:
        """Return a copy of the figures of all targets whose link has a row (not -1)."""
        return self._settler.table.columns(row_of_slot)

    def figures(self) -> EngineFigures:
        """Return what the engine says of itself."""
        tally = self._settler.tally
        sockets = self._sockets.open.values()
        lateness = self._lateness_us
        return EngineFigures(
            privileged=bool(sockets) and all(sock.privileged for sock in sockets),
            strangers=tally.strangers,
            duplicates=tally.duplicates,
            late=tally.late,
            malformed=tally.malformed,
            clock_steps=self._clock_steps,
            lateness_p99_seconds=(
                float(np.percentile(lateness, 99)) / _MICROSECONDS if lateness else float("nan")
            ),
            overflows=sum(sock.overflows() for sock in sockets),
        )

    def revolutions(self) -> tuple[RoundFigures, ...]:
        """Return how the last full round of each module went."""
        rounds: dict[str, list[RoundFigures]] = {}
        for lane in self._lanes:
            figures = lane.figures()
            if figures is not None:
                rounds.setdefault(figures.name, []).append(figures)
        return tuple(merge_rounds(several) for several in rounds.values())

    def last_errors(self, slot: int) -> tuple[ErrorReport, ...]:
        """Return what was last said of a link's addresses and not refuted by a reply since."""
        return self._settler.table.reports(slot)

    def socket_problems(self) -> Mapping[int, str]:
        """Return why a family, 4 or 6, has no socket, in words; empty if all is well."""
        return dict(self._sockets.problems)

    # --- Targets -------------------------------------------------------------------------------

    def _let_in(self, count: int, new_index: NDArray[np.int32]) -> None:
        """Have new targets begin one after the other, in the order given."""
        now_us = self._timeline.now_us()
        is_new = np.ones(count, np.bool_)
        kept = new_index >= 0
        is_new[new_index[kept]] = False
        begins_us = now_us + np.cumsum(is_new) * _MICROSECONDS // _NEW_PER_SECOND
        begins_us[new_index[kept]] = self._begins_us[kept]
        self._begins_us = begins_us
        self._all_begun_us = int(begins_us.max(initial=0))

    def _lay_lanes(self, table: TargetTable, new_index: NDArray[np.int32]) -> None:
        known = {(lane.family, lane.module): lane for lane in self._lanes}
        lanes: dict[tuple[int, EchoModule], int] = {}
        self._lane_of_target = np.fromiter(
            (
                lanes.setdefault((target.address.version, target.module), len(lanes))
                for target in table.targets
            ),
            np.int16,
            len(table),
        )
        self._lanes = [known.get(key) or Lane(*key, self._tick_us) for key in lanes]
        for index, lane in enumerate(self._lanes):
            members = np.flatnonzero(self._lane_of_target == index).astype(np.int32)
            lane.wheel.replace(table.splay[members], members)
            lane.remap(new_index)

    def _set_up_sockets(self) -> None:
        self._sockets.need({lane.family for lane in self._lanes})
        self._receivers = {
            family: Receiver(
                sock,
                max(lane.module.size_bytes for lane in self._lanes if lane.family == family),
            )
            for family, sock in self._sockets.open.items()
        }
        for lane in self._lanes:
            sock = self._sockets.open.get(lane.family)
            if sock is not None and lane.ring is None:
                lane.use(sock)
        stamped = sum(lane.load for lane in self._lanes) <= STAMPED_AT_MOST
        for sock in self._sockets.open.values():
            if sock.stamps_sending is not stamped:
                sock.stamp_sending(wanted=stamped)

    # --- The tick ------------------------------------------------------------------------------

    def _tick(self, now_us: int, planned_us: int) -> bool:
        """Send, receive, settle and tell; return whether something is left to do at once."""
        self._watch_wall_clock()
        settled = [] if self._draining else self._send_due(now_us, planned_us)
        for family, receiver in self._receivers.items():
            settled += self._receive(self._sockets.open[family], receiver)
        overdue = self._flight.overdue(self._read_until_us(now_us) - _EXPIRY_GRACE_US)
        self._flight.settle(overdue, Outcome.SILENT)
        settled.append(overdue)
        self._tell(settled)
        emptied = all(receiver.emptied for receiver in self._receivers.values())
        return not emptied or self._waiting() > 0

    def _read_until_us(self, now_us: int) -> int:
        """Return up to when silence is certain: what came before is in no buffer any more.

        A buffer is read in the order in which it was filled. In a flood that we cannot keep up
        with it is never empty, and links that are silent must be told of all the same.
        """
        behind = (
            receiver.newest_wall_ns // 1000 - self._wall_offset_us
            for receiver in self._receivers.values()
            if not receiver.emptied
        )
        return min(now_us, *behind, now_us)

    def _waiting(self) -> int:
        """Return how many echoes are due and not sent yet."""
        return sum(len(lane.queue) for lane in self._lanes)

    def _watch_wall_clock(self) -> None:
        offset_us = wall_offset_us(self._timeline, self._clock)
        if abs(offset_us - self._wall_offset_us) > CLOCK_STEP_US:
            self._clock_steps += 1
        self._wall_offset_us = offset_us

    def _send_due(self, now_us: int, planned_us: int) -> list[Positions]:
        extra = self._bursts.take(now_us)
        lane_of_extra = self._lane_of_target[extra]
        failed: list[Positions] = []
        after_us, waited = self._last_us, self._waiting()
        if now_us - planned_us > _LATE_US:
            self._calm_from_us = now_us + _CALM_US
        left = limit = max(_SENDS_PER_TICK, 2 * round(sum(lane.load for lane in self._lanes)))
        begun = None if now_us >= self._all_begun_us else self._begins_us <= now_us
        for index, lane in enumerate(self._lanes):
            lane.enqueue(self._last_us, now_us, begun)
            lane.add(extra[lane_of_extra == index])
            targets = lane.take(left)
            if not len(targets):
                continue
            left -= len(targets)
            begun_us = self._timeline.now_us()
            failed += self._transmitter.send(lane, targets, self._sockets.open.get(lane.family))
            took_us = self._timeline.now_us() - begun_us
            lane.count(took_us / _MICROSECONDS, (now_us - planned_us) / _MICROSECONDS)
        if left < limit:
            self._lateness_us.append(now_us - planned_us)
        if limit - left >= waited:
            self._due_since_us = after_us if self._waiting() else now_us
        self._last_us = now_us
        return failed

    def _receive(self, sock: EchoSocket, receiver: Receiver) -> list[Positions]:
        # Errors first: when echoes left is told beside them, and replies are measured by it.
        settled = [
            self._settler.quotes(quotes, sock.identifier, self._checksums, self._timeline.now_us())
            for quotes in receiver.quotes()
        ]
        self._transmitter.correct(sock, receiver.stamps)
        settled += (
            self._settler.replies(
                replies, sock.identifier, wall_offset_us(self._timeline, self._clock)
            )
            for replies in receiver.replies()
        )
        return settled

    def _checksums(
        self,
        targets: NDArray[np.int32],
        serials: NDArray[np.uint64],
        proofs: NDArray[np.uint64],
    ) -> NDArray[np.uint64]:
        result = np.zeros(len(targets), np.uint64)
        lanes = self._lane_of_target[targets]
        for index in np.unique(lanes):
            ring = self._lanes[index].ring
            if ring is not None:
                here = lanes == index
                result[here] = ring.requests.checksums(serials[here], proofs[here])
        return result

    def _tell(self, settled: list[Positions]) -> None:
        held = self._flight.positions(self._held).astype(np.int64)
        candidates = np.concatenate((held, *settled))
        # Targets that went meanwhile took their echoes with them.
        candidates = candidates[self._flight.columns.stage[candidates] == Stage.SETTLED]
        told, held = self._flight.tell(candidates)
        self._held = self._flight.serials(held)
        if not len(told):
            return
        columns, table = self._flight.columns, self._settler.table
        target = columns.target[told]
        batch = EchoBatch(
            slot=table.slot[target],
            outcome=columns.outcome[told],
            sent_us=columns.sent_us[told],
            settled_us=np.full(len(told), self._timeline.now_us()),
            rtt_seconds=columns.rtt_seconds[told],
            error=columns.error[told],
            offender=columns.offender[told],
            family=table.family[target],
        )
        table.record(batch, target, self._flight.serials(told))
        self._on_batch(batch)
