"""The documentation of the metrics, from their definitions.

`python -m netmon_exporters.metrics_table > docs/metrics.md` writes it; a test compares.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from netmon_exporters.prometheus import families

if TYPE_CHECKING:
    from netmon_exporters.exposition import Family

_INTRODUCTION = """\
# Metrics

<!-- Written by `python -m netmon_exporters.metrics_table`; a test compares. -->

netmon is a prober: it measures by its own schedule, whether it is scraped or not, and exposes
counters and histograms that lose nothing between two scrapes. `/metrics` speaks the Prometheus
text format and OpenMetrics, gzipped where the client allows it.

- Absence is not zero: what was not measured has no series. The last column says when that is.
- Hot series carry `agency`, `link` and one bounded enumeration; names are in `…_info` only.
- `netmon_link_up == 0` is true for links that are judged down, and for these only: a link behind
  a dead parent has no `netmon_link_up`, it is `netmon_link_state{state="unreachable"} 1`. During
  maintenance the figure goes on; join with `netmon_link_state{state="maintenance"}` to keep pages
  shut.
- Availability is up / (up + down) over `netmon_link_state_seconds_total`: planned work, and the
  time in which nothing could be seen, are in neither.
- `netmon_link_trouble_info` and `netmon_agency_trouble_info` are for alerts: only what is not well
  has a series, and its names are in it. At worst, when nothing can be observed, that is two series
  for each link that flaps, one for each other link, and one for each agency.
- Series of links and agencies that left the inventory vanish with the reload.
- An interface is labelled by its name; where a router tells one name twice, the higher index has
  it and the other is `name#index`.
- Beside these there are the standard `process_…` and `python_…` metrics of prometheus-client.

| metric | type | labels | meaning | no series when |
|---|---|---|---|---|
"""


def document() -> str:
    """Return docs/metrics.md."""
    return _INTRODUCTION + "".join(_row(family) for family in families())


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} | {family.absent} |\n"


if __name__ == "__main__":
    sys.stdout.write(document())
