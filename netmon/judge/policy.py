"""What the operator decides about judging; everything else follows from the samples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NewLinks(StrEnum):
    """How a link is judged of which nobody knows yet how it loses echoes."""

    CAREFUL = "careful"
    """As one that may be bursty, until half a day shows that it is not: slowly at first."""
    SWIFT = "swift"
    """As one that is not bursty, until it shows that it is: with false outages if it is."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How evidence becomes a decision."""

    false_alarms_per_link_year: float = 1.0
    """How many false outages of one link an operator accepts in a year."""
    burst_packets_per_second: float = 5.0
    """Budget of confirming echoes for one link that has just lost one."""
    faults_until_unobserved: int = 3
    """So many of our own send faults in a row make a link unobserved."""
    loss_window_echoes: int = 60
    """Over how many echoes loss is judged for `degraded`."""
    new_links: NewLinks = NewLinks.CAREFUL
    recovery_grace_seconds: float = 10.0
    """A link that answers within this time after its parent is back was never down by itself."""
