"""One link: everything that is known of it, for whoever has to find the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.source import look, panels, series
from grafana.source.board import Head, board, to_link
from grafana.source.panels import Column, Figure, Frame, Query, instant, rows
from grafana.source.series import ONE
from netmon.model import SnmpStatus

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words

_AGENCY = 'agency="$agency"'
_UPLINK = f"and on (agency, interface) netmon_router_uplink_info{{{_AGENCY}}}"
_LOSS: look.Steps = ((None, look.UP), (0.02, look.DEGRADED), (0.1, look.DOWN))


def link(words: Words) -> model.Dashboard:
    """Return the dashboard of one link."""
    head = Head("link", "grafana.one_link", ("agency", "link"), "now-24h")
    return board(
        words,
        head,
        [
            *_now(words),
            panels.timeline(
                words,
                Frame("grafana.state_history", 24, 4),
                Query(series.codes(ONE), "{{link}}"),
                look.of_states(words),
            ),
            _loss(words),
            _rtt(words),
            *_router(words),
            _outages_by_cause(words),
            _neighbours(words),
        ],
    )


def _now(words: Words) -> list[model.Panel]:
    since = f"{series.NOW} - netmon_link_last_change_timestamp_seconds{{{ONE}}}"
    outages = f"sum(increase(netmon_link_outages_total{{{ONE}}}[$__range]))"
    uptime = f"netmon_router_uptime_seconds{{{_AGENCY}}}"
    young: look.Steps = ((None, look.DEGRADED), (3600, look.UP))
    state = Figure(mappings=look.of_states(words))
    availability = Figure("percentunit", 3, look.AVAILABILITY)
    many: look.Steps = ((None, look.UP), (1, look.DEGRADED), (6, look.DOWN))
    shown = (
        ("grafana.state_now", series.codes(ONE), state),
        ("grafana.since", since, Figure("dtdhms", 0)),
        ("grafana.availability_view", series.link_availability(ONE, "", "$__range"), availability),
        ("grafana.outages_view", outages, Figure(decimals=0, steps=many)),
        ("grafana.loss_now", f"netmon_link_loss_ratio{{{ONE}}}", Figure("percentunit", 1, _LOSS)),
        (
            "grafana.snmp_now",
            f"netmon_snmp_up{{{_AGENCY}}}",
            Figure(mappings=look.of_answers(words)),
        ),
        ("grafana.router_uptime", uptime, Figure("dtdhms", 0, young)),
        ("grafana.flapping_now", f"netmon_link_flapping{{{ONE}}}", Figure(mappings=_flaps(words))),
    )
    return [
        panels.big(words, Frame(key, 3, 4), instant(expression), figure)
        for key, expression, figure in shown
    ]


def _flaps(words: Words) -> look.Mappings:
    return look.of_values(
        words, {0: ("grafana.steady", look.UP), 1: ("grafana.flapping", look.DEGRADED)}
    )


def _loss(words: Words) -> model.Panel:
    def lost(family: str) -> Query:
        sent, replied = (
            f'rate(netmon_echo_{what}_total{{{ONE}, family="{family}"}}[$__rate_interval])'
            for what in ("requests", "replies")
        )
        # Nothing sent, no figure: 0 / 0 would be a gap, but 1 - 0 / 0 is asked for nothing.
        return Query(f"1 - {replied} / ({sent} > 0)", "{{family}}")

    limit = Query(f"netmon_link_limit_loss_ratio{{{ONE}}}", words("grafana.limit"))
    figure = Figure("percentunit", minimum=0, maximum=1)
    queries = [lost("ipv4"), lost("ipv6"), limit]
    panel = panels.graph(words, Frame("grafana.loss", 12, 8), queries, figure)
    dashed = {"fill": "dash", "dash": [10, 10]}
    return panels.by_query(
        panel,
        [
            {"color": panels.fixed(look.UP)},
            {"color": panels.fixed(look.MAINTENANCE)},
            {"color": panels.fixed(look.DEGRADED), "custom_lineStyle": dashed},
        ],
    )


def _rtt(words: Words) -> model.Panel:
    buckets = f"sum by (le) (increase(netmon_echo_rtt_seconds_bucket{{{ONE}}}[$__rate_interval]))"
    return panels.heat(words, Frame("grafana.rtt", 12, 8), buckets, "s")


def _router(words: Words) -> list[model.Panel]:
    return [
        _both_ways(words, Frame("grafana.traffic", 12, 8), "bytes", "bps", f"* 8 {_UPLINK}"),
        _both_ways(words, Frame("grafana.errors", 12, 8), "errors", "pps", ""),
        _snmp(words),
        _echo_errors(words),
    ]


def _both_ways(words: Words, frame: Frame, what: str, unit: str, rest: str) -> model.Panel:
    """Return received above zero and sent below it."""

    def rate(way: str, key: str) -> Query:
        counter = f"netmon_interface_{way}_{what}_total{{{_AGENCY}}}"
        expression = f"rate({counter}[$__rate_interval]) {rest}".strip()
        return Query(expression, f"{words(key)} {{{{interface}}}}")

    received, sent = rate("receive", "grafana.received"), rate("transmit", "grafana.sent")
    return panels.both_ways(words, frame, received, sent, Figure(unit))


def _snmp(words: Words) -> model.Panel:
    statuses = tuple(SnmpStatus)
    terms = " or ".join(
        f'netmon_snmp_status{{{_AGENCY}, status="{status}"}} * {code}'
        for code, status in enumerate(statuses)
    )
    tones = {SnmpStatus.OK: look.UP, SnmpStatus.PARTIAL: look.DEGRADED}
    ours = {SnmpStatus.NOT_CONFIGURED, SnmpStatus.NO_SECRET, SnmpStatus.FAULT}
    mappings = look.of_values(
        words,
        {
            code: (
                f"snmp.{status}",
                look.UNKNOWN if status in ours else tones.get(status, look.DOWN),
            )
            for code, status in enumerate(statuses)
        },
    )
    query = Query(f"sum without (status) ({terms})", "SNMP")
    return panels.timeline(words, Frame("grafana.snmp_history", 12, 5), query, mappings)


def _echo_errors(words: Words) -> model.Panel:
    errors = f"sum by (reason) (rate(netmon_echo_errors_total{{{ONE}}}[$__rate_interval]))"
    frame = Frame("grafana.echo_errors", 12, 5)
    return panels.graph(words, frame, [Query(errors, "{{reason}}")], Figure("cps", minimum=0))


def _outages_by_cause(words: Words) -> model.Panel:
    ended, lasted = (
        f"sum by (cause) (increase({counter}{{{ONE}}}[$__range]))"
        for counter in ("netmon_link_outages_total", "netmon_link_outage_seconds_total")
    )
    queries = [rows(f"{lasted} > 0"), rows(f"round({ended}) > 0")]
    columns = (
        Column("cause", "grafana.cause", Figure(mappings=look.of_causes(words))),
        Column("Value #A", "grafana.lost", Figure("dtdhms", 0), width=110),
        Column("Value #B", "grafana.outages_count", Figure(decimals=0), width=80),
    )
    frame = Frame("grafana.outages_by_cause", 8, 9)
    return panels.listing(words, frame, queries, columns, "grafana.lost")


def _neighbours(words: Words) -> model.Panel:
    beside = f"netmon_agency_info and on (district, parent) netmon_agency_info{{{_AGENCY}}}"
    above = f'label_replace(netmon_agency_info{{{_AGENCY}}}, "agency", "$1", "parent", "(.+)")'
    below = 'netmon_agency_info{parent="$agency"}'
    expression = series.marked(
        f"{series.codes('')} * on (agency) group_left (name) "
        f"(({beside}) or {below} or (netmon_agency_info and on (agency) {above}))"
    )
    figure = Figure(mappings=look.of_states(words), links=[to_link(words, "field.labels")])
    query = instant(expression, "{{name}}{{mark}}")
    return panels.cells(words, Frame("grafana.neighbours", 16, 9), query, figure)
