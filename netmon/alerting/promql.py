"""Expressions that several rules share.

Two things hold for every alert. It carries `job` and `instance` of the netmon that says it, so
that its own past (`ALERTS`) can be asked. And it is *held*: it neither resolves because netmon
stopped nor because a link became unobserved, and planned work closes no page that is open.
"""

from __future__ import annotations

JOB = "job, instance"
AGENCY = "job, instance, agency"
LINK = "job, instance, agency, link"
PARENT = "job, instance, parent"
LINK_TROUBLE = "netmon_link_trouble_info"
AGENCY_TROUBLE = "netmon_agency_trouble_info"
"""What netmon says is wrong, with names: few series, and no join is needed."""
DOWN = "link:netmon_link_down:bool"
HELD = "link:netmon_link_held:bool"
AGENCY_DOWN = "agency:netmon_agency_down:bool"
AGENCY_HELD = "agency:netmon_agency_held:bool"
OUTAGE = "agency:netmon_agency_down:unexplained"
"""Agencies that are down and not behind one that is; or down, and people were told so before."""
PARENTS_DOWN = "parent:netmon_agency_down:bool"
"""By the label `parent`, as those behind it carry it: agencies that are down, or were just now."""
BEHIND = "agency:netmon_agency_unreachable_behind:count"
PROVIDER_DOWN = "provider:netmon_link_down:ratio"
PROVIDER_DOWN_COUNT = "provider:netmon_link_down:count"
AREA_DOWN = "district:netmon_agency_down:ratio"
AREA_DOWN_COUNT = "district:netmon_agency_down:count"
UPLINK = "interface:netmon_uplink_bytes:max_rate5m"
ERRORS = "link:netmon_link_errors:ratio_rate"
BURN = "link:netmon_link_errors_beyond_budget:ratio"
"""Links that use up their budget too fast, named, by the label `window`."""
SILENT = 'up{job="netmon"} == 0'
"""netmon does not answer Prometheus: what it last said stands."""


def block(text: str) -> str:
    """Return a text with every line indented once more."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def named(expression: str) -> str:
    """Give a vector with an agency the names that people and routes need."""
    return (
        f"(\n{block(expression)}\n)\n* on ({AGENCY}) group_left (name, kind, parent, district)\n"
        "  netmon_agency_info"
    )


def named_link(expression: str) -> str:
    """Give a vector with agency and link the names of both."""
    return (
        f"{named(expression)}\n"
        f"* on ({LINK}) group_left (role, provider, provider_name, circuit)\n  netmon_link_info"
    )


def troubled(series: str, trouble: str) -> str:
    """Return the links or agencies with this trouble, named, whatever else is wrong with them."""
    return f'max without (trouble) ({series}{{trouble="{trouble}"}})'


def behind(series: str) -> str:
    """Return those of a series that stand behind a parent that is down."""
    return f"{series} and on ({PARENT}) {PARENTS_DOWN}"


def firing(alert: str, selectors: str = "", offset: str = "") -> str:
    """Return the alerts of this name that fire, with the labels that the rule gave them."""
    more = f", {selectors}" if selectors else ""
    back = f" offset {offset}" if offset else ""
    selector = f'ALERTS{{alertname="{alert}", alertstate="firing"{more}}}{back}'
    return f"max without (alertname, alertstate) ({selector})"


def held(expression: str, alert: str, key: str, selectors: str = "", series: str = "") -> str:
    """Hold an alert while netmon is silent; with `series`, also where this series says so.

    `key` are the labels that tell one alert of this name from another.
    """
    fires = firing(alert, selectors)
    parts = [f"(\n{block(expression)}\n)", f"({fires} and on (job, instance) ({SILENT}))"]
    if series:
        parts.append(f"({fires} and on ({key}) ({series} == 1))")
    return f"\nor on ({key})\n".join(parts)


def opening(expression: str, explained: str, alert: str, key: str, told_after: str) -> str:
    """Open no alert that something else explains, and close none that people were told of."""
    return (
        f"{expression}\nunless on ({key}) (\n{block(explained)}\n"
        f"  unless on ({key}) ({firing(alert, offset=told_after)})\n)"
    )
