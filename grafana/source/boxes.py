"""One cell for each link, by district: the whole province at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import FLEET_VARIABLES, Head, board, to_link
from grafana.source.panels import Figure, Frame, instant

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words


def boxes(words: Words) -> model.Dashboard:
    """Return the dashboard: the agencies of no district first, then a panel for each district."""
    head = Head("boxes", "grafana.boxes", FLEET_VARIABLES, "now-1h", refresh="30s")
    centre = _cells(words, Frame("grafana.cells_centre", 24, 14), 'district=""')
    district = _cells(words, Frame("grafana.cells_district", 12, 9, "district"), "$district")
    return board(words, head, [centre, district])


def _cells(words: Words, frame: Frame, place: str) -> model.Panel:
    district = place if "=" in place else f'district=~"{place}", district!=""'
    chosen = f'netmon_agency_info{{kind=~"$kind", {district}}}'
    # Only the chosen agencies' series are joined; the state is worked out for these alone.
    expression = series.marked(
        f"{series.codes('')} * on (agency) group_left (name) {chosen}"
        f" * on (agency, link) group_left () {series.LINK}"
    )
    figure = Figure(mappings=look.of_states(words), links=[to_link(words, "field.labels")])
    return panels.cells(words, frame, instant(expression, "{{name}}{{mark}}"), figure)
