"""Maintenance windows: which links they cover, and how a reload changes them.

A window covers exactly its own seconds. What a reload adds, moves or takes away counts from the
reload on: the past is not planned afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netmon.judge.timeline import Span
    from netmon.model import Inventory, Link, LinkKey, MaintenanceWindow


def selected(inventory: Inventory, window: MaintenanceWindow) -> list[LinkKey]:
    """Return the links that a window covers."""
    agencies = _agencies(inventory, window)
    return [link.key for link in inventory.links.values() if _covers(window, agencies, link)]


def planned_spans(inventory: Inventory) -> Mapping[LinkKey, list[tuple[int, int]]]:
    """Return the planned spans of every link that has any."""
    spans: dict[LinkKey, list[tuple[int, int]]] = {}
    for window in inventory.maintenance:
        for key in selected(inventory, window):
            spans.setdefault(key, []).append((window.start_us, window.end_us))
    return {key: sorted(found) for key, found in spans.items()}


def replan(held: Iterable[Span], planned: Iterable[tuple[int, int]], now_us: int) -> list[Span]:
    """Return the spans in force after a reload at `now_us`.

    What lay before now stays; from now on only what is planned counts.
    """
    past = [
        (start_us, min(end_us, now_us))
        for start_us, end_us in held
        if end_us is not None and start_us < now_us
    ]
    future = [(max(start_us, now_us), end_us) for start_us, end_us in planned if end_us > now_us]
    return _united([*past, *future])


def _agencies(inventory: Inventory, window: MaintenanceWindow) -> frozenset[str]:
    chosen = set(window.agencies & inventory.agencies.keys())
    if window.subtree:
        # Agencies stand parents first: one pass reaches every depth.
        for agency in inventory.agencies.values():
            if agency.parent in chosen:
                chosen.add(agency.id)
    return frozenset(chosen)


def _covers(window: MaintenanceWindow, agencies: frozenset[str], link: Link) -> bool:
    return (
        (not window.agencies or link.key.agency in agencies)
        and (not window.links or link.key in window.links)
        and (not window.providers or link.provider in window.providers)
    )


def _united(spans: Iterable[tuple[int, int]]) -> list[Span]:
    united: list[tuple[int, int]] = []
    for start_us, end_us in sorted(spans):
        if united and start_us <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end_us))
        else:
            united.append((start_us, end_us))
    return list(united)
