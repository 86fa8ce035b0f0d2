"""Recordings of real routers are understood as independent sources understand them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.snmp_corpus import GOAL_RATIO, print_misses, score_corpus

CORPUS = os.environ.get("NETMON_CORPUS")


@pytest.mark.skipif(
    CORPUS is None,
    reason="optional: NETMON_CORPUS names no folder of recordings: they are other projects' data",
)
async def test_the_recordings_of_known_brands_agree_with_what_is_published_of_them() -> None:
    score = await score_corpus(Path(str(CORPUS)))

    print_misses(score)
    assert score.agreed.total() / score.compared.total() >= GOAL_RATIO
    assert score.agreed["vendor"] / score.compared["vendor"] >= 0.99
