"""A snapshot as people look at it: agencies with their links, and what is down behind what."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.judge.groups import Group, together
from netmon.model import (
    STATES,
    Agency,
    Inventory,
    IPAddress,
    Link,
    LinkKey,
    MaintenanceWindow,
    Outage,
    Role,
    RouterReading,
    State,
)
from netmon.state import Snapshot

if TYPE_CHECKING:
    from netmon.judge.columns import JudgementColumns

BEST_FIRST: tuple[State, ...] = (
    State.UP,
    State.DEGRADED,
    State.MAINTENANCE,
    State.UNKNOWN,
    State.UNOBSERVED,
    State.UNREACHABLE,
    State.DOWN,
)
"""An agency is as well off as the best of its links."""
_IPV6 = 6
_REACHABLE = frozenset({State.UP, State.DEGRADED})


@dataclass(frozen=True, slots=True)
class EchoStatus:
    """How the last echoes to one address of a link went; None: not measured, or no reply."""

    address: IPAddress
    rtt_seconds: float | None
    last_reply_us: int | None
    jitter_seconds: float | None
    silent_since_us: int | None = None
    """Since when it does not answer while the link's other family does."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One link at present."""

    link: Link
    state: State
    health: State
    since_us: int | None
    loss_ratio: float | None
    flapping: bool
    echoes: tuple[EchoStatus, ...]
    outage: Outage | None
    """The outage that is open."""


@dataclass(frozen=True, slots=True)
class AgencyStatus:
    """One agency at present."""

    agency: Agency
    state: State
    links: tuple[LinkStatus, ...]
    reading: RouterReading | None

    @property
    def reachable(self) -> bool:
        """Whether any link carries traffic; else a silent router says nothing new."""
        return any(each.state in _REACHABLE for each in self.links)

    @property
    def on_backup(self) -> bool:
        """Whether no primary link carries traffic and a backup does."""
        carrying = {each.link.role for each in self.links if each.state in _REACHABLE}
        return carrying == {Role.BACKUP} and any(
            each.link.role is Role.PRIMARY for each in self.links
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """An agency with links that are down, and the agencies nobody can see behind it."""

    agency: AgencyStatus
    links: tuple[LinkStatus, ...]
    behind: tuple[AgencyStatus, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The whole network at one instant."""

    snapshot: Snapshot
    agencies: Mapping[str, AgencyStatus]
    counts: Mapping[State, int]
    """Links by state, every state named."""
    failures: tuple[Failure, ...]
    """Those that cut off most first, then the latest."""
    degraded: tuple[LinkStatus, ...]
    windows: tuple[MaintenanceWindow, ...]
    """Planned work that goes on."""
    together: Mapping[tuple[LinkKey, int], Group]
    """Outages, by link and start, that struck several links of one carrier in one area at once."""

    @property
    def blind(self) -> int:
        """Of how many links nothing is known."""
        return self.counts[State.UNKNOWN] + self.counts[State.UNOBSERVED]

    @property
    def observed(self) -> bool:
        """Whether anything is known of any link: only then is silence good news."""
        return self.blind < sum(self.counts.values())


def status(snapshot: Snapshot) -> Status:
    """Look at a snapshot as people do."""
    links = _links(snapshot)
    agencies = {
        agency.id: _agency(agency, links, snapshot.readings.get(agency.id))
        for agency in snapshot.inventory.agencies.values()
    }
    counted = Counter(each.state for each in links.values())
    return Status(
        snapshot,
        agencies,
        {state: counted[state] for state in STATES},
        tuple(_failures(agencies)),
        tuple(each for each in links.values() if each.state is State.DEGRADED),
        tuple(
            window
            for window in snapshot.inventory.maintenance
            if window.start_us <= snapshot.at_us < window.end_us
        ),
        together((*snapshot.open_outages, *snapshot.recent_outages), snapshot.inventory),
    )


def _agency(
    agency: Agency, links: Mapping[LinkKey, LinkStatus], reading: RouterReading | None
) -> AgencyStatus:
    own = tuple(links[link.key] for link in agency.links)
    state = min((each.state for each in own), key=BEST_FIRST.index, default=State.UNKNOWN)
    return AgencyStatus(agency, state, own, reading)


def _failures(agencies: Mapping[str, AgencyStatus]) -> Iterator[Failure]:
    behind: dict[str, list[AgencyStatus]] = {}
    for each in agencies.values():
        if each.state is State.UNREACHABLE:
            behind.setdefault(_culprit(each, agencies), []).append(each)
    found = []
    for each in agencies.values():
        down = tuple(link for link in each.links if link.state is State.DOWN)
        if down or each.agency.id in behind:
            found.append(Failure(each, down, tuple(behind.get(each.agency.id, ()))))
    return iter(sorted(found, key=_weight))


def _culprit(each: AgencyStatus, agencies: Mapping[str, AgencyStatus]) -> str:
    """Return the nearest agency above that is not itself unreachable, or the topmost."""
    agency = each.agency
    while agency.parent is not None and agencies[agency.id].state is State.UNREACHABLE:
        agency = agencies[agency.parent].agency
    return agency.id


def _weight(failure: Failure) -> tuple[int, int]:
    links = failure.links or failure.agency.links
    began = max(
        (each.outage.start_us if each.outage else each.since_us or 0 for each in links), default=0
    )
    return -len(failure.behind), -began


def _links(snapshot: Snapshot) -> dict[LinkKey, LinkStatus]:
    judged, inventory = snapshot.judgement, snapshot.inventory
    outages = {outage.key: outage for outage in snapshot.open_outages}
    echoes = _echoes(snapshot, inventory)
    return {
        key: _link(inventory.links[key], row, judged, echoes[row], outages.get(key))
        for row, key in enumerate(snapshot.keys)
    }


def _link(
    link: Link,
    row: int,
    judged: JudgementColumns,
    echoes: Sequence[EchoStatus],
    outage: Outage | None,
) -> LinkStatus:
    loss = float(judged.loss_ratio[row])
    return LinkStatus(
        link,
        STATES[judged.state[row]],
        STATES[judged.health[row]],
        int(judged.since_us[row]) or None,
        None if math.isnan(loss) else loss,
        bool(judged.flapping[row]),
        tuple(echoes),
        outage,
    )


def _echoes(snapshot: Snapshot, inventory: Inventory) -> list[list[EchoStatus]]:
    found: list[list[EchoStatus]] = [[] for _ in snapshot.keys]
    columns = snapshot.echo
    silent_us = snapshot.judgement.silent_family_us
    for row, family, rtt, jitter, last in zip(
        columns.row.tolist(),
        columns.family.tolist(),
        columns.last_rtt_seconds.tolist(),
        columns.jitter_seconds.tolist(),
        columns.last_reply_us.tolist(),
        strict=True,
    ):
        for address in inventory.links[snapshot.keys[row]].addresses:
            if address.version == family:
                since_us = int(silent_us[row, int(family == _IPV6)]) or None
                echo = EchoStatus(address, _known(rtt), last or None, _known(jitter), since_us)
                found[row].append(echo)
    return found


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else figure
