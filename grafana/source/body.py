"""What every panel is made of: queries, its place, how a value is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prom

from grafana.source.look import NEUTRAL, Mappings, Steps, Words, no_data

DATA_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
STEP = "1m"
"""No graph asks for finer steps: echoes are summed over minutes on a screen of hours."""

_REFERENCES = "ABCDEFGH"


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
class Body:
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


def by_query(panel: model.Panel, values: Sequence[Mapping[str, object]]) -> model.Panel:
    """Set what is different in what each query brings, and return the panel."""
    if panel.field_config is None:
        raise TypeError(panel)
    panel.field_config.overrides += [_of_query(index, **each) for index, each in enumerate(values)]
    return panel


def panel_of(words: Words, frame: Frame, body: Body) -> model.Panel:
    """Return a panel of this body; it has no place yet (`board`)."""
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
        targets=[target_of(query, index) for index, query in enumerate(body.queries)],
        options=body.options,
        field_config=model.FieldConfigSource(
            defaults=body.defaults, overrides=list(body.overrides)
        ),
    )


def field_defaults(words: Words, figure: Figure) -> model.FieldConfig:
    """Return how the values of a panel are told."""
    return model.FieldConfig(
        unit=figure.unit,
        decimals=figure.decimals,
        min_val=figure.minimum,
        max_val=figure.maximum,
        mappings=no_data(words) if figure.mappings is None else figure.mappings,
        thresholds=thresholds_of(figure.steps),
        color=model.FieldColor(mode=model.FieldColorModeId.THRESHOLDS),
        no_value=words("grafana.no_data"),
        links=list(figure.links) or None,
    )


def thresholds_of(steps: Steps) -> model.ThresholdsConfig:
    """Return thresholds as Grafana writes them."""
    return model.ThresholdsConfig(
        mode=model.ThresholdsMode.ABSOLUTE,
        steps=[model.Threshold(value=value, color=color) for value, color in steps],
    )


def fixed(colour: str) -> model.FieldColor:
    """Return the choice of one colour."""
    return model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=colour)


def properties(**values: object) -> list[model.DynamicConfigValue]:
    """Return properties of an override; `custom_x` means `custom.x`."""
    return [
        model.DynamicConfigValue(id_val=name.replace("custom_", "custom.", 1), value=value)
        for name, value in values.items()
        if value is not None
    ]


def _of_query(index: int, **values: object) -> model.DashboardFieldConfigSourceOverrides:
    matcher = model.MatcherConfig(id_val="byFrameRefID", options=_REFERENCES[index])
    return model.DashboardFieldConfigSourceOverrides(
        matcher=matcher, properties=properties(**values)
    )


def target_of(query: Query, index: int) -> prom.Dataquery:
    """Return a query as Grafana writes it; the first is A."""
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
