"""The structure of a dashboard, checked strictly against the types of Grafana's own schema.

grafana-foundation-sdk is generated from Grafana's schema: its classes say which keys there are and
of which type. Grafana itself ignores what it does not know, so that a misspelt option does nothing
and says nothing.
"""

from __future__ import annotations

import enum
import types
import typing
from functools import cache
from typing import Any, TypeAlias

from grafana_foundation_sdk.cog import plugins, runtime
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prom

if typing.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json: TypeAlias = "dict[str, Any]"

_FREE = (object, typing.Any)
_CONSTANT_KEYS = frozenset({"type"})


def faults(dashboard: Json) -> list[str]:
    """Return what the schema does not allow, each with its place in the file."""
    plugins.register_default_plugins()
    found = list(_of(model.Dashboard, {**dashboard, "panels": []}, "dashboard"))
    for panel in dashboard.get("panels", []):
        found += _panel(panel, f"panel {panel.get('title')!r}")
    return found


def _panel(panel: Json, place: str) -> Iterator[str]:
    config = runtime.panelcfg_config(panel.get("type", ""))
    if config is None:
        yield f"{place}: unknown panel type {panel.get('type')!r}"
        return
    bare = {**panel, "targets": [], "options": None, "fieldConfig": None}
    yield from _of(model.Panel, bare, place)
    for target in panel.get("targets", []):
        yield from _of(prom.Dataquery, target, f"{place}, query {target.get('refId')}")
    yield from _of(
        _class_of(config.options_from_json_hook), panel.get("options"), f"{place}.options"
    )
    yield from _field_config(panel.get("fieldConfig", {}), config, f"{place}.fieldConfig")


def _field_config(fields: Json, config: runtime.PanelCfgConfig, place: str) -> Iterator[str]:
    defaults = dict(fields.get("defaults", {}))
    custom = defaults.pop("custom", None)
    yield from _of(model.FieldConfigSource, {**fields, "defaults": defaults}, place)
    hook = config.field_config_from_json_hook
    if custom is not None:
        if hook is None:
            yield f"{place}.defaults.custom: this kind of panel has no such options"
        else:
            yield from _of(_class_of(hook), custom, f"{place}.defaults.custom")


def _class_of(hook: Any) -> Any:  # noqa: ANN401  # a bound class method of the SDK
    return hook.__self__


@cache
def _fields(cls: Any) -> Mapping[str, Any]:  # noqa: ANN401  # a class of the SDK: they share no base
    """Return the type of each JSON key of a class of the SDK."""
    hints = typing.get_type_hints(cls)
    probe = cls.__new__(cls)
    marks = {name: _Mark(name) for name in hints}
    for name, mark in marks.items():
        setattr(probe, name, mark)
    return {
        key: hints[mark.name] for key, mark in probe.to_json().items() if isinstance(mark, _Mark)
    }


class _Mark:
    """Stands for a value, to see under which key the SDK writes it."""

    def __init__(self, name: str) -> None:
        self.name = name


def _of(kind: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # types as values
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if value is None or kind in _FREE:
        return
    if origin in (typing.Union, types.UnionType):
        yield from _of_any([each for each in arguments if each is not type(None)], value, place)
    elif origin is list:
        yield from _of_items(arguments[0], value, place)
    elif origin is dict:
        yield from _of_entries(arguments[1], value, place)
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{place}: {value!r} is none of {', '.join(map(repr, arguments))}"
    elif isinstance(kind, type) and hasattr(kind, "to_json"):
        yield from _of_class(kind, value, place)
    else:
        yield from _of_scalar(kind, value, place)


def _of_any(kinds: list[Any], value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # the same
    """One of them must fit; the complaint is that of the one that fits best."""
    complaints = [list(_of(kind, value, place)) for kind in kinds]
    yield from min(complaints, key=len)


def _of_items(kind: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # the same
    if not isinstance(value, list):
        yield f"{place}: {value!r} is no list"
        return
    for index, item in enumerate(value):
        yield from _of(kind, item, f"{place}[{index}]")


def _of_entries(kind: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # the same
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no object"
        return
    for key, item in value.items():
        yield from _of(kind, item, f"{place}.{key}")


def _of_class(kind: type, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # the same
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no object"
        return
    known = _fields(kind)
    for key, item in value.items():
        if key in known:
            yield from _of(known[key], item, f"{place}.{key}")
        else:
            yield f"{place}: unknown key {key!r}"


def _of_scalar(kind: Any, value: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # the same
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        allowed = [each.value for each in kind]
        if value not in allowed:
            yield f"{place}: {value!r} is none of {', '.join(map(repr, allowed))}"
    elif kind is bool or isinstance(value, bool):
        if not (kind is bool and isinstance(value, bool)):
            yield f"{place}: {value!r} is no {getattr(kind, '__name__', kind)}"
    elif kind in (int, float):
        # JSON knows numbers only; the SDK calls some of them int.
        if not isinstance(value, int | float):
            yield f"{place}: {value!r} is no number"
    elif isinstance(kind, type) and not isinstance(value, kind):
        yield f"{place}: {value!r} is no {kind.__name__}"
