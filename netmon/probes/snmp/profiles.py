"""Profiles: data that say where routers of one make keep their facts, and which one fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from netmon.probes.snmp.values import Oid, oid_text

FALLBACK = "generic"
"""The profile for every router that no other one matches."""


class Entity(StrEnum):
    """What ENTITY-MIB says of the chassis; the value is what profiles write."""

    DESCRIPTION = "description"
    NAME = "name"
    HARDWARE = "hardware"
    FIRMWARE = "firmware"
    SOFTWARE = "software"
    SERIAL = "serial"
    MAKER = "maker"
    MODEL = "model"


class Take(StrEnum):
    """What to make of several rows."""

    MEAN = "mean"
    MAX = "max"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Match:
    """One way to recognise a make: all that is given must hold."""

    object_id: Oid = ()
    """sysObjectID is this, or below it."""
    description: re.Pattern[str] | None = None
    """Found in sysDescr."""
    present: Oid = ()
    """The router has this object: for makes that call themselves net-snmp."""
    fallback: bool = False
    """It counts only where no other profile matches."""

    def __str__(self) -> str:
        parts = []
        if self.object_id:
            parts.append(f"sysObjectID below {oid_text(self.object_id)}")
        if self.description is not None:
            parts.append(f"sysDescr like {self.description.pattern!r}")
        if self.present:
            parts.append(f"{oid_text(self.present)} present")
        return ", ".join(parts)

    @property
    def weight(self) -> tuple[bool, bool, bool, int]:
        """Order matches: what was looked for in words outweighs a number, long ones short ones."""
        in_words = self.description is not None
        return (not self.fallback, bool(self.present), in_words, len(self.object_id))


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a fact may stand; exactly one of the first seven says where.

    `pattern` is looked for in what stands there. Its groups, joined by blanks or put into
    `template`, are the fact.
    """

    description: bool = False
    """In sysDescr."""
    object_id: bool = False
    """In sysObjectID, through `names`."""
    oid: Oid = ()
    """In the variable of this name, instance included."""
    column: Oid = ()
    """In the first row of this column that is not empty."""
    chassis: Oid = ()
    """In the rows of this column that are a chassis of ENTITY-MIB."""
    entity: Entity | None = None
    """In ENTITY-MIB, in the row of the chassis."""
    constant: str = ""
    lookup: Oid = ()
    """What stands there is the index of a row in this column, and the fact stands in that row."""
    pattern: re.Pattern[str] | None = None
    template: str = ""
    plus: Source | None = None
    """A second fact to put behind it, where there is one: a hardware revision."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What to say for what stands there, or what begins with it at a dot; else nothing is said."""


@dataclass(frozen=True, slots=True)
class GaugeSource:
    """Where a figure stands: variables (`oid`) or every row of columns (`column`).

    A ratio of memory is `used` of `total`, or `total` less `free`.
    """

    oid: Oid = ()
    column: Oid = ()
    take: Take | None = None
    """What to make of several rows; None: what suits the figure."""
    scale: float = 1.0
    used: Oid = ()
    free: Oid = ()
    total: Oid = ()
    storage: bool = False
    """In the row of hrStorageTable (RFC 2790) that is the main memory."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One make of router. Of several sources the first that says something counts."""

    name: str
    matches: Sequence[Match] = ()
    vendor: str = ""
    os: Sequence[Source] = ()
    model: Sequence[Source] = ()
    serial: Sequence[Source] = ()
    version: Sequence[Source] = ()
    cpu: Sequence[GaugeSource] = ()
    memory: Sequence[GaugeSource] = ()
    temperature: Sequence[GaugeSource] = ()
    sessions: Sequence[GaugeSource] = ()
    vendors: Mapping[str, str] = field(default_factory=dict)
    """Vendors by enterprise number, for the fallback."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which profile was chosen, by which match, and what came next."""

    profile: Profile
    reason: str
    others: tuple[str, ...] = ()


class Profiles:
    """All profiles that are in force."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._by_name = {profile.name: profile for profile in profiles}
        if FALLBACK not in self._by_name:
            message = f"there is no profile named {FALLBACK!r}: every router needs a last one"
            raise ValueError(message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profiles) and self._by_name == other._by_name

    __hash__ = None  # type: ignore[assignment]  # equal by content, and looked up nowhere

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Profile:
        return self._by_name[name]

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._by_name.values())

    def questions(self, object_id: Oid, description: str) -> list[Oid]:
        """Return the objects whose presence decides between profiles for this router."""
        asked = {
            match.present: None
            for profile in self._by_name.values()
            for match in profile.matches
            if match.present and _holds(match, object_id, description, {match.present})
        }
        return list(asked)

    def explain(self, object_id: Oid, description: str, present: Iterable[Oid] = ()) -> Explanation:
        """Choose the profile whose match says most, and tell why.

        Args:
            object_id: sysObjectID; empty: the router did not say.
            description: sysDescr.
            present: Those of `questions` that the router has.
        """
        there = frozenset(present)
        hits = sorted(
            (
                (match.weight, profile, match)
                for profile in self._by_name.values()
                for match in profile.matches
                if _holds(match, object_id, description, there)
            ),
            key=lambda hit: hit[0],
            reverse=True,
        )
        if not hits:
            return Explanation(self._by_name[FALLBACK], "no profile matches")
        _, profile, match = hits[0]
        others = tuple(
            f"{other.name}: {its_match}" for _, other, its_match in hits[1:] if other is not profile
        )
        return Explanation(profile, str(match), others)


def _holds(match: Match, object_id: Oid, description: str, there: Iterable[Oid]) -> bool:
    if match.object_id and object_id[: len(match.object_id)] != match.object_id:
        return False
    if match.description is not None and not match.description.search(description):
        return False
    return not match.present or match.present in there
