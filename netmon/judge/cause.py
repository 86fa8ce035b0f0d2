"""Why a link was down, told by the router itself once it answers again.

The first good poll after an outage says whether the router ran on (sysUpTime, RFC 3418;
snmpEngineBoots, RFC 3411) and when its uplink last changed state (ifLastChange, RFC 2863). An
agent that restarted is no router that restarted: interface counters run on through it. Wrong is
worse than unknown: where the evidence has a second reading, the cause is unknown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from netmon.model import (
    Cause,
    Event,
    Evidence,
    InterfaceReading,
    LinkKey,
    OutageNote,
    RouterReading,
    SnmpStatus,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

TICKS_WRAP_SECONDS = 2**32 / 100
"""TimeTicks count hundredths in 32 bits: sysUpTime starts anew after 497 days."""

_SLACK_US = 5_000_000
_AGENT_START_US = 120_000_000
"""An agent may start so much later than the router begins to answer echoes."""
_DRIFT_SECONDS = 5.0
_DRIFT_RATIO = 0.001
_MOST_WAITING = 32
_PATIENCE_US = 300_000_000
"""So long after an outage a poll that lacks the interfaces is not taken for the last word."""


class Ended(NamedTuple):
    """An outage that is over and whose cause is not known yet."""

    key: LinkKey
    reply_us: int
    """The last replied echo before it."""
    start_us: int
    end_us: int
    owns_uplink: bool
    """Whether the router's uplink is this link's end: it is the primary, or the only one."""
    evidence: Evidence = Evidence()
    before: RouterReading | None = None
    """The last good poll before it."""


class Verdict(NamedTuple):
    """A cause, and what speaks for it."""

    cause: Cause
    text: str


@dataclass(slots=True)
class Verdicts:
    """Outages that wait for their router's first good poll, and the polls before them."""

    _waiting: dict[str, list[Ended]] = field(default_factory=dict)
    _latest: dict[str, tuple[RouterReading, ...]] = field(default_factory=dict)
    """The last two good polls of each agency: one may fall between a first lost echo and the
    decision."""
    _stored_us: dict[str, int] = field(default_factory=dict)
    """When the poll was made that the ledger knows of each agency."""
    _before: dict[LinkKey, RouterReading] = field(default_factory=dict)
    """The last good poll before a link's present outage: later ones may have come another way."""

    def begin(self, key: LinkKey, start_us: int) -> None:
        """Remember what the router last said before an outage."""
        for reading in self._latest.get(key.agency, ()):
            if reading.at_us <= start_us:
                self._before[key] = reading

    def recall(self, readings: Mapping[str, RouterReading]) -> None:
        """Take up what routers said before netmon was restarted."""
        for agency, reading in readings.items():
            self._latest.setdefault(agency, (reading,))
            self._stored_us[agency] = reading.at_us

    def news(self, at_least_us: int, most: int | None = None) -> dict[str, RouterReading]:
        """Return at most so many polls that are so much newer than those returned before."""
        witnesses = {agency: readings[-1] for agency, readings in self._latest.items()}
        witnesses |= {key.agency: reading for key, reading in self._before.items()}
        newer = (
            (agency, reading)
            for agency, reading in witnesses.items()
            if reading.at_us - self._stored_us.get(agency, -at_least_us) >= at_least_us
        )
        found = dict(islice(newer, most))
        self._stored_us |= {agency: reading.at_us for agency, reading in found.items()}
        return found

    def keep(self, agencies: Container[str]) -> None:
        """Forget the routers of agencies that are gone."""
        self._latest = {name: seen for name, seen in self._latest.items() if name in agencies}
        self._stored_us = {name: at for name, at in self._stored_us.items() if name in agencies}

    def await_reading(self, ended: Ended) -> None:
        """Remember an outage that is over."""
        waiting = self._waiting.setdefault(ended.key.agency, [])
        waiting.append(ended._replace(before=self._before.pop(ended.key, None)))
        del waiting[:-_MOST_WAITING]

    def read(self, reading: RouterReading, previous: RouterReading | None) -> list[Event]:
        """Tell the causes that a poll reveals."""
        if not is_good(reading):
            return []
        self._latest[reading.agency] = (*self._latest.get(reading.agency, ())[-1:], reading)
        waiting = self._waiting.get(reading.agency, [])
        waiting = [ended._replace(before=ended.before or previous) for ended in waiting]
        over = [ended for ended in waiting if _tells(reading, ended)]
        self._keep(reading.agency, [ended for ended in waiting if ended not in over])
        notes: list[Event] = []
        for ended in over:
            cause, text = cause_of(ended, reading, ended.before)
            notes.append(OutageNote(ended.key, ended.start_us, reading.at_us, cause, text=text))
        return notes

    def take_back(self, events: Iterable[Event]) -> None:
        """Ask no router about outages that their parents explain."""
        for event in events:
            if isinstance(event, OutageNote):
                waiting = self._waiting.get(event.key.agency, [])
                name = (event.key, event.start_us)
                self._keep(event.key.agency, [e for e in waiting if (e.key, e.start_us) != name])

    def drop(self, key: LinkKey) -> None:
        """Forget a link that is gone."""
        self._before.pop(key, None)
        waiting = self._waiting.get(key.agency, [])
        self._keep(key.agency, [ended for ended in waiting if ended.key != key])

    def _keep(self, agency: str, waiting: list[Ended]) -> None:
        if waiting:
            self._waiting[agency] = waiting
        else:
            self._waiting.pop(agency, None)


