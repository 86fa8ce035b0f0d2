"""Metrics of what is not well, by name: few series while all is well, so that alerts are cheap.

An alert that picks the links that are down out of 20,000 states and joins their names from 20,000
facts costs Prometheus seconds in every interval. These are chosen and named here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from netmon.model import STATE_CODES, Agency, Inventory, LinkKey, State
from netmon_exporters.columns import Column, ColumnFamily, LazyRows
from netmon_exporters.exposition import Block, Family, Labels, Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from netmon.state import Snapshot

    Mask = NDArray[np.bool_]

_UP, _DEGRADED, _DOWN = (STATE_CODES[s] for s in (State.UP, State.DEGRADED, State.DOWN))
_OVERLAYS = (State.UNOBSERVED, State.UNKNOWN, State.MAINTENANCE, State.UNREACHABLE)
"""What may be true of a link that does not answer, beside down. Where links of an agency differ,
the first says what the agency's trouble is."""
_LINK_TROUBLES = ("down", "loss", "rtt", "flapping", *(each.value for each in _OVERLAYS))
_AGENCY_TROUBLES = ("down", *(each.value for each in _OVERLAYS))
_PLACE = ("name", "kind", "parent", "district")
_AGENCY = ("agency", *_PLACE, "provider", "provider_name")
_LINK = ("agency", "link", *_PLACE, "role", "provider", "provider_name", "circuit")


@dataclass(frozen=True, slots=True)
class TroubleRows:
    """A family, how many rows it has, and what makes the labels of one."""

    family: ColumnFamily
    count: int
    labels: Callable[[int], Labels]


def trouble_rows(snapshot: Snapshot) -> tuple[TroubleRows, ...]:
    """Return the rows of links and of agencies."""
    inventory, keys = snapshot.inventory, snapshot.keys
    agencies = tuple(inventory.agencies.values())
    return (
        TroubleRows(_LINK_FAMILY, len(keys), lambda row: _link_labels(inventory, keys[row])),
        TroubleRows(
            _AGENCY_FAMILY, len(agencies), lambda row: _agency_labels(inventory, agencies[row])
        ),
    )


def trouble_blocks(snapshot: Snapshot) -> list[tuple[ColumnFamily, Block]]:
    """Return the blocks of this generation. Labels are made when their series is there."""
    return [(rows.family, _block(rows)) for rows in trouble_rows(snapshot)]


def _block(rows: TroubleRows) -> Block:
    each = rows.family
    return Block(
        each.family, each.samples, each.row_labels, LazyRows(rows.labels, range(rows.count))
    )


# --- Labels ---------------------------------------------------------------------------------------


def _link_labels(inventory: Inventory, key: LinkKey) -> Labels:
    link = inventory.links[key]
    return {
        **_place(inventory.agencies[key.agency]),
        **_carrier(inventory, link.provider),
        "link": key.link,
        "role": link.role.value,
        "circuit": link.circuit or "",
    }


def _agency_labels(inventory: Inventory, agency: Agency) -> Labels:
    providers = {link.provider for link in agency.links}
    # Of several carriers none can be called.
    only = providers.pop() if len(providers) == 1 else None
    return {**_place(agency), **_carrier(inventory, only)}


def _place(agency: Agency) -> dict[str, str]:
    return {
        "agency": agency.id,
        "name": agency.name,
        "kind": agency.kind,
        "parent": agency.parent or "",
        "district": agency.district or "",
    }


def _carrier(inventory: Inventory, provider: str | None) -> dict[str, str]:
    known = inventory.providers.get(provider or "")
    return {"provider": provider or "", "provider_name": known.name if known else ""}


# --- Values ---------------------------------------------------------------------------------------


def _link_troubles(snapshot: Snapshot) -> Column:
    judged = snapshot.judgement
    state, degraded = judged.state, judged.state == _DEGRADED
    lossy = _lossy(snapshot, degraded)
    # In planned work and behind a dead parent coming and going is nobody's business.
    comes_and_goes = judged.flapping & np.isin(state, (_UP, _DEGRADED, _DOWN))
    return _present(
        [state == _DOWN, lossy, degraded & ~lossy, comes_and_goes, *_overlays(snapshot)]
    )


def _agency_troubles(snapshot: Snapshot) -> Column:
    inventory = snapshot.inventory
    counts = [len(agency.links) for agency in inventory.agencies.values()]
    agency_of_row = np.repeat(np.arange(len(counts)), counts)

    def any_link(mask: Mask) -> Mask:
        return np.bincount(agency_of_row, weights=mask, minlength=len(counts)) > 0

    settled = any_link(_answers(snapshot))
    troubles = []
    for mask in (snapshot.judgement.state == _DOWN, *_overlays(snapshot)):
        holds = any_link(mask) & ~settled
        troubles.append(holds)
        settled |= holds
    return _present(troubles)


def _overlays(snapshot: Snapshot) -> list[Mask]:
    state, answers = snapshot.judgement.state, _answers(snapshot)
    return [(state == STATE_CODES[each]) & ~answers for each in _OVERLAYS]


def _answers(snapshot: Snapshot) -> Mask:
    """Tell which links are known to answer, in planned work too."""
    judged = snapshot.judgement
    seen = np.isin(judged.state, (_UP, _DEGRADED, STATE_CODES[State.MAINTENANCE]))
    answers: Mask = seen & np.isin(judged.health, (_UP, _DEGRADED))
    return answers


def _lossy(snapshot: Snapshot, degraded: Mask) -> Mask:
    """Tell which of the degraded links lose more than their limit; the others are slow."""
    links, lossy = snapshot.inventory.links, np.zeros(len(degraded), np.bool_)
    for row in np.flatnonzero(degraded).tolist():
        limits = links[snapshot.keys[row]].limits
        if limits is not None:
            lossy[row] = snapshot.judgement.loss_ratio[row] >= limits.loss_ratio
    return lossy


def _present(masks: Sequence[Mask]) -> Column:
    return np.where(np.stack(masks, axis=1), 1.0, np.nan)


# --- The families ---------------------------------------------------------------------------------


def _family(
    name: str,
    about: str,
    labels: tuple[str, ...],
    troubles: tuple[str, ...],
    values: Callable[[Snapshot], Column],
) -> ColumnFamily:
    return ColumnFamily(
        Family(name, "info", about, (*labels, "trouble"), "nothing is wrong"),
        labels,
        values,
        tuple(Sample("", (("trouble", trouble),)) for trouble in troubles),
    )


_LINK_FAMILY = _family(
    "netmon_link_trouble_info",
    "What is wrong with a link, with its names: down, loss or rtt beyond the limit, flapping, or "
    "why it cannot be told whether it answers.",
    _LINK,
    _LINK_TROUBLES,
    _link_troubles,
)
_AGENCY_FAMILY = _family(
    "netmon_agency_trouble_info",
    "Why no link of an agency answers, with its names; the carrier where it has only one.",
    _AGENCY,
    _AGENCY_TROUBLES,
    _agency_troubles,
)
TROUBLE_FAMILIES = (_LINK_FAMILY, _AGENCY_FAMILY)
