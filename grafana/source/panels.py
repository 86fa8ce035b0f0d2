"""The kinds of panels, each with the options that were found to read well from across a room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

from grafana.source.look import (
    DEGRADED,
    NEUTRAL,
    NO_DATA,
    UP,
    Mappings,
    Steps,
    Words,
    kind_label,
    no_data,
)

DATA_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
STEP = "1m"
"""No graph asks for finer steps: echoes are summed over minutes on a screen of hours."""

_EMPTY_CELL = "–"
_REFERENCES = "ABCDEFGH"
_LAST = common.ReduceDataOptions(calcs=["lastNotNull"], values=False)


@dataclass(frozen=True, slots=True)
class Query:
    """One expression. `instant`: its value at the end of the view only."""

    expression: str
    legend: str = ""
    instant: bool = False
    format: prom.PromQueryFormat = prom.PromQueryFormat.TIME_SERIES


@dataclass(frozen=True, slots=True)
class Frame:
    """Title and description by their key, and the size in the grid of 24 columns."""

    key: str
    width: int
    height: int
    repeat: str | None = None
    """The variable for each value of which the panel is drawn."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How a value is told."""

    unit: str = "none"
    decimals: int | None = None
    steps: Steps = NEUTRAL
    mappings: Mappings | None = None
    """None: only absence has a word."""
    minimum: float | None = None
    maximum: float | None = None
    links: Sequence[model.DashboardLink] = ()


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


@dataclass(frozen=True, slots=True)
class _Body:
    """What is different from one kind of panel to the next."""

    kind: str
    queries: Sequence[Query]
    options: object
    defaults: model.FieldConfig
    overrides: Sequence[model.DashboardFieldConfigSourceOverrides] = ()


def instant(expression: str, legend: str = "") -> Query:
    """Return a query for the value now."""
    return Query(expression, legend, instant=True)


def rows(expression: str) -> Query:
    """Return a query of which each series is a row of a table."""
    return Query(expression, instant=True, format=prom.PromQueryFormat.TABLE)


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
    return _panel(words, frame, _Body("stat", [query], options, _defaults(words, figure)))


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
    panel.targets = [_target(query, index) for index, query in enumerate(queries)]
    return by_query(panel, [{"thresholds": _thresholds(steps)} for _, _, steps in counted])


def by_query(panel: model.Panel, values: Sequence[Mapping[str, object]]) -> model.Panel:
    """Set what is different in what each query brings, and return the panel."""
    if panel.field_config is None:
        raise TypeError(panel)
    panel.field_config.overrides += [_of_query(index, **each) for index, each in enumerate(values)]
    return panel


def bars(words: Words, frame: Frame, query: Query, figure: Figure) -> model.Panel:
    """Return horizontal bars, one for each series."""
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=_LAST,
        name_placement=common.BarGaugeNamePlacement.LEFT,
        show_unfilled=True,
    )
    return _panel(words, frame, _Body("bargauge", [query], options, _defaults(words, figure)))


def graph(words: Words, frame: Frame, queries: Sequence[Query], figure: Figure) -> model.Panel:
    """Return lines over time; gaps stay gaps."""
    return _panel(words, frame, _lines(words, queries, figure))


def stack(words: Words, frame: Frame, queries: Sequence[Query], figure: Figure) -> model.Panel:
    """Return one coloured area over time whose parts, too many for colours, are told on hover."""
    body = _lines(words, queries, figure)
    body.defaults.color = fixed(figure.steps[0][1])
    body.defaults.custom = _drawn(common.StackingMode.NORMAL, fill=30)
    panel = _panel(words, frame, body)
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
    return _panel(words, frame, _Body("state-timeline", [query], options, defaults))


def history(
    words: Words, frame: Frame, queries: Sequence[Query], figure: Figure, step: str
) -> model.Panel:
    """Return one cell for each series and step."""
    defaults = _defaults(words, figure)
    defaults.custom = statushistory.FieldConfig(line_width=0, fill_opacity=100)
    options = statushistory.Options(
        show_value=common.VisibilityMode.AUTO, row_height=0.9, legend=_legend()
    )
    panel = _panel(words, frame, _Body("status-history", queries, options, defaults))
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
    return _panel(words, frame, _Body("heatmap", [query], options, _defaults(words, Figure())))


