"""The alerts: when somebody is told, and of what severity.

critical: somebody must act now. warning: on the next working day. info: to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting import promql as q
from netmon.alerting.rules import Alert, duration

if TYPE_CHECKING:
    from netmon.config.settings import Alerting

_JOB = "job, instance"
_OUTAGE_SHARE = 0.5
_OUTAGE_LEAST = 3
"""Fewer at once may be chance."""
_RESTART_SECONDS = 900
_SATURATED_SHARE = 0.9
_KEEP_SECONDS = 300.0
_BURNS = (("1h", "5m", 14.4), ("6h", "30m", 6.0))
"""Long window, short window, and how many times faster than agreed the budget is used up."""
_PENDING_EVENTS = 1000


def alerts(alerting: Alerting) -> list[Alert]:
    """Return every alert, those about netmon itself first."""
    return [
        *_netmon_alerts(alerting),
        *_outage_alerts(alerting),
        *_link_alerts(alerting),
        *_router_alerts(alerting),
        *(_burn_alert(long, short, factor) for long, short, factor in _BURNS),
        _drill_alert(),
        # Whoever receives it misses it when the path of pages is broken.
        Alert("Watchdog", "vector(1)", "none"),
    ]


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
    told = duration(alerting.group_wait_seconds)
    provider = (
        f"{q.PROVIDER_DOWN} > {_OUTAGE_SHARE}\nand on ({_JOB}, provider)\n"
        f"{q.PROVIDER_DOWN_COUNT} >= {_OUTAGE_LEAST}"
    )
    area = (
        f"{q.AREA_DOWN} > {_OUTAGE_SHARE}\nand on ({_JOB}, district)\n"
        f"{q.AREA_DOWN_COUNT} >= {_OUTAGE_LEAST}"
    )
    # The district that all of them stand behind explains it: that is one agency down.
    above = (
        f'max by ({_JOB}, district) (\n  label_replace({q.AGENCY_DOWN} == 1, "district", "$1", '
        '"agency", "(.+)")\n)'
    )
    area = q.opening(area, above, "AreaOutage", f"{_JOB}, district", told)
    area_name = 'label_replace(netmon_agency_info, "district", "$1", "agency", "(.+)")'
    area = f"(\n{q.block(area)}\n)\n* on ({_JOB}, district) group_left (name)\n  {area_name}"
    agency = q.named(
        f"{q.OUTAGE}\n* on ({q.AGENCY}) group_left (provider, provider_name)\n"
        f"  {q.AGENCY_PROVIDER}\nor on ({q.AGENCY})\n{q.OUTAGE}"
    )
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
            q.held(agency, "AgencyDown", q.AGENCY, series=q.AGENCY_HELD),
            "critical",
            after,
        ),
    ]


def _link_alerts(alerting: Alerting) -> list[Alert]:
    ticket = alerting.ticket_after_seconds
    degraded = 'netmon_link_state{state="degraded"} == 1'
    lossy = f"netmon_link_loss_ratio >= on ({q.LINK}) netmon_link_limit_loss_ratio"
    return [
        _link_down(alerting, "LinkDown", "primary", alerting.page_after_seconds),
        _link_down(alerting, "BackupLinkDown", "backup", ticket),
        _degraded("loss", f"({degraded}) and on ({q.LINK}) ({lossy})", ticket),
        _degraded("rtt", f"({degraded}) unless on ({q.LINK}) ({lossy})", ticket),
        Alert(
            "LinkFlapping",
            q.held(
                q.named_link("netmon_link_flapping == 1"), "LinkFlapping", q.LINK, series=q.HELD
            ),
            "warning",
            keep_seconds=_KEEP_SECONDS,
        ),
    ]


def _link_down(alerting: Alerting, name: str, role: str, after: float) -> Alert:
    down = f'({q.DOWN} == 1) and on ({q.LINK}) netmon_link_info{{role="{role}"}}'
    # The agency that is down altogether, or behind one that is, has a page of its own.
    agency = f"{q.AGENCY_DOWN} == 1 or on ({q.AGENCY}) {q.PARENT_DOWN} == 1"
    explained = f"({down})\nand on ({q.AGENCY}) ({agency})"
    told = duration(alerting.group_wait_seconds)
    opened = q.opening(f"({down})", explained, name, q.LINK, told)
    return Alert(name, q.held(q.named_link(opened), name, q.LINK, series=q.HELD), "warning", after)


def _degraded(reason: str, expression: str, after: float) -> Alert:
    selector = f'reason="{reason}"'
    found = q.named_link(f"max by ({q.LINK}) ({expression})")
    return Alert(
        "LinkDegraded",
        q.held(found, "LinkDegraded", q.LINK, selector, q.HELD),
        "warning",
        after,
        _KEEP_SECONDS,
        {"reason": reason},
    )


def _router_alerts(alerting: Alerting) -> list[Alert]:
    ticket = alerting.ticket_after_seconds
    answers = f"netmon_snmp_up == 0 and on ({q.AGENCY}) (netmon_link_up == 1)"
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
        Alert("RouterRestarted", q.held(q.named(restarted), "RouterRestarted", q.AGENCY), "info"),
    ]


def _saturated() -> str:
    key = f"{q.AGENCY}, interface"
    # A rate keeps no name: without a label of its own the one would hide the other.
    transmit = (
        "label_replace(rate(netmon_interface_transmit_bytes_total[5m]),"
        ' "direction", "transmit", "", "")'
    )
    used = (
        f"(\n  max by ({key}) (\n    rate(netmon_interface_receive_bytes_total[5m])\n"
        f"    or\n    {transmit}\n  )\n  and on ({key}) netmon_router_uplink_info\n)"
    )
    agreed = (
        f"max by ({q.AGENCY}) (\n  netmon_link_bandwidth_bytes_per_second\n"
        f'  and on ({q.LINK}) netmon_link_info{{role="primary"}}\n)'
    )
    return (
        f"{used}\n> on ({q.AGENCY}) group_left () {_SATURATED_SHARE} * {agreed}\nor\n"
        f"{used}\n> on ({key}) {_SATURATED_SHARE} * netmon_interface_speed_bytes_per_second"
    )


def _burn_alert(long: str, short: str, factor: float) -> Alert:
    budget = f"{factor:g} * (1 - netmon_link_target_availability_ratio)"
    found = q.named_link(
        f"{q.ERRORS}{long} > on ({q.LINK}) {budget}\nand on ({q.LINK})\n"
        f"{q.ERRORS}{short} > on ({q.LINK}) {budget}"
    )
    selector = f'window="{long}"'
    return Alert(
        "AvailabilityBurn",
        q.held(found, "AvailabilityBurn", q.LINK, selector, q.HELD),
        "warning",
        labels={"window": long},
    )


def _drill_alert() -> Alert:
    return Alert(
        "NetmonDrill", q.named("netmon_drill_active == 1"), "critical", labels={"drill": "true"}
    )


def _held(expression: str, alert: str) -> str:
    return q.held(expression, alert, _JOB)
