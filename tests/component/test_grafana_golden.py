"""What people read: text, unit and colour of every tile and cell, by Grafana's own library."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from grafana.check import reading, rules
from grafana.source import look
from lab.capabilities import Need, missing
from netmon.messages import LANGUAGES, Catalogue
from tests.support.grafana_golden import DAY, GOLDEN, dashboards, frozen, golden, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.prometheus import Prometheus

Json = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _library() -> None:
    if lack := reading.lack():
        pytest.skip(f"missing: {lack}")


@pytest.fixture(scope="module")
def prometheus() -> Iterator[Prometheus]:
    if lack := missing(Need.PROMETHEUS, Need.PROMTOOL):
        pytest.skip(lack)
    with frozen() as running:
        yield running


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_tile_and_cell_says_what_it_said(prometheus: Prometheus, language: str) -> None:
    """A wanted change: `python -m tests.support.grafana_golden`, and read the difference."""
    kept = (GOLDEN / f"{language}.txt").read_text("utf-8")
    assert golden(prometheus, language).splitlines() == kept.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_known_is_grey_and_says_so(language: str) -> None:
    """On every tile, and on no tile anything else: not 0, not the colour of "all is well"."""
    jobs = [job for each in dashboards(language) for job in reading.without_answers(each)]
    tiles = [each for each in reading.read(jobs) if each["type"] in ("stat", "bargauge")]
    word = Catalogue.load().text(language, "grafana.no_data")
    assert len(tiles) > 40
    for tile in tiles:
        shown = [(value["text"], value["color"]) for value in tile["values"]]
        assert shown == [(word, look.NO_DATA)], tile["title"]


def test_grafana_knows_every_name_that_the_rules_allow() -> None:
    panel = tile()
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": matcher, "options": ""}, "properties": []} for matcher in rules.MATCHERS
    ]
    panel["fieldConfig"]["overrides"][0]["properties"] = [
        *({"id": name, "value": None} for name in rules.PROPERTIES - {"unit"}),
        *({"id": "unit", "value": unit} for unit in rules.UNITS),
    ]
    panel["transformations"] = [{"id": each, "options": {}} for each in rules.TRANSFORMATIONS]
    assert strange(panel) == []


# --- Faults that were planted, and found here ---------------------------------------------------


def bad_unit(panel: Json) -> None:
    panel["fieldConfig"]["defaults"]["unit"] = "secs"


def bad_transformation(panel: Json) -> None:
    panel["transformations"] = [{"id": "organise", "options": {}}]


def bad_property(panel: Json) -> None:
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": ""}, "properties": [{"id": "custom.with"}]}
    ]


def bad_matcher(panel: Json) -> None:
    panel["fieldConfig"]["overrides"] = [{"matcher": {"id": "byNam"}, "properties": []}]


def test_what_grafana_does_not_know_is_found() -> None:
    """One fault in each panel; the first panel has none. One start of Node.js reads them all."""
    plants = [None, bad_unit, bad_transformation, bad_property, bad_matcher]
    panels = [tile() for _ in plants]
    for panel, plant in zip(panels, plants, strict=True):
        if plant is not None:
            plant(panel)
    found = [len(each["faults"]) for each in reading.read([unanswered(each) for each in panels])]
    assert found == [0, 1, 1, 1, 1]


def no_data_painted_well(panel: Json) -> None:
    panel["fieldConfig"]["defaults"]["mappings"] = []


def test_absence_painted_as_well_is_found() -> None:
    panel = tile()
    no_data_painted_well(panel)
    ((value,),) = (each["values"] for each in reading.read([unanswered(panel)]))
    assert value["color"] != look.NO_DATA


def other_unit(panel: Json) -> None:
    panel["fieldConfig"]["defaults"]["unit"] = "none"


def other_colour(panel: Json) -> None:
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        step["color"] = "green"


def other_metric(panel: Json) -> None:
    panel["targets"][0]["expr"] = panel["targets"][0]["expr"].replace("netmon_", "netmon_x_")


def test_a_tile_that_reads_otherwise_is_found(prometheus: Prometheus) -> None:
    plants: list[Callable[[Json], None]] = [other_unit, other_colour, other_metric]
    panels = [tile() for _ in range(1 + len(plants))]
    for panel, plant in zip(panels[1:], plants, strict=True):
        plant(panel)
    read = reading.read(reading.asked(prometheus.fetch, {"panels": panels}, DAY))
    usual, *others = [list(said(each)) for each in read]
    assert all(other != usual for other in others)


def tile() -> Json:
    """Return the tile of the month's availability."""
    dashboard = next(each for each in dashboards("en") if each["uid"].endswith("-availability"))
    return deepcopy(dashboard["panels"][0])


def unanswered(panel: Json) -> Json:
    (job,) = reading.without_answers({"panels": [panel]})
    return job


def strange(panel: Json) -> list[str]:
    """Return the names in a panel that Grafana's library does not know."""
    (read,) = reading.read([unanswered(panel)])
    faults: list[str] = read["faults"]
    return faults
