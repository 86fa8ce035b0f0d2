"""The PromQL that more than one panel needs, written once so that two panels never disagree."""

from __future__ import annotations

from grafana.source.records import (
    DOWN_SECONDS,
    ENDED_OUTAGES,
    FLEET_DAY,
    FLEET_SECONDS,
    FLEET_STATES,
    OPEN_OUTAGES,
    OUTAGE_SECONDS,
    PROVIDER_SECONDS,
)
from netmon.model import STATE_CODES, STATES, State

ALIVE = "on () group_left () netmon_inventory_links"
"""What a zero is multiplied with, so that it is there only while netmon is."""

NOW = "scalar(time() - max(netmon_wall_clock_offset_seconds))"
"""Now on the time line of the account, on which every instant in a metric stands."""
ROUND_AGE = f'{NOW} - max(netmon_round_last_end_timestamp_seconds{{round=~"echo:.*"}})'

AGENCY = 'netmon_agency_info{kind=~"$kind", district=~"$district"}'
LINK = 'netmon_link_info{provider=~"$provider"}'
FLEET = 'kind=~"$kind", district=~"$district", provider=~"$provider"'
"""Matchers of the records that carry kind, district and provider."""
ONE = 'agency="$agency", link="$link"'

USUAL_LINK = "primary"
"""The id of the link that stands in one line of YAML."""

USABLE, JUDGED = 'state=~"up|degraded"', 'state=~"up|degraded|down"'
SEEN = 'state!~"unknown|unobserved"'


def outages() -> str:
    """Return the links with an open outage that were chosen; the value is its start."""
    return f"{OPEN_OUTAGES}{{{FLEET}}}"


def or_zero(expression: str) -> str:
    """Return a count that is 0 where there is nothing to count, and absent without netmon."""
    return f"({expression}) or 0 * max(netmon_inventory_links)"


def fleet_state(states: str) -> str:
    """Return how many of the chosen links are in one of these states (a regular expression)."""
    return f'sum({FLEET_STATES}{{{FLEET}, state=~"{states}"}})'


def codes(matchers: str) -> str:
    """Return the state of each link as its code, from the one-hot series."""
    return f"sum without (state) ({' or '.join(_code(matchers, state) for state in STATES)})"


def ratio(series: str, matchers: str, by: str, window: str, function: str = "increase") -> str:
    """Return availability: usable / (usable + down), of series of seconds by state."""
    grouping = f"sum by ({by})" if by else "sum"
    usable = f"{function}({series}{{{_joined(matchers, USABLE)}}}[{window}])"
    judged = f"{function}({series}{{{_joined(matchers, JUDGED)}}}[{window}])"
    return f"{grouping} ({usable}) / ({grouping} ({judged}) > 0)"


def link_availability(matchers: str, by: str, window: str) -> str:
    """Return availability straight from the account's counters."""
    return ratio("netmon_link_state_seconds_total", matchers, by, window)


def fleet_availability(matchers: str, by: str, window: str) -> str:
    """Return availability of many links from the hourly record of kinds and districts."""
    return ratio(FLEET_SECONDS, matchers, by, window, "avg_over_time")


def day_availability() -> str:
    """Return availability of the chosen links over 24 hours; its record is an hour old at most."""
    return ratio(FLEET_DAY, FLEET, "", "2h", "last_over_time")


def provider_availability(by: str, window: str) -> str:
    """Return availability by carrier from its hourly record."""
    return ratio(PROVIDER_SECONDS, 'provider=~"$provider"', by, window, "avg_over_time")


def lost_seconds(by: str, window: str) -> str:
    """Return the seconds of open outages that each of the chosen links lost in the window."""
    return f"sum by ({by}) (sum_over_time({DOWN_SECONDS}{{{FLEET}}}[{window}]))"


def by_cause(window: str) -> tuple[str, str]:
    """Return how long the outages lasted that ended in the window, and how many they were."""
    lasted, ended = (
        carrier(
            "sum by (provider_name, cause) "
            f'(sum_over_time({record}{{provider=~"$provider"}}[{window}]))'
        )
        for record in (OUTAGE_SECONDS, ENDED_OUTAGES)
    )
    return f"{lasted} > 0", f"round({ended}) > 0"


def marked(expression: str) -> str:
    """Return series of links with a label `mark` that names the link, unless it is the usual one.

    A name and a link are too long for a tile.
    """
    named = f'label_replace({expression}, "mark", " · $1", "link", "(.+)")'
    return f'label_replace({named}, "mark", "", "link", "{USUAL_LINK}")'


def carrier(expression: str) -> str:
    """Return a series by carrier; that of links which have none is told so as well."""
    return f'label_replace({expression}, "provider_name", "–", "provider_name", "")'


def named(expression: str) -> str:
    """Return a series of links with the names of agency and carrier, narrowed to the chosen."""
    return (
        f"({expression})"
        f" * on (agency) group_left (name, kind, kind_name, district, district_name) {AGENCY}"
        f" * on (agency, link) group_left (provider_name) {LINK}"
    )


def _code(matchers: str, state: State) -> str:
    chosen = _joined(matchers, f'state="{state}"')
    return f"netmon_link_state{{{chosen}}} * {STATE_CODES[state]}"


def _joined(*matchers: str) -> str:
    return ", ".join(each for each in matchers if each)
