"""Every query of every dashboard against a real Prometheus, fed by the real daemon.

One province, one outage that is over and one that is open: what panels are about.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pytest

from grafana.check.expressions import plain
from grafana.source.records import DOWN_SECONDS, OPEN_OUTAGES, rules_file
from lab.capabilities import Need, missing
from lab.prometheus import Prometheus, Scrape
from tests.support.daemon import Netmon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab

pytestmark = pytest.mark.lab

FOLDER = Path(__file__).parents[2] / "grafana/dashboards/en"
DASHBOARDS = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
"""The Vietnamese ones ask the same: a unit test compares."""

RANGE_SECONDS = 60
OVER, OPEN = "so-1", "xa-0-1"
FACTS = (
    "lan: true, staff: 40, mailboxes: 31, document_system: false, latitude: 10.36, "
    "longitude: 106.36, limits: {loss: 5%, rtt: 50ms}, "
    "target: {availability: 99.5%, source: example}"
)
GAP_SECONDS = 6.0
EMPTY = {
    "Alerts that fire": "this Prometheus has no alerting rules",
    "Why echoes failed": "no router between the centre and a department reports an error here",
    "Routers that changed": "no router was replaced",
    "Agencies removed": "no agency was removed",
    "Agencies added": "the province is younger than the time shown",
    "Ignored ICMP packets": "a counter may not have moved",
}
"""Panels that may have nothing to show, with the reason."""
EMPTY_QUERIES = {("Loss over time", "B"): "this province has IPv4 only"}
"""Queries of panels that have something to show."""
UNSAID = {"serial"}
"""Labels that are empty here: net-snmp tells no serial number."""


class Panel(NamedTuple):
    """A panel of a dashboard."""

    dashboard: dict[str, Any]
    panel: dict[str, Any]

    @property
    def variables(self) -> list[str]:
        every = self.dashboard["templating"]["list"]
        return [each["name"] for each in every if each["type"] == "query"]

    @property
    def title(self) -> str:
        return str(self.panel["title"])


PANELS = [Panel(each, panel) for each in DASHBOARDS for panel in each["panels"]]


@pytest.fixture(scope="module")
def prometheus(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    if lack := missing(Need.PROMETHEUS):
        pytest.skip(lack)
    settings, rules = written(lab, tmp_path_factory.mktemp("netmon"))
    with ExitStack() as stack:
        netmon = stack.enter_context(Netmon(settings, lab.namespace("centre")))
        scrape = Scrape([f"127.0.0.1:{netmon.port}"], rule_files=[rules])
        prometheus = stack.enter_context(Prometheus(scrape, lab.namespace("centre")))
        prometheus.wait_for("min(netmon_link_up) == 1")
        with lab.faults.cut(OVER):
            prometheus.wait_for(f'netmon_link_up{{agency="{OVER}", link="primary"}} == 0')
        stack.enter_context(lab.faults.cut(OPEN))
        prometheus.wait_for(f'sum(netmon_link_outages_total{{agency="{OVER}"}}) > 0')
        prometheus.wait_for(f'{OPEN_OUTAGES}{{agency="{OPEN}"}}')
        prometheus.wait_for(f'{DOWN_SECONDS}{{agency="{OPEN}"}}')
        prometheus.wait_for("min(netmon_snmp_up)")
        yield prometheus


def written(lab: Lab, folder: Path) -> tuple[Path, Path]:
    """Write a configuration with every fact a panel shows, and rules that need not be waited for.

    Every hour is a business hour: the test runs at any time of day.
    """
    settings = lab.inventory_yaml(folder)
    inventory = folder / "agencies.yaml"
    text = inventory.read_text("utf-8")
    inventory.write_text(re.sub(r"(kind: \w+, )(router:)", rf"\1{FACTS}, \2", text), "utf-8")
    days = "monday, tuesday, wednesday, thursday, friday, saturday, sunday"
    calendar = f'hours: ["00:00-24:00"]\nweekdays: [{days}]\n'
    (folder / "calendar.yaml").write_text(calendar, "utf-8")
    rules = folder / "rules.yml"
    rules.write_text(re.sub(r"interval: \w+", "interval: 1s", rules_file()), "utf-8")
    return settings, rules


def ask(
    prometheus: Prometheus, expression: str, values: dict[str, str], *, instant: bool
) -> list[Any]:
    """Return what Grafana would get: series with their labels."""
    windows = {"__rate_interval": "15s", "__range": f"{RANGE_SECONDS}s"}
    filled = plain(expression, {**windows, **values})
    now = time.time()  # noqa: TID251  # the end of what is shown
    query = {"query": filled, "time": now}
    if not instant:
        query = {"query": filled, "start": now - RANGE_SECONDS, "end": now, "step": 1}
    path = "query" if instant else "query_range"
    answer = json.loads(prometheus.fetch(f"/api/v1/{path}?{urlencode(query)}"))
    series: list[Any] = answer["data"]["result"]
    return series


def answers(prometheus: Prometheus, panel: Panel, values: dict[str, str]) -> list[list[Any]]:
    return [
        ask(prometheus, target["expr"], values, instant=target["instant"])
        for target in panel.panel["targets"]
    ]


def everything(panel: Panel) -> dict[str, str]:
    """Return the values of variables as a dashboard has them when it is opened."""
    one = {"agency": OVER, "link": "primary"}
    return {name: one.get(name, ".*") for name in panel.variables}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_every_query_is_answered_and_no_panel_is_empty(
    prometheus: Prometheus, panel: Panel
) -> None:
    values = everything(panel)
    if panel.panel.get("repeat"):
        values[panel.panel["repeat"]] = "huyen-0"
    # A scrape that timed out on a busy machine leaves a gap of a second in every series.
    deadline = time.monotonic() + GAP_SECONDS
    while empty := empty_queries(panel, answers(prometheus, panel, values)):
        if panel.title in EMPTY or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    assert panel.title in EMPTY or not empty


def empty_queries(panel: Panel, found: list[list[Any]]) -> list[str]:
    """Return the queries without an answer that are not known to have none."""
    return [
        target["expr"]
        for target, series in zip(panel.panel["targets"], found, strict=True)
        if not series and (panel.title, target["refId"]) not in EMPTY_QUERIES
    ]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_no_choice_of_a_variable_breaks_a_query(prometheus: Prometheus, panel: Panel) -> None:
    for name, value in choices(prometheus, panel):
        answers(prometheus, panel, {**everything(panel), name: value})


def choices(prometheus: Prometheus, panel: Panel) -> Iterator[tuple[str, str]]:
    """Yield every value of every variable, as Prometheus gives them for the list."""
    for variable in panel.dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        kind, _, inside = variable["query"].removesuffix(")").partition("(")
        selector, label = inside, variable["name"]
        if kind == "label_values":
            selector, _, label = inside.rpartition(", ")
        series = ask(prometheus, selector, everything(panel), instant=True)
        values = {each["metric"].get(label, "") for each in series} - {""}
        assert values, variable["name"]
        if kind == "query_result":
            assert chosen_from(series, variable["regex"]) == values
        for value in sorted(values):
            yield variable["name"], value


def chosen_from(series: list[Any], regex: str) -> set[str]:
    """Return the values that Grafana takes out of series, which it writes as text first."""
    pattern = re.compile(regex.strip("/").replace("(?<", "(?P<"))
    told = (
        ",".join(f'{name}="{value}"' for name, value in each["metric"].items()) for each in series
    )
    found = [pattern.search(f"{{{each}}} 1 1750000000000") for each in told]
    assert all(each is not None and each.groupdict().get("text", "-") for each in found)
    return {each["value"] for each in found if each is not None}


@pytest.mark.parametrize(
    "panel",
    [each for each in PANELS if each.panel["type"] == "table" and each.title not in EMPTY],
    ids=lambda panel: panel.title,
)
def test_columns_and_links_of_a_table_are_in_its_rows(prometheus: Prometheus, panel: Panel) -> None:
    found = answers(prometheus, panel, everything(panel))
    labels = {label for series in found for each in series for label in each["metric"]}
    refs = [target["refId"] for target in panel.panel["targets"]]
    values = {"Value"} if len(refs) == 1 else {f"Value #{ref}" for ref in refs}
    organize = panel.panel["transformations"][-1]["options"]
    assert labels | values <= set(organize["indexByName"])
    assert set(organize["indexByName"]) - labels - values <= UNSAID
    assert fields_of_links(panel) <= labels


def fields_of_links(panel: Panel) -> set[str]:
    return set(re.findall(r"__data\.fields\.(\w+)", json.dumps(panel.panel["fieldConfig"])))


@pytest.mark.parametrize(
    "panel",
    [each for each in PANELS if "__field.labels" in json.dumps(each.panel["fieldConfig"])],
    ids=lambda panel: panel.title,
)
def test_labels_that_links_use_are_on_every_series(prometheus: Prometheus, panel: Panel) -> None:
    targets = panel.panel["targets"]
    for target, series in zip(targets, answers(prometheus, panel, everything(panel)), strict=True):
        used = labels_of_links(panel, target["refId"])
        assert all(used <= set(each["metric"]) for each in series)


def labels_of_links(panel: Panel, reference: str) -> set[str]:
    """Return the labels that links of one query's series are made of."""
    fields = panel.panel["fieldConfig"]
    mine = [each for each in fields["overrides"] if each["matcher"].get("options") == reference]
    return set(re.findall(r"__field\.labels\.(\w+)", json.dumps([fields["defaults"], mine])))


def test_tiles_and_table_agree(prometheus: Prometheus) -> None:
    """The number of rows is the number on the tile beside it."""
    overview = {
        panel.title: panel for panel in PANELS if panel.dashboard["uid"] == "netmon-en-overview"
    }
    values = everything(overview["Down now"])
    (rows,) = answers(prometheus, overview["Down now"], values)
    down, *others = answers(prometheus, overview["Links by state"], values)
    assert float(down[0]["value"][1]) == len(rows) == 1
    (links,) = ask(prometheus, "max(netmon_inventory_links)", {}, instant=True)
    counted = sum(float(each[0]["value"][1]) for each in (down, *others))
    assert counted == float(links["value"][1])


def test_without_netmon_no_tile_says_that_all_is_well(prometheus: Prometheus) -> None:
    """Nothing is counted as 0 where nothing is known."""
    for panel in PANELS:
        if panel.panel["type"] != "stat" or panel.title == "Scraped by Prometheus":
            continue
        for target in panel.panel["targets"]:
            gone = re.sub(r"\b(netmon_\w+|\w+:netmon_\w+:\w+)", r"\1_gone", target["expr"])
            assert ask(prometheus, gone, everything(panel), instant=True) == [], panel.title
