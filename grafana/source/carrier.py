"""For whoever talks to the carrier: how well each kept what was agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import FLEET_VARIABLES, Head, board, to_board, to_link
from grafana.source.panels import Column, Figure, Frame, Query, instant, rows
from grafana.source.records import FLEET_STATES

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words

_BY = "provider, provider_name"


def carrier(words: Words) -> model.Dashboard:
    """Return the dashboard of the carriers."""
    head = Head("carrier", "grafana.carrier", FLEET_VARIABLES, "now-7d", refresh="5m")
    return board(
        words,
        head,
        [
            _availability(words),
            _open_now(words),
            _lost_by_carrier(words),
            _worst(words),
            _causes(words),
            _simultaneous(words),
            _availability_by_day(words),
        ],
    )


def _availability(words: Words) -> model.Panel:
    expression = series.carrier(series.provider_availability(_BY, "$__range"))
    links = [to_board(words, "availability", "provider")]
    figure = Figure("percentunit", 3, look.AVAILABILITY, links=links)
    frame = Frame("grafana.carrier_availability", 8, 6)
    return panels.big(words, frame, instant(expression, "{{provider_name}}"), figure, names=True)


def _open_now(words: Words) -> model.Panel:
    expression = series.carrier(
        f"(count by ({_BY}) ({series.outages()})"
        f' or sum by ({_BY}) ({FLEET_STATES}{{{series.FLEET}, state="up"}}) * 0)'
    )
    links = [to_board(words, "boxes", "provider")]
    figure = Figure(steps=look.ANY_IS_BAD, links=links)
    frame = Frame("grafana.carrier_down", 8, 6)
    return panels.big(words, frame, instant(expression, "{{provider_name}}"), figure, names=True)


def _lost_by_carrier(words: Words) -> model.Panel:
    expression = series.carrier(series.lost_seconds(_BY, "$__range"))
    links = [to_board(words, "availability", "provider")]
    figure = Figure("dtdhms", 0, minimum=0, links=links)
    frame = Frame("grafana.carrier_lost", 8, 6)
    return panels.bars(words, frame, instant(expression, "{{provider_name}}"), figure)


def _worst(words: Words) -> model.Panel:
    by = "agency, link, name, provider_name, district_name"
    lost: look.Steps = ((None, look.UP), (3600, look.DEGRADED), (4 * 3600, look.DOWN))
    columns = (
        Column("name", "grafana.agency", width=240, links=[to_link(words)]),
        Column("Value", "grafana.lost", Figure("dtdhms", 0, lost), coloured=True, width=120),
        Column("provider_name", "grafana.provider"),
        Column("link", "grafana.link", width=100),
        Column("district_name", "grafana.district"),
        Column("agency", ""),
    )
    query = rows(f"topk(10, {series.lost_seconds(by, '$__range')})")
    frame = Frame("grafana.worst", 14, 10)
    return panels.listing(words, frame, [query], columns, "grafana.lost")


def _causes(words: Words) -> model.Panel:
    columns = (
        Column("cause", "grafana.cause", Figure(mappings=look.of_causes(words)), width=230),
        Column("Value #A", "grafana.lost", Figure("dtdhms", 0), width=110),
        Column("Value #B", "grafana.outages_count", Figure(decimals=0), width=80),
        Column("provider_name", "grafana.provider"),
    )
    queries = [rows(each) for each in series.by_cause("$__range")]
    frame = Frame("grafana.carrier_causes", 10, 10)
    return panels.listing(words, frame, queries, columns, "grafana.lost")


def _simultaneous(words: Words) -> model.Panel:
    states = f'{FLEET_STATES}{{{series.FLEET}, state="down"}}'
    expression = series.carrier(f"sum by ({_BY}) ({states})")
    query = Query(expression, "{{provider_name}}")
    links = [to_board(words, "boxes", "provider")]
    figure = Figure(decimals=0, minimum=0, steps=((None, look.DOWN),), links=links)
    return panels.graph(words, Frame("grafana.simultaneous", 12, 9), [query], figure)


def _availability_by_day(words: Words) -> model.Panel:
    return panels.history(
        words,
        Frame("grafana.carrier_days", 12, 9),
        [Query(series.carrier(series.provider_availability(_BY, "1d")), "{{provider_name}}")],
        Figure("percentunit", 2, look.AVAILABILITY),
        "1d",
    )
