"""Draw a dashboard as a page: places, colours and texts are Grafana's, the drawing is plain.

Texts and colours come from Grafana's own data library (`grafana.check.reading`), places from the
dashboard's grid. Only boxes, lines and letters are put on the page here.
"""

from __future__ import annotations

import json
import math
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from netmon.clock import utc

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
COLUMNS, CELL, GAP, HEAD = 24, 30, 8, 30
FLOOR, PANEL, LINE, TEXT, QUIET = "#111217", "#181b1f", "#2c3235", "#d8d9e0", "#9aa0ab"
STYLE = f"""
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: {FLOOR}; color: {TEXT}; font: 13px Inter, sans-serif; }}
h1 {{ font-size: 17px; font-weight: 500; margin: 0; padding: 10px 12px; height: 44px; }}
h1 small {{ color: {QUIET}; font-size: 13px; padding-left: 12px; }}
.panel {{ position: absolute; background: {PANEL}; border: 1px solid {LINE}; overflow: hidden; }}
.panel > h2 {{ font-size: 13.5px; font-weight: 500; margin: 0; padding: 7px 8px; height: {HEAD}px;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
.body {{ position: absolute; inset: {HEAD}px 8px 8px 8px; overflow: hidden; }}
.tile {{ position: absolute; border-radius: 2px; padding: 4px 6px; overflow: hidden; display: flex;
  flex-direction: column; justify-content: center; align-items: center; text-align: center; }}
.tile b {{ font-weight: 500; line-height: 1.2; }}
.tile span {{ max-width: 100%; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
table {{ border-collapse: collapse; width: 100%; table-layout: fixed; }}
th, td {{ text-align: left; height: 30px; padding: 0 8px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }}
th {{ color: #6e9fff; font-weight: 500; }}
td {{ border-top: 1px solid {LINE}; }}
.none {{ color: {QUIET}; padding: 30px; text-align: center; }}
.legend {{ position: absolute; bottom: 0; left: 0; right: 0; height: 20px; overflow: hidden;
  font-size: 12px; white-space: nowrap; }}
.legend i {{ display: inline-block; width: 14px; height: 4px; margin: 0 5px 3px 0;
  border-radius: 2px; }}
.legend span {{ margin-right: 14px; }}
.bar {{ display: flex; align-items: center; height: 30px; margin-bottom: 4px; }}
.bar label {{ width: 45%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.bar div {{ flex: 1; height: 20px; background: {LINE}; }}
.bar div > div {{ height: 20px; }}
.bar b {{ width: 96px; text-align: right; font-weight: 500; }}
svg text {{ font: 11px Inter, sans-serif; fill: {QUIET}; }}
"""


def page(dashboard: Json, jobs: list[Json], said: list[Json], width: int) -> tuple[str, int]:
    """Return the page of a dashboard and its height; narrow ones stack their panels."""
    is_narrow = width < 769  # noqa: PLR2004  # where Grafana stacks
    boxes, height = _places(dashboard["panels"], width, is_narrow=is_narrow)
    parts = []
    for job, panel, (x, y, w, h) in zip(jobs, said, boxes, strict=True):
        place = f"left:{x}px;top:{y}px;width:{w}px;height:{h}px"
        inner = _DRAW[panel["type"]](job, panel, w - 18, h - HEAD - 10)
        parts.append(
            f'<div class="panel" style="{place}"><h2>{escape(panel["title"])}</h2>'
            f'<div class="body">{inner}</div></div>'
        )
    until = utc(int(jobs[0]["end"]) * 1_000_000).astimezone(ZONE)
    head = f"<h1>{escape(dashboard['title'])}<small>{until:%d/%m/%Y %H:%M}</small></h1>"
    text = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{head}{''.join(parts)}"
    return text, height


def _places(
    panels: list[Json], width: int, *, is_narrow: bool
) -> tuple[list[tuple[int, int, int, int]], int]:
    boxes, below = [], 44
    unit = (width - GAP) / COLUMNS
    order = sorted(panels, key=lambda each: (each["gridPos"]["y"], each["gridPos"]["x"]))
    stacked = {}
    for panel in order:
        stacked[panel["id"]] = below
        below += panel["gridPos"]["h"] * (CELL + GAP)
    for panel in panels:
        grid = panel["gridPos"]
        h = grid["h"] * (CELL + GAP) - GAP
        if is_narrow:
            boxes.append((GAP, stacked[panel["id"]], width - 2 * GAP, h))
        else:
            x, w = GAP + round(grid["x"] * unit), round(grid["w"] * unit) - GAP
            boxes.append((x, 44 + grid["y"] * (CELL + GAP), w, h))
    return boxes, max(y + h for _, y, _, h in boxes) + GAP


