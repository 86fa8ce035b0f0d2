"""The kinds of panels, each with the options that were found to read well from across a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.models import (
    bargauge,
    common,
    heatmap,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prom

from grafana.source.body import (
    Body,
    Figure,
    Frame,
    Query,
    by_query,
    field_defaults,
    fixed,
    instant,
    panel_of,
    properties,
    rows,
    target_of,
    thresholds_of,
)
from grafana.source.look import DEGRADED, NO_DATA, UP, Mappings, Steps, Words, kind_label

_EMPTY_CELL = "–"
_LAST = common.ReduceDataOptions(calcs=["lastNotNull"], values=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a label, or the value of a query (`Value`, `Value #B`)."""

    source: str
    key: str
    """Key of its heading; empty: there for links only, and hidden."""
    figure: Figure | None = None
    coloured: bool = False
    width: int | None = None
    links: Sequence[model.DashboardLink] = ()


def big(
    words: Words, frame: Frame, query: Query, figure: Figure, *, names: bool = False
) -> model.Panel:
    """Return a stat: one coloured tile for each series. `names`: with the series' name."""
    mode = common.BigValueTextMode.VALUE_AND_NAME if names else common.BigValueTextMode.VALUE
    options = stat.Options(
        color_mode=common.BigValueColorMode.BACKGROUND_SOLID,
        graph_mode=common.BigValueGraphMode.NONE,
        reduce_options=_LAST,
        text_mode=mode,
        # Sized by itself, text as tall as its tile loses the accents of capitals.
        text=common.VizTextDisplayOptions(title_size=13, value_size=22 if names else 34),
        wide_layout=False,
    )
    return panel_of(words, frame, Body("stat", [query], options, field_defaults(words, figure)))


def cells(words: Words, frame: Frame, query: Query, figure: Figure) -> model.Panel:
    """Return a stat of many tiles: small letters, so that names are not cut."""
    panel = big(words, frame, query, figure, names=True)
    if isinstance(panel.options, stat.Options):
        panel.options.text = common.VizTextDisplayOptions(title_size=11, value_size=14)
    return panel


def counts(
    words: Words, frame: Frame, counted: Sequence[tuple[str, str, Steps]], figure: Figure
) -> model.Panel:
    """Return one tile for each count, side by side in one panel: on a phone they stay together.

    `counted`: key of the name, expression, thresholds.
    """
    queries = [instant(expression, words(key)) for key, expression, _ in counted]
    panel = big(words, frame, queries[0], figure, names=True)
    if isinstance(panel.options, stat.Options):
        panel.options.text = common.VizTextDisplayOptions(title_size=12, value_size=32)
    panel.targets = [target_of(query, index) for index, query in enumerate(queries)]
    return by_query(panel, [{"thresholds": thresholds_of(steps)} for _, _, steps in counted])


def bars(words: Words, frame: Frame, query: Query, figure: Figure) -> model.Panel:
    """Return horizontal bars, one for each series."""
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=_LAST,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        show_unfilled=True,
    )
    return panel_of(words, frame, Body("bargauge", [query], options, field_defaults(words, figure)))


def graph(words: Words, frame: Frame, queries: Sequence[Query], figure: Figure) -> model.Panel:
    """Return lines over time; gaps stay gaps."""
    return panel_of(words, frame, _lines(words, queries, figure))


def stack(words: Words, frame: Frame, queries: Sequence[Query], figure: Figure) -> model.Panel:
    """Return one coloured area over time whose parts, too many for colours, are told on hover."""
    body = _lines(words, queries, figure)
    body.defaults.color = fixed(figure.steps[0][1])
    body.defaults.custom = _drawn(common.StackingMode.NORMAL, fill=30)
    panel = panel_of(words, frame, body)
    if isinstance(panel.options, timeseries.Options):
        panel.options.legend = _legend(is_shown=False)
    return panel


def both_ways(
    words: Words, frame: Frame, above: Query, below: Query, figure: Figure
) -> model.Panel:
    """Return lines of which the second query's are drawn below zero."""
    panel = graph(words, frame, [above, below], figure)
    mirrored = {"custom_transform": "negative-Y", "color": fixed(DEGRADED)}
    return by_query(panel, [{"color": fixed(UP)}, mirrored])


def timeline(
    words: Words,
    frame: Frame,
    query: Query,
    mappings: Mappings,
    links: Sequence[model.DashboardLink] = (),
) -> model.Panel:
    """Return one bar of states for each series."""
    defaults = _states(words, Figure(mappings=mappings, links=links))
    defaults.custom = statetimeline.FieldConfig(line_width=0, fill_opacity=100)
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        row_height=0.85,
        merge_values=True,
        legend=_legend(),
        per_page=20,
    )
    return panel_of(words, frame, Body("state-timeline", [query], options, defaults))


def history(
    words: Words, frame: Frame, queries: Sequence[Query], figure: Figure, step: str
) -> model.Panel:
    """Return one cell for each series and step."""
    defaults = field_defaults(words, figure)
    defaults.custom = statushistory.FieldConfig(line_width=0, fill_opacity=100)
    options = statushistory.Options(
        show_value=common.VisibilityMode.AUTO, row_height=0.9, legend=_legend()
    )
    panel = panel_of(words, frame, Body("status-history", queries, options, defaults))
    panel.interval = step
    return panel


