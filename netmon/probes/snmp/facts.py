"""What a router says it is: read as its profile says."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netmon.model import RouterFacts
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number, text
from netmon.probes.snmp.profiles import FALLBACK, Entity, Explanation, Source
from netmon.probes.snmp.values import Missing, Oid, Session, SnmpError, Value, oid_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netmon.probes.snmp.profiles import Profile, Profiles

_ROWS_AT_MOST = 3000
_CHASSIS_AT_MOST = 4
_LONGEST = 512
"""Of what a router says of itself, so much is looked at. sysDescr has 255 octets (RFC 3418), and
the time that patterns take grows with the square of a hostile text: 60,000 letters took minutes."""
_ROWS_AT_ONCE = 50
"""Rows that patterns are tried on before the loop may do its other work."""
_ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)
_ENTITY_COLUMN = {
    Entity.DESCRIPTION: 2,
    Entity.NAME: 7,
    Entity.HARDWARE: 8,
    Entity.FIRMWARE: 9,
    Entity.SOFTWARE: 10,
    Entity.SERIAL: 11,
    Entity.MAKER: 12,
    Entity.MODEL: 13,
}
_PLACEHOLDERS = frozenset((
    "na", "n/a", "none", "null", "<null>", "(null)", "empty", "unknown", "undefined", "invalid",
    "not specified", "not available", "not applicable", "not set", "not present", "noserial",
    "no serial", "no serial number", "default string", "system serial number",
    "to be filled by o.e.m.", "to be filled by oem", "oem",
))  # fmt: skip
_SOFTWARE = frozenset(("Linux", "FreeBSD", "net-snmp", "SNMP Research", "Broadcom"))
"""Whose systems and agents run on the devices of other makers."""
_NODE = re.compile(r"^(linux|freebsd) \S+")
"""What uname(1) begins with; the node's name is the operator's and names no maker."""
_SAYS_NOTHING = "0 .:-_?*#\"'\u00ff\ufffd"
"""Of these alone no fact is made: zeros, dashes, and the 0xff of a flash that was never written."""
_CONTAINED_IN: Oid = (*mib.ENT_PHYSICAL_ENTRY, 4)


@dataclass(frozen=True, slots=True)
class SystemGroup:
    """The system group of SNMPv2-MIB (RFC 3418)."""

    description: str = ""
    object_id: Oid = ()
    name: str = ""
    location: str = ""
    agent_ticks: int | None = None
    """sysUpTime"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a router is, how that was recognised, and what was in the way."""

    facts: RouterFacts
    explanation: Explanation
    trouble: str = ""


async def read_system(session: Session) -> SystemGroup:
    """Ask for the system group.

    Raises:
        SnmpError: the agent did not answer.
    """
    variables = await session.get(
        [mib.SYS_DESCR, mib.SYS_OBJECT_ID, mib.SYS_NAME, mib.SYS_LOCATION, mib.SYS_UP_TIME]
    )
    description, object_id, name, location, ticks = (variable.value for variable in variables)
    return SystemGroup(
        description=_said(description),
        object_id=object_id if isinstance(object_id, tuple) else (),
        name=text(name),
        location=text(location),
        agent_ticks=number(ticks),
    )


async def explain(session: Session, system: SystemGroup, profiles: Profiles) -> Explanation:
    """Choose the router's profile and tell why; asks the router only where makes look alike.

    Raises:
        SnmpError: the agent stopped answering.
    """
    questions = profiles.questions(system.object_id, system.description)
    present: list[Oid] = []
    if questions:
        answers = await session.get(questions)
        present = [
            oid
            for oid, answer in zip(questions, answers, strict=True)
            if not isinstance(answer.value, Missing)
        ]
    return profiles.explain(system.object_id, system.description, present)


async def read_facts(session: Session, system: SystemGroup, profiles: Profiles) -> Identity:
    """Find the router's profile and read the facts where it says they stand.

    Raises:
        SnmpError: the agent stopped answering before anything was known. What fails later is told
            in `trouble`, and the facts that were found stay good.
    """
    explanation = await explain(session, system, profiles)
    profile = explanation.profile
    finder = _Finder(session, system)
    await finder.fetch(profile)
    facts = RouterFacts(
        name=system.name,
        description=system.description,
        object_id=oid_text(system.object_id),
        vendor=profile.vendor
        or _vendor(system, profiles[FALLBACK])
        or await finder.find([Source(entity=Entity.MAKER)]),
        os=await finder.find(profile.os),
        model=await finder.find(profile.model),
        serial=await finder.find(profile.serial),
        version=await finder.find(profile.version),
        location=system.location,
    )
    return Identity(facts, explanation, "; ".join(finder.troubles))


def _vendor(system: SystemGroup, fallback: Profile) -> str:
    """Name the vendor, where no profile does.

    A sysDescr that begins with a maker's name says more than the enterprise number (IANA), which
    may be that of a company that was bought; a name further behind says less. What the agent or
    the system is called counts where nothing names a maker.
    """
    words = _NODE.sub(r"\1", system.description.casefold())
    names = sorted(set(fallback.vendors.values()), key=len, reverse=True)
    named = [name for name in names if re.search(rf"(?<!\w){re.escape(name.casefold())}\b", words)]
    makers = [name for name in named if name not in _SOFTWARE]
    owner = _owner(system.object_id, fallback)
    if first := next((name for name in makers if words.startswith(name.casefold())), ""):
        return first
    if owner and owner not in _SOFTWARE:
        return owner
    return next(iter(makers), "") or owner or next(iter(named), "")


