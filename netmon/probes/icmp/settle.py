"""Which echo a reply or an ICMP error belongs to, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.model import Outcome
from netmon.probes.icmp.flight import Flight, Positions, Stage
from netmon.probes.icmp.packet import IPV4, Cookie, Messages
from netmon.probes.icmp.reasons import fault_code
from netmon.probes.icmp.targets import TargetTable

if TYPE_CHECKING:
    from netmon.probes.icmp.receive import Addresses, Quotes, Replies

CLOCK_STEP_US = 200
"""The wall clock runs beside the time line to within the noise of reading both; more is a step."""
UNKNOWN_OFFSET_US = -(1 << 60)
"""Stands for the wall clock's offset where the send time is too unsure to measure an RTT from."""
_SEQUENCES = 1 << 16

Checksums = Callable[
    [NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint64]], NDArray[np.uint64]
]
"""(targets, serials, proofs) → the ICMPv4 checksums that such echo requests were sent with."""

_ABSURD_NS = 300_000_000_000
"""No echo is remembered for so long: a stamp so far off was made by another clock than ours."""


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
        positions = self._flight.positions(messages.serial)
        wanted = messages.sound & (messages.identifier == identifier)
        known = np.flatnonzero(wanted & (positions < self._flight.end))
        where = positions[known].astype(np.int64)
        proven = messages.proof[known] == self._flight.columns.proof[where]
        proven &= self._are_from(where, replies.source[known])
        if np.count_nonzero(proven) < len(messages.sound):
            known, where = known[proven], where[proven]
            self._count_others(messages, wanted, known)
        first = self._first_answers(where)
        return self._answer(where[first], replies.wall_ns[known[first]], wall_offset_us)

    def quotes(
        self, quotes: Quotes, identifier: int, checksums: Checksums, now_us: int
    ) -> Positions:
        """Settle the echoes that these ICMP errors quote, and no others."""
        messages = quotes.messages
        mine = messages.identifier == identifier
        where = np.full(len(mine), -1, np.int64)
        proven = messages.sound & mine
        proven &= messages.proof == self._cookie.proof(messages.serial)
        positions = self._flight.positions(messages.serial)
        proven &= positions < self._flight.end
        where[proven] = positions[proven]
        short = np.flatnonzero(quotes.short & mine)
        if len(short):
            where[short] = self._by_sequence(quotes, short, checksums)
        found = np.flatnonzero(where >= 0)
        found = found[self._are_from(where[found], quotes.destination[found])]
        self.tally.strangers += int(np.count_nonzero(mine)) - len(found)
        found = found[np.argsort(where[found], kind="stable")]
        fresh = self._flight.columns.stage[where[found]] == Stage.AWAITED
        fresh[1:] &= where[found[1:]] != where[found[:-1]]
        found = found[fresh]
        self._flight.settle(where[found], Outcome.SILENT)
        self._blame(where[found], quotes.error[found], quotes.offender[found], now_us)
        return np.asarray(where[found], np.int64)

    def faults(self, positions: Positions, errors: NDArray[np.int8], now_us: int) -> None:
        """Settle echoes that could not be sent."""
        self._flight.settle(positions, Outcome.FAULT)
        self._blame(positions, errors, np.zeros((len(positions), 2), np.uint64), now_us)

    def _are_from(self, positions: Positions, addresses: Addresses) -> NDArray[np.bool_]:
        """Tell which of these echoes went to a target that is still there, at this address."""
        target = self._flight.columns.target[positions]
        if not len(self.table):
            return np.zeros(len(positions), np.bool_)
        same = self.table.address[target] == addresses
        return np.asarray(same[:, 0] & same[:, 1] & (target >= 0), np.bool_)

    def _count_others(
        self, messages: Messages, wanted: NDArray[np.bool_], known: NDArray[np.int64]
    ) -> None:
        """Count what answers no echo that we remember, by what it is."""
        other = np.ones(len(messages.sound), np.bool_)
        other[known] = False
        self.tally.malformed += int(np.count_nonzero(~messages.sound))
        # Ours, but its echo is no longer remembered, or its target was removed.
        late = other & wanted & (messages.proof == self._cookie.proof(messages.serial))
        late &= messages.serial < self._flight.next_serial
        positions = self._flight.positions(messages.serial)
        inside = np.flatnonzero(late & (positions < self._flight.end))
        targets = self._flight.columns.target[positions[inside].astype(np.int64)]
        late[inside[targets >= 0]] = False
        self.tally.late += int(np.count_nonzero(late))
        self.tally.strangers += int(np.count_nonzero(other & messages.sound & ~late))

    def _first_answers(self, positions: Positions) -> NDArray[np.int64]:
        """Return which of these replies are the first to an echo still awaited; count the rest."""
        columns = self._flight.columns
        order = np.argsort(positions, kind="stable")
        ordered = positions[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = ordered[1:] != ordered[:-1]
        fresh = first & (columns.stage[ordered] == Stage.AWAITED)
        if not fresh.all():
            again = ~fresh & (~first | (columns.outcome[ordered] == Outcome.REPLIED))
            self.tally.duplicates += int(np.count_nonzero(again))
            self.tally.late += int(np.count_nonzero(~fresh & ~again))
            order = order[fresh]
        return np.asarray(order, np.int64)

    def _answer(
        self, positions: Positions, wall_ns: NDArray[np.int64], wall_offset_us: int
    ) -> Positions:
        columns = self._flight.columns
        sent_us, offset_us = columns.sent_us[positions], columns.wall_offset_us[positions]
        rtt_ns = wall_ns - (sent_us + offset_us) * 1000
        bent = (np.abs(offset_us - wall_offset_us) > CLOCK_STEP_US) | (wall_ns == 0)
        bent |= np.abs(rtt_ns) > _ABSURD_NS
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
        self, quotes: Quotes, short: NDArray[np.int64], checksums: Checksums
    ) -> Positions:
        """Return the position of each echo whose first 8 bytes are quoted; -1: there is none.

        Sequence numbers come round every 65,536 echoes: destination and checksum decide.
        """
        flight = self._flight
        result = np.full(len(short), -1, np.int64)
        sequence = quotes.messages.sequence[short].astype(np.int64)
        position = flight.end - 1 - (flight.next_serial - 1 - sequence) % _SEQUENCES
        left = np.arange(len(short))
        while len(left := left[position[left] >= flight.start]):
            here = self._are_from(position[left], quotes.destination[short[left]])
            where = position[left[here]]
            serials = flight.serials(where)
            sent = checksums(flight.columns.target[where], serials, self._cookie.proof(serials))
            here[here] = sent == quotes.messages.checksum[short[left[here]]]
            result[left[here]] = position[left[here]]
            left = left[~here]
            position -= _SEQUENCES
        return result

    def _blame(
        self,
        positions: Positions,
        errors: NDArray[np.int8],
        offenders: Addresses,
        now_us: int,
    ) -> None:
        columns = self._flight.columns
        target = columns.target[positions]
        columns.error[positions] = errors
        four = self.table.family[target] == IPV4
        number = offenders.view(">u4")[:, 3].astype(np.uint64)
        columns.offender[positions] = np.where(four, number, 0)
        self.table.report(target, errors, offenders, self._flight.serials(positions), now_us)


def fault_codes(numbers: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return the error code of each errno."""
    return np.fromiter((fault_code(int(number)) for number in numbers), np.int8, len(numbers))
