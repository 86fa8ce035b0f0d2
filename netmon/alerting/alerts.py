"""The alerts: when somebody is told, and of what severity.

critical: somebody must act now. warning: on the next working day. info: to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting import promql as q
from netmon.alerting.records import BURNS
from netmon.alerting.rules import Alert, duration

if TYPE_CHECKING:
    from netmon.config.settings import Alerting

_JOB = q.JOB
_OUTAGE_SHARE = 0.5
_OUTAGE_LEAST = 3
"""Fewer at once may be chance."""
_RESTART_SECONDS = 900
_SATURATED_SHARE = 0.9
_KEEP_SECONDS = 300.0
_PENDING_EVENTS = 1000


def alerts(alerting: Alerting) -> list[Alert]:
    """Return the alerts that are looked at in every interval, those about netmon itself first."""
    return [
        *_netmon_alerts(alerting),
        *_outage_alerts(alerting),
        *_link_alerts(alerting),
        _drill_alert(),
        # Whoever receives it misses it when the path of pages is broken.
        Alert("Watchdog", "vector(1)", "none"),
    ]


def slow_alerts(alerting: Alerting) -> list[Alert]:
    """Return the alerts that nobody has to act on at once, of routers and of budgets."""
    return [*_router_alerts(alerting), *(_burn_alert(long) for long, _, _ in BURNS)]


def _netmon_alerts(alerting: Alerting) -> list[Alert]:
    after = alerting.page_after_seconds
    ended = 'netmon_round_last_end_timestamp_seconds{round=~"echo:.*"}'
    stalled = (
        f"time() - (\n  max by ({_JOB}) ({ended})\n"
        f"  + on ({_JOB}) netmon_wall_clock_offset_seconds\n) > 60"
    )
    ledger = f"netmon_ledger_writable == 0 or netmon_ledger_pending_events > {_PENDING_EVENTS}"
    return [
        Alert(
            "NetmonAbsent", 'up{job="netmon"} == 0 or absent(up{job="netmon"})', "critical", after
        ),
        Alert("NetmonStalled", _held(stalled, "NetmonStalled"), "critical", after),
        Alert(
            "NetmonBlind",
            _held(f"max by ({_JOB}) (netmon_canary_up) == 0", "NetmonBlind"),
            "critical",
        ),
        Alert(
            "ConfigReloadFailed",
            _held("netmon_config_last_reload_successful == 0", "ConfigReloadFailed"),
            "warning",
        ),
        Alert(
            "LedgerTrouble",
            _held(f"max by ({_JOB}) ({ledger})", "LedgerTrouble"),
            "critical",
            after,
        ),
    ]


def _outage_alerts(alerting: Alerting) -> list[Alert]:
    provider = (
        f"{q.PROVIDER_DOWN} > {_OUTAGE_SHARE}\nand on ({_JOB}, provider)\n"
        f"{q.PROVIDER_DOWN_COUNT} >= {_OUTAGE_LEAST}"
    )
    area = _area(duration(alerting.group_wait_seconds))
    after = alerting.page_after_seconds
    return [
        Alert(
            "ProviderOutage",
            q.held(provider, "ProviderOutage", f"{_JOB}, provider"),
            "critical",
            after,
        ),
        Alert("AreaOutage", q.held(area, "AreaOutage", f"{_JOB}, district"), "critical", after),
        Alert(
            "AgencyDown",
            q.held(q.OUTAGE, "AgencyDown", q.AGENCY, series=q.AGENCY_HELD),
            "critical",
            after,
        ),
    ]


def _area(told_after: str) -> str:
    key = f"{_JOB}, district"
    found = (
        f"{q.AREA_DOWN} > {_OUTAGE_SHARE}\nand on ({key})\n{q.AREA_DOWN_COUNT} >= {_OUTAGE_LEAST}"
    )
    # The district that all of them stand behind explains it: that is one agency down.
    above = (
        f'max by ({key}) (\n  label_replace({q.AGENCY_DOWN}, "district", "$1", "agency", "(.+)")\n)'
    )
    found = q.opening(found, above, "AreaOutage", key, told_after)
    return f"(\n{q.block(found)}\n)\n* on ({key}) group_left (name) netmon_district_info"


def _link_alerts(alerting: Alerting) -> list[Alert]:
    ticket = alerting.ticket_after_seconds
    return [
        _link_down(alerting, "LinkDown", "primary", alerting.page_after_seconds),
        _link_down(alerting, "BackupLinkDown", "backup", ticket),
        _degraded("loss", ticket),
        _degraded("rtt", ticket),
        Alert(
            "LinkFlapping",
            q.held(q.troubled(q.LINK_TROUBLE, "flapping"), "LinkFlapping", q.LINK, series=q.HELD),
            "warning",
            keep_seconds=_KEEP_SECONDS,
        ),
    ]


def _link_down(alerting: Alerting, name: str, role: str, after: float) -> Alert:
    down = f'{q.DOWN}{{role="{role}"}}'
    # The agency that is down altogether, or behind one that is, has a page of its own.
    explained = f"(\n  {down} and on ({q.AGENCY}) {q.AGENCY_DOWN}\n  or\n  {q.behind(down)}\n)"
    told = duration(alerting.group_wait_seconds)
    opened = q.opening(down, explained, name, q.LINK, told)
    return Alert(name, q.held(opened, name, q.LINK, series=q.HELD), "warning", after)


def _degraded(reason: str, after: float) -> Alert:
    selector = f'reason="{reason}"'
    return Alert(
        "LinkDegraded",
        q.held(q.troubled(q.LINK_TROUBLE, reason), "LinkDegraded", q.LINK, selector, q.HELD),
        "warning",
        after,
        _KEEP_SECONDS,
        {"reason": reason},
    )


def _router_alerts(alerting: Alerting) -> list[Alert]:
    ticket = alerting.ticket_after_seconds
    answers = f"netmon_snmp_up == 0 unless on ({q.AGENCY}) {q.AGENCY_TROUBLE}"
    changed = "netmon_ssh_host_key_changed == 1"
    restarted = f"netmon_router_uptime_seconds < {_RESTART_SECONDS}"
    return [
        Alert(
            "SnmpDown",
            q.held(q.named(answers), "SnmpDown", q.AGENCY),
            "warning",
            ticket,
            _KEEP_SECONDS,
        ),
        Alert(
            "Saturated",
            q.held(q.named(_saturated()), "Saturated", f"{q.AGENCY}, interface"),
            "warning",
            ticket,
            _KEEP_SECONDS,
        ),
        Alert("HostKeyChanged", q.held(q.named(changed), "HostKeyChanged", q.AGENCY), "warning"),
        Alert("RouterRestarted", q.held(q.named(restarted), "RouterRestarted", q.AGENCY), "info"),
    ]


def _saturated() -> str:
    agreed = (
        f"max by ({q.AGENCY}) (\n  netmon_link_bandwidth_bytes_per_second\n"
        f'  and on ({q.LINK}) netmon_link_info{{role="primary"}}\n)'
    )
    return (
        f"{q.UPLINK}\n> on ({q.AGENCY}) group_left () {_SATURATED_SHARE} * {agreed}\nor\n"
        f"{q.UPLINK}\n> on ({q.AGENCY}, interface)"
        f" {_SATURATED_SHARE} * netmon_uplink_speed_bytes_per_second"
    )


def _burn_alert(window: str) -> Alert:
    selector = f'window="{window}"'
    # Recorded every five minutes, after which a sample is too old to be seen without this.
    found = f'last_over_time({q.BURN}{{window="{window}"}}[6m])'
    return Alert(
        "AvailabilityBurn",
        q.held(found, "AvailabilityBurn", q.LINK, selector, q.HELD),
        "warning",
        labels={"window": window},
    )


def _drill_alert() -> Alert:
    return Alert(
        "NetmonDrill", q.named("netmon_drill_active == 1"), "critical", labels={"drill": "true"}
    )


def _held(expression: str, alert: str) -> str:
    return q.held(expression, alert, _JOB)