def heat(words: Words, frame: Frame, expression: str, unit: str) -> model.Panel:
    """Return a heatmap of a histogram's buckets."""
    options = heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME,
            # Viridis: even in brightness, and told apart with any kind of colour vision.
            scheme="Viridis",
            fill=NO_DATA,
            exponent=0.5,
            scale=heatmap.HeatmapColorScale.EXPONENTIAL,
            steps=64,
            reverse=True,
        ),
        y_axis=heatmap.YAxisConfig(unit=unit),
        rows_frame=heatmap.RowsHeatmapOptions(layout=common.HeatmapCellLayout.AUTO),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(
            mode=common.TooltipDisplayMode.SINGLE, y_histogram=True, show_color_scale=True
        ),
        cell_gap=1,
        exemplars=heatmap.ExemplarConfig(color=NO_DATA),
    )
    query = Query(expression, "{{le}}", format=prom.PromQueryFormat.HEATMAP)
    # The cells are counts; the unit is that of the axis.
    return panel_of(
        words, frame, Body("heatmap", [query], options, field_defaults(words, Figure()))
    )


def listing(
    words: Words, frame: Frame, queries: Sequence[Query], columns: Sequence[Column], sort: str
) -> model.Panel:
    """Return a table, its columns in this order, sorted downwards by the column of key `sort`."""
    options = table.Options(
        show_header=True,
        cell_height=common.TableCellHeight.SM,
        sort_by=[common.TableSortByFieldState(display_name=words(sort), desc=True)],
    )
    defaults = field_defaults(words, Figure())
    defaults.no_value = words("grafana.no_rows")
    defaults.custom = common.TableFieldOptions(filterable=False)
    overrides = [each for column in columns if (each := _override(words, column)) is not None]
    panel = panel_of(words, frame, Body("table", queries, options, defaults, overrides))
    merging = [model.DataTransformerConfig(id_val="merge", options={})] if len(queries) > 1 else []
    panel.transformations = [*merging, _organized(words, columns)]
    return panel


def geomap(
    words: Words, frame: Frame, expression: str, options: object, figure: Figure
) -> model.Panel:
    """Return a map; latitude and longitude come as labels, which are text."""
    body = Body("geomap", [rows(expression)], options, field_defaults(words, figure))
    panel = panel_of(words, frame, body)
    conversions: list[dict[str, Any]] = [
        {"targetField": name, "destinationType": "number"} for name in ("latitude", "longitude")
    ]
    panel.transformations = [
        model.DataTransformerConfig(
            id_val="convertFieldType", options={"conversions": conversions, "fields": {}}
        )
    ]
    return panel


def kind_columns(words: Words) -> tuple[Column, Column]:
    """Return the columns of the kind: one that is read, one that is hidden."""
    read = kind_label(words)
    hidden = "kind" if read == "kind_name" else "kind_name"
    return Column(read, "grafana.kind"), Column(hidden, "")


def heading(words: Words, column: Column) -> str:
    """Return what stands above a column; a hidden one keeps its field's name."""
    return words(column.key) if column.key else column.source


def _lines(words: Words, queries: Sequence[Query], figure: Figure) -> Body:
    defaults = field_defaults(words, figure)
    defaults.custom = _drawn(common.StackingMode.NONE, fill=8)
    # Nobody can name these series beforehand. The first two colours differ with any kind of
    # colour vision (a test measures that); of more than these the legend tells.
    defaults.color = model.FieldColor(mode=model.FieldColorModeId.PALETTE_CLASSIC)
    options = timeseries.Options(
        legend=_legend(), tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI)
    )
    return Body("timeseries", queries, options, defaults)


def _drawn(stacking: common.StackingMode, fill: int) -> timeseries.FieldConfig:
    return timeseries.FieldConfig(
        line_width=1,
        fill_opacity=fill,
        span_nulls=False,
        stacking=common.StackingConfig(mode=stacking),
        show_points=common.VisibilityMode.AUTO,
    )


def _states(words: Words, figure: Figure) -> model.FieldConfig:
    defaults = field_defaults(words, figure)
    # By thresholds the legend would say "<1" and "1+"; fixed, it says the words of the mappings.
    defaults.color = model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=NO_DATA)
    return defaults


def _legend(*, is_shown: bool = True) -> common.VizLegendOptions:
    return common.VizLegendOptions(
        show_legend=is_shown,
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
    )


def _organized(words: Words, columns: Sequence[Column]) -> model.DataTransformerConfig:
    order: dict[str, Any] = {column.source: index for index, column in enumerate(columns)}
    names: dict[str, Any] = {column.source: words(column.key) for column in columns if column.key}
    return model.DataTransformerConfig(
        id_val="organize",
        options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names},
    )


def _override(words: Words, column: Column) -> model.DashboardFieldConfigSourceOverrides | None:
    figure = column.figure
    values = properties(
        unit=figure and figure.unit,
        decimals=figure and figure.decimals,
        mappings=figure and figure.mappings,
        thresholds=figure and thresholds_of(figure.steps),
        # A label that is empty is no missing figure.
        noValue=None if figure else _EMPTY_CELL,
        custom_cellOptions=_coloured_cell() if column.coloured else None,
        custom_width=column.width,
        custom_hidden=None if column.key else True,
        links=list(column.links) or None,
    )
    if not values:
        return None
    matcher = model.MatcherConfig(id_val="byName", options=heading(words, column))
    return model.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=values)


def _coloured_cell() -> common.TableColoredBackgroundCellOptions:
    return common.TableColoredBackgroundCellOptions(
        mode=common.TableCellBackgroundDisplayMode.BASIC
    )
