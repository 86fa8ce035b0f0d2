"""Is netmon itself well: rounds, canaries, the ledger, the configuration, the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import Head, board
from grafana.source.panels import Figure, Frame, Query, instant

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Steps, Words

_AGE: Steps = ((None, look.UP), (60, look.DEGRADED), (180, look.DOWN))
_PENDING: Steps = ((None, look.UP), (100, look.DEGRADED), (1000, look.DOWN))
_LATE: Steps = ((None, look.UP), (0.1, look.DEGRADED), (1, look.DOWN))
_OFFSET: Steps = ((None, look.UP), (1, look.DEGRADED), (60, look.DOWN))


def health(words: Words) -> model.Dashboard:
    """Return the dashboard of netmon itself."""
    head = Head("health", "grafana.health", (), "now-6h", refresh="1m")
    return board(words, head, [*_now(words), *_over_time(words)])


def _now(words: Words) -> list[model.Panel]:
    truth = Figure(mappings=look.of_truth(words))
    answers = Figure(mappings=look.of_answers(words))
    shown = (
        ("grafana.scraped", 'up{job="netmon"}', "", answers),
        ("grafana.round_age", series.ROUND_AGE, "", Figure("dthms", 0, _AGE)),
        ("grafana.canaries", "netmon_canary_up", "{{canary}}", answers),
        ("grafana.ledger", "netmon_ledger_writable", "", truth),
        ("grafana.ledger_pending", "netmon_ledger_pending_events", "", Figure(steps=_PENDING)),
        ("grafana.config", "netmon_config_last_reload_successful", "", truth),
        ("grafana.echo_lateness", "netmon_engine_lateness_p99_seconds", "", Figure("s", 3, _LATE)),
        (
            "grafana.clock_offset",
            "abs(netmon_wall_clock_offset_seconds)",
            "",
            Figure("s", 1, _OFFSET),
        ),
    )
    return [
        panels.big(words, Frame(key, 3, 4), instant(expression, legend), figure, names=bool(legend))
        for key, expression, legend, figure in shown
    ]


def _over_time(words: Words) -> list[model.Panel]:
    # Of what is never or seldom there, only what is there: many lines look alike.
    ignored = "sum by (reason) (rate(netmon_engine_ignored_packets_total[$__rate_interval])) > 0"
    processor = 'rate(process_cpu_seconds_total{job="netmon"}[$__rate_interval])'
    failures = "sum by (exporter) (increase(netmon_exporter_failures_total[$__rate_interval]))"
    shown = (
        ("grafana.round_duration", "netmon_round_duration_seconds", "{{round}}", "s"),
        ("grafana.round_lateness", "netmon_round_lateness_seconds", "{{round}}", "s"),
        ("grafana.echo_rate", "sum(rate(netmon_echo_requests_total[$__rate_interval]))", "", "cps"),
        ("grafana.ignored", ignored, "{{reason}}", "pps"),
        ("grafana.snmp_statuses", "sum by (status) (netmon_snmp_status) > 0", "{{status}}", "none"),
        ("grafana.processor", processor, "", "percentunit"),
        ("grafana.memory", 'process_resident_memory_bytes{job="netmon"}', "", "bytes"),
        ("grafana.failures", failures, "{{exporter}}", "none"),
    )
    return [
        panels.graph(
            words,
            Frame(key, 12, 7),
            [Query(expression, legend or words(key))],
            Figure(unit, minimum=0),
        )
        for key, expression, legend, unit in shown
    ]
