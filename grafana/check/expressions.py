"""The expressions of a dashboard: which metrics and labels they use, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import promql_parser as promql

from grafana.source.records import GROUPS
from netmon_exporters.prometheus import families

Contract = Mapping[str, frozenset[str]]
"""The labels of each metric there is."""

_WINDOWS: Mapping[str, str] = MappingProxyType(
    {"__rate_interval": "5m", "__interval": "1m", "__range": "1h", "__range_s": "3600"}
)
_SCRAPE_LABELS = frozenset({"job", "instance"})
_FROM_PROMETHEUS: Contract = MappingProxyType(
    {
        "up": frozenset(),
        "ALERTS": frozenset({"alertname", "alertstate", "severity", "agency", "link"}),
        "process_cpu_seconds_total": frozenset(),
        "process_resident_memory_bytes": frozenset(),
    }
)
"""Made by Prometheus or by its client library, not by netmon's collector."""
_RATES = frozenset({"rate", "increase"})


@dataclass(frozen=True, slots=True)
class Use:
    """A metric in an expression, with the labels it is matched by and the function around it."""

    metric: str
    matched: frozenset[str]
    function: str | None
    is_range: bool


def contract() -> Contract:
    """Return every metric that panels may use, from the collector itself and from the records."""
    known = dict(_FROM_PROMETHEUS)
    for family in families():
        suffixes = ("_bucket", "_count", "_sum") if family.kind == "histogram" else ("",)
        for suffix in suffixes:
            known[family.name + suffix] = frozenset(family.labels)
    for group in GROUPS:
        for record in group.records:
            known[record.name] = record.labels
    return known


def plain(expression: str, values: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return an expression with its variables filled: those of Grafana, and the given ones."""
    known = {**_WINDOWS, **values}
    return re.sub(
        # $1 is none: it is what label_replace takes from a label.
        r"\$(?:\{(\w+)(?::\w+)?\}|([A-Za-z_]\w*))",
        lambda match: known.get(match[1] or match[2], "x"),
        expression,
    )


def uses(expression: str) -> list[Use]:
    """Return every metric that an expression reads.

    Raises:
        ValueError: Prometheus would refuse the expression.
    """
    return list(_walk(promql.parse(plain(expression)), None))


def faults(expression: str, known: Contract, *, instant: bool) -> Iterator[str]:
    """Yield what is wrong with the expression of a query."""
    try:
        read = uses(expression)
    except ValueError as error:
        yield f"not PromQL: {error}"
        return
    for use in read:
        yield from _use_faults(use, known)
    for label in _labels(expression):
        if not any(label in known.get(use.metric, ()) for use in read):
            yield f"no metric of the expression has the label {label!r}"
    if instant:
        return
    if re.search(r"\b(?:rate|irate|increase)\([^\[]*\[\d", expression):
        yield "a graph needs $__rate_interval: a fixed window misses samples or blurs them"
    if "topk(" in expression and "@ end()" not in expression:
        yield "topk chooses anew at each step: `@ end()` makes rows whole"


def _use_faults(use: Use, known: Contract) -> Iterator[str]:
    labels = known.get(use.metric)
    if labels is None:
        yield f"no such metric: {use.metric}"
        return
    for label in sorted(use.matched - labels - _SCRAPE_LABELS):
        yield f"{use.metric} has no label {label!r}"
    is_counter = use.metric.endswith(("_total", "_bucket", "_count", "_sum"))
    if is_counter and not (use.is_range and use.function in _RATES):
        yield f"{use.metric} is a counter: only its rate or increase means something"
    if use.function in _RATES and not is_counter:
        yield f"{use.metric} is no counter: it has no rate"


def _labels(expression: str) -> set[str]:
    """Return the labels that are grouped and joined by."""
    lists = re.findall(r"\b(?:by|without|on|group_left)\s*\(([^)]*)\)", expression)
    return {label.strip() for each in lists for label in each.split(",") if label.strip()}


def _walk(node: Any, function: str | None) -> Iterator[Use]:  # noqa: ANN401  # the parser's nodes
    match type(node).__name__:
        case "VectorSelector":
            yield _use(node, function, is_range=False)
        case "MatrixSelector":
            yield _use(node.vector_selector, function, is_range=True)
        case "Call":
            for argument in node.args:
                yield from _walk(argument, node.func.name)
        case "BinaryExpr":
            yield from _walk(node.lhs, None)
            yield from _walk(node.rhs, None)
        case "AggregateExpr" | "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            yield from _walk(node.expr, None)


def _use(selector: Any, function: str | None, *, is_range: bool) -> Use:  # noqa: ANN401  # the same
    matched = frozenset(each.name for each in selector.matchers.matchers)
    return Use(selector.name, matched, function, is_range)
