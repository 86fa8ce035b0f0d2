"""The availability on the dashboards is that of the ledger."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from grafana.source.series import link_availability
from lab.capabilities import Need, missing
from lab.prometheus import Recorded
from netmon.ledger.reader import LedgerReader
from netmon.model import STATES, Hours, State
from tests.ledger_traces import KEYS, SECOND, START, Step, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from netmon.model import LinkKey

MINUTES = 8 * 60
POINTS = 0.0005
"""0.05 points of availability."""
LIFE = {
    0: [(0, State.UP), (100, State.DOWN), (137, State.UP), (300, State.DEGRADED), (340, State.UP)],
    1: [(0, State.UP), (90, State.UNOBSERVED), (150, State.UP), (400, State.DOWN), (403, State.UP)],
    2: [(0, State.UP), (200, State.MAINTENANCE), (250, State.DOWN), (400, State.UNREACHABLE)],
}
"""From which minute on each link is in which state."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Live through eight hours of which the exposition is seen every minute."""
    world = World(tmp_path / "ledger.sqlite")
    for minute in range(MINUTES + 1):
        changes = [
            Step(0, "change", link, state)
            for link, line in LIFE.items()
            for at, state in line
            if at == minute
        ]
        world.run([*changes, Step(0, "beat")])
        world.now_us += 60 * SECOND
    yield world
    world.close()


def exposition(world: World) -> Iterator[str]:
    labels = [(state, hours) for state in STATES for hours in Hours]
    for row, key in enumerate(KEYS):
        for column, (state, hours) in enumerate(labels):
            names = f'agency="{key.agency}",link="{key.link}",state="{state}",hours="{hours}"'
            for minute, seconds in enumerate(world.shown):
                value = seconds.reshape(len(KEYS), -1)[row, column]
                at = START // SECOND + 60 * minute
                yield f"netmon_link_state_seconds_total{{{names}}} {value} {at}\n"


def test_availability_differs_by_less_than_five_hundredths_of_a_point(
    world: World,
) -> None:
    if lack := missing(Need.PROMETHEUS, Need.PROMTOOL):
        pytest.skip(lack)
    end = START // SECOND + 60 * MINUTES
    text = "# TYPE netmon_link_state_seconds counter\n" + "".join(exposition(world))
    with Recorded(text) as prometheus:
        told = prometheus.query(link_availability("", "agency, link", "7h"), at=end)
    drawn = {each.labels["agency"]: each.value for each in told}
    with closing(LedgerReader.open(world.path)) as reader:
        kept = {key.agency: ratio(reader, key, end * SECOND) for key in KEYS}
    assert drawn == pytest.approx(kept, abs=POINTS)
    assert all(each < 0.999 for each in kept.values()), "every link was down for a while"


def ratio(reader: LedgerReader, key: LinkKey, end_us: int) -> float:
    seconds = dict.fromkeys(STATES, 0)
    for span in reader.spans(key, end_us - 7 * 3600 * SECOND, end_us):
        seconds[span.state] += span.end_us - span.start_us
    usable = seconds[State.UP] + seconds[State.DEGRADED]
    return usable / (usable + seconds[State.DOWN])
