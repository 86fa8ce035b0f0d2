"""What all dashboards have: variables, links to each other, annotations, order of the panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from grafana.source.body import DATA_SOURCE
from grafana.source.look import DOWN, Words, kind_label

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder

COLUMNS = 24
TIME_ZONE = "Asia/Ho_Chi_Minh"
ALL = "$__all"
_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "kind": "query_result(max by (kind, kind_name) (netmon_agency_info))",
        "district": (
            "query_result(max by (district, district_name) "
            '(netmon_agency_info{kind=~"$kind", district!=""}))'
        ),
        "provider": (
            'query_result(max by (provider, provider_name) (netmon_link_info{provider!=""}))'
        ),
        "agency": "query_result(max by (agency, name) (netmon_agency_info))",
        "link": 'label_values(netmon_link_info{agency="$agency"}, link)',
    }
)
_SHOWN = MappingProxyType(
    {"district": "district_name", "provider": "provider_name", "agency": "name"}
)
"""The label that people choose a variable's value by; its own label is the value."""
_CHOOSE_ONE = frozenset({"agency", "link"})
FLEET_VARIABLES = ("kind", "district", "provider")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the panels. Title and description by their key."""

    name: str
    key: str
    variables: Sequence[str] = FLEET_VARIABLES
    since: str = "now-6h"
    until: str = "now"
    refresh: str = "1m"


def board(words: Words, head: Head, panels: Sequence[model.Panel]) -> model.Dashboard:
    """Return a dashboard; the panels stand in the order given, as they do on a phone."""
    made = (
        build.Dashboard(words(head.key))
        .uid(words.uid(head.name))
        .description(words(f"{head.key}_help"))
        .tags(["netmon", f"netmon-{words.language}"])
        .readonly()
        .time(head.since, head.until)
        .refresh(head.refresh)
        .timezone(TIME_ZONE)
        .week_start("monday")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables(_variables(words, head.variables))
        .annotation(_alerts(words))
        .link(_menu(words))
        .build()
    )
    made.panels = list(_placed(panels))
    return made


def to_link(words: Words, source: str = "data.fields") -> model.DashboardLink:
    """Return the link from a link's row or tile to its own dashboard.

    `source`: where agency and link stand, `data.fields` of a table or `field.labels` of a series.
    """
    uid = words.uid("link")
    return model.DashboardLink(
        title=words("grafana.open_link"),
        url=(
            f"/d/{uid}?var-agency=${{__{source}.agency}}&var-link=${{__{source}.link}}"
            "&${datasource:queryparam}&${__url_time_range}"
        ),
    )


def to_agency(words: Words) -> model.DashboardLink:
    """Return the link from an agency's row to the dashboard of its links."""
    uid = words.uid("link")
    return model.DashboardLink(
        title=words("grafana.open_link"),
        url=(
            f"/d/{uid}?var-agency=${{__data.fields.agency}}"
            "&${datasource:queryparam}&${__url_time_range}"
        ),
    )


def to_board(words: Words, name: str, *labels: str) -> model.DashboardLink:
    """Return the link to another dashboard, narrowed to what a tile's or line's labels say."""
    chosen = "".join(f"var-{label}=${{__field.labels.{label}}}&" for label in labels)
    return model.DashboardLink(
        title=words(f"grafana.{name}"),
        url=f"/d/{words.uid(name)}?{chosen}${{datasource:queryparam}}&${{__url_time_range}}",
    )


def _placed(panels: Sequence[model.Panel]) -> Sequence[model.Panel]:
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        place = panel.grid_pos or model.GridPos()
        if x + place.w > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        place.x, place.y = x, y
        panel.grid_pos = place
        panel.id_val = number
        x, tallest = x + place.w, max(tallest, place.h)
    return panels


def _variables(words: Words, names: Sequence[str]) -> list[Builder[model.VariableModel]]:
    source = build.DatasourceVariable("datasource").type("prometheus")
    return [
        source.label(words("grafana.data_source")),
        *(_variable(words, name) for name in names),
    ]


def _variable(words: Words, name: str) -> build.QueryVariable:
    made = (
        build.QueryVariable(name)
        .label(words(f"grafana.{name}"))
        .query(_VARIABLES[name])
        .regex(_named(name, kind_label(words) if name == "kind" else _SHOWN.get(name, name)))
        .datasource(DATA_SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.NATURAL_ASC)
    )
    if name in _CHOOSE_ONE:
        return made
    chosen = model.VariableOption(selected=True, text="All", value=ALL)
    return made.multi(multi=True).include_all(include_all=True).all_value(".*").current(chosen)


def _named(value: str, text: str) -> str:
    """Return what takes value and text out of `{value="x",text="X"} 1 123`, if they differ."""
    if value == text:
        return f'/{value}="(?<value>[^"]+)"/' if _VARIABLES[value].startswith("query") else ""
    return f'/{value}="(?<value>[^"]+)".*{text}="(?<text>[^"]+)"/'


def _alerts(words: Words) -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name(words("grafana.alerts"))
        .datasource(DATA_SOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color(DOWN)
        .expr('max by (alertname, agency, link) (ALERTS{alertstate="firing", severity="critical"})')
    )


def _menu(words: Words) -> build.DashboardLink:
    return (
        build.DashboardLink(words("grafana.menu"))
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([f"netmon-{words.language}"])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )
