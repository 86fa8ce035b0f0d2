"""Recording rules: the series that alerts and panels share.

What is recorded in every interval is made of few series: of what is not well. What needs all of
them is recorded once in a minute, in five, or in an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting import promql as q
from netmon.alerting.rules import Record, duration

if TYPE_CHECKING:
    from netmon.config.settings import Alerting

_UNSURE = "unobserved|unknown|maintenance"
_SECONDS = "netmon_link_state_seconds_total"
_DOWN_SECONDS = "link:netmon_link_down_seconds:increase5m"
_JUDGED_SECONDS = "link:netmon_link_judged_seconds:increase5m"
_BUDGET = "link:netmon_link_budget:ratio"
"""The share of time that a link may be down as agreed."""
_WINDOWS = ("30m", "1h", "6h")
BURNS = (("1h", "5m", 14.4), ("6h", "30m", 6.0))
"""Long window, short window, and how many times faster than agreed the budget is used up."""


def link_records(alerting: Alerting) -> list[Record]:
    """Return what is down, link by link, and what that means for agencies, areas and carriers."""
    return [
        # One definition of "down and it counts": planned work does not, nor what nobody can see.
        Record(q.DOWN, q.troubled(q.LINK_TROUBLE, "down")),
        # Nothing new may be said of these: an alert that fires goes on, none is opened.
        Record(q.HELD, f'max by ({q.LINK}) ({q.LINK_TROUBLE}{{trouble=~"{_UNSURE}"}})'),
        Record(q.AGENCY_DOWN, q.troubled(q.AGENCY_TROUBLE, "down")),
        Record(q.AGENCY_HELD, f'max by ({q.AGENCY}) ({q.AGENCY_TROUBLE}{{trouble=~"{_UNSURE}"}})'),
        Record(q.PARENTS_DOWN, _parents_down(duration(_grace_seconds(alerting)))),
        Record(q.OUTAGE, _outage(duration(alerting.group_wait_seconds))),
        Record(q.BEHIND, _behind()),
        *_shares(),
    ]


def uplink_record() -> Record:
    """Return what the uplink of each router carries in the busier direction."""
    key = f"{q.AGENCY}, interface"
    # A rate keeps no name: without a label of its own the one would hide the other.
    transmit = (
        "label_replace(rate(netmon_uplink_transmit_bytes_total[5m]),"
        ' "direction", "transmit", "", "")'
    )
    return Record(
        q.UPLINK,
        f"max by ({key}) (\n  rate(netmon_uplink_receive_bytes_total[5m])\n  or\n  {transmit}\n)",
    )


def account_records() -> list[Record]:
    """Return what the burn rates are made of, and the links whose budget burns."""
    return [
        # What was never down has no series.
        Record(_DOWN_SECONDS, f"{_seconds('down', '5m')} > 0"),
        # Planned work and time in which nothing could be seen are in neither.
        Record(_JUDGED_SECONDS, _seconds("up|degraded|down", "5m")),
        *map(_errors, ("5m", *_WINDOWS)),
        # Only of links that were down within the longest window: of few.
        Record(
            _BUDGET,
            f"1 - (netmon_link_target_availability_ratio and on ({q.LINK}) {q.ERRORS}6h)",
        ),
        Record(q.BURN, q.named_link("\nor\n".join(_burn(*each) for each in BURNS))),
    ]


def hour_record() -> Record:
    """Return what each state of a link grew in an hour: a month is cheap from these."""
    # What did not grow is left out: a month of a link is a few series, not fourteen.
    return Record("link:netmon_link_state_seconds:increase1h", f"increase({_SECONDS}[1h]) > 0")


def _grace_seconds(alerting: Alerting) -> float:
    """For so long after its parent is back an agency is given time to answer."""
    return 2 * alerting.group_wait_seconds


def _parents_down(grace: str) -> str:
    was_down = f"present_over_time({q.AGENCY_DOWN}[{grace}])"
    return (
        f'max by ({q.PARENT}) (\n  label_replace({was_down}, "parent", "$1", "agency", "(.+)")\n)'
    )


def _outage(told_after: str) -> str:
    return q.opening(q.AGENCY_DOWN, q.behind(q.AGENCY_DOWN), "AgencyDown", q.AGENCY, told_after)


def _behind() -> str:
    cut = f'count by ({q.PARENT}) ({q.AGENCY_TROUBLE}{{trouble="unreachable", parent!=""}})'
    return f'max by ({q.AGENCY}) (\n  label_replace({cut}, "agency", "$1", "parent", "(.+)")\n)'


def _shares() -> list[Record]:
    # Behind a parent that is down nothing speaks for or against a carrier or an area.
    behind = f"unless on ({q.PARENT}) {q.PARENTS_DOWN}"
    provider, area = f"{q.JOB}, provider", f"{q.JOB}, district"
    return [
        Record(
            q.PROVIDER_DOWN_COUNT,
            f'count by ({provider}, provider_name) (\n  {q.DOWN}{{provider!=""}} {behind}\n)',
        ),
        Record(
            q.PROVIDER_DOWN,
            f"{q.PROVIDER_DOWN_COUNT} / on ({provider}) group_left () netmon_provider_links",
        ),
        Record(
            q.AREA_DOWN_COUNT,
            f'count by ({area}) (\n  {q.AGENCY_DOWN}{{district!=""}} {behind}\n)',
        ),
        Record(q.AREA_DOWN, f"{q.AREA_DOWN_COUNT} / on ({area}) netmon_district_agencies"),
    ]


def _seconds(states: str, window: str) -> str:
    matcher = f'state=~"{states}"' if "|" in states else f'state="{states}"'
    return f"sum by ({q.LINK}) (increase({_SECONDS}{{{matcher}}}[{window}]))"


def _errors(window: str) -> Record:
    down, judged = (
        series if window == "5m" else f"sum_over_time({series}[{window}])"
        for series in (_DOWN_SECONDS, _JUDGED_SECONDS)
    )
    return Record(f"{q.ERRORS}{window}", f"{down}\n/ on ({q.LINK})\n{judged}")


def _burn(long: str, short: str, factor: float) -> str:
    budget = f"{factor:g} * {_BUDGET}"
    both = (
        f"{q.ERRORS}{long} > on ({q.LINK}) {budget}\nand on ({q.LINK})\n"
        f"{q.ERRORS}{short} > on ({q.LINK}) {budget}"
    )
    return f'label_replace(\n{q.block(both)},\n  "window", "{long}", "", ""\n)'
