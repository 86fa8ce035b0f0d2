"""The targets' columns: where to send, and what came of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import numpy as np

from netmon.config.settings import EchoModule
from netmon.model import ECHO_ERRORS, NO_ERROR, IPAddress, LinkKey, Outcome
from netmon.probes.icmp.kernel import SOCKADDR_BYTES, address_of
from netmon.probes.icmp.packet import IPV4
from netmon.probes.icmp.reasons import ErrorReport
from netmon.probes.icmp.wheel import splay
from netmon.state import RTT_BUCKETS_SECONDS, EchoColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from netmon.judge.columns import EchoBatch
    from netmon.probes.icmp.receive import Addresses

_AF_INET, _AF_INET6 = 2, 10
_MICROSECONDS = 1_000_000
_JITTER_SMOOTHING = 16
_BOUNDS = np.array(RTT_BUCKETS_SECONDS)


@dataclass(frozen=True, slots=True)
class EchoTarget:
    """One address of a link, and how it is pinged."""

    key: LinkKey
    slot: int
    address: IPAddress
    module: EchoModule


def socket_addresses(families: NDArray[np.int8], addresses: Addresses) -> NDArray[np.uint8]:
    """Return rows of sockaddr_in and sockaddr_in6 for addresses."""
    names = np.zeros((len(families), SOCKADDR_BYTES), np.uint8)
    four = families == IPV4
    names[four, 0] = _AF_INET
    names[~four, 0] = _AF_INET6
    octets = addresses.view(np.uint8)
    names[four, 4:8] = octets[four, 12:]
    names[~four, 8:24] = octets[~four]
    return names


class TargetTable:
    """All targets as columns, in the order given; replaced as a whole, figures carried over."""

    def __init__(self, targets: Sequence[EchoTarget] = ()) -> None:
        count = len(targets)
        self.targets = tuple(targets)
        self.slot = np.fromiter((target.slot for target in targets), np.int32, count)
        self.family = np.fromiter((target.address.version for target in targets), np.int8, count)
        packed = b"".join(target.address.packed.rjust(16, b"\0") for target in targets)
        self.address = np.frombuffer(packed, np.uint64).reshape(count, 2)
        self.names = socket_addresses(self.family, self.address)
        self.name_pointers = np.asarray(
            address_of(self.names) + np.arange(count) * SOCKADDR_BYTES, np.uint64
        )
        self.splay = np.fromiter(
            (splay(target.key, target.address.version) for target in targets), np.int64, count
        )
        self.requests = np.zeros(count, np.int64)
        self.replies = np.zeros(count, np.int64)
        self.errors = np.zeros((count, len(ECHO_ERRORS)), np.int64)
        self.rtt_buckets = np.zeros((count, len(RTT_BUCKETS_SECONDS) + 1), np.int64)
        self.rtt_sum_seconds = np.zeros(count, np.float64)
        self.last_rtt_seconds = np.full(count, np.nan)
        self.rtt_before_seconds = np.full(count, np.nan)
        """Of the last reply that was measured, however many were lost since."""
        self.jitter_seconds = np.full(count, np.nan)
        self._turn = np.zeros(count, np.int64)
        self.last_reply_us = np.zeros(count, np.int64)
        self.last_error = np.full(count, NO_ERROR, np.int8)
        self.last_error_us = np.zeros(count, np.int64)
        self.last_error_serial = np.zeros(count, np.uint64)
        self.offender = np.zeros((count, 2), np.uint64)
        self.offender_family = np.zeros(count, np.int8)

    def __len__(self) -> int:
        return len(self.targets)

    def take_over(self, before: TargetTable) -> NDArray[np.int32]:
        """Carry the figures of unchanged targets over; return the new index of every old one."""
        index_of = {_identity(target): index for index, target in enumerate(before.targets)}
        old = np.fromiter(
            (self._old_index(target, index_of, before) for target in self.targets),
            np.int32,
            len(self),
        )
        kept = np.flatnonzero(old >= 0)
        for name in _FIGURES:
            getattr(self, name)[kept] = getattr(before, name)[old[kept]]
        new_index = np.full(len(before), -1, np.int32)
        new_index[old[kept]] = kept
        return new_index

    def record(
        self, batch: EchoBatch, target: NDArray[np.int32], serial: NDArray[np.uint64]
    ) -> None:
        """Add what was told to the figures; elements of one target in the order of sending."""
        replied = batch.outcome == Outcome.REPLIED
        answered = target if replied.all() else target[replied]
        np.add.at(self.requests, target[batch.outcome != Outcome.FAULT], 1)
        np.add.at(self.replies, answered, 1)
        self._record_rtt(target, replied, batch.rtt_seconds)
        self.last_reply_us[answered] = _reply_us(batch)[replied]
        # A reply refutes what was said of earlier echoes only.
        refuted = replied & (serial > self.last_error_serial[target])
        self.last_error[target[refuted]] = NO_ERROR
        failed = batch.error != NO_ERROR
        if failed.any():
            np.add.at(self.errors, (target[failed], batch.error[failed]), 1)

    def report(
        self,
        target: NDArray[np.int32],
        error: NDArray[np.int8],
        offender: Addresses,
        serial: NDArray[np.uint64],
        at_us: int,
    ) -> None:
        """Remember what was said of targets, and by whom; address 0: our own machine."""
        self.last_error[target] = error
        self.last_error_serial[target] = serial
        self.last_error_us[target] = at_us
        self.offender[target] = offender
        self.offender_family[target] = np.where(offender.any(axis=1), self.family[target], 0)

    def reports(self, slot: int) -> tuple[ErrorReport, ...]:
        """Return what was last said of a link's addresses and not refuted by a reply since."""
        found = np.flatnonzero((self.slot == slot) & (self.last_error != NO_ERROR))
        return tuple(self._report(int(index)) for index in found)

    def columns(self, row_of_slot: NDArray[np.int32]) -> EchoColumns:
        """Return a copy of the figures of all targets whose link has a row."""
        known = self.slot < len(row_of_slot)
        row = np.full(len(self), -1, np.int32)
        row[known] = row_of_slot[self.slot[known]]
        shown = row >= 0
        return EchoColumns(
            row[shown],
            self.family[shown],
            self.requests[shown],
            self.replies[shown],
            self.errors[shown],
            self.rtt_buckets[shown],
            self.rtt_sum_seconds[shown],
            self.last_rtt_seconds[shown],
            self.jitter_seconds[shown],
            self.last_reply_us[shown],
        )

    def _record_rtt(
        self,
        target: NDArray[np.int32],
        replied: NDArray[np.bool_],
        rtt_seconds: NDArray[np.float64],
    ) -> None:
        measured = rtt_seconds >= 0  # NaN is not
        if measured.all():
            self.last_rtt_seconds[target] = rtt_seconds
        else:
            # A reply whose RTT could not be measured leaves the last one standing.
            told = measured | ~replied
            self.last_rtt_seconds[target[told]] = rtt_seconds[told]
            target, rtt_seconds = target[measured], rtt_seconds[measured]
        cells = target * self.rtt_buckets.shape[1] + np.searchsorted(_BOUNDS, rtt_seconds)
        np.add.at(self.rtt_buckets.reshape(-1), cells, 1)
        np.add.at(self.rtt_sum_seconds, target, rtt_seconds)
        self._record_jitter(target, rtt_seconds)

    def _record_jitter(self, target: NDArray[np.int32], rtt_seconds: NDArray[np.float64]) -> None:
        """Smooth the change from reply to reply as RFC 3550 section 6.4.1 does, a 16th each.

        It begins with the first change rather than with 0, which would take a minute to leave.
        """
        while len(target):
            # Replies of one target follow one another: one of each at a time.
            turns = np.arange(len(target))
            self._turn[target[::-1]] = turns[::-1]
            first = self._turn[target] == turns
            one, now_seconds = target[first], rtt_seconds[first]
            change = np.abs(now_seconds - self.rtt_before_seconds[one])
            jitter = self.jitter_seconds[one]
            smoothed = jitter + (change - jitter) / _JITTER_SMOOTHING
            self.jitter_seconds[one] = np.where(np.isnan(jitter), change, smoothed)
            self.rtt_before_seconds[one] = now_seconds
            target, rtt_seconds = target[~first], rtt_seconds[~first]

    @staticmethod
    def _old_index(
        target: EchoTarget, index_of: dict[tuple[LinkKey, int, bytes], int], before: TargetTable
    ) -> int:
        # Taken out, so that a target that is given twice does not inherit twice.
        index = index_of.pop(_identity(target), -1)
        return index if index >= 0 and before.targets[index].module == target.module else -1

    def _report(self, index: int) -> ErrorReport:
        packed = self.offender[index].tobytes()
        match self.offender_family[index]:
            case 0:
                offender = None
            case 4:
                offender = ip_address(packed[12:])
            case _:
                offender = ip_address(packed)
        return ErrorReport(
            self.targets[index].address,
            ECHO_ERRORS[self.last_error[index]],
            offender,
            int(self.last_error_us[index]),
        )


def _reply_us(batch: EchoBatch) -> NDArray[np.int64]:
    """Return when each reply came; when it was settled, where its RTT is not known."""
    rtt_us = batch.rtt_seconds * _MICROSECONDS
    came_us = np.where(rtt_us >= 0, batch.sent_us + rtt_us, batch.settled_us)
    return came_us.astype(np.int64)


_FIGURES = (
    "requests",
    "replies",
    "errors",
    "rtt_buckets",
    "rtt_sum_seconds",
    "last_rtt_seconds",
    "rtt_before_seconds",
    "jitter_seconds",
    "last_reply_us",
    "last_error",
    "last_error_us",
    "last_error_serial",
    "offender",
    "offender_family",
)


def _identity(target: EchoTarget) -> tuple[LinkKey, int, bytes]:
    # 4 and 16 bytes differ in length: packed addresses of two families are never equal.
    return target.key, target.slot, target.address.packed
