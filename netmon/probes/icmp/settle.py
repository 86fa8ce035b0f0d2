"""Which echo a reply or an ICMP error belongs to, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.model import Outcome
from netmon.probes.icmp.flight import Flight, Positions, Stage
from netmon.probes.icmp.packet import IPV4, Cookie
from netmon.probes.icmp.reasons import fault_code
from netmon.probes.icmp.targets import TargetTable

if TYPE_CHECKING:
    from netmon.probes.icmp.receive import Quotes, Replies

CLOCK_STEP_US = 200
"""The wall clock runs beside the time line to within the noise of reading both; more is a step."""
_SEQUENCES = 1 << 16

Checksums = Callable[
    [NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint64]], NDArray[np.uint32]
]
"""(targets, serials, proofs) → the ICMPv4 checksums that such echo requests were sent with."""


@dataclass(slots=True)
class Tally:
    """Packets that were counted and never taken for a reply."""

    strangers: int = 0
    duplicates: int = 0
    late: int = 0
    malformed: int = 0


class Settler:
    """Settles echoes of one engine: every echo once, each packet for one echo at most."""

    def __init__(self, flight: Flight, cookie: Cookie) -> None:
        self.tally = Tally()
        self.table = TargetTable()
        self._flight = flight
        self._cookie = cookie

    def replies(self, replies: Replies, identifier: int, wall_offset_us: int) -> Positions:
        """Settle what these replies answer; `wall_offset_us` is the wall clock's at this moment."""
        messages = replies.messages
        self.tally.malformed += int(np.count_nonzero(~messages.sound))
        ours = messages.sound & (messages.identifier == identifier)
        ours &= messages.proof == self._cookie.proof(messages.serial)
        positions = self._flight.positions(messages.serial)
        known = np.flatnonzero(ours & (positions >= 0))
        gone = self._flight.columns.target[positions[known]] < 0
        # Ours, but the echo is no longer remembered or its target was removed.
        past = int(np.count_nonzero(ours & (positions == -1))) + int(np.count_nonzero(gone))
        self.tally.late += past
        known = known[self._are_from(positions[known], replies.source[known])]
        self.tally.strangers += int(np.count_nonzero(messages.sound)) - past - len(known)
        known = known[self._first_answers(positions[known])]
        return self._answer(positions[known], replies.wall_ns[known], wall_offset_us)

    def quotes(
        self, quotes: Quotes, identifier: int, checksums: Checksums, now_us: int
    ) -> Positions:
        """Settle the echoes that these ICMP errors quote, and no others."""
        messages = quotes.messages
        mine = messages.identifier == identifier
        positions = np.full(len(mine), -1, np.int64)
        proven = messages.sound & mine
        proven &= messages.proof == self._cookie.proof(messages.serial)
        positions[proven] = self._flight.positions(messages.serial[proven])
        short = np.flatnonzero(quotes.short & mine)
        if len(short):
            positions[short] = self._by_sequence(
                messages.sequence[short],
                quotes.checksum[short],
                quotes.destination[short],
                checksums,
            )
        found = np.flatnonzero(positions >= 0)
        found = found[self._are_from(positions[found], quotes.destination[found])]
        self.tally.strangers += int(np.count_nonzero(mine)) - len(found)
        positions, first = np.unique(positions[found], return_index=True)
        awaited = self._flight.columns.stage[positions] == Stage.AWAITED
        positions, found = positions[awaited], found[first[awaited]]
        self._flight.settle(positions, Outcome.SILENT)
        self._blame(positions, quotes.error[found], quotes.offender[found], now_us)
        return np.asarray(positions, np.int64)

    def faults(self, positions: Positions, errors: NDArray[np.int8], now_us: int) -> None:
        """Settle echoes that could not be sent."""
        self._flight.settle(positions, Outcome.FAULT)
        self._blame(positions, errors, np.zeros((len(positions), 16), np.uint8), now_us)

    def _are_from(self, positions: Positions, addresses: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell which of these echoes went to a target that is still there, at this address."""
        target = self._flight.columns.target[positions]
        there = target >= 0
        there[there] = (self.table.address[target[there]] == addresses[there]).all(axis=1)
        return there

    def _first_answers(self, positions: Positions) -> NDArray[np.int64]:
        """Return which of these replies are the first to an echo still awaited; count the rest."""
        columns = self._flight.columns
        unique, first = np.unique(positions, return_index=True)
        self.tally.duplicates += len(positions) - len(unique)
        awaited = columns.stage[unique] == Stage.AWAITED
        again = columns.outcome[unique[~awaited]] == Outcome.REPLIED
        self.tally.duplicates += int(np.count_nonzero(again))
        self.tally.late += int(np.count_nonzero(~again))
        return np.asarray(first[awaited], np.int64)

    def _answer(
        self, positions: Positions, wall_ns: NDArray[np.int64], wall_offset_us: int
    ) -> Positions:
        columns = self._flight.columns
        sent_us, offset_us = columns.sent_us[positions], columns.wall_offset_us[positions]
        rtt_ns = wall_ns - (sent_us + offset_us) * 1000
        bent = (np.abs(offset_us - wall_offset_us) > CLOCK_STEP_US) | (wall_ns == 0)
        rtt_seconds = np.where(bent, np.nan, np.maximum(rtt_ns, 0) * 1e-9)
        # Judged by when the kernel had it, not by when we looked.
        timeout_us = columns.deadline_us[positions] - sent_us
        in_time = bent | (rtt_ns <= timeout_us * 1000)
        self.tally.late += int(np.count_nonzero(~in_time))
        positions = positions[in_time]
        self._flight.settle(positions, Outcome.REPLIED)
        columns.rtt_seconds[positions] = rtt_seconds[in_time]
        return positions

    def _by_sequence(
        self,
        sequence: NDArray[np.uint16],
        quoted: NDArray[np.uint16],
        destination: NDArray[np.uint8],
        checksums: Checksums,
    ) -> Positions:
        """Return the position of each echo whose first 8 bytes are quoted; -1: there is none.

        Sequence numbers come round every 65,536 echoes: destination and checksum decide.
        """
        flight = self._flight
        result = np.full(len(sequence), -1, np.int64)
        age = (flight.next_serial - 1 - sequence.astype(np.int64)) % _SEQUENCES
        position = flight.end - 1 - age
        left = np.arange(len(sequence))
        while len(left := left[position[left] >= flight.start]):
            here = self._are_from(position[left], destination[left])
            serials = flight.serials(position[left[here]])
            targets = flight.columns.target[position[left[here]]]
            sent = checksums(targets, serials, self._cookie.proof(serials))
            here[here] = sent == quoted[left[here]]
            result[left[here]] = position[left[here]]
            left = left[~here]
            position -= _SEQUENCES
        return result

    def _blame(
        self,
        positions: Positions,
        errors: NDArray[np.int8],
        offenders: NDArray[np.uint8],
        now_us: int,
    ) -> None:
        columns = self._flight.columns
        target = columns.target[positions]
        columns.error[positions] = errors
        four = self.table.family[target] == IPV4
        number = np.ascontiguousarray(offenders[:, 12:]).view(">u4")[:, 0].astype(np.uint64)
        columns.offender[positions] = np.where(four, number, 0)
        self.table.report(target, errors, offenders, self._flight.serials(positions), now_us)


def fault_codes(numbers: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return the error code of each errno."""
    return np.fromiter((fault_code(int(number)) for number in numbers), np.int8, len(numbers))
