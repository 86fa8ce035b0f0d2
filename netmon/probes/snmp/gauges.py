"""How a router feels: processor, memory, temperature and sessions, found once and then asked for.

A profile tells where figures may stand; which of those places this router has, and in which rows,
is found at identification. From then on they are a few more variables of the regular poll.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from netmon.model import RouterGauges
from netmon.probes.snmp import mib
from netmon.probes.snmp.decode import number
from netmon.probes.snmp.profiles import Take
from netmon.probes.snmp.values import Oid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netmon.probes.snmp.profiles import GaugeSource, Profile
    from netmon.probes.snmp.values import Session, Value, VarBind

_ROWS_READ = 200
_ROWS_KEPT = 8
"""A figure of many rows (cores, parts) is made of so many of them."""
_COLDEST_CELSIUS, _HOTTEST_CELSIUS = -50.0, 200.0


class _Shape(Enum):
    ROWS = auto()
    USED_OF_TOTAL = auto()
    FREE_OF_TOTAL = auto()
    USED_AND_FREE = auto()


@dataclass(frozen=True, slots=True)
class Recipe:
    """The variables of one figure of one router, and what to make of their values."""

    variables: tuple[Oid, ...]
    shape: _Shape = _Shape.ROWS
    take: Take = Take.MEAN
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipes:
    """Where a router's figures stand. None: it has no such figure."""

    cpu: Recipe | None = None
    memory: Recipe | None = None
    temperature: Recipe | None = None
    sessions: Recipe | None = None

    @property
    def variables(self) -> list[Oid]:
        """What to ask for, in the order in which `read_gauges` wants the values."""
        return [oid for recipe in self._given() for oid in recipe.variables]

    def _given(self) -> list[Recipe]:
        every = (self.cpu, self.memory, self.temperature, self.sessions)
        return [recipe for recipe in every if recipe is not None]


async def find_gauges(session: Session, profile: Profile) -> Recipes:
    """Find which of the profile's figures this router has.

    Raises:
        SnmpError: the agent stopped answering.
    """
    return Recipes(
        cpu=await _find(session, profile.cpu, Take.MEAN, _is_ratio),
        memory=await _find(session, profile.memory, Take.MAX, _is_ratio),
        temperature=await _find(session, profile.temperature, Take.MAX, _is_temperature),
        sessions=await _find(session, profile.sessions, Take.SUM, _is_count),
    )


def read_gauges(recipes: Recipes, values: Sequence[Value]) -> RouterGauges:
    """Make figures of the values of `recipes.variables`; what makes no sense is None."""
    place = 0

    def read(recipe: Recipe | None, makes_sense: Callable[[float], bool]) -> float | None:
        nonlocal place
        if recipe is None:
            return None
        row = values[place : place + len(recipe.variables)]
        place += len(recipe.variables)
        figure = _cook(recipe, row)
        return figure if figure is not None and makes_sense(figure) else None

    cpu, memory = read(recipes.cpu, _is_ratio), read(recipes.memory, _is_ratio)
    temperature = read(recipes.temperature, _is_temperature)
    sessions = read(recipes.sessions, _is_count)
    return RouterGauges(cpu, memory, temperature, None if sessions is None else int(sessions))


async def _find(
    session: Session,
    sources: Sequence[GaugeSource],
    usual: Take,
    makes_sense: Callable[[float], bool],
) -> Recipe | None:
    """Return the first place that shows a figure that makes sense."""
    for source in sources:
        recipe, values = await _resolve(session, source, usual)
        figure = _cook(recipe, values)
        if figure is not None and makes_sense(figure):
            return recipe
    return None


async def _resolve(
    session: Session, source: GaugeSource, usual: Take
) -> tuple[Recipe, list[Value]]:
    take = source.take or usual
    if source.column:
        walk = await session.walk(source.column, limit_rows=_ROWS_READ)
        rows = _telling(walk.rows, take)
        variables = tuple(row.oid for row in rows)
        recipe = Recipe(variables, take=take, scale=source.scale)
        return recipe, [row.value for row in rows]
    if source.storage:
        recipe = await _find_main_memory(session)
    elif source.oid:
        recipe = Recipe((source.oid,), take=take, scale=source.scale)
    elif source.used and source.free:
        recipe = Recipe((source.used, source.free), _Shape.USED_AND_FREE)
    elif source.used:
        recipe = Recipe((source.used, source.total), _Shape.USED_OF_TOTAL)
    else:
        recipe = Recipe((source.free, source.total), _Shape.FREE_OF_TOTAL)
    if not recipe.variables:
        return recipe, []
    return recipe, [variable.value for variable in await session.get(recipe.variables)]


def _telling(rows: Sequence[VarBind], take: Take) -> list[VarBind]:
    """Return the rows to go by: where the highest counts, parts without the figure show 0."""
    numbers = [row for row in rows if number(row.value) is not None]
    if take is Take.MAX:
        numbers = [row for row in numbers if number(row.value)] or numbers
    return numbers[:_ROWS_KEPT]


async def _find_main_memory(session: Session) -> Recipe:
    types = await session.walk(mib.HR_STORAGE_TYPE, limit_rows=_ROWS_READ)
    for oid, _, kind in types.rows:
        if kind == mib.HR_STORAGE_RAM:
            used, size = (*mib.HR_STORAGE_USED, oid[-1]), (*mib.HR_STORAGE_SIZE, oid[-1])
            return Recipe((used, size), _Shape.USED_OF_TOTAL)
    return Recipe(())


def _cook(recipe: Recipe, values: Sequence[Value]) -> float | None:
    figures = [number(value) for value in values]
    told = [figure for figure in figures if figure is not None]
    if not told:
        return None
    if recipe.shape is not _Shape.ROWS:
        return _ratio(recipe.shape, told)
    match recipe.take:
        case Take.MEAN:
            return sum(told) / len(told) * recipe.scale
        case Take.MAX:
            return max(told) * recipe.scale
        case Take.SUM:
            return sum(told) * recipe.scale


def _ratio(shape: _Shape, told: Sequence[int]) -> float | None:
    if len(told) != 2:  # noqa: PLR2004  # a part and the whole, or two parts
        return None
    part, other = told
    whole = part + other if shape is _Shape.USED_AND_FREE else other
    if whole <= 0:
        return None
    return 1 - part / whole if shape is _Shape.FREE_OF_TOTAL else part / whole


def _is_ratio(figure: float) -> bool:
    return 0 <= figure <= 1


def _is_temperature(figure: float) -> bool:
    return _COLDEST_CELSIUS < figure < _HOTTEST_CELSIUS and figure != 0


def _is_count(figure: float) -> bool:
    return figure >= 0
