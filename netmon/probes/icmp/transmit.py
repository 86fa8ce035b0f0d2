"""Sends what is due: packets of a lane are built, stamped and sent a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netmon.errors import CapabilityError
from netmon.model import EchoError
from netmon.probes.icmp.packet import IPV4
from netmon.probes.icmp.reasons import code_of
from netmon.probes.icmp.settle import UNKNOWN_OFFSET_US, Settler, fault_codes
from netmon.probes.icmp.sockets import EchoSocket, SocketFactory, open_echo_socket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from netmon.clock import Clock, Timeline
    from netmon.probes.icmp.departures import Stamps
    from netmon.probes.icmp.flight import Flight, Positions
    from netmon.probes.icmp.lanes import Lane
    from netmon.probes.icmp.packet import Cookie

STAMPED_AT_MOST = 128
"""So many echoes of a tick have their sending stamped by the kernel: 2,560 a second. To read a
stamp costs half as much again as the echo, and with more than these the machine is a big one."""
_STEADY_US = 20
"""Two clocks read within this time are taken as read at once."""
_READINGS = 5


def wall_offset_us(timeline: Timeline, clock: Clock) -> int:
    """Return how far the wall clock is ahead of the time line, read without an interruption."""
    best, width = 0, 1 << 62
    for _ in range(_READINGS):
        before_us = clock.monotonic_us()
        wall_us = clock.wall_us()
        took_us = clock.monotonic_us() - before_us
        if took_us < width:
            best, width = wall_us - timeline.at_monotonic_us(before_us + took_us // 2), took_us
        if width <= _STEADY_US:
            break
    return best


class Sockets:
    """The sockets of an engine, opened when a family is first needed."""

    def __init__(self, factory: SocketFactory) -> None:
        self._factory = factory
        self.open: dict[int, EchoSocket] = {}
        self.problems: dict[int, str] = {}
        """Why a family has no socket, in words."""

    def need(self, families: set[int]) -> None:
        """Open what is missing and close what is no longer needed; a failure is remembered."""
        for family in set(self.open) - families:
            self.open.pop(family).close()
        for family in families - set(self.open):
            self.problems.pop(family, None)
            try:
                self.open[family] = open_echo_socket(self._factory, family)
            except CapabilityError as error:
                self.problems[family] = str(error)

    def close(self) -> None:
        """Close all."""
        for sock in self.open.values():
            sock.close()
        self.open.clear()


class Transmitter:
    """Sends echoes and enters them into the flight; what cannot be sent is settled as a fault."""

    def __init__(
        self,
        timeline: Timeline,
        clock: Clock,
        flight: Flight,
        settler: Settler,
        cookie: Cookie,
    ) -> None:
        self._timeline = timeline
        self._clock = clock
        self._flight = flight
        self._settler = settler
        self._cookie = cookie

    def send(
        self, lane: Lane, targets: NDArray[np.int32], sock: EchoSocket | None
    ) -> list[Positions]:
        """Send one echo to each target; return those that could not be sent."""
        if sock is None or lane.ring is None:
            return [self._fail_all(lane, targets)]
        sock.mark_traffic(lane.module)
        rows = lane.ring.rows
        blocks = (targets[start : start + rows] for start in range(0, len(targets), rows))
        return [self._send_block(lane, block, sock) for block in blocks]

    def _send_block(self, lane: Lane, targets: NDArray[np.int32], sock: EchoSocket) -> Positions:
        ring = lane.ring
        if ring is None:
            return self._fail_all(lane, targets)
        place = self._append(targets)
        positions = np.arange(place.start, place.stop)
        serials = self._flight.serials(positions)
        proofs = self._cookie.proof(serials)
        self._flight.columns.proof[place] = proofs
        sums = sock.privileged and sock.family == IPV4
        ring.requests.fill(serials, proofs, sums=sums)
        offset_us = wall_offset_us(self._timeline, self._clock)
        begun_us = self._timeline.now_us()
        stamped = sock.stamps_sending and len(targets) <= STAMPED_AT_MOST
        result = ring.send(
            sock.file_descriptor,
            self._settler.table.name_pointers[targets],
            self._timeline.now_us,
            stamped=stamped,
        )
        self._stamp(place, result.sent_us, lane, offset_us)
        self._flight.columns.wall_offset_us[place][result.unsure] = UNKNOWN_OFFSET_US
        failed = np.flatnonzero(result.fault)
        if stamped and len(failed):
            # Nobody knows whether a packet that failed has taken a number.
            sock.stamp_sending(wanted=True)
        elif stamped:
            sock.departures.sent(serials, begun_us, offset_us)
        if len(failed):
            codes = fault_codes(result.fault[failed])
            self._settler.faults(positions[failed], codes, self._timeline.now_us())
        return positions[failed]

    def correct(self, sock: EchoSocket, stamps: Sequence[Stamps]) -> None:
        """Put the kernel's word for when echoes left in the place of ours."""
        columns = self._flight.columns
        for each in stamps:
            for departed in sock.departures.match(each, self._timeline.now_us()):
                positions = self._flight.positions(departed.serials)
                # What a slow device held back for seconds may be forgotten when it leaves.
                known = positions < self._flight.end
                where, sent_us = positions[known].astype(np.int64), departed.sent_us[known]
                columns.deadline_us[where] += sent_us - columns.sent_us[where]
                columns.sent_us[where] = sent_us
                columns.wall_offset_us[where] = departed.wall_offset_us

    def _fail_all(self, lane: Lane, targets: NDArray[np.int32]) -> Positions:
        now_us = self._timeline.now_us()
        place = self._append(targets)
        self._stamp(place, np.full(len(targets), now_us), lane, 0)
        positions = np.arange(place.start, place.stop)
        codes = np.full(len(targets), code_of(EchoError.NO_SOCKET), np.int8)
        self._settler.faults(positions, codes, now_us)
        return positions

    def _append(self, targets: NDArray[np.int32]) -> slice:
        slots = self._settler.table.slot[targets]
        return self._flight.append(targets, slots, self._timeline.now_us())

    def _stamp(self, place: slice, sent_us: NDArray[np.int64], lane: Lane, offset_us: int) -> None:
        columns = self._flight.columns
        columns.sent_us[place] = sent_us
        columns.deadline_us[place] = sent_us + lane.timeout_us
        columns.wall_offset_us[place] = offset_us