# --- Tiles, bars, tables -------------------------------------------------------------------------


def ink(colour: str) -> str:
    """Return the colour of text that Grafana puts on a colour."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 180  # noqa: PLR2004  # Grafana's bound
    return "#202226" if is_light else "#f7f8fa"


def _tiles(job: Json, panel: Json, width: int, height: int) -> str:
    values = panel["values"]
    options = job["panel"]["options"]
    across, down = _grid(len(values), width, height)
    w, h = width / across, height / down
    size = min(options["text"]["valueSize"], h * 0.6)
    named = options["textMode"] == "value_and_name"
    parts = []
    for index, value in enumerate(values):
        x, y = index % across * w, index // across * h
        place = f"left:{x:.0f}px;top:{y:.0f}px;width:{w - 4:.0f}px;height:{h - 4:.0f}px"
        paint = f"background:{value['color']};color:{ink(value['color'])}"
        letters = f"font-size:{options['text'].get('titleSize', 14)}px"
        name = f'<span style="{letters}">{escape(value["name"])}</span>' if named else ""
        # A longer text is made smaller, as Grafana does.
        fitting = min(size, (w - 16) / max(1, 0.56 * len(value["text"])))
        text = f'<b style="font-size:{fitting:.0f}px">{escape(value["text"])}</b>'
        parts.append(f'<div class="tile" style="{place};{paint}">{name}{text}</div>')
    return "".join(parts)


def _grid(count: int, width: int, height: int) -> tuple[int, int]:
    """Return columns and rows that make tiles as large as possible."""

    def least(across: int) -> float:
        return min(width / across, height / math.ceil(count / across))

    across = max(range(1, count + 1), key=least)
    return across, math.ceil(count / across)


def _bars(job: Json, panel: Json, width: int, height: int) -> str:  # noqa: ARG001  # one signature
    values = panel["values"]
    largest = job["panel"]["fieldConfig"]["defaults"].get("max") or max(
        (value["number"] or 0 for value in values), default=0
    )
    rows = []
    for value in values:
        share = 100 * (value["number"] or 0) / (largest or 1)
        filled = f'<div style="width:{share:.1f}%;background:{value["color"]}"></div>'
        rows.append(
            f'<div class="bar"><label>{escape(value["name"])}</label>'
            f"<div>{filled}</div><b>{escape(value['text'])}</b></div>"
        )
    return "".join(rows)


def _table(job: Json, panel: Json, width: int, height: int) -> str:  # noqa: ARG001  # one signature
    if not panel["rows"]:
        return f'<div class="none">{escape(panel["empty"] or "")}</div>'
    widths = [column.get("width") for column in panel["columns"]]
    head = "".join(
        f'<th style="width:{width}px">{escape(column["name"])}</th>'
        if width
        else f"<th>{escape(column['name'])}</th>"
        for column, width in zip(panel["columns"], widths, strict=True)
    )
    rows = ("".join(map(_cell, row)) for row in panel["rows"])
    least = sum(width or 150 for width in widths)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table style="min-width:{least}px"><tr>{head}</tr>{body}</table>'


def _cell(cell: Json) -> str:
    colour = cell.get("color")
    paint = f' style="background:{colour};color:{ink(colour)}"' if colour else ""
    return f"<td{paint}>{escape(cell['text'])}</td>"


# --- Over time -----------------------------------------------------------------------------------


def _none(job: Json) -> str:
    return f'<div class="none">{escape(job["panel"]["fieldConfig"]["defaults"]["noValue"])}</div>'


def _svg(width: int, height: int, parts: list[str]) -> str:
    return f'<svg width="{width}" height="{height}">{"".join(parts)}</svg>'


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
    )


def _clock(job: Json, left: int, width: int, y: int) -> list[str]:
    span = job["end"] - job["start"]
    parts = []
    last = 4 if width > 400 else 1  # noqa: PLR2004  # as many as there is room for
    for index in range(last + 1):
        at = job["start"] + span * index / last
        x = left + (width - left) * index / last
        anchor = {0: "start", last: "end"}.get(index, "middle")
        text = f"{utc(int(at) * 1_000_000).astimezone(ZONE):%H:%M:%S}"
        parts.append(f'<text x="{x:.0f}" y="{y}" text-anchor="{anchor}">{text}</text>')
    return parts


def _legend(items: list[tuple[str, str]]) -> str:
    spans = (
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in items
    )
    return f'<div class="legend">{"".join(spans)}</div>'


def _lines(job: Json, panel: Json, width: int, height: int) -> str:
    series = panel["series"]
    if not series:
        return _none(job)
    is_stacked = job["panel"]["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    left, bottom = 64, height - 42
    drawn = _stacked(series, is_stacked=is_stacked)
    if job["panel"]["fieldConfig"]["defaults"].get("decimals") == 0:
        whole = {each: text for each, text in panel["ticks"].items() if float(each) % 1 == 0}
        panel = {**panel, "ticks": whole}
    numbers = [value for _, points in drawn for _, _, value in points if value is not None]
    low, high, ticks = _axis(panel["ticks"], min(numbers, default=0), max(numbers, default=0))

    def across(at: float) -> float:
        return left + (width - left) * (at - job["start"]) / (job["end"] - job["start"])

    def up(value: float) -> float:
        return bottom - (bottom - 6) * (value - low) / (high - low)

    parts = [
        f'<line x1="{left}" x2="{width}" y1="{up(value):.1f}" y2="{up(value):.1f}" '
        f'stroke="{LINE}"/><text x="{left - 6}" y="{up(value) + 4:.1f}" text-anchor="end">'
        f"{escape(text)}</text>"
        for value, text in ticks
    ]
    for each, points in drawn:
        for known, run in groupby(points, key=lambda point: point[2] is not None):
            spots = list(run)
            if not known:
                continue
            line = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, _, value in spots)
            back = " ".join(f"{across(at):.1f},{up(below):.1f}" for at, below, _ in spots[::-1])
            opacity = 0.3 if is_stacked else 0.08
            parts.append(f'<polygon points="{line} {back}" fill="{each["color"]}" '
                         f'opacity="{opacity}"/>')  # fmt: skip
            parts.append(f'<polyline points="{line}" fill="none" stroke="{each["color"]}"/>')
    parts += _clock(job, left, width, height - 26)
    is_told = job["panel"]["options"]["legend"]["showLegend"]
    told = [(each["name"], each["color"]) for each in series if is_told]
    return _svg(width, height, parts) + _legend(told)


def _stacked(
    series: list[Json], *, is_stacked: bool
) -> list[tuple[Json, list[tuple[float, float, float | None]]]]:
    """Return each series with its points: when, from where, up to where."""
    drawn: list[tuple[Json, list[tuple[float, float, float | None]]]] = []
    base: dict[float, float] = {}
    for each in series:
        points: list[tuple[float, float, float | None]] = []
        for at, number, _, _ in each["points"]:
            low = base.get(at, 0.0) if is_stacked else 0.0
            value = None if number is None else low + (-number if each["isMirrored"] else number)
            points.append((at, low, value))
            if is_stacked and value is not None:
                base[at] = value
        drawn.append((each, points))
    return drawn


def _axis(
    texts: dict[str, str], least: float, most: float
) -> tuple[float, float, list[tuple[float, str]]]:
    """Return an axis from a round number to a round number, with a few texts."""
    span = max(most, 0) - min(least, 0) or 1
    steps = [float(text) for text in texts if float(text) > 0 and span / float(text) <= 4]  # noqa: PLR2004  # lines
    step = min(steps)
    low, high = math.floor(min(least, 0) / step), math.ceil(max(most, step) / step)
    ticks = []
    for index in range(low, high + 1):
        text = texts.get(_key(abs(index) * step), "")
        ticks.append((index * step, f"-{text}" if index < 0 and text else text))
    return low * step, high * step, ticks


def _key(value: float) -> str:
    """Return a number as JavaScript writes it in a key."""
    rounded = float(f"{value:.3g}")
    return str(int(rounded)) if rounded == int(rounded) else repr(rounded)


def _spans(job: Json, panel: Json, width: int, height: int) -> str:
    series = panel["series"][:20]
    if not series:
        return _none(job)
    longest = max(len(each["name"]) for each in series)
    left = min(width // 3, 16 + 7 * longest)
    row = min((height - 44) / len(series), 60)
    parts, legend = [], {}
    for index, each in enumerate(series):
        y = index * row
        parts.append(
            f'<text x="{left - 8}" y="{y + row / 2 + 4:.1f}" text-anchor="end" '
            f'style="fill:{TEXT}">{escape(each["name"][: (left - 9) // 7])}</text>'
        )
        points = each["points"]
        wide = (width - left) / len(points)
        at = 0
        is_merged = panel["type"] == "state-timeline"
        for (text, colour), run in _runs(points, is_merged=is_merged):
            x, w = left + at * wide, run * wide
            at += run
            if text == job["panel"]["fieldConfig"]["defaults"]["noValue"]:
                continue
            legend[text if is_merged else ""] = colour
            gap = 0 if is_merged else 2
            parts.append(_box(x, y + row * 0.08, max(w - gap, 1), row * 0.84, colour))
            if w > 7 * len(text) and row > 13:  # noqa: PLR2004  # as Grafana: where it fits
                parts.append(
                    f'<text x="{x + w / 2:.1f}" y="{y + row / 2 + 4:.1f}" text-anchor="middle" '
                    f'style="fill:{ink(colour)}">{escape(text)}</text>'
                )
    parts += _clock(job, left, width, round(len(series) * row) + 14)
    return _svg(width, height, parts) + _legend([item for item in legend.items() if item[0]])


def _runs(points: list[Any], *, is_merged: bool) -> list[tuple[tuple[str, str], int]]:
    told = [(text, colour) for _, _, text, colour in points]
    if not is_merged:
        return [(each, 1) for each in told]
    return [(each, len(list(run))) for each, run in groupby(told)]


VIRIDIS = ("#fde725", "#a0da39", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154")


def _heat(job: Json, panel: Json, width: int, height: int) -> str:
    buckets = sorted(panel["series"], key=lambda each: float(each["name"].replace("+Inf", "inf")))
    if not buckets:
        return _none(job)
    left, bottom = 64, height - 24
    rows: list[list[float]] = []
    below = [0.0] * len(buckets[0]["points"])
    for each in buckets:
        counts = [number or 0.0 for _, number, _, _ in each["points"]]
        rows.append([max(0.0, here - under) for here, under in zip(counts, below, strict=True)])
        below = counts
    most = max(max(row) for row in rows) or 1
    h, w = bottom / len(rows), (width - left) / len(below)
    parts = []
    for index, row in enumerate(rows):
        y = bottom - (index + 1) * h
        label = (
            panel["ticks"].get(_key(float(buckets[index]["name"])), "")
            if index < len(rows) - 1
            else "+Inf"
        )
        parts.append(f'<text x="{left - 6}" y="{y + 10:.0f}" text-anchor="end">{label}</text>')
        for column, count in enumerate(row):
            if count:
                shade = VIRIDIS[min(7, int(8 * math.sqrt(count / most)))]
                parts.append(_box(left + column * w, y + 1, w - 1, h - 1, shade))
    return _svg(width, height, [*parts, *_clock(job, left, width, height - 8)])


def _map(job: Json, panel: Json, width: int, height: int) -> str:
    outline = json.loads((ROOT / "grafana/maps/netmon-province.geojson").read_text("utf-8"))
    (ring,) = outline["features"][0]["geometry"]["coordinates"]
    if not panel["places"]:
        return _none(job)
    west, east = min(x for x, _ in ring), max(x for x, _ in ring)
    south, north = min(y for _, y in ring), max(y for _, y in ring)
    scale = min((width - 40) / (east - west), (height - 30) / (north - south))
    left = (width - scale * (east - west)) / 2

    def spot(x: float, y: float) -> tuple[float, float]:
        return left + scale * (x - west), 10 + scale * (north - y)

    line = " ".join(f"{a:.0f},{b:.0f}" for a, b in (spot(x, y) for x, y in ring))
    style = 'fill="#6b7280" fill-opacity="0.15" stroke="#6b7280" stroke-width="2"'
    parts = [f'<polygon points="{line}" {style}/>']
    for place in panel["places"]:
        x, y = spot(place["longitude"], place["latitude"])
        parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="6" fill="{place["color"]}" '
                     f'stroke="{PANEL}"/>')  # fmt: skip
    return _svg(width, height, parts)


_DRAW = {
    "stat": _tiles,
    "bargauge": _bars,
    "table": _table,
    "timeseries": _lines,
    "state-timeline": _spans,
    "status-history": _spans,
    "heatmap": _heat,
    "geomap": _map,
}
