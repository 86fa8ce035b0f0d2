"""The recording rules of the dashboards: what is cheap at 50 links and not at 20,000.

Raw series by link are summed to kinds, districts and carriers once for all who look, and open
outages, of which there are few, get the names of agency and carrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netmon.model import STATE_CODES, STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN_OUTAGES = "link:netmon_link_outage_start_timestamp_seconds:named"
TROUBLE = "link:netmon_link_outage_start_timestamp_seconds:count5m"
WORST = "link:netmon_link_outage_start_timestamp_seconds:top20_6h"
FLEET_DAY = "kind_district_provider:netmon_link_state_seconds:avg24h"
FLEET_STATES = "kind_district_provider:netmon_link_state:sum"
RTT_BUCKETS = "le:netmon_echo_rtt_seconds_bucket:rate5m"
FLEET_SECONDS = "kind_district_provider:netmon_link_state_seconds:increase1h"
PROVIDER_SECONDS = "provider:netmon_link_state_seconds:increase1h"
ENDED_OUTAGES = "provider_cause:netmon_link_outages:increase1h"
OUTAGE_SECONDS = "provider_cause:netmon_link_outage_seconds:increase1h"
BEST_STATE = "agency:netmon_link_state:best"
DOWN_SECONDS = "link:netmon_link_down_seconds:increase1h"

_NAMES = "kind, kind_name, district, district_name"
_AGENCY = f"* on (agency) group_left (name, {_NAMES}) netmon_agency_info"
_LINK = "* on (agency, link) group_left (provider, provider_name) netmon_link_info"
_PLACE = f"{_NAMES}, provider, provider_name"
_PLACE_LABELS = frozenset(_PLACE.split(", "))
_LINK_LABELS = _PLACE_LABELS | {"agency", "link", "name"}
_PROVIDER_LABELS = frozenset({"provider", "provider_name"})
_CODES = " or ".join(
    f'(netmon_link_state{{state="{state}"}} == 1) * {STATE_CODES[state]}' for state in STATES
)


@dataclass(frozen=True, slots=True)
class Record:
    """One recording rule."""

    name: str
    expression: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, one after the other."""

    name: str
    interval: str
    records: tuple[Record, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        "netmon_dashboards",
        "30s",
        (
            Record(
                # Only of links that are down, so that this table and the counts by state agree:
                # one that is under planned work, or behind a dead parent since, is counted there.
                OPEN_OUTAGES,
                "(netmon_link_outage_start_timestamp_seconds "
                'and on (agency, link) netmon_link_state{state="down"} == 1) '
                f"{_AGENCY} {_LINK}",
                _LINK_LABELS,
            ),
            Record(
                # Chosen here and not in the panel, which would count its cost at each step.
                WORST,
                f"topk(20, sum_over_time({TROUBLE}[6h]) or count_over_time({OPEN_OUTAGES}[5m]))",
                _LINK_LABELS,
            ),
            Record(
                FLEET_STATES,
                f"sum by ({_PLACE}, state) (netmon_link_state {_AGENCY} {_LINK})",
                _PLACE_LABELS | {"state"},
            ),
            Record(BEST_STATE, f"min by (agency) ({_CODES})", frozenset({"agency"})),
            Record(
                RTT_BUCKETS,
                "sum by (le) (rate(netmon_echo_rtt_seconds_bucket[5m]))",
                frozenset({"le"}),
            ),
        ),
    ),
    Group(
        "netmon_dashboards_5m",
        "5m",
        # Who was down at all, however shortly, without reading every half minute of hours.
        (Record(TROUBLE, f"count_over_time({OPEN_OUTAGES}[5m])", _LINK_LABELS),),
    ),
    Group(
        "netmon_dashboards_hourly",
        "1h",
        (
            Record(
                FLEET_SECONDS,
                f"sum by ({_PLACE}, state, hours) "
                f"(increase(netmon_link_state_seconds_total[1h]) {_AGENCY} {_LINK})",
                _PLACE_LABELS | {"state", "hours"},
            ),
            Record(
                FLEET_DAY,
                f"sum by ({_PLACE}, state) (avg_over_time({FLEET_SECONDS}[24h]))",
                _PLACE_LABELS | {"state"},
            ),
            Record(
                PROVIDER_SECONDS,
                f"sum by (provider, provider_name, state) ({FLEET_SECONDS})",
                _PROVIDER_LABELS | {"state"},
            ),
            Record(
                ENDED_OUTAGES,
                "sum by (provider, provider_name, cause) "
                f"(increase(netmon_link_outages_total[1h]) {_LINK})",
                _PROVIDER_LABELS | {"cause"},
            ),
            Record(
                OUTAGE_SECONDS,
                "sum by (provider, provider_name, cause) "
                f"(increase(netmon_link_outage_seconds_total[1h]) {_LINK})",
                _PROVIDER_LABELS | {"cause"},
            ),
            Record(
                DOWN_SECONDS,
                "(sum by (agency, link) "
                '(increase(netmon_link_state_seconds_total{state="down"}[1h])) > 0) '
                f"{_AGENCY} {_LINK}",
                _LINK_LABELS,
            ),
        ),
    ),
)


def rules_file() -> str:
    """Return the rule file that Prometheus loads."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Written by scripts/generate.py from grafana/source/records.py."
    yield "groups:"
    for group in GROUPS:
        yield f"  - name: {group.name}"
        yield f"    interval: {group.interval}"
        yield "    rules:"
        for record in group.records:
            yield f"      - record: {record.name}"
            yield "        expr: >-"
            yield f"          {record.expression}"
