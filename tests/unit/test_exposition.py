"""Blocks: what they render equals what prometheus-client renders, and only what changed is new."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from netmon_exporters.columns import Column, ColumnFamily, blocks
from netmon_exporters.exposition import Block, Family, Sample, Texts, number

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class One(Collector):
    """Collects one family made by hand with prometheus-client's own classes."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> list[Metric]:
        """Return it."""
        return [self._metric]


def rendered(family: Family, block: Block, values: Column, *, openmetrics: bool) -> bytes:
    end = b"# EOF\n" if openmetrics else b""
    return family.header(openmetrics=openmetrics) + b"".join(block.render(values)) + end


def block_of(family: Family, samples: tuple[Sample, ...], labels: list[dict[str, str]]) -> Block:
    names = tuple(labels[0])
    each = ColumnFamily(family, names, lambda _: np.zeros((1, 1)), samples)
    return blocks([each], labels)[0][1]


def gauge() -> tuple[Family, tuple[Sample, ...], list[dict[str, str]], Column, Metric]:
    metric = GaugeMetricFamily("netmon_x", "Some help.", labels=["link", "agency"])
    metric.add_metric(["chinh", "Sở Y tế"], 1.5)
    metric.add_metric(["50%", 'a"b\\c\nd'], 1e9)
    rows = [{"agency": "Sở Y tế", "link": "chinh"}, {"agency": 'a"b\\c\nd', "link": "50%"}]
    family = Family("netmon_x", "gauge", "Some help.")
    return family, (Sample(),), rows, np.array([[1.5], [1e9]]), metric


def counter() -> tuple[Family, tuple[Sample, ...], list[dict[str, str]], Column, Metric]:
    metric = CounterMetricFamily("netmon_x", "Some help.", labels=["agency", "cause"])
    for cause, value in (("power", 3), ("100%", 1234567.25)):
        metric.add_metric(["a", cause], value)
    samples = (Sample("", (("cause", "power"),)), Sample("", (("cause", "100%"),)))
    family = Family("netmon_x_total", "counter", "Some help.")
    return family, samples, [{"agency": "a"}], np.array([[3, 1234567.25]]), metric


def info() -> tuple[Family, tuple[Sample, ...], list[dict[str, str]], Column, Metric]:
    metric = InfoMetricFamily("netmon_x", "Some help.", labels=["agency"])
    metric.add_metric(["a"], {"name": "Ấp Bắc"})
    family = Family("netmon_x_info", "info", "Some help.")
    rows = [{"agency": "a", "name": "Ấp Bắc"}]
    return family, (Sample(),), rows, np.ones((1, 1)), metric


def histogram() -> tuple[Family, tuple[Sample, ...], list[dict[str, str]], Column, Metric]:
    metric = HistogramMetricFamily("netmon_x_seconds", "Some help.", labels=["agency"])
    metric.add_metric(["a"], [("0.001", 2), ("1.0", 5), ("+Inf", 6)], 7.5)
    family = Family("netmon_x_seconds", "histogram", "Some help.")
    bounds = (0.001, 1.0, math.inf)
    buckets = tuple(Sample("_bucket", (("le", number(bound)),)) for bound in bounds)
    samples = (*buckets, Sample("_count"), Sample("_sum"))
    return family, samples, [{"agency": "a"}], np.array([[2, 5, 6, 6, 7.5]]), metric


@pytest.mark.parametrize("case", [gauge, counter, info, histogram])
def test_every_type_is_rendered_byte_for_byte_as_prometheus_client_does(case: object) -> None:
    assert callable(case)
    family, samples, rows, values, metric = case()
    block = block_of(family, samples, rows)
    classic = rendered(family, block, values, openmetrics=False)
    assert classic == generate_latest(One(metric))
    modern = rendered(family, block, values, openmetrics=True)
    assert modern == generate_openmetrics(One(metric))  # type: ignore[no-untyped-call]  # it carries no types


@given(st.floats(allow_nan=False, min_value=0))
def test_numbers_are_written_as_prometheus_client_writes_them(value: float) -> None:
    assert Texts()[value] == number(value)


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3))
def test_any_label_is_written_as_prometheus_client_writes_its_nfc(names: list[str]) -> None:
    family = Family("x", "gauge", "h")
    block = block_of(family, (Sample(),), [{"name": name} for name in names])
    reference = GaugeMetricFamily("x", "h", labels=["name"])
    for name in names:
        reference.add_metric([unicodedata.normalize("NFC", name)], 1)
    said = rendered(family, block, np.ones((len(names), 1)), openmetrics=False)
    assert said == generate_latest(One(reference))


def test_absent_values_have_no_line_and_come_back_when_they_are_measured() -> None:
    block = block_of(Family("x", "gauge", "h"), (Sample(),), [{"a": "1"}, {"a": "2"}])
    assert b"".join(block.render(np.array([[1.0], [np.nan]]))) == b'x{a="1"} 1.0\n'
    assert b"".join(block.render(np.array([[np.nan], [2.0]]))) == b'x{a="2"} 2.0\n'
    assert b"".join(block.render(np.full((2, 1), np.nan))) == b""
    assert b"".join(block.render(np.ones((2, 1)))) == b'x{a="1"} 1.0\nx{a="2"} 1.0\n'


def test_slices_in_which_nothing_changed_are_the_same_objects_as_before() -> None:
    count = 5_000
    rows = [{"a": str(row)} for row in range(count)]
    block = block_of(Family("x", "gauge", "h"), (Sample(),), rows)
    values = np.zeros((count, 1))
    before = block.render(values)
    values[1234] = 1
    after = block.render(values)
    changed = [index for index, (a, b) in enumerate(zip(before, after, strict=True)) if a is not b]
    assert len(before) > 5
    assert len(changed) == 1
    assert b'x{a="1234"} 1.0\n' in after[changed[0]]


@settings(max_examples=40)
@given(st.data())
def test_rendering_again_and_again_equals_rendering_once(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    samples = tuple(Sample("", (("s", f"{n}%s%"),)) for n in range(count))
    rows = [{"a": f"{row}%d"} for row in range(700)]
    reused = block_of(Family("x", "gauge", "h"), samples, rows)
    values = np.zeros((700, len(samples)))
    for _ in range(5):
        moving = data.draw(st.lists(st.integers(0, len(samples) - 1), max_size=2))
        for row in data.draw(st.lists(st.integers(0, 699), max_size=5)):
            values[row, moving] = data.draw(st.sampled_from([0.0, 1.0, 2e6, math.nan]))
        fresh = block_of(Family("x", "gauge", "h"), samples, rows)
        assert b"".join(reused.render(values)) == b"".join(fresh.render(values))


def test_of_many_samples_only_those_that_move_are_written_again() -> None:
    samples = tuple(Sample("", (("state", str(n)),)) for n in range(14))
    block = block_of(Family("x", "gauge", "h"), samples, [{"a": str(row)} for row in range(30)])
    values = np.zeros((30, 14))
    for turn in range(3):
        values[:, 3] = turn
        block.render(values)
    template = block._templates[0]
    assert template is not None
    assert template.text.count("%s") == 30
    values[7, 9] = 5
    assert b'x{a="7",state="9"} 5.0\n' in b"".join(block.render(values))


def test_a_block_without_rows_is_empty() -> None:
    each = ColumnFamily(Family("x", "gauge", "h"), ("a",), lambda _: np.zeros((0, 1)))
    block = blocks([each], [])[0][1]
    assert block.render(np.zeros((0, 1))) == []
    assert block.render(np.zeros((0, 1))) == []


def test_text_that_no_encoding_holds_does_not_stop_the_others() -> None:
    block = block_of(Family("x", "gauge", "h"), (Sample(),), [{"a": "\ud800"}, {"a": "b"}])
    assert b"".join(block.render(np.ones((2, 1)))) == b'x{a="?"} 1.0\nx{a="b"} 1.0\n'