def is_good(reading: RouterReading) -> bool:
    """Tell whether a poll says how long the router has been running."""
    answered = reading.status in (SnmpStatus.OK, SnmpStatus.PARTIAL)
    return answered and reading.uptime_seconds is not None


def _tells(reading: RouterReading, ended: Ended) -> bool:
    """Tell whether a poll is late enough for an outage, and complete enough for its cause.

    A router that has just begun again may answer before its interfaces are found again: a later
    poll tells more.
    """
    if reading.at_us < ended.end_us:
        return False
    if ended.before is None or reading.at_us > ended.end_us + _PATIENCE_US:
        return True
    known = {interface.name for interface in ended.before.interfaces}
    return not known or not known.isdisjoint(each.name for each in reading.interfaces)


def cause_of(ended: Ended, reading: RouterReading, previous: RouterReading | None) -> Verdict:
    """Return the cause of an outage by the first good poll after it.

    `previous` is the last good poll before the outage; another one says nothing.
    """
    usable = previous is not None and is_good(previous) and previous.at_us <= ended.start_us
    cause, text = _by_router(ended, reading, previous if usable else None)
    if ended.evidence.error is not None:
        text = f"{text}; during the outage {ended.evidence.text}"
    return Verdict(cause, text)


def _by_router(ended: Ended, reading: RouterReading, previous: RouterReading | None) -> Verdict:
    uptime_seconds = reading.uptime_seconds or 0.0
    known = previous if previous is not None and is_good(previous) else None
    if known is None or not ran_on(known, reading):
        boot_us = reading.at_us - round(uptime_seconds * 1_000_000)
        if boot_us >= ended.reply_us - _SLACK_US:
            return _by_restart(ended, reading, known, boot_us)
    return _by_uplink(ended, reading, known)


def ran_on(previous: RouterReading, reading: RouterReading) -> bool:
    """Tell whether sysUpTime went on between two good polls, over its wrap if need be."""
    elapsed_seconds = (reading.at_us - previous.at_us) / 1_000_000
    expected_seconds = (previous.uptime_seconds or 0.0) + elapsed_seconds
    uptime_seconds = reading.uptime_seconds or 0.0
    drift_seconds = _DRIFT_SECONDS + _DRIFT_RATIO * elapsed_seconds
    if uptime_seconds >= expected_seconds - drift_seconds:
        return True
    wrapped_seconds = expected_seconds - TICKS_WRAP_SECONDS
    # A restart at the very time of the wrap shows in the counters, or in snmpEngineBoots.
    return (
        abs(uptime_seconds - wrapped_seconds) <= drift_seconds
        and _counters_ran_on(previous, reading) is not False
        and (previous.engine_boots or 0) == (reading.engine_boots or 0)
    )