def _owner(object_id: Oid, fallback: Profile) -> str:
    """Name whose enterprise number it is; of several keys that fit, the longest counts."""
    if object_id[: len(_ENTERPRISES)] != _ENTERPRISES:
        return ""
    arcs = oid_text(object_id[len(_ENTERPRISES) :])
    return _longest(fallback.vendors, arcs)


@dataclass(slots=True)
class _Finder:
    """Looks in one place after the other, and asks the router for each only once."""

    session: Session
    system: SystemGroup
    troubles: dict[str, None] = field(default_factory=dict)
    _scalars: dict[Oid, Value] = field(default_factory=dict)
    _columns: dict[Oid, list[Value]] = field(default_factory=dict)
    _chassis: list[int] | None = None

    async def fetch(self, profile: Profile) -> None:
        """Ask for all variables of a profile at once."""
        fields = (profile.os, profile.model, profile.serial, profile.version)
        oids = list(dict.fromkeys(source.oid for sources in fields for source in sources))
        await self._get([oid for oid in oids if oid])

    async def find(self, sources: Sequence[Source]) -> str:
        """Return what the first source says that says something."""
        for source in sources:
            for row, said in enumerate(await self._read(source), 1):
                if row % _ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                found = _one_line(_extract(source, await self._look_up(source, said)))
                if _says_something(found):
                    more = await self.find([source.plus]) if source.plus else ""
                    return f"{found} {more}".strip()
        return ""

    async def _look_up(self, source: Source, said: str) -> str:
        """Follow an index into the column that names it."""
        if not source.lookup or not said.isdecimal():
            return said
        oid = (*source.lookup, int(said))
        await self._get([oid])
        return _said(self._scalars.get(oid, b""))

    async def _read(self, source: Source) -> Sequence[str]:
        if source.column:
            return [_said(value) for value in await self._walk(source.column)]
        if source.chassis:
            return await self._read_chassis(source.chassis)
        if source.entity is not None:
            column = (*mib.ENT_PHYSICAL_ENTRY, _ENTITY_COLUMN[source.entity])
            return await self._read_chassis(column)
        return (source.constant or await self._read_scalar(source),)

    async def _read_scalar(self, source: Source) -> str:
        if source.description:
            return self.system.description
        if source.object_id:
            return oid_text(self.system.object_id)
        await self._get([source.oid] if source.oid not in self._scalars else [])
        return _said(self._scalars.get(source.oid, b""))

    async def _read_chassis(self, column: Oid) -> Sequence[str]:
        if self._chassis is None:
            self._chassis = await self._find_chassis()
        oids: list[Oid] = [(*column, index) for index in self._chassis]
        await self._get([oid for oid in oids if oid not in self._scalars])
        return [_said(self._scalars.get(oid, b"")) for oid in oids]

    async def _find_chassis(self) -> list[int]:
        """Return the rows of the chassis; else of what is contained in nothing; else row 1.

        A stack is a container: its members are the chassis, and its own row rarely says more.
        """
        rows = await self._rows(mib.ENT_PHYSICAL_CLASS)
        chassis = [index for index, kind in rows if number(kind) == mib.ENT_CLASS_CHASSIS]
        chassis += [index for index, kind in rows if number(kind) == mib.ENT_CLASS_STACK]
        if not chassis:
            contained = await self._rows(_CONTAINED_IN)
            chassis = [index for index, parent in contained if number(parent) == 0]
        return (chassis or [1])[:_CHASSIS_AT_MOST]

    async def _walk(self, column: Oid) -> list[Value]:
        if column not in self._columns:
            self._columns[column] = [value for _, value in await self._rows(column)]
        return self._columns[column]

    async def _rows(self, column: Oid) -> list[tuple[int, Value]]:
        try:
            walk = await self.session.walk(column, limit_rows=_ROWS_AT_MOST)
        except SnmpError as error:
            self.troubles[str(error)] = None
            return []
        if not walk.complete:
            self.troubles[walk.trouble] = None
        return [(oid[-1], value) for oid, _, value in walk.rows]

    async def _get(self, oids: Sequence[Oid]) -> None:
        if not oids:
            return
        try:
            variables = await self.session.get(oids)
        except SnmpError as error:
            self.troubles[str(error)] = None
            variables = list(error.received)
        for variable in variables:
            self._scalars[variable.oid] = variable.value


def _said(value: Value) -> str:
    return text(value)[:_LONGEST]


def _one_line(found: str) -> str:
    """Return a fact without the lines that follow it and the blanks that pad it."""
    first = next((line for line in found.splitlines() if line.strip()), "")
    return " ".join(first.split())


def _says_something(found: str) -> bool:
    """Tell facts from what agents say that have nothing to say: N/A, and zeros as a serial."""
    return found.casefold() not in _PLACEHOLDERS and bool(found.strip(_SAYS_NOTHING))


def _extract(source: Source, said: str) -> str:
    """Take the fact out of what was said, as the source tells how."""
    groups = [said]
    if source.pattern is not None and said:
        hit = source.pattern.search(said)
        if hit is None:
            return ""
        groups = [group for group in hit.groups() if group] or [hit.group()]
        said = " ".join(groups).strip()
    if source.template and said:
        said = source.template.format(*groups)
    return _longest(source.names, said) if source.names else said


def _longest(names: Mapping[str, str], said: str) -> str:
    """Name what was said by the longest key that it is, or that it lies below at a dot."""
    fitting = [key for key in names if f"{said}.".startswith(f"{key}.")]
    return names[max(fitting, key=len)] if fitting else ""
