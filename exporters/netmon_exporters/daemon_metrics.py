"""Metrics of netmon itself: few series, rendered by prometheus-client as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from netmon.clock import MICROSECONDS
from netmon_exporters.coverage_metrics import COVERAGE_FAMILIES
from netmon_exporters.exposition import Family

if TYPE_CHECKING:
    from netmon.state import DaemonFigures, RoundFigures, Snapshot

Samples = Iterable[tuple[dict[str, str], float]]


class DaemonMetrics:
    """What netmon says of itself, and what the operating system says of its process."""

    def __init__(self) -> None:
        nowhere = CollectorRegistry()
        self._standard: tuple[Collector, ...] = (
            ProcessCollector(registry=nowhere),
            PlatformCollector(registry=nowhere),
            GCCollector(registry=nowhere),
        )

    def collector(self, snapshot: Snapshot) -> Collector:
        """Return a collector of one snapshot."""
        return _Collected(
            (
                *(_metric(family, samples(snapshot.daemon)) for family, samples in FAMILIES),
                *_inventory(snapshot),
                *(_metric(family, samples(snapshot)) for family, samples in COVERAGE_FAMILIES),
                *(metric for each in self._standard for metric in each.collect()),
            )
        )


class _Collected(Collector):
    def __init__(self, metrics: tuple[Metric, ...]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _metric(family: Family, samples: Samples) -> Metric:
    base = family.name
    if family.kind in {"counter", "info"}:
        base = base.removesuffix("_total").removesuffix("_info")
    metric = Metric(base, family.help, family.kind)
    for labels, value in samples:
        metric.add_sample(family.name, labels, value)
    return metric


def _inventory(snapshot: Snapshot) -> Iterator[Metric]:
    inventory = snapshot.inventory
    counts = {
        "netmon_inventory_agencies": len(inventory.agencies),
        "netmon_inventory_links": len(inventory.links),
    }
    yield from (_metric(family, [({}, counts[family.name])]) for family in INVENTORY_FAMILIES)


def _one(value: float) -> Samples:
    return () if math.isnan(value) else (({}, value),)


def _rounds(figure: Callable[[RoundFigures], float]) -> Callable[[DaemonFigures], Samples]:
    return lambda daemon: (({"round": each.name}, figure(each)) for each in daemon.rounds)


def _reload_success(daemon: DaemonFigures) -> Samples:
    return _one(daemon.reload_success_us / MICROSECONDS) if daemon.reload_success_us else ()


def _canaries(daemon: DaemonFigures) -> Samples:
    return (({"canary": name}, up) for name, up in sorted(daemon.canaries.items()))


def _failures(daemon: DaemonFigures) -> Samples:
    return (({"exporter": name}, n) for name, n in sorted(daemon.exporter_failures.items()))


def _traps(daemon: DaemonFigures) -> Samples:
    by_kind = {} if daemon.traps is None else daemon.traps.by_kind
    return (({"kind": kind}, count) for kind, count in by_kind.items())


def _ignored_traps(daemon: DaemonFigures) -> Samples:
    if daemon.traps is None:
        return ()
    return (
        ({"reason": "stranger"}, daemon.traps.strangers),
        ({"reason": "flood"}, daemon.traps.dropped),
        ({"reason": "malformed"}, daemon.traps.malformed),
        *(({"reason": reason}, count) for reason, count in daemon.traps.refused.items()),
    )


def _changes(daemon: DaemonFigures) -> Samples:
    return (({"kind": kind}, n) for kind, n in sorted(daemon.visits.changes.items()))


def _visits(daemon: DaemonFigures) -> Samples:
    return (({"status": status}, n) for status, n in sorted(daemon.visits.statuses.items()))


def _changed_keys(daemon: DaemonFigures) -> Samples:
    return (({"agency": agency}, 1) for agency in daemon.visits.changed_keys)


def _drills(daemon: DaemonFigures) -> Samples:
    known = ((agency, seconds) for agency, seconds in sorted(daemon.drills.items()))
    return (({"agency": agency}, seconds) for agency, seconds in known if seconds is not None)


_ROUND = ("round",)
_NO_TRAPS = "traps are not received"

INVENTORY_FAMILIES: tuple[Family, ...] = (
    Family("netmon_inventory_agencies", "gauge", "Agencies in the inventory in force."),
    Family("netmon_inventory_links", "gauge", "Links in the inventory in force."),
)

FAMILIES: tuple[tuple[Family, Callable[[DaemonFigures], Samples]], ...] = (
    (
        Family("netmon_build_info", "info", "The version of netmon that runs.", ("version",)),
        lambda daemon: (({"version": daemon.version}, 1),),
    ),
    (
        Family(
            "netmon_canary_up",
            "gauge",
            "Whether something near that must answer does answer.",
            ("canary",),
            "not measured yet",
        ),
        _canaries,
    ),
    (
        Family("netmon_rounds_total", "counter", "Rounds that ended.", _ROUND),
        _rounds(lambda each: each.runs),
    ),
    (
        Family("netmon_round_duration_seconds", "gauge", "How long the last round took.", _ROUND),
        _rounds(lambda each: each.duration_seconds),
    ),
    (
        Family(
            "netmon_round_lateness_seconds",
            "gauge",
            "How much later than planned the last round began.",
            _ROUND,
        ),
        _rounds(lambda each: each.lateness_seconds),
    ),
    (
        Family(
            "netmon_round_last_end_timestamp_seconds", "gauge", "When the last round ended.", _ROUND
        ),
        _rounds(lambda each: each.last_end_us / MICROSECONDS),
    ),
    (
        Family(
            "netmon_config_last_reload_successful",
            "gauge",
            "Whether the last attempt to load the configuration succeeded.",
        ),
        lambda daemon: _one(daemon.reload_successful),
    ),
    (
        Family(
            "netmon_config_last_reload_success_timestamp_seconds",
            "gauge",
            "When the configuration was last loaded successfully.",
            absent="never yet",
        ),
        _reload_success,
    ),
    (
        Family("netmon_ledger_writable", "gauge", "Whether the ledger takes what is written."),
        lambda daemon: _one(daemon.ledger_writable),
    ),
    (
        Family("netmon_ledger_pending_events", "gauge", "Events that wait for the ledger."),
        lambda daemon: _one(daemon.ledger_pending),
    ),
    (
        Family(
            "netmon_wall_clock_offset_seconds",
            "gauge",
            "How far the wall clock is ahead of the time line of the account.",
        ),
        lambda daemon: _one(daemon.wall_offset_us / MICROSECONDS),
    ),
    (
        Family("netmon_engine_privileged", "gauge", "Whether echoes go through raw ICMP sockets."),
        lambda daemon: _one(daemon.engine.privileged),
    ),
    (
        Family(
            "netmon_engine_ignored_packets_total",
            "counter",
            "ICMP packets that were counted and never taken for a reply.",
            ("reason",),
        ),
        lambda daemon: (
            ({"reason": "stranger"}, daemon.engine.strangers),
            ({"reason": "duplicate"}, daemon.engine.duplicates),
            ({"reason": "late"}, daemon.engine.late),
            ({"reason": "malformed"}, daemon.engine.malformed),
        ),
    ),
    (
        Family(
            "netmon_engine_clock_steps_total",
            "counter",
            "Steps of the wall clock that the echo engine noticed.",
        ),
        lambda daemon: _one(daemon.engine.clock_steps),
    ),
    (
        Family(
            "netmon_engine_lateness_p99_seconds",
            "gauge",
            "How much later than planned echoes were sent, 99 of 100.",
            absent="nothing was sent yet",
        ),
        lambda daemon: _one(daemon.engine.lateness_p99_seconds),
    ),
    (
        Family("netmon_snmp_requests_total", "counter", "Questions asked of routers over SNMP."),
        lambda daemon: _one(daemon.snmp.requests),
    ),
    (
        Family(
            "netmon_snmp_retransmissions_total",
            "counter",
            "Questions asked again because no answer came in time.",
        ),
        lambda daemon: _one(daemon.snmp.retransmissions),
    ),
    (
        Family("netmon_snmp_answers_total", "counter", "Questions that were answered over SNMP."),
        lambda daemon: _one(daemon.snmp.answers),
    ),
    (
        Family(
            "netmon_snmp_failures_total",
            "counter",
            "Questions that were given up: no answer, nothing listens, we could not send.",
            ("reason",),
        ),
        lambda daemon: (
            ({"reason": "timeout"}, daemon.snmp.timeouts),
            ({"reason": "refused"}, daemon.snmp.refused),
            ({"reason": "send_fault"}, daemon.snmp.send_faults),
        ),
    ),
    (
        Family(
            "netmon_snmp_ignored_packets_total",
            "counter",
            "SNMP packets that were counted and never taken for an answer.",
            ("reason",),
        ),
        lambda daemon: (
            ({"reason": "stranger"}, daemon.snmp.strangers),
            ({"reason": "forged"}, daemon.snmp.forged),
            ({"reason": "malformed"}, daemon.snmp.malformed),
            ({"reason": "late"}, daemon.snmp.late),
            ({"reason": "duplicate"}, daemon.snmp.duplicates),
        ),
    ),
    (
        Family(
            "netmon_traps_total",
            "counter",
            "Traps and informs with a known community or user.",
            ("kind",),
            _NO_TRAPS,
        ),
        _traps,
    ),
    (
        Family(
            "netmon_traps_ignored_total",
            "counter",
            "Traps that nothing followed from: of a stranger, too many at a time, not readable, or"
            " not believed (community, user, level, secret, privacy, replay).",
            ("reason",),
            _NO_TRAPS,
        ),
        _ignored_traps,
    ),
    (
        Family(
            "netmon_exporter_failures_total",
            "counter",
            "How often an exporter broke while it answered a request.",
            ("exporter",),
        ),
        _failures,
    ),
    (
        Family(
            "netmon_inventory_changes_total",
            "counter",
            "Changes found on routers: of model, serial, configuration and so on.",
            ("kind",),
        ),
        _changes,
    ),
    (
        Family(
            "netmon_ssh_routers",
            "gauge",
            "Routers by how the last visit over SSH ended.",
            ("status",),
        ),
        _visits,
    ),
    (
        Family(
            "netmon_ssh_host_key_changed",
            "gauge",
            "A router shows another host key than the pinned one: nobody logs in there.",
            ("agency",),
            "its key is the pinned one, or it was not visited since netmon started",
        ),
        _changed_keys,
    ),
    (
        Family(
            "netmon_ssh_unread_answers",
            "gauge",
            "Answers of the last visits that no template could read.",
        ),
        lambda daemon: _one(daemon.visits.unread),
    ),
    (
        Family(
            "netmon_drill_active",
            "gauge",
            "Whether a drill is being held for an agency.",
            ("agency",),
            "no drill is being held",
        ),
        lambda daemon: (({"agency": agency}, 1) for agency in daemon.active_drills),
    ),
    (
        Family(
            "netmon_drill_duration_seconds",
            "gauge",
            "How long the page of an agency's last drill took until Alertmanager delivered it.",
            ("agency",),
            "no drill was delivered",
        ),
        _drills,
    ),
)
