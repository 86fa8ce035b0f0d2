"""Recordings of real routers are understood as independent sources understand them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.snmp_corpus import (
    GOAL_RATIO,
    corpus_folder,
    miss_lines,
    score_corpus,
    table_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = os.environ.get("NETMON_CORPUS")
FACTS = ("vendor", "os", "hardware", "version", "serial")


@pytest.mark.skipif(
    CORPUS is None,
    reason="optional: NETMON_CORPUS names no recordings: they are other projects' data",
)
async def test_the_recordings_of_known_brands_agree_with_what_is_published_of_them(
    show: Callable[[str], None],
) -> None:
    with corpus_folder(Path(str(CORPUS))) as corpus:
        score = await score_corpus(corpus)

    show("\n".join((*table_lines(score), *miss_lines(score))))
    assert score.overall >= GOAL_RATIO
    assert set(FACTS) <= set(score.compared)
    ratios = {name: score.ratio(name) for name in score.compared}
    assert {name: ratio for name, ratio in ratios.items() if ratio < GOAL_RATIO} == {}
