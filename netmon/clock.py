"""Time, injected: monotonic time decides, wall time labels.

The only module that may ask the operating system for the time. Instants are integers of
microseconds since the Unix epoch (`…_us`), so that sums of seconds are exact.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """The two clocks of a machine."""

    def monotonic_us(self) -> int:
        """Microseconds that never step and never go back; the origin means nothing."""
        ...

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch as the machine believes them; may step."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def monotonic_us(self) -> int:
        """Read CLOCK_MONOTONIC, the clock of asyncio's loop."""
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        """Read CLOCK_REALTIME."""
        return time.time_ns() // 1000


class Timeline:
    """The time line on which netmon keeps its accounts: anchored once, never stepping.

    At start it is laid beside the wall clock and from then on it follows monotonic time only. A
    wall clock that is set an hour forward or back moves `wall_offset_us`, and not one second of
    the account. `not_before_us` is the last instant that the ledger knows: a wall clock that was
    set back while netmon was stopped must not make the account overlap itself.
    """

    def __init__(self, clock: Clock, not_before_us: int = 0) -> None:
        self._clock = clock
        self._anchor_monotonic_us = clock.monotonic_us()
        self._anchor_us = max(clock.wall_us(), not_before_us)

    def now_us(self) -> int:
        """Return the present instant in microseconds since the Unix epoch."""
        return self.at_monotonic_us(self._clock.monotonic_us())

    def at_monotonic_us(self, monotonic_us: int) -> int:
        """Return the instant of a monotonic reading."""
        return self._anchor_us + monotonic_us - self._anchor_monotonic_us

    def monotonic_us(self) -> int:
        """Return the monotonic clock's reading, for pacing."""
        return self._clock.monotonic_us()

    def wall_offset_us(self) -> int:
        """Return how far the wall clock is ahead of this time line (negative: behind)."""
        return self._clock.wall_us() - self.now_us()


def utc(at_us: int) -> datetime:
    """Return an instant as an aware UTC datetime."""
    seconds, microseconds = divmod(at_us, MICROSECONDS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


def from_datetime(at: datetime) -> int:
    """Return an aware datetime as microseconds since the Unix epoch.

    Raises:
        ValueError: `at` is naive; a time without a zone is a guess.
    """
    if at.tzinfo is None:
        message = f"{at.isoformat()} has no zone: give one, for example +07:00"
        raise ValueError(message)
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS + delta.microseconds
