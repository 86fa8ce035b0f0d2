"""What is wrong with netmon itself, in words for the top of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.clock import MICROSECONDS, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netmon.state import Snapshot
    from netmon_exporters.words import Words

STALE_SECONDS = 15.0
_CLOCK_SECONDS = 5.0


def age_seconds(snapshot: Snapshot, clock: Clock) -> float:
    """Return how old a snapshot is, on the time line of the account."""
    now_us = clock.wall_us() - snapshot.daemon.wall_offset_us
    return max(0.0, (now_us - snapshot.at_us) / MICROSECONDS)


def troubles(snapshot: Snapshot, words: Words, clock: Clock) -> list[str]:
    """Return everything that makes the figures doubtful, worst first."""
    return list(_troubles(snapshot, words, age_seconds(snapshot, clock)))


def _troubles(snapshot: Snapshot, words: Words, age: float) -> Iterator[str]:
    daemon = snapshot.daemon
    if age > STALE_SECONDS:
        yield words.text("trouble.stale", age=words.duration(age))
    for canary in snapshot.inventory.canaries:
        if daemon.canaries.get(canary.id) is False:
            yield words.text("trouble.canary", name=canary.name, address=canary.address)
    if not daemon.ledger_writable:
        yield words.text("trouble.ledger", message=daemon.ledger_message)
    if not daemon.reload_successful:
        yield words.text("trouble.reload", message=daemon.reload_message)
    offset = daemon.wall_offset_us / MICROSECONDS
    if abs(offset) > _CLOCK_SECONDS:
        sign = "+" if offset > 0 else "−"
        yield words.text("trouble.clock", offset=sign + words.duration(abs(offset)))
