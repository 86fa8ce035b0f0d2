"""The committed dashboards: generated from their source, of the right structure, by the rules."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grafana.check import rules, structure
from grafana.source import look
from grafana.source.render import DASHBOARDS, generated
from netmon.config.loading import load_all
from netmon.messages import LANGUAGES
from netmon.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "grafana/dashboards"

Json = dict[str, Any]
Matrix = tuple[tuple[float, float, float], ...]


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


# --- Colours -------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION: dict[str, Matrix] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
LEAST_DIFFERENCE = 20.0
"""In CIE 1976 units: a difference of 2 to 3 is just noticed side by side."""


def linear(colour: str) -> list[float]:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    ]


def seen(colour: str, vision: Matrix) -> list[float]:
    rgb = linear(colour)
    mixed = (sum(weight * each for weight, each in zip(row, rgb, strict=True)) for row in vision)
    return [min(1.0, max(0.0, each)) for each in mixed]


def lab(rgb: list[float]) -> Iterator[float]:
    red, green, blue = rgb
    x, y, z = (
        _cube((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505),
        _cube(0.2126 * red + 0.7152 * green + 0.0722 * blue),
        _cube((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089),
    )
    yield from (116 * y - 16, 500 * (x - y), 200 * (y - z))


def _cube(value: float) -> float:
    return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116


def difference(one: str, other: str, vision: Matrix) -> float:
    pairs = zip(lab(seen(one, vision)), lab(seen(other, vision)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_with_any_vision(vision: str) -> None:
    colours = sorted(look.PALETTE)
    least = min(difference(one, other, VISION[vision]) for one, other in combinations(colours, 2))
    assert least >= LEAST_DIFFERENCE


@pytest.mark.parametrize("vision", VISION)
def test_the_first_two_lines_of_grafana_are_told_apart_with_any_vision(vision: str) -> None:
    """Of series that nobody can name beforehand: carriers, interfaces, rounds."""
    assert difference("#73bf69", "#f2cc0c", VISION[vision]) >= LEAST_DIFFERENCE


def test_green_beside_grey_would_not_pass() -> None:
    """The pair that was found to look alike on a drawn panel is found here too."""
    assert difference("#009e73", "#999999", VISION["no green"]) < LEAST_DIFFERENCE


@pytest.mark.parametrize("colour", sorted(look.PALETTE))
def test_the_text_that_grafana_puts_on_a_colour_is_legible(colour: str) -> None:
    """Grafana's text is nearly white, and nearly black from a brightness of 180 on."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    text = "#202226" if 0.299 * red + 0.587 * green + 0.114 * blue > 180 else "#f7f8fa"
    light, dark = sorted((luminance(colour), luminance(text)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_state_has_a_colour() -> None:
    assert set(look.STATE_TONES) == set(State)
