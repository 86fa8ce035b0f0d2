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


class TrapRefusal(StrEnum):
    """Why a notification is not believed."""

    COMMUNITY = "community"
    """None of those that are listened to."""
    USER = "user"
    """No SNMPv3 user that is listened to."""
    LEVEL = "level"
    """Signed or encrypted otherwise than the user's credential says."""
    SECRET = "secret"  # noqa: S105  # the word, not one
    """The digest is wrong: another authentication password or protocol."""
    PRIVACY = "privacy"
    """Signed rightly, and not readable: another privacy password or protocol."""
    REPLAY = "replay"
    """From the past of its engine's clock."""


@dataclass(frozen=True, slots=True)
class RefusedTrap:
    """A notification that is not believed. `words` are for people and hold no secret."""

    reason: TrapRefusal
    source: IPAddress
    words: str


@dataclass(frozen=True, slots=True)
class Trap:
    """A trap or inform. `text` holds its variables, for people, without its community."""

    kind: TrapKind
    source: IPAddress
    at_monotonic_us: int
    text: str
    interface_index: int | None = None
    """ifIndex, where a linkDown or linkUp tells it."""
