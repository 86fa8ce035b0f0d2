"""The map: a marker for each agency over an outline that needs no Internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.models import common, geomap
from grafana_foundation_sdk.models import dashboard as model

from grafana.source import look, panels, series
from grafana.source.board import to_agency
from grafana.source.body import Figure, Frame
from grafana.source.records import BEST_STATE

if TYPE_CHECKING:
    from grafana.source.look import Words

OUTLINE = "public/maps/netmon-province.geojson"
"""Where Grafana serves the outline: copy grafana/maps/ into its public/maps/."""

# Any other base map fetches tiles from the Internet; this one asks Grafana itself, finds nothing
# and leaves the ground blank.
_NO_TILES = "public/maps/netmon-no-tiles/{z}/{x}/{y}.png"
_BEST_LINK = (
    f"{BEST_STATE} * on (agency) group_left (name, latitude, longitude) "
    f'(max by (agency, name, latitude, longitude) ({series.AGENCY[:-1]}, latitude!=""}}))'
)


def agencies_map(words: Words, frame: Frame) -> model.Panel:
    """Return the map of agencies, each coloured by the best of its links."""
    figure = Figure(mappings=look.of_states(words), links=[to_agency(words)])
    return panels.geomap(words, frame, _BEST_LINK, _options(words), figure)


def _options(words: Words) -> geomap.Options:
    return geomap.Options(
        # Fits the view to the markers, whatever province this is.
        view=geomap.MapViewConfig(id_val="fit", all_layers=True, padding=10, zoom=12),
        controls=geomap.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=False, show_attribution=False
        ),
        basemap=common.MapLayerOptions(
            type_val="xyz",
            name=words("grafana.no_tiles"),
            config={"url": _NO_TILES, "attribution": ""},
        ),
        layers=[_outline(words), _markers(words)],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )


def _outline(words: Words) -> common.MapLayerOptions:
    return common.MapLayerOptions(
        type_val="geojson",
        name=words("grafana.outline"),
        config={
            "src": OUTLINE,
            "rules": [],
            "style": {
                "color": {"fixed": look.NO_DATA},
                "opacity": 0.15,
                "lineWidth": 2,
                "rotation": {"fixed": 0, "max": 360, "min": -360, "mode": "mod"},
                "size": {"fixed": 5, "max": 15, "min": 2},
            },
        },
        opacity=1,
        tooltip=False,
    )


def _markers(words: Words) -> common.MapLayerOptions:
    style: dict[str, Any] = {
        "color": {"field": "Value", "fixed": look.NO_DATA},
        "opacity": 0.9,
        "size": {"fixed": 7, "max": 15, "min": 2},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "text": {"mode": "field", "field": "name", "fixed": ""},
        "textConfig": {
            "fontSize": 10,
            "offsetX": 0,
            "offsetY": 12,
            "textAlign": "center",
            "textBaseline": "top",
        },
    }
    return common.MapLayerOptions(
        type_val="markers",
        name=words("grafana.agencies"),
        config={"showLegend": False, "style": style},
        location=common.FrameGeometrySource(
            mode=common.FrameGeometrySourceMode.COORDS,
            latitude="latitude",
            longitude="longitude",
        ),
        tooltip=True,
    )
