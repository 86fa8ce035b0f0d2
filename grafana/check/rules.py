"""The rules of a dashboard that people can trust from across a room.

What dashboard-linter asks of any dashboard, and what was learnt from drawn ones: absence is grey,
colours are those that everybody can tell apart, links lead somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from grafana.check import expressions
from grafana.source.look import NO_DATA, PALETTE

Json: TypeAlias = "dict[str, Any]"

# What Grafana 13.2 was seen to know (@grafana/data). A unit that it does not know it shows as text
# behind the number. dthms and dtdhms are in no language: `s` says "mins" and "days".
UNITS = frozenset({"none", "percentunit", "s", "dthms", "dtdhms", "bps", "pps", "cps", "bytes"})
TRANSFORMATIONS = frozenset({"organize", "merge", "convertFieldType"})
MATCHERS = frozenset({"byName", "byFrameRefID"})
PROPERTIES = frozenset(
    {
        "unit", "decimals", "mappings", "noValue", "thresholds", "links", "color",
        "custom.cellOptions", "custom.hidden", "custom.lineStyle", "custom.transform",
        "custom.width",
    }
)  # fmt: skip
MAPPINGS = frozenset({"value", "special"})
_GRID = 24
_LONGEST_UID = 40
_ONLY_WHEN_SAVED = ("id", "version", "__inputs", "__requires", "apiVersion", "spec")
_COLOUR_KEYS = frozenset({"color", "fixedColor", "fixed", "iconColor", "fill"})
_LINE_STYLES = frozenset({"dash"})
"""Stand under `fill` as well."""
_COLOURED = frozenset({"stat", "bargauge", "status-history", "state-timeline", "geomap", "table"})


@dataclass(frozen=True, slots=True)
class World:
    """What a dashboard may refer to."""

    variables: Mapping[str, frozenset[str]]
    """The variables of every dashboard, by uid."""
    contract: expressions.Contract

    def labels(self, use: expressions.Use) -> frozenset[str]:
        """Return the labels of a metric; of an unknown one, none."""
        return self.contract.get(use.metric, frozenset())


def world(dashboards: list[Json]) -> World:
    """Return what these dashboards may refer to."""
    variables = {
        each["uid"]: frozenset(variable["name"] for variable in each["templating"]["list"])
        for each in dashboards
    }
    return World(variables, expressions.contract())


def faults(dashboard: Json, known: World) -> list[str]:
    """Return every broken rule, with its place."""
    found = [*_head(dashboard), *_variables(dashboard, known), *_grid(dashboard["panels"])]
    found += [f"colour {colour} is not of the palette" for colour in _strange_colours(dashboard)]
    for panel in dashboard["panels"]:
        found += [f"panel {panel.get('title')!r}: {fault}" for fault in _panel(panel, known)]
    return found


def _head(dashboard: Json) -> Iterator[str]:
    if dashboard.get("editable") is not False:
        yield "editable: what is changed in the browser is lost at the next start"
    if not 0 < len(dashboard.get("uid", "")) <= _LONGEST_UID:
        yield f"uid must have 1 to {_LONGEST_UID} letters"
    for key in _ONLY_WHEN_SAVED:
        if key in dashboard:
            yield f"{key!r} belongs to saved or exported dashboards, not to provisioned ones"
    for what in ("title", "id"):
        values = [panel.get(what) for panel in dashboard["panels"]]
        if len(set(values)) != len(values) or None in values:
            yield f"panels need a {what} each, all different: {values}"


def _variables(dashboard: Json, known: World) -> Iterator[str]:
    variables = dashboard["templating"]["list"]
    sources = [each["name"] for each in variables if each["type"] == "datasource"]
    if sources != ["datasource"]:
        yield "one data source variable, called datasource, is needed"
    for each in variables:
        if each["type"] != "query":
            continue
        if each.get("refresh") != 2:  # noqa: PLR2004  # on time range change
            yield f"variable {each['name']} is not refreshed with the time range"
        yield from (f"variable {each['name']}: {fault}" for fault in _variable(each, known))


def _variable(variable: Json, known: World) -> Iterator[str]:
    found = re.fullmatch(r"(label_values|query_result)\((.+)\)", variable["query"])
    if found is None:
        yield f"neither label_values nor query_result: {variable['query']}"
        return
    if found[1] == "label_values":
        expression, _, label = found[2].rpartition(", ")
        wanted = {label}
    else:
        expression = found[2]
        wanted = set(re.findall(r'(\w+)="\(\?<(?:value|text)>', variable["regex"]))
    yield from expressions.faults(expression, known.contract, instant=True)
    labels = {label for each in expressions.uses(expression) for label in known.labels(each)}
    for label in sorted(wanted - labels):
        yield f"{expression} has no label {label!r}"
    if not wanted:
        yield f"nothing is taken from the series of {expression}"


def _grid(panels: list[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > _GRID:
            yield f"panel {panel['title']!r} is wider than the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    yield f"panels {other!r} and {panel['title']!r} overlap"
                    return


def _strange_colours(tree: Any, key: str = "") -> Iterator[str]:  # noqa: ANN401  # JSON
    match tree:
        case dict():
            for name, branch in tree.items():
                yield from _strange_colours(branch, name)
        case list():
            for branch in tree:
                yield from _strange_colours(branch, key)
        case str() if key in _COLOUR_KEYS and tree and "/" not in tree:
            if tree not in PALETTE | _LINE_STYLES:
                yield tree


def _panel(panel: Json, known: World) -> Iterator[str]:
    if not panel.get("description"):
        yield "no description: it is the first line of the runbook"
    targets = panel.get("targets", [])
    if not targets:
        yield "no query"
    for target in (panel, *targets):
        if target.get("datasource", {}).get("uid") != "${datasource}":
            yield "the data source must be the variable ${datasource}"
    for target in targets:
        instant = target.get("instant") is True
        yield from expressions.faults(target["expr"], known.contract, instant=instant)
    yield from _fields(panel, known)
    for each in panel.get("transformations", []):
        if each["id"] not in TRANSFORMATIONS:
            yield f"unknown transformation {each['id']!r}"


def _fields(panel: Json, known: World) -> Iterator[str]:
    config = panel["fieldConfig"]
    defaults = config["defaults"]
    yield from _figure(defaults, panel, known)
    if panel["type"] in _COLOURED and not _absence_is_grey(defaults.get("mappings", [])):
        yield "no data would be painted in the colour of the first threshold: map null+nan to grey"
    for override in config.get("overrides", []):
        if override["matcher"]["id"] not in MATCHERS:
            yield f"unknown matcher {override['matcher']['id']!r}"
        properties = {each["id"]: each.get("value") for each in override["properties"]}
        for strange in sorted(set(properties) - PROPERTIES):
            yield f"unknown property {strange!r}"
        yield from _figure(properties, panel, known)
        is_coloured = "custom.cellOptions" in properties and "mappings" in properties
        if is_coloured and not _absence_is_grey(properties["mappings"]):
            yield "a coloured column's own mappings must map null+nan to grey"


def _figure(values: Json, panel: Json, known: World) -> Iterator[str]:
    if values.get("unit", "none") not in UNITS:
        yield f"unknown unit {values['unit']!r}"
    for mapping in values.get("mappings") or []:
        if mapping["type"] not in MAPPINGS:
            yield f"unknown kind of mapping {mapping['type']!r}"
    for link in values.get("links") or []:
        yield from _link(link["url"], panel, known)


def _absence_is_grey(mappings: list[Json]) -> bool:
    return any(
        mapping["type"] == "special"
        and mapping["options"]["match"] == "null+nan"
        and mapping["options"]["result"].get("color") == NO_DATA
        and mapping["options"]["result"].get("text")
        for mapping in mappings
    )


def _link(url: str, panel: Json, known: World) -> Iterator[str]:
    parts = urlsplit(url)
    uid = parts.path.removeprefix("/d/")
    if uid not in known.variables:
        yield f"the link leads to no dashboard: {url}"
        return
    for name, _ in parse_qsl(parts.query):
        if name.startswith("var-") and name.removeprefix("var-") not in known.variables[uid]:
            yield f"{uid} has no variable {name.removeprefix('var-')!r}"
    is_table = panel["type"] in ("table", "geomap")
    if "${__field.labels." in url and is_table:
        yield "rows of a table have fields, not labels"
    if "${__data.fields." in url and not is_table:
        yield "series have labels, not fields"