def _by_restart(
    ended: Ended, reading: RouterReading, previous: RouterReading | None, boot_us: int
) -> Verdict:
    counters = _counters_ran_on(previous, reading) if previous is not None else None
    if counters is True:
        return Verdict(Cause.UNKNOWN, "the SNMP agent restarted, the router's counters ran on")
    if counters is None and not reading.host_uptime:
        # Its agent's clock alone began anew, and nothing says what its interfaces had counted.
        return Verdict(
            Cause.UNKNOWN, "the router or only its SNMP agent restarted: nobody can tell"
        )
    ahead_us = boot_us - ended.end_us
    if ahead_us <= _SLACK_US or (counters is False and ahead_us <= _AGENT_START_US):
        return Verdict(Cause.POWER, "the router restarted within the outage")
    return Verdict(Cause.UNKNOWN, "the router or its agent restarted after the outage")


def _counters_ran_on(previous: RouterReading, reading: RouterReading) -> bool | None:
    """Tell whether interface counters went on; None: nobody told."""
    before, now = _by_name(previous), _by_name(reading)
    pairs = [
        (before[name].receive_bytes, now[name].receive_bytes) for name in before.keys() & now.keys()
    ]
    known = [(old, new) for old, new in pairs if old and new is not None]
    if not known:
        return None
    return all(new >= old for old, new in known)


def _by_name(reading: RouterReading) -> dict[str, InterfaceReading]:
    """Return interfaces by name: a router that restarts may number them anew.

    A name that several bear is none of them: the counters of one are no word on the other's.
    """
    bearers = Counter(interface.name for interface in reading.interfaces)
    return {each.name: each for each in reading.interfaces if bearers[each.name] == 1}


def _by_uplink(ended: Ended, reading: RouterReading, previous: RouterReading | None) -> Verdict:
    uplink = _uplink(ended, reading)
    if uplink is None:
        return Verdict(Cause.UNKNOWN, "the router ran on; which uplink this link is, is unknown")
    if uplink.last_change_seconds is None or not _tells_changes(reading):
        return Verdict(Cause.UNKNOWN, "the router ran on; it does not tell when its uplink changed")
    never_moved = Verdict(Cause.BEYOND, f"the router ran on and {uplink.name} never changed")
    if previous is not None and _stands_still(uplink, previous):
        return never_moved
    changed_us = reading.at_us - round(_age_seconds(reading, uplink) * 1_000_000)
    if changed_us > ended.end_us + _SLACK_US:
        return Verdict(Cause.UNKNOWN, f"the router ran on; {uplink.name} changed again since")
    if changed_us >= min(ended.reply_us, ended.start_us) - _SLACK_US:
        return Verdict(Cause.CIRCUIT, f"the router ran on; {uplink.name} lost its carrier")
    return never_moved


def _stands_still(uplink: InterfaceReading, previous: RouterReading) -> bool:
    """Tell whether an interface has not changed since a poll before the outage.

    The value itself decides: after the wrap of sysUpTime it cannot be laid on the time line.
    """
    before = next((i for i in previous.interfaces if i.index == uplink.index), None)
    return before is not None and before.last_change_seconds == uplink.last_change_seconds


def _uplink(ended: Ended, reading: RouterReading) -> InterfaceReading | None:
    """Return the interface at the link's end: the one with its address, else the uplink."""
    for interface in reading.interfaces:
        if ended.key.link in interface.links:
            return interface
    if not ended.owns_uplink:
        return None
    return next((i for i in reading.interfaces if i.index == reading.uplink_index), None)


def _tells_changes(reading: RouterReading) -> bool:
    # Agents that do not keep ifLastChange answer 0 for every interface.
    return any(interface.last_change_seconds for interface in reading.interfaces)


def _age_seconds(reading: RouterReading, interface: InterfaceReading) -> float:
    age_seconds = (reading.uptime_seconds or 0.0) - (interface.last_change_seconds or 0.0)
    return age_seconds if age_seconds >= 0 else age_seconds + TICKS_WRAP_SECONDS
