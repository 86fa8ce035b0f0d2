"""Parents: when an agency was cut off, and which seconds of the links behind it that explains.

A parent went somewhere between its last replied echo and its first lost one. A link behind it
whose own outage began after that last reply is unreachable from its own first lost echo: parent
and child may be noticed in any order. It stays so until the parent is back and, where it answers
within the grace, until its own first reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netmon.judge.timeline import Span

FOREVER_US = 2**62


class Cut(NamedTuple):
    """A time during which every link of an agency was down."""

    reply_us: int
    """The last replied echo before it."""
    start_us: int
    end_us: int
    """The first reply after it; FOREVER_US: it goes on."""


@dataclass(slots=True)
class OutageRecord:
    """One outage of a link, as far as the judge must remember it."""

    reply_us: int
    start_us: int
    end_us: int | None = None
    upstream_noted: bool = False

    @property
    def cut(self) -> Cut:
        """The outage as a cut of its own link."""
        return Cut(self.reply_us, self.start_us, FOREVER_US if self.end_us is None else self.end_us)


def cuts(links: Sequence[Sequence[OutageRecord]]) -> list[Cut]:
    """Return when all links of an agency were down at once, given the outages of each."""
    per_link = [[record.cut for record in records] for records in links]
    return reduce(_intersect, per_link) if per_link else []


def upstream_spans(
    outages: Iterable[OutageRecord], parent: Sequence[Cut], silent_us: int, grace_us: int
) -> list[Span]:
    """Return the spans of a link's outages that its parent's cuts explain.

    `silent_us` is the link's last silent echo: it tells whether the grace after the parent's
    return has passed in silence.
    """
    merged = _merge(parent, grace_us)
    return [
        span
        for outage in outages
        for cut in merged
        if (span := _explained(outage, cut, silent_us, grace_us)) is not None
    ]


def _intersect(left: Sequence[Cut], right: Sequence[Cut]) -> list[Cut]:
    both = (
        Cut(max(a.reply_us, b.reply_us), max(a.start_us, b.start_us), min(a.end_us, b.end_us))
        for a in left
        for b in right
    )
    return sorted(cut for cut in both if cut.start_us < cut.end_us)


def _merge(parent: Sequence[Cut], grace_us: int) -> list[Cut]:
    """Join cuts between which the links behind had no fair chance to answer."""
    merged: list[Cut] = []
    for cut in sorted(parent):
        if merged and cut.start_us <= merged[-1].end_us + grace_us:
            merged[-1] = merged[-1]._replace(end_us=max(merged[-1].end_us, cut.end_us))
        else:
            merged.append(cut)
    return merged


def _explained(outage: OutageRecord, cut: Cut, silent_us: int, grace_us: int) -> Span | None:
    start_us = outage.start_us if outage.start_us > cut.reply_us else cut.start_us
    if start_us >= cut.end_us:
        return None
    if outage.end_us is not None and outage.end_us <= cut.start_us:
        # It answered while the parent had not yet lost an echo: the parent was still there.
        return None
    known_until_us = silent_us if outage.end_us is None else outage.end_us
    if cut.end_us != FOREVER_US and known_until_us > cut.end_us + grace_us:
        return start_us, cut.end_us
    return start_us, outage.end_us
