"""Events as rows of the journal, and the chain of hashes that holds the rows together.

A row's hash covers its own content and the hash of the row before it (SHA-256, FIPS 180-4).
Whoever changes, removes or slips in a row must change every later hash; the newest one is worth
noting elsewhere, for example in the monthly report.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, assert_never

from netmon.model import (
    Cause,
    EchoError,
    Event,
    Evidence,
    Health,
    LinkKey,
    OutageEnd,
    OutageNote,
    OutageStart,
    Reclassification,
    State,
    Transition,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GENESIS = bytes(32)
"""The "hash before" of the first row."""


class Kind(StrEnum):
    """What a row of the journal says."""

    TRANSITION = "transition"
    OUTAGE_START = "outage_start"
    OUTAGE_END = "outage_end"
    OUTAGE_NOTE = "outage_note"
    RECLASSIFICATION = "reclassification"
    MAINTENANCE = "maintenance"
    """A window was added, or took another end."""
    FACT = "fact"
    CALENDAR = "calendar"
    """From here on this calendar splits seconds into business and other hours."""
    ANCHOR = "anchor"
    """Older rows were deleted; what they amounted to is in the table `anchor`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal without its number and hash."""

    kind: Kind
    start_us: int
    decided_us: int
    key: LinkKey | None = None
    end_us: int | None = None
    state: State | None = None
    health: Health | None = None
    content: str = "{}"
    """The rest, as one line of JSON that is hashed to the letter."""

    def hash_after(self, number: int, before: bytes) -> bytes:
        """Return the row's hash, given its number and the hash of the row before it."""
        agency, link = self.key or (None, None)
        text = _json(
            [
                number,
                self.kind,
                agency,
                link,
                self.start_us,
                self.end_us,
                self.decided_us,
                self.state,
                self.health,
                self.content,
            ]
        )
        return sha256(before + text.encode()).digest()


def to_entry(event: Event) -> Entry:
    """Return the row that says what the event says."""
    match event:
        case Transition():
            return Entry(
                Kind.TRANSITION,
                event.at_us,
                event.decided_us,
                event.key,
                state=event.after,
                health=event.health,
                content=_json({"before": event.before, **evidence_fields(event.evidence)}),
            )
        case OutageStart():
            content = _json(evidence_fields(event.evidence))
            return Entry(
                Kind.OUTAGE_START, event.start_us, event.decided_us, event.key, content=content
            )
        case OutageEnd():
            return Entry(Kind.OUTAGE_END, event.start_us, event.decided_us, event.key, event.end_us)
        case OutageNote():
            note = {"cause": event.cause, "path_end": event.path_end, "text": event.text}
            return Entry(
                Kind.OUTAGE_NOTE, event.start_us, event.noted_us, event.key, content=_json(note)
            )
        case Reclassification():
            return _reclassification_entry(event)
        case _:
            assert_never(event)


def to_event(entry: Entry) -> Event | None:
    """Return the event that the row says; None: the row is about no link's account."""
    if entry.key is None:
        return None
    read = _READERS.get(entry.kind)
    return None if read is None else read(entry, entry.key, json.loads(entry.content))


def evidence_fields(evidence: Evidence) -> dict[str, str | int]:
    """Return what the evidence holds, without what it does not."""
    fields: dict[str, str | int] = {}
    if evidence.text:
        fields["text"] = evidence.text
    if evidence.sent:
        fields |= {"sent": evidence.sent, "lost": evidence.lost}
    if evidence.error is not None:
        fields["error"] = evidence.error
    if evidence.offender is not None:
        fields["offender"] = str(evidence.offender)
    return fields


def to_evidence(fields: dict[str, Any]) -> Evidence:
    """Return the evidence that `evidence_fields` took apart."""
    return Evidence(
        text=fields.get("text", ""),
        sent=fields.get("sent", 0),
        lost=fields.get("lost", 0),
        error=EchoError(fields["error"]) if "error" in fields else None,
        offender=ip_address(fields["offender"]) if "offender" in fields else None,
    )


def _transition(entry: Entry, key: LinkKey, fields: dict[str, Any]) -> Transition:
    return Transition(
        key,
        entry.start_us,
        entry.decided_us,
        before=State(fields["before"]),
        after=State(entry.state or State.UNOBSERVED),
        health=Health(entry.health or Health.UNKNOWN),
        evidence=to_evidence(fields),
    )


def _reclassification_entry(event: Reclassification) -> Entry:
    fields = {"before": event.before, "author": event.author, "reason": event.reason}
    return Entry(
        Kind.RECLASSIFICATION,
        event.start_us,
        event.decided_us,
        event.key,
        event.end_us,
        state=event.after,
        content=_json(fields),
    )


def _reclassification(entry: Entry, key: LinkKey, fields: dict[str, Any]) -> Reclassification:
    return Reclassification(
        key,
        entry.start_us,
        entry.start_us if entry.end_us is None else entry.end_us,
        before=State(fields["before"]),
        after=State(entry.state or State.UNOBSERVED),
        decided_us=entry.decided_us,
        author=fields["author"],
        reason=fields["reason"],
    )


def _outage_start(entry: Entry, key: LinkKey, fields: dict[str, Any]) -> OutageStart:
    return OutageStart(key, entry.start_us, entry.decided_us, to_evidence(fields))


def _outage_end(entry: Entry, key: LinkKey, _: dict[str, Any]) -> OutageEnd:
    end_us = entry.start_us if entry.end_us is None else entry.end_us
    return OutageEnd(key, entry.start_us, end_us, entry.decided_us)


def _outage_note(entry: Entry, key: LinkKey, fields: dict[str, Any]) -> OutageNote:
    cause = Cause(fields["cause"]) if fields["cause"] else None
    return OutageNote(
        key, entry.start_us, entry.decided_us, cause, fields["path_end"], fields["text"]
    )


_READERS: Mapping[Kind, Callable[[Entry, LinkKey, dict[str, Any]], Event]] = MappingProxyType(
    {
        Kind.TRANSITION: _transition,
        Kind.OUTAGE_START: _outage_start,
        Kind.OUTAGE_END: _outage_end,
        Kind.OUTAGE_NOTE: _outage_note,
        Kind.RECLASSIFICATION: _reclassification,
    }
)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
