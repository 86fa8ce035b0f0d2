"""Rules of Prometheus as values, and the YAML that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import yaml

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | bool"

_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule; its name is level:metric:operations."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule. Its texts stand in the catalogue under `alert.NAME`."""

    name: str
    expression: str
    severity: str
    after_seconds: float = 0.0
    keep_seconds: float = 0.0
    """For so long it goes on firing after it is over: for what comes and goes."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after another; no interval: Prometheus' own."""

    name: str
    rules: Sequence[Record | Alert]
    interval: str = ""


def duration(seconds: float) -> str:
    """Return a duration as Prometheus and Alertmanager write it."""
    milliseconds = round(seconds * 1000)
    for unit, length in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def group_tree(group: Group, annotations: Mapping[str, Mapping[str, str]]) -> Tree:
    """Return a group as Prometheus wants it; `annotations` by the name of the alert."""
    tree: dict[str, Tree] = {"name": group.name}
    if group.interval:
        tree["interval"] = group.interval
    tree["rules"] = [
        _record_tree(rule) if isinstance(rule, Record) else _alert_tree(rule, annotations)
        for rule in group.rules
    ]
    return tree


def _record_tree(rule: Record) -> Tree:
    return {"record": rule.name, "expr": rule.expression}


def _alert_tree(rule: Alert, annotations: Mapping[str, Mapping[str, str]]) -> Tree:
    tree: dict[str, Tree] = {"alert": rule.name, "expr": rule.expression}
    if rule.after_seconds:
        tree["for"] = duration(rule.after_seconds)
    if rule.keep_seconds:
        tree["keep_firing_for"] = duration(rule.keep_seconds)
    tree["labels"] = {"severity": rule.severity, "monitor": "netmon", **rule.labels}
    tree["annotations"] = dict(annotations[rule.name])
    return tree


def to_yaml(tree: Tree, head: Iterable[str] = ()) -> str:
    """Return YAML with expressions on lines of their own, and comments in front."""
    comments = "".join(f"# {line}\n" for line in head)
    body = yaml.dump(
        tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000, indent=2
    )
    return comments + body


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are, and lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # PyYAML's signature
        super().increase_indent(flow, False)  # noqa: FBT003  # the same


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
