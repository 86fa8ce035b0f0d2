"""The wall and the phone: what is broken, since when, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import FLEET_VARIABLES, Head, board, to_link
from grafana.source.panels import Column, Figure, Frame, Query, instant, rows
from grafana.source.places import agencies_map
from grafana.source.records import FLEET_STATES, RTT_BUCKETS, WORST

if TYPE_CHECKING:
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
        Column("name", "grafana.agency", links=[to_link(words)]),
        Column("Value", "grafana.lasting", Figure("dtdhms", 0, _LASTING), coloured=True),
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
    counts = (
        ("grafana.down_now", series.or_zero(f"count({series.outages()})"), look.ANY_IS_BAD),
        ("grafana.unreachable_now", series.fleet_state("unreachable"), look.ANY_IS_BAD),
        ("grafana.degraded_now", series.fleet_state("degraded"), look.ANY_IS_WORTH_A_LOOK),
        ("grafana.maintenance_now", series.fleet_state("maintenance"), look.NEUTRAL),
        ("grafana.unseen_now", series.fleet_state("unknown|unobserved"), look.ANY_IS_WORTH_A_LOOK),
        ("grafana.up_now", series.fleet_state("up"), look.NONE_IS_BAD),
    )
    figures = [
        panels.big(words, Frame(key, 3, 4), instant(expression), Figure(steps=steps))
        for key, expression, steps in counts
    ]
    age: look.Steps = ((None, look.UP), (60, look.DEGRADED), (180, look.DOWN))
    availability = series.day_availability()
    return [
        *figures,
        panels.big(
            words,
            Frame("grafana.round_age", 3, 4),
            instant(series.ROUND_AGE),
            Figure("dthms", 0, age),
        ),
        panels.big(
            words,
            Frame("grafana.availability_day", 3, 4),
            instant(availability),
            Figure("percentunit", 3, look.AVAILABILITY),
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
    )
    panel.interval = _TROUBLE_STEP
    return panel


def _down_by_district(words: Words) -> model.Panel:
    states = f'{{{series.FLEET}, state="down"}}'
    expression = f"sum by (district_name, kind, kind_name) ({FLEET_STATES}{states})"
    query = Query(expression, _place(words))
    figure = Figure(decimals=0, minimum=0)
    frame = Frame("grafana.down_over_time", 12, 9)
    panel = panels.graph(words, frame, [query], figure, stacked=True)
    panel.interval = _DISTRICT_STEP
    return panel


def _availability_by_hour(words: Words) -> model.Panel:
    by = "district_name, kind, kind_name"
    expression = series.fleet_availability(series.FLEET, by, "1h")
    return panels.history(
        words,
        Frame("grafana.availability_hours", 12, 9),
        Query(expression, _place(words)),
        Figure("percentunit", 2, look.AVAILABILITY),
        "1h",
    )


def _place(words: Words) -> str:
    return f"{{{{{look.kind_label(words)}}}}} {{{{district_name}}}}"


def _alert_table(words: Words) -> model.Panel:
    columns = (
        Column("alertname", "grafana.alert"),
        Column("severity", "grafana.severity"),
        Column("agency", "grafana.agency_id"),
        Column("link", "grafana.link"),
        Column("Value", "grafana.alert_series"),
    )
    query = rows('count by (alertname, severity, agency, link) (ALERTS{alertstate="firing"})')
    return panels.listing(
        words, Frame("grafana.alerts", 24, 7), [query], columns, "grafana.severity"
    )
