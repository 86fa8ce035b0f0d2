"""A trap as a value: which of the kinds that say something about a link, and from whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netmon.model import IPAddress


class TrapKind(StrEnum):
    """The traps of RFC 3418 that say something about a link; all others are OTHER."""

    COLD_START = "coldStart"
    WARM_START = "warmStart"
    LINK_DOWN = "linkDown"
    LINK_UP = "linkUp"
    AUTHENTICATION_FAILURE = "authenticationFailure"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Trap:
    """A trap or inform. `text` holds its variables, for people, without its community."""

    kind: TrapKind
    source: IPAddress
    at_monotonic_us: int
    text: str
    interface_index: int | None = None
    """ifIndex, where a linkDown or linkUp tells it."""
