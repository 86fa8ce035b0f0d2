"""The columns that go into the judge and come out of it. Instants as in `netmon.model`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EchoBatch:
    """Echoes that were settled in one tick, one element per echo request.

    Elements of one link stand in the order in which its echoes were sent. Each echo is settled
    once: replied, silent past its time-out, reported on by a router, or never sent (a fault).
    """

    slot: NDArray[np.int32]
    """The link's slot (`netmon.state.Slots`)."""
    outcome: NDArray[np.int8]
    """`netmon.model.Outcome`."""
    sent_us: NDArray[np.int64]
    """When it was sent, or should have been."""
    settled_us: NDArray[np.int64]
    """When its outcome was known."""
    rtt_seconds: NDArray[np.float64]
    """NaN unless replied; NaN as well where the clock stepped in between."""
    error: NDArray[np.int8]
    """Index into ECHO_ERRORS, or NO_ERROR."""
    offender: NDArray[np.uint64]
    """The IPv4 address that reported `error`, as a number; 0: nobody, or an IPv6 address."""
    family: NDArray[np.int8]
    """Of the address that was asked: 4 or 6."""

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True, slots=True)
class JudgementColumns:
    """What the judge holds true, one element per link; codes are those of `netmon.model`."""

    state: NDArray[np.int8]
    """Index into STATES."""
    health: NDArray[np.int8]
    """Index into STATES as well: up, degraded, down or unknown."""
    since_us: NDArray[np.int64]
    """When `state` began; 0: not judged yet."""
    settled_us: NDArray[np.int64]
    """Up to here `state` is certain: no later decision will be dated back before it."""
    loss_ratio: NDArray[np.float64]
    """Over the policy's window; NaN: nothing was sent."""
    flapping: NDArray[np.bool_]
    silent_family_us: NDArray[np.int64]
    """[link, 2]: since when IPv4 or IPv6 does not answer while the other does; 0: not so."""
