"""Two inventories compared: what a hot reload touches, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Generic, TypeVar

from netmon.model import LinkKey

if TYPE_CHECKING:
    from netmon.model import Inventory

K = TypeVar("K", bound=Hashable)

_MOST_NAMED = 5
_LINKS_ARE_COMPARED_APART = frozenset({"links"})


@dataclass(frozen=True)
class Changes(Generic[K]):
    """What became of the entries of one sort, each in the order of its inventory."""

    added: tuple[K, ...]
    removed: tuple[K, ...]
    changed: Mapping[K, tuple[str, ...]]
    """Key → names of the fields that differ."""
    unchanged: tuple[K, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)

    def text(self, what: str) -> str:
        """Return for example "agencies: 1 added (xa-tan-hoi-dong)", or nothing."""
        changed = [f"{key}: {', '.join(names)}" for key, names in self.changed.items()]
        parts = (
            _part(len(self.added), "added", self.added),
            _part(len(self.removed), "removed", self.removed),
            _part(len(self.changed), "changed", changed),
        )
        told = ", ".join(part for part in parts if part)
        return f"{what}: {told}" if told else ""


@dataclass(frozen=True)
class Difference:
    """All that differs between two inventories."""

    agencies: Changes[str]
    """Without their links, which are compared apart."""
    links: Changes[LinkKey]
    canaries: Changes[str]
    maintenance: Changes[str]
    kinds: Changes[str]
    providers: Changes[str]
    province: tuple[str, ...]
    """Names of the province's fields that differ."""

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.text(nothing=""))

    def text(self, nothing: str = "nothing changed") -> str:
        """Return what differs in one line for the log, naming a few of each sort."""
        parts = (
            f"province: {', '.join(self.province)}" if self.province else "",
            self.kinds.text("kinds"),
            self.providers.text("providers"),
            self.agencies.text("agencies"),
            self.links.text("links"),
            self.canaries.text("canaries"),
            self.maintenance.text("maintenance"),
        )
        return "; ".join(part for part in parts if part) or nothing


def diff(before: Inventory, after: Inventory) -> Difference:
    """Compare two inventories, entry by entry and field by field."""
    return Difference(
        agencies=_changes(before.agencies, after.agencies, _LINKS_ARE_COMPARED_APART),
        links=_changes(before.links, after.links),
        canaries=_changes(
            {canary.id: canary for canary in before.canaries},
            {canary.id: canary for canary in after.canaries},
        ),
        maintenance=_changes(
            {window.id: window for window in before.maintenance},
            {window.id: window for window in after.maintenance},
        ),
        kinds=_changes(before.kinds, after.kinds),
        providers=_changes(before.providers, after.providers),
        province=_differing(before.province, after.province),
    )


def _changes(
    before: Mapping[K, object], after: Mapping[K, object], apart: frozenset[str] = frozenset()
) -> Changes[K]:
    differing = {
        key: _differing(before[key], value, apart) for key, value in after.items() if key in before
    }
    return Changes(
        added=tuple(key for key in after if key not in before),
        removed=tuple(key for key in before if key not in after),
        changed={key: names for key, names in differing.items() if names},
        unchanged=tuple(key for key, names in differing.items() if not names),
    )


def _differing(
    before: object, after: object, apart: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    if before == after:
        return ()
    names = (field.name for field in fields(before) if field.name not in apart)  # type: ignore[arg-type]  # every entry is a dataclass
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _part(count: int, verb: str, names: tuple[object, ...] | list[str]) -> str:
    if not count:
        return ""
    shown = ", ".join(str(name) for name in names[:_MOST_NAMED])
    return f"{count} {verb} ({shown}{', …' if count > _MOST_NAMED else ''})"