def listing(
    words: Words, frame: Frame, queries: Sequence[Query], columns: Sequence[Column], sort: str
) -> model.Panel:
    """Return a table, its columns in this order, sorted downwards by the column of key `sort`."""
    options = table.Options(
        show_header=True,
        cell_height=common.TableCellHeight.SM,
        sort_by=[common.TableSortByFieldState(display_name=words(sort), desc=True)],
    )
    defaults = _defaults(words, Figure())
    defaults.no_value = words("grafana.no_rows")
    defaults.custom = common.TableFieldOptions(filterable=False)
    overrides = [each for column in columns if (each := _override(words, column)) is not None]
    panel = _panel(words, frame, _Body("table", queries, options, defaults, overrides))
    merging = [model.DataTransformerConfig(id_val="merge", options={})] if len(queries) > 1 else []
    panel.transformations = [*merging, _organized(words, columns)]
    return panel


def geomap(
    words: Words, frame: Frame, expression: str, options: object, figure: Figure
) -> model.Panel:
    """Return a map; latitude and longitude come as labels, which are text."""
    body = _Body("geomap", [rows(expression)], options, _defaults(words, figure))
    panel = _panel(words, frame, body)
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


def properties(**values: object) -> list[model.DynamicConfigValue]:
    """Return properties of an override; `custom_x` means `custom.x`."""
    return [
        model.DynamicConfigValue(id_val=name.replace("custom_", "custom.", 1), value=value)
        for name, value in values.items()
        if value is not None
    ]


def _panel(words: Words, frame: Frame, body: _Body) -> model.Panel:
    return model.Panel(
        type_val=body.kind,
        title=words(frame.key),
        description=words(f"{frame.key}_help"),
        datasource=DATA_SOURCE,
        grid_pos=model.GridPos(h=frame.height, w=frame.width),
        repeat=frame.repeat,
        repeat_direction=None if frame.repeat is None else "h",
        max_per_row=None if frame.repeat is None else 24 // frame.width,
        interval=STEP,
        targets=[_target(query, index) for index, query in enumerate(body.queries)],
        options=body.options,
        field_config=model.FieldConfigSource(
            defaults=body.defaults, overrides=list(body.overrides)
        ),
    )


def _lines(words: Words, queries: Sequence[Query], figure: Figure) -> _Body:
    defaults = _defaults(words, figure)
    defaults.custom = _drawn(common.StackingMode.NONE, fill=8)
    # Nobody can name these series beforehand. The first two colours differ with any kind of
    # colour vision (a test measures that); of more than these the legend tells.
    defaults.color = model.FieldColor(mode=model.FieldColorModeId.PALETTE_CLASSIC)
    options = timeseries.Options(
        legend=_legend(), tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI)
    )
    return _Body("timeseries", queries, options, defaults)


def _drawn(stacking: common.StackingMode, fill: int) -> timeseries.FieldConfig:
    return timeseries.FieldConfig(
        line_width=1,
        fill_opacity=fill,
        span_nulls=False,
        stacking=common.StackingConfig(mode=stacking),
        show_points=common.VisibilityMode.AUTO,
    )


def fixed(colour: str) -> model.FieldColor:
    """Return the choice of one colour."""
    return model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=colour)


def _of_query(index: int, **values: object) -> model.DashboardFieldConfigSourceOverrides:
    matcher = model.MatcherConfig(id_val="byFrameRefID", options=_REFERENCES[index])
    return model.DashboardFieldConfigSourceOverrides(
        matcher=matcher, properties=properties(**values)
    )


def _target(query: Query, index: int) -> prom.Dataquery:
    return prom.Dataquery(
        expr=query.expression,
        legend_format=query.legend,
        ref_id=_REFERENCES[index],
        instant=query.instant,
        range_val=not query.instant,
        format_val=query.format,
        editor_mode=prom.QueryEditorMode.CODE,
        datasource=DATA_SOURCE,
    )


def _defaults(words: Words, figure: Figure) -> model.FieldConfig:
    return model.FieldConfig(
        unit=figure.unit,
        decimals=figure.decimals,
        min_val=figure.minimum,
        max_val=figure.maximum,
        mappings=no_data(words) if figure.mappings is None else figure.mappings,
        thresholds=_thresholds(figure.steps),
        color=model.FieldColor(mode=model.FieldColorModeId.THRESHOLDS),
        no_value=words("grafana.no_data"),
        links=list(figure.links) or None,
    )


def _states(words: Words, figure: Figure) -> model.FieldConfig:
    defaults = _defaults(words, figure)
    # By thresholds the legend would say "<1" and "1+"; fixed, it says the words of the mappings.
    defaults.color = model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=NO_DATA)
    return defaults


def _thresholds(steps: Steps) -> model.ThresholdsConfig:
    return model.ThresholdsConfig(
        mode=model.ThresholdsMode.ABSOLUTE,
        steps=[model.Threshold(value=value, color=color) for value, color in steps],
    )


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
        thresholds=figure and _thresholds(figure.steps),
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
