"""Recording rules: the series that alerts and panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting import promql as q
from netmon.alerting.rules import Group, Record, duration

if TYPE_CHECKING:
    from netmon.config.settings import Alerting

_PLANNED = 'netmon_link_state{state="maintenance"} == 1'
_SECONDS = "link:netmon_link_state_seconds:increase5m"
_WINDOWS = ("30m", "1h", "6h")


def link_records(alerting: Alerting) -> list[Record]:
    """Return what is down, link by link, and what that means for agencies, areas and carriers."""
    return [
        # One definition of "down and it counts". A link that answers during planned work is up.
        Record(
            q.DOWN,
            f"(netmon_link_up == bool 0)\nunless on ({q.LINK}) (\n"
            f"  netmon_link_up == 0 and on ({q.LINK}) ({_PLANNED})\n)",
        ),
        # Nothing new may be said of these: an alert that fires goes on, none is opened.
        Record(
            q.HELD,
            f'max by ({q.LINK}) (netmon_link_state{{state=~"unobserved|unknown"}} == 1)\n'
            f"or on ({q.LINK})\n"
            f"((netmon_link_up == bool 0) and on ({q.LINK}) ({_PLANNED})) == 1",
        ),
        Record(q.AGENCY_DOWN, f"min by ({q.AGENCY}) ({q.DOWN})"),
        Record(
            q.AGENCY_HELD,
            f"max by ({q.AGENCY}) ({q.HELD})\nunless on ({q.AGENCY}) (netmon_link_up == 1)",
        ),
        Record(q.PARENT_DOWN, _parent_down(duration(_grace_seconds(alerting)))),
        Record(q.OUTAGE, _outage(duration(alerting.group_wait_seconds))),
        Record(q.BEHIND, _behind()),
        Record(q.AGENCY_PROVIDER, _provider()),
        *_shares(),
    ]


def account_groups() -> list[Group]:
    """Return the account in Prometheus: error ratios for burn rates, hours for a month."""
    return [
        Group("netmon.account.5m", [_increase("5m"), *map(_errors, ("5m", *_WINDOWS))], "5m"),
        Group("netmon.account.1h", [_increase("1h")], "1h"),
    ]


def _grace_seconds(alerting: Alerting) -> float:
    """For so long after its parent is back an agency is given time to answer."""
    return 2 * alerting.group_wait_seconds


def _parent_down(grace: str) -> str:
    parents = f"max_over_time({q.AGENCY_DOWN}[{grace}]) == 1"
    return (
        f'max by ({q.AGENCY}) (\n  netmon_agency_info{{parent!=""}}\n'
        "  and on (job, instance, parent)\n"
        f'  label_replace({parents}, "parent", "$1", "agency", "(.+)")\n) == 1'
    )


def _outage(told_after: str) -> str:
    down, parent = f"({q.AGENCY_DOWN} == 1)", f"{q.PARENT_DOWN} == 1"
    return q.opening(down, parent, "AgencyDown", q.AGENCY, told_after)


def _behind() -> str:
    cut = f'max by ({q.AGENCY}) (netmon_link_state{{state="unreachable"}} == 1)'
    return (
        f"sum by ({q.AGENCY}) (\n  label_replace(\n    count by (job, instance, parent) (\n"
        f"      {cut}\n      * on ({q.AGENCY}) group_left (parent) netmon_agency_info\n    ),\n"
        '    "agency", "$1", "parent", "(.+)"\n  )\n)'
    )


def _provider() -> str:
    """The carrier of agencies that are down and have only one; of all agencies it costs seconds."""
    links = f"(netmon_link_info and on ({q.AGENCY}) {q.OUTAGE})"
    return (
        f"max by ({q.AGENCY}, provider, provider_name) {links}\nand on ({q.AGENCY})\n"
        f"(count by ({q.AGENCY}) (max by ({q.AGENCY}, provider) {links}) == 1)"
    )


def _shares() -> list[Record]:
    # Behind a parent that is down nothing speaks for or against a carrier or an area.
    behind = f"unless on ({q.AGENCY}) {q.PARENT_DOWN}"
    provider, area = "job, instance, provider, provider_name", "job, instance, district"
    links, agencies = 'netmon_link_info{provider!=""}', 'netmon_agency_info{district!=""}'
    return [
        Record(
            q.PROVIDER_DOWN_COUNT,
            f"sum by ({provider}) (\n  ({q.DOWN} == 1 {behind})\n"
            f"  * on ({q.LINK}) group_left (provider, provider_name) {links}\n)",
        ),
        Record(
            q.PROVIDER_DOWN,
            f"{q.PROVIDER_DOWN_COUNT} / on ({provider}) count by ({provider}) ({links})",
        ),
        Record(
            q.AREA_DOWN_COUNT,
            f"sum by ({area}) (\n  ({q.AGENCY_DOWN} == 1 {behind})\n"
            f"  * on ({q.AGENCY}) group_left (district) {agencies}\n)",
        ),
        Record(q.AREA_DOWN, f"{q.AREA_DOWN_COUNT} / on ({area}) count by ({area}) ({agencies})"),
    ]


def _increase(window: str) -> Record:
    # What did not grow is left out: a month of a link is a few series, not fourteen.
    return Record(
        f"link:netmon_link_state_seconds:increase{window}",
        f"sum by ({q.LINK}, state, hours) (\n"
        f"  increase(netmon_link_state_seconds_total[{window}])\n) > 0",
    )


def _errors(window: str) -> Record:
    def seconds(states: str) -> str:
        series = f'{_SECONDS}{{state=~"{states}"}}'
        over = series if window == "5m" else f"sum_over_time({series}[{window}])"
        return f"sum by ({q.LINK}) ({over})"

    # Planned work and time in which nothing could be seen are in neither.
    return Record(
        f"{q.ERRORS}{window}", f"{seconds('down')}\n/ on ({q.LINK})\n{seconds('up|degraded|down')}"
    )
