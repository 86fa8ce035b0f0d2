"""For leadership, once a month: the figures of a period, and how much of it was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import FLEET_VARIABLES, Head, board, to_board, to_link
from grafana.source.panels import Column, Figure, Frame, instant, rows
from grafana.source.records import FLEET_SECONDS

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words

_BUSINESS = 'hours="business"'
_SECONDS = "netmon_link_state_seconds_total"
_BY_LINK = "agency, link"
_KIND = "kind, kind_name"
_RATIO = Figure("percentunit", 3, look.AVAILABILITY)
_SHARE = Figure("percentunit", 2, look.COVERAGE)


def availability(words: Words) -> model.Dashboard:
    """Return the dashboard of the last whole month; other periods by the time picker."""
    head = Head(
        "availability",
        "grafana.availability",
        FLEET_VARIABLES,
        since="now-1M/M",
        until="now-1M/M",
        refresh="",
    )
    return board(words, head, [*_province(words), *_by_kind(words), _every_link(words)])


def _province(words: Words) -> list[model.Panel]:
    business = f"{series.FLEET}, {_BUSINESS}"
    shown = (
        ("grafana.month_all", _fleet(series.FLEET, ""), _RATIO),
        ("grafana.month_business", _fleet(business, ""), _RATIO),
        ("grafana.month_coverage", _coverage(""), _SHARE),
        ("grafana.month_lost", _lost(), Figure("dtdhms", 0)),
    )
    return [
        panels.big(
            words,
            Frame(key, 6, 5),
            instant(expression),
            replace(figure, links=[to_board(words, "carrier")]),
        )
        for key, expression, figure in shown
    ]


def _by_kind(words: Words) -> list[model.Panel]:
    business = f"{series.FLEET}, {_BUSINESS}"
    shown = (
        ("grafana.kind_all", _fleet(series.FLEET, _KIND), _RATIO),
        ("grafana.kind_business", _fleet(business, _KIND), _RATIO),
        ("grafana.kind_coverage", _coverage(_KIND), _SHARE),
    )
    legend = f"{{{{{look.kind_label(words)}}}}}"
    links = [to_board(words, "availability", "kind")]
    return [
        panels.big(
            words,
            Frame(key, 8, 6),
            instant(expression, legend),
            replace(figure, links=links),
            names=True,
        )
        for key, expression, figure in shown
    ]


def _every_link(words: Words) -> model.Panel:
    down = 'state="down"'
    queries = [
        rows(series.named(series.link_availability("", _BY_LINK, "$__range"))),
        rows(series.named(series.link_availability(_BUSINESS, _BY_LINK, "$__range"))),
        rows(series.named(_link_coverage())),
        rows(series.named(_link_seconds(down))),
        rows(series.named(f"max by ({_BY_LINK}) (netmon_link_target_availability_ratio)")),
    ]
    columns = (
        Column("name", "grafana.agency", width=240, links=[to_link(words)]),
        Column("Value #A", "grafana.all_hours", _RATIO, coloured=True),
        Column("Value #B", "grafana.business_hours", _RATIO, coloured=True),
        Column("Value #C", "grafana.seen", _SHARE, coloured=True),
        Column("Value #D", "grafana.lost", Figure("dtdhms", 0)),
        Column("Value #E", "grafana.agreed", Figure("percentunit", 2)),
        Column("link", "grafana.link"),
        *panels.kind_columns(words),
        Column("district", ""),
        Column("district_name", "grafana.district"),
        Column("provider_name", "grafana.provider"),
        Column("agency", ""),
    )
    frame = Frame("grafana.every_link", 24, 20)
    return panels.listing(words, frame, queries, columns, "grafana.lost")


def _fleet(matchers: str, by: str) -> str:
    return series.fleet_availability(matchers, by, "$__range")


def _coverage(by: str) -> str:
    grouping = f"sum by ({by})" if by else "sum"
    seen = f"avg_over_time({FLEET_SECONDS}{{{series.FLEET}, {series.SEEN}}}[$__range])"
    every = f"avg_over_time({FLEET_SECONDS}{{{series.FLEET}}}[$__range])"
    return f"{grouping} ({seen}) / ({grouping} ({every}) > 0)"


def _lost() -> str:
    down = f'sum_over_time({FLEET_SECONDS}{{{series.FLEET}, state="down"}}[$__range])'
    return f"sum ({down})"


def _link_seconds(matchers: str) -> str:
    return f"sum by ({_BY_LINK}) (increase({_SECONDS}{{{matchers}}}[$__range]))"


def _link_coverage() -> str:
    return f"{_link_seconds(series.SEEN)} / ({_link_seconds('')} > 0)"
