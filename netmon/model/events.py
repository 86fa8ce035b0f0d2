"""Rare events: made only when something changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from netmon.model.words import Cause, EchoError, Health, IPAddress, LinkKey, State


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a transition; stored with it and shown to people."""

    text: str = ""
    """For example "10.0.3.1 reports host_unreachable"."""
    sent: int = 0
    lost: int = 0
    error: EchoError | None = None
    offender: IPAddress | None = None
    """Who said so."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A link's state changed. `at_us` is when it changed, `decided_us` when we could tell."""

    key: LinkKey
    at_us: int
    decided_us: int
    before: State
    after: State
    health: Health
    """The health underneath `after`, which an overlay may cover."""
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class OutageStart:
    """A link is down since `start_us`, the first lost echo. (key, start_us) names the outage."""

    key: LinkKey
    start_us: int
    decided_us: int
    evidence: Evidence = field(default=Evidence())


@dataclass(frozen=True, slots=True)
class OutageEnd:
    """The outage that began at `start_us` is over since `end_us`, the first reply."""

    key: LinkKey
    start_us: int
    end_us: int
    decided_us: int


@dataclass(frozen=True, slots=True)
class OutageNote:
    """Something learnt about an outage later: its cause, or where the path ended."""

    key: LinkKey
    start_us: int
    noted_us: int
    cause: Cause | None = None
    path_end: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reclassification:
    """Seconds already accounted for that belong to another class: an entry, never an edit."""

    key: LinkKey
    start_us: int
    end_us: int
    before: State
    after: State
    decided_us: int
    author: str
    reason: str


Event: TypeAlias = Transition | OutageStart | OutageEnd | OutageNote | Reclassification
"""What the judge decides and the ledger keeps, in the order decided."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage as the ledger tells it: from the first lost echo to the first reply.

    `end_us` None: it is not over.
    """

    key: LinkKey
    start_us: int
    end_us: int | None
    cause: Cause = Cause.UNKNOWN
    evidence: Evidence = field(default=Evidence())
    path_end: str = ""
    """The hop where the traced path ended."""
    note: str = ""
