"""The committed dashboards: generated from their source, of the right structure, by the rules."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grafana.check import rules, structure
from grafana.source import look
from grafana.source.render import DASHBOARDS, generated
from netmon.config.loading import load_all
from netmon.messages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana/dashboards"

Json = dict[str, Any]


def committed() -> dict[str, Json]:
    """Return every dashboard that is committed, by uid."""
    texts = (path.read_text("utf-8") for path in sorted(FOLDER.rglob("*.json")))
    return {each["uid"]: each for each in map(json.loads, texts)}


@pytest.fixture(scope="module")
def dashboards() -> dict[str, Json]:
    return committed()


@pytest.fixture(scope="module")
def world(dashboards: dict[str, Json]) -> rules.World:
    return rules.world(list(dashboards.values()))


UIDS = [f"netmon-{language}-{name}" for language in LANGUAGES for name in DASHBOARDS]


def test_what_is_committed_is_what_the_source_says() -> None:
    for name, text in generated().items():
        assert (ROOT / name).read_text("utf-8") == text, f"{name}: run python scripts/generate.py"


def test_nothing_is_committed_that_the_source_does_not_make() -> None:
    made = {ROOT / name for name in generated()}
    kept = {*FOLDER.rglob("*.*"), *(ROOT / "grafana/provisioning").rglob("*.*")}
    assert kept <= made


def test_every_dashboard_is_there_in_every_language(dashboards: dict[str, Json]) -> None:
    assert sorted(dashboards) == sorted(UIDS)


@pytest.mark.parametrize("uid", UIDS)
def test_its_structure_is_what_grafana_knows(dashboards: dict[str, Json], uid: str) -> None:
    assert structure.faults(dashboards[uid]) == []


@pytest.mark.parametrize("uid", UIDS)
def test_it_keeps_the_rules(dashboards: dict[str, Json], world: rules.World, uid: str) -> None:
    assert rules.faults(dashboards[uid], world) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_languages_differ_in_words_only(dashboards: dict[str, Json], name: str) -> None:
    vietnamese, english = (skeleton(dashboards[f"netmon-{each}-{name}"]) for each in LANGUAGES)
    assert vietnamese == english


def skeleton(dashboard: Json) -> list[Any]:
    """Return what a dashboard measures and where it stands, without its words."""
    return [
        (panel["type"], panel["gridPos"], [target["expr"] for target in panel["targets"]])
        for panel in dashboard["panels"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_shows_the_outages_first(dashboards: dict[str, Json], language: str) -> None:
    """A phone stacks the panels by their place, and shows hardly more than two columns."""
    panels = dashboards[f"netmon-{language}-overview"]["panels"]
    first = min(panels, key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    columns = first["transformations"][-1]["options"]["indexByName"]
    assert first["type"] == "table"
    assert sorted(columns, key=columns.__getitem__)[:2] == ["name", "Value"]


LEADS_NOWHERE: dict[str, set[str]] = {
    "overview": {"heatmap"},
    "carrier": {"status-history"},
    "availability": set(),
    "boxes": set(),
}
"""Kinds of panels that show all links at once and have nobody to lead to."""


@pytest.mark.parametrize("name", LEADS_NOWHERE)
def test_every_panel_leads_on_to_what_is_behind_it(dashboards: dict[str, Json], name: str) -> None:
    panels = dashboards[f"netmon-vi-{name}"]["panels"]
    dead_ends = [
        panel["title"]
        for panel in panels
        if panel["type"] not in LEADS_NOWHERE[name] and '"url"' not in json.dumps(panel)
    ]
    assert set(dead_ends) <= {"Thời gian mất theo nguyên nhân"}


# --- Faults that were planted, and the layer that must find each --------------------------------


def panel_of(dashboard: Json, kind: str) -> Json:
    found: Json = next(each for each in dashboard["panels"] if each["type"] == kind)
    return found


def bad_option(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["options"]["colourMode"] = "value"


def bad_choice(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["options"]["colorMode"] = "rainbow"


def bad_custom_option(dashboard: Json) -> None:
    panel_of(dashboard, "state-timeline")["fieldConfig"]["defaults"]["custom"]["lineWith"] = 3


def bad_type(dashboard: Json) -> None:
    dashboard["refresh"] = 30


def bad_panel(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["type"] = "statt"


def bad_query_key(dashboard: Json) -> None:
    target = panel_of(dashboard, "stat")["targets"][0]
    target["expression"] = target["expr"]


STRUCTURAL = (bad_option, bad_choice, bad_custom_option, bad_type, bad_panel, bad_query_key)


def bad_unit(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["fieldConfig"]["defaults"]["unit"] = "secs"


def bad_colour(dashboard: Json) -> None:
    thresholds = panel_of(dashboard, "stat")["fieldConfig"]["defaults"]["thresholds"]
    thresholds["steps"][0]["color"] = "green"


def no_data_painted_well(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["fieldConfig"]["defaults"]["mappings"] = []


def no_data_in_the_colour_of_up(dashboard: Json) -> None:
    mapping = panel_of(dashboard, "stat")["fieldConfig"]["defaults"]["mappings"][0]
    mapping["options"]["result"]["color"] = look.UP


def expression_of(dashboard: Json, expression: str, kind: str = "stat") -> None:
    panel_of(dashboard, kind)["targets"][0]["expr"] = expression


def bad_metric(dashboard: Json) -> None:
    expression_of(dashboard, "sum(netmon_lnik_up)")


def bad_label(dashboard: Json) -> None:
    expression_of(dashboard, 'sum(netmon_link_up{site="x"})')


def bad_grouping(dashboard: Json) -> None:
    expression_of(dashboard, "sum by (site) (netmon_link_up)")


def variable_of(dashboard: Json, name: str) -> Json:
    variables = dashboard["templating"]["list"]
    found: Json = next(each for each in variables if each["name"] == name)
    return found


def variable_of_no_metric(dashboard: Json) -> None:
    variable_of(dashboard, "kind")["query"] = "query_result(netmon_agency)"


def variable_by_no_label(dashboard: Json) -> None:
    variable = variable_of(dashboard, "district")
    variable["regex"] = variable["regex"].replace("district_name", "area_name")


def variable_without_value(dashboard: Json) -> None:
    variable_of(dashboard, "provider")["regex"] = ""


def bad_promql(dashboard: Json) -> None:
    expression_of(dashboard, "sum(netmon_link_up")


def counter_as_a_gauge(dashboard: Json) -> None:
    expression_of(dashboard, "sum(netmon_echo_replies_total)")


def counter_by_delta(dashboard: Json) -> None:
    expression_of(dashboard, "sum(delta(netmon_echo_replies_total[5m]))")


def rate_of_a_gauge(dashboard: Json) -> None:
    expression_of(dashboard, "sum(rate(netmon_link_up[5m]))")


def fixed_window(dashboard: Json) -> None:
    expression_of(dashboard, "sum(rate(netmon_echo_replies_total[1m]))", "timeseries")


def top_at_each_step(dashboard: Json) -> None:
    expression_of(dashboard, "topk(20, netmon_link_loss_ratio)", "timeseries")


def link_of(dashboard: Json) -> Json:
    overrides = panel_of(dashboard, "table")["fieldConfig"]["overrides"]
    found: Json = next(
        each["value"][0]
        for override in overrides
        for each in override["properties"]
        if each["id"] == "links"
    )
    return found


def wrong_link(dashboard: Json) -> None:
    link_of(dashboard)["url"] = link_of(dashboard)["url"].replace("-link?", "-lnik?")


def wrong_variable(dashboard: Json) -> None:
    link_of(dashboard)["url"] = link_of(dashboard)["url"].replace("var-agency", "var-site")


def wrong_source(dashboard: Json) -> None:
    link_of(dashboard)["url"] = link_of(dashboard)["url"].replace("__data.fields", "__field.labels")


def editable(dashboard: Json) -> None:
    dashboard["editable"] = True


def other_data_source(dashboard: Json) -> None:
    panel_of(dashboard, "stat")["datasource"]["uid"] = "abc123"


def overlapping(dashboard: Json) -> None:
    dashboard["panels"][1]["gridPos"]["y"] = 0


def same_title(dashboard: Json) -> None:
    dashboard["panels"][1]["title"] = dashboard["panels"][2]["title"]


def bad_transformation(dashboard: Json) -> None:
    panel_of(dashboard, "table")["transformations"][0]["id"] = "organise"


def bad_property(dashboard: Json) -> None:
    override = panel_of(dashboard, "table")["fieldConfig"]["overrides"][0]
    override["properties"][0]["id"] = "custom.with"


BY_RULE = (
    bad_unit, bad_colour, no_data_painted_well, no_data_in_the_colour_of_up, bad_metric, bad_label,
    bad_grouping, bad_promql, counter_as_a_gauge, counter_by_delta, rate_of_a_gauge, fixed_window,
    top_at_each_step, wrong_link, wrong_variable, wrong_source, editable, other_data_source,
    overlapping, same_title, variable_of_no_metric, variable_by_no_label, variable_without_value,
    bad_transformation, bad_property,
)  # fmt: skip


@pytest.mark.parametrize("plant", STRUCTURAL, ids=lambda plant: plant.__name__)
def test_the_structure_check_finds(plant: Callable[[Json], None]) -> None:
    dashboard = committed()["netmon-vi-overview"]
    plant(dashboard)
    assert len(structure.faults(dashboard)) == 1


@pytest.mark.parametrize("plant", BY_RULE, ids=lambda plant: plant.__name__)
def test_the_rules_find(world: rules.World, plant: Callable[[Json], None]) -> None:
    dashboard = committed()["netmon-vi-overview"]
    plant(dashboard)
    assert rules.faults(dashboard, world) != []


# --- The map -------------------------------------------------------------------------------------


def test_every_agency_of_the_shipped_inventory_lies_in_the_outline() -> None:
    outline = json.loads((ROOT / "grafana/maps/netmon-province.geojson").read_text("utf-8"))
    (ring,) = outline["features"][0]["geometry"]["coordinates"]
    inventory = load_all(ROOT / "config/netmon.yaml").inventory
    agencies = inventory.agencies.values()
    places = {
        each.id: (each.longitude, each.latitude)
        for each in agencies
        if each.longitude is not None and each.latitude is not None
    }
    assert len(places) > 50
    assert [name for name, place in places.items() if not inside(ring, *place)] == []


def inside(ring: list[list[float]], x: float, y: float) -> bool:
    """Tell whether a ray from the place crosses the ring an odd number of times."""
    crossings = [
        (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
        for (x1, y1), (x2, y2) in pairwise(ring)
    ]
    return sum(crossings) % 2 == 1
