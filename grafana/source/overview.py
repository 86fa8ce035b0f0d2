"""The wall and the phone: what is broken, since when, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import FLEET_VARIABLES, Head, board, to_board, to_link
from grafana.source.panels import Column, Figure, Frame, Query, instant, rows
from grafana.source.places import agencies_map
from grafana.source.records import FLEET_STATES, RTT_BUCKETS, WORST

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words


# Coarse enough that 20,000 links with 200 of them down cost no more than 50,000 samples a look.
_TROUBLE_STEP, _DISTRICT_STEP = "3m", "5m"


def overview(words: Words) -> model.Dashboard:
    """Return the dashboard; the table comes first because a phone shows the panels in order."""
    head = Head("overview", "grafana.overview", FLEET_VARIABLES, "now-6h", refresh="30s")
    return board(
        words,
        head,
        [
            _outage_table(words),
            *_counts(words),
            _trouble(words),
            _down_by_district(words),
            _availability_by_hour(words),
            panels.heat(words, Frame("grafana.rtt_all", 12, 9), f"{RTT_BUCKETS} * 60", "s"),
            agencies_map(words, Frame("grafana.map", 12, 9)),
            _alert_table(words),
        ],
    )


def _outage_table(words: Words) -> model.Panel:
    columns = (
        # Wide enough for a name, and narrow enough for both on a phone.
        Column("name", "grafana.agency", width=240, links=[to_link(words)]),
        Column("Value", "grafana.lasting", Figure("dtdhms", 0, _LASTING), coloured=True, width=110),
        Column("provider_name", "grafana.provider"),
        Column("link", "grafana.link"),
        Column("district_name", "grafana.district"),
        *panels.kind_columns(words),
        Column("agency", ""),
    )
    by = "agency, link, name, provider_name, district_name, kind, kind_name"
    query = rows(f"max by ({by}) ({series.NOW} - {series.outages()})")
    frame = Frame("grafana.outages", 24, 9)
    return panels.listing(words, frame, [query], columns, "grafana.lasting")


_LASTING: look.Steps = ((None, look.DEGRADED), (900, look.DOWN))


def _counts(words: Words) -> list[model.Panel]:
    counted = (
        ("state.down", series.or_zero(f"count({series.outages()})"), look.ANY_IS_BAD),
        ("state.unreachable", series.fleet_state("unreachable"), look.ANY_IS_BAD),
        ("state.degraded", series.fleet_state("degraded"), look.ANY_IS_WORTH_A_LOOK),
        ("state.maintenance", series.fleet_state("maintenance"), look.NEUTRAL),
        ("state.unknown", series.fleet_state("unknown|unobserved"), look.ANY_IS_WORTH_A_LOOK),
        ("state.up", series.fleet_state("up"), look.NONE_IS_BAD),
    )
    age: look.Steps = ((None, look.UP), (60, look.DEGRADED), (180, look.DOWN))
    return [
        panels.counts(
            words,
            Frame("grafana.counts", 16, 5),
            counted,
            Figure(links=[to_board(words, "boxes")]),
        ),
        panels.big(
            words,
            Frame("grafana.round_age", 4, 5),
            instant(series.ROUND_AGE),
            Figure("dthms", 0, age, links=[to_board(words, "health")]),
        ),
        panels.big(
            words,
            Frame("grafana.availability_day", 4, 5),
            instant(series.day_availability()),
            Figure("percentunit", 3, look.AVAILABILITY, links=[to_board(words, "carrier")]),
        ),
    ]


def _trouble(words: Words) -> model.Panel:
    # `@ end()`: without it others are chosen at each step, and rows break up. The zeros of the
    # chosen are drawn only while netmon was there to see.
    chosen = f"{WORST}{{{series.FLEET}}} @ end()"
    by = "agency, link, name"
    expression = (
        f"max by ({by}) ({series.outages()} > bool 0 and on (agency, link) {chosen})"
        f" or max by ({by}) ({chosen}) * 0 * {series.ALIVE}"
    )
    panel = panels.timeline(
        words,
        Frame("grafana.trouble", 24, 9),
        Query(expression, "{{name}} · {{link}}"),
        look.of_outages(words),
        [to_link(words, "field.labels")],
    )
    panel.interval = _TROUBLE_STEP
    return panel


def _down_by_district(words: Words) -> model.Panel:

    def down(where: str) -> str:
        return f'{FLEET_STATES}{{{series.FLEET}, {where}, state="down"}}'

    figure = Figure(decimals=0, minimum=0, steps=((None, look.DOWN),))
    frame = Frame("grafana.down_over_time", 12, 9)
    queries = _by_place(words, lambda by, where: f"sum by ({by}) ({down(where)})")
    panel = panels.stack(words, frame, queries, figure)
    panel.interval = _DISTRICT_STEP
    return panels.by_query(panel, [{"links": links} for links in _to_boxes(words)])


def _availability_by_hour(words: Words) -> model.Panel:
    queries = _by_place(
        words, lambda by, where: series.fleet_availability(f"{series.FLEET}, {where}", by, "1h")
    )
    panel = panels.history(
        words,
        Frame("grafana.availability_hours", 12, 9),
        queries,
        Figure("percentunit", 2, look.AVAILABILITY),
        "1h",
    )
    return panels.by_query(panel, [{"links": links} for links in _to_boxes(words)])


def _to_boxes(words: Words) -> list[list[model.DashboardLink]]:
    """Return the links from what the queries of `_by_place` bring."""
    return [[to_board(words, "boxes", label)] for label in ("district", "kind")]


def _by_place(words: Words, expression: Callable[[str, str], str]) -> list[Query]:
    """Return queries for each district, and by kind for the agencies that belong to none."""
    return [
        Query(expression("district, district_name", 'district!=""'), "{{district_name}}"),
        Query(expression("kind, kind_name", 'district=""'), f"{{{{{look.kind_label(words)}}}}}"),
    ]


def _alert_table(words: Words) -> model.Panel:
    severity = Figure(mappings=look.of_severities(words))
    columns = (
        Column("name", "grafana.agency", width=240, links=[to_link(words)]),
        Column("severity", "grafana.severity", severity, coloured=True, width=120),
        Column("alertname", "grafana.alert", Figure(mappings=look.of_alerts(words))),
        Column("link", "grafana.link", width=110),
        Column("Value", "grafana.alert_series", Figure(decimals=0), width=90),
        Column("agency", ""),
    )
    # One that always fires, to show that the way to the pager works, is no trouble.
    by, firing = "alertname, severity, agency, link", 'alertstate="firing", alertname!="Watchdog"'
    names = "on (agency) group_left (name) max by (agency, name) (netmon_agency_info)"
    query = rows(
        f'count by ({by}) (ALERTS{{{firing}, agency!=""}}) * {names}'
        f' or count by ({by}) (ALERTS{{{firing}, agency=""}})'
    )
    return panels.listing(
        words, Frame("grafana.alerts", 24, 7), [query], columns, "grafana.severity"
    )
