"""Who is where: the link of every slot, the links of every agency, and who stands behind whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netmon.judge.links import NOBODY, LinkColumns
from netmon.model import Inventory, Link, LinkKey

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_SLOTS: NDArray[np.int32] = np.zeros(0, np.int32)


@dataclass(slots=True)
class Roster:
    """An inventory laid out by slots. Replaced as a whole at every reload."""

    slot_of: dict[LinkKey, int] = field(default_factory=dict)
    link_at: dict[int, Link] = field(default_factory=dict)
    agencies: tuple[str, ...] = ()
    """Agencies that have links; their place here is their number in columns."""
    agency_slots: tuple[tuple[int, ...], ...] = ()
    dependents: tuple[NDArray[np.int32], ...] = ()
    """The slots of the links whose nearest agency above that has links is this one."""
    above: dict[LinkKey, frozenset[LinkKey]] = field(default_factory=dict)
    """The links of that agency."""

    def behind(self, agency: int) -> NDArray[np.int32]:
        """Return the slots of the links directly behind an agency."""
        return self.dependents[agency] if agency != NOBODY else _NO_SLOTS


def lay_out(inventory: Inventory, slot_of: Mapping[LinkKey, int], links: LinkColumns) -> Roster:
    """Return the roster and fill the columns that say who stands where."""
    known = {key: link for key, link in inventory.links.items() if key in slot_of}
    agencies = tuple(dict.fromkeys(key.agency for key in known))
    number = {agency: index for index, agency in enumerate(agencies)}
    parents = {agency: _linked_parent(inventory, agency, number) for agency in agencies}
    roster = Roster(
        slot_of={key: slot_of[key] for key in known},
        link_at={slot_of[key]: link for key, link in known.items()},
        agencies=agencies,
    )
    slots: list[list[int]] = [[] for _ in agencies]
    behind: list[list[int]] = [[] for _ in agencies]
    for key in known:
        slot, parent = slot_of[key], parents[key.agency]
        links.agency[slot] = number[key.agency]
        links.parent[slot] = NOBODY if parent is None else number[parent]
        slots[number[key.agency]].append(slot)
        if parent is not None:
            behind[number[parent]].append(slot)
            roster.above[key] = frozenset(
                link.key for link in inventory.agencies[parent].links if link.key in known
            )
    roster.agency_slots = tuple(map(tuple, slots))
    roster.dependents = tuple(np.array(sorted(found), np.int32) for found in behind)
    return roster


def _linked_parent(inventory: Inventory, agency_id: str, linked: Mapping[str, int]) -> str | None:
    """Return the nearest agency above that has links; one without links is only a name."""
    parent = inventory.agencies[agency_id].parent
    while parent is not None and parent not in linked:
        parent = inventory.agencies[parent].parent
    return parent
