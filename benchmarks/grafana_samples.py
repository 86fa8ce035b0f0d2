"""How many samples each panel of the wall and of the carriers' page reads, at 20,000 links.

    python benchmarks/grafana_samples.py

What a province of that size would have recorded is written as blocks; a real Prometheus is asked
every query of each panel as Grafana asks it, and its own statistics are added up. Every
hundredth link is down.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from grafana.check.expressions import plain
from grafana.source import records
from lab.prometheus import Prometheus, Recorded
from netmon.model import CAUSES, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_SAMPLES = 50_000
DASHBOARDS = Path(__file__).parents[1] / "grafana/dashboards/en"
SPANS = {"netmon-en-overview": 6 * 3600, "netmon-en-carrier": 7 * 86_400}
"""How long the view of each dashboard is when it is opened."""
DISTRICTS, KINDS, PROVIDERS = 100, ("district", "commune"), ("vnpt", "viettel")
NAMES, LINK = 'kind_name="Kind",district_name="District"', ',link="primary"'
MINUTE, HOUR = 60, 3600
POINTS = 1000
"""A panel as wide as a wall asks for no more."""


def main() -> int:
    """Print a row for each panel; return 1 when one reads too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=20_000)
    links = parser.parse_args().links
    end = int(time.time()) // MINUTE * MINUTE  # noqa: TID251  # a block is cut at real time
    with Recorded("".join(exposition(links, end))) as prometheus:
        return max([report(prometheus, uid, end) for uid in SPANS])


def report(prometheus: Prometheus, uid: str, end: int) -> int:
    """Print the samples of each panel; return 1 when one reads too much."""
    dashboard = json.loads((DASHBOARDS / f"{uid}.json").read_text("utf-8"))
    worst = 0
    for panel in dashboard["panels"]:
        samples = sum(read(prometheus, uid, panel, query, end) for query in panel["targets"])
        worst = max(worst, samples)
        print(f"{uid:20} {panel['title']:36} {samples:>9,}")
    return int(worst > LIMIT_SAMPLES)


def read(
    prometheus: Prometheus, uid: str, panel: dict[str, Any], target: dict[str, Any], end: int
) -> int:
    """Return how many samples a query reads."""
    span = SPANS[uid]
    windows = {"__rate_interval": "1m", "__range": f"{span}s"}
    everything = dict.fromkeys(("kind", "district", "provider"), ".*")
    query: dict[str, Any] = {"query": plain(target["expr"], {**windows, **everything})}
    if target["instant"]:
        query |= {"time": end}
    else:
        step = max(seconds(panel["interval"]), span // POINTS)
        query |= {"start": (end - span) // step * step, "end": end, "step": step}
    path = "query" if target["instant"] else "query_range"
    answer = json.loads(prometheus.fetch(f"/api/v1/{path}?{urlencode({**query, 'stats': 'all'})}"))
    return int(answer["data"]["stats"]["samples"]["totalQueryableSamples"])


def seconds(interval: str) -> int:
    """Return the length of an interval such as 5m."""
    found = re.fullmatch(r"(\d+)([smhd])", interval)
    if found is None:
        message = f"{interval} is no interval"
        raise ValueError(message)
    return int(found[1]) * {"s": 1, "m": MINUTE, "h": HOUR, "d": 24 * HOUR}[found[2]]


def exposition(links: int, end: int) -> Iterator[str]:
    """Yield what would have been recorded; OpenMetrics wants each metric's samples together."""
    now, minutes = (end,), range(end - 6 * HOUR, end + 1, MINUTE)
    day, week = range(end - 24 * HOUR, end + 1, HOUR), range(end - 7 * 24 * HOUR, end + 1, HOUR)
    every = [place(number) for number in range(links)]
    down = [f'{each},provider_name="Carrier",name="Agency",{NAMES}' for each in every[::100]]
    groups = sorted({f'{each.split(",", 2)[2]},provider_name="Carrier",{NAMES}' for each in every})
    agency = [
        f'{each.rsplit(",", 1)[0].replace(LINK, "")},{NAMES},latitude="10",longitude="106"'
        for each in every
    ]
    yield from series(records.BEST_STATE, (each.split(",")[0] for each in every), now)
    yield from series("netmon_agency_info", agency, now)
    for name in ("netmon_inventory_links", "netmon_wall_clock_offset_seconds"):
        yield from series(name, [""], minutes)
    yield from series("netmon_round_last_end_timestamp_seconds", ['round="echo:default"'], now)
    alert = 'alertname="LinkDown",alertstate="firing",severity="critical"'
    yield from series("ALERTS", [f'{alert},agency="a0",link="primary"'], now)
    yield from series(records.OPEN_OUTAGES, down, minutes)
    yield from series(records.WORST, down[:20], now)
    states = [f'{each},state="{state}"' for each in groups for state in STATES]
    # Only what is drawn over time is needed over time.
    drawn = [each for each in states if 'state="down"' in each]
    yield from series(records.FLEET_STATES, drawn, minutes)
    yield from series(records.FLEET_STATES, sorted(set(states) - set(drawn)), now)
    yield from series(records.FLEET_DAY, states, range(end - 2 * HOUR, end + 1, HOUR))
    yield from series(records.RTT_BUCKETS, (f'le="{number}"' for number in range(11)), minutes)
    hours = [f'{each},hours="{part}"' for each in states for part in ("business", "other")]
    yield from series(records.FLEET_SECONDS, hours, day)
    carriers = [f'provider="{each}",provider_name="{each}"' for each in PROVIDERS]
    by_state = [f'{each},state="{state}"' for each in carriers for state in STATES]
    yield from series(records.PROVIDER_SECONDS, by_state, week)
    causes = [f'{each},cause="{cause}"' for each in carriers for cause in CAUSES]
    yield from series(records.ENDED_OUTAGES, causes, week)
    yield from series(records.OUTAGE_SECONDS, causes, week)
    yield from series(records.DOWN_SECONDS, down, week)


def place(number: int) -> str:
    """Return the labels of a link."""
    district, kind = number % DISTRICTS, KINDS[number // DISTRICTS % 2]
    provider = PROVIDERS[number // DISTRICTS // 2 % 2]
    return (
        f'agency="a{number}",link="primary",kind="{kind}",district="d{district}",'
        f'provider="{provider}"'
    )


def series(name: str, labels: Any, times: Any) -> Iterator[str]:  # noqa: ANN401  # iterables of text and of numbers
    """Yield the samples of one metric."""
    for each in labels:
        for at in times:
            yield f"{name}{{{each}}} 1 {at}\n"


if __name__ == "__main__":
    sys.exit(main())
