"""What stands where: devices, and how far each kind of agency has come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grafana.source import look, panels
from grafana.source.board import Head, board, to_agency, to_board
from grafana.source.panels import Column, Figure, Frame, instant, rows
from grafana.source.series import AGENCY

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard as model

    from grafana.source.look import Words

_KIND = "kind, kind_name"
_SHARE = Figure("percentunit", 1, minimum=0, maximum=1)
_NAMED = f"* on (agency) group_left (name, kind, kind_name, district_name) {AGENCY}"


def inventory(words: Words) -> model.Dashboard:
    """Return the dashboard of devices and coverage."""
    head = Head("inventory", "grafana.inventory", ("kind", "district"), "now-30d", refresh="15m")
    return board(
        words,
        head,
        [*_totals(words), *_coverage(words), *_devices(words), _routers(words), *_changes(words)],
    )


def _totals(words: Words) -> list[model.Panel]:
    silent = f"count((netmon_snmp_up == 0) {_NAMED}) or 0 * max(netmon_inventory_agencies)"
    shown = (
        ("grafana.agencies_total", f"count({AGENCY})", look.NEUTRAL),
        ("grafana.links_total", "max(netmon_inventory_links)", look.NEUTRAL),
        ("grafana.routers_known", f"count(netmon_router_info {_NAMED})", look.NEUTRAL),
        ("grafana.routers_silent", silent, look.ANY_IS_WORTH_A_LOOK),
    )
    return [
        panels.big(words, Frame(key, 6, 4), instant(expression), Figure(steps=steps))
        for key, expression, steps in shown
    ]


def _coverage(words: Words) -> list[model.Panel]:
    both = "(netmon_agency_staff and on (agency) netmon_agency_mailboxes)"
    mailboxes = (
        f"sum by ({_KIND}) (netmon_agency_mailboxes {_NAMED})"
        f" / (sum by ({_KIND}) ({both} {_NAMED}) > 0)"
    )
    shown = (
        ("grafana.lan_by_kind", f"avg by ({_KIND}) (netmon_agency_lan {_NAMED})"),
        ("grafana.mail_by_kind", mailboxes),
        ("grafana.documents_by_kind", f"avg by ({_KIND}) (netmon_agency_document_system {_NAMED})"),
    )
    legend = f"{{{{{look.kind_label(words)}}}}}"
    share = replace(_SHARE, links=[to_board(words, "inventory", "kind")])
    return [
        panels.bars(words, Frame(key, 8, 7), instant(expression, legend), share)
        for key, expression in shown
    ]


def _devices(words: Words) -> list[model.Panel]:
    shown = (
        ("grafana.by_vendor", "vendor", "{{vendor}}"),
        ("grafana.by_model", "vendor, model", "{{vendor}} {{model}}"),
        ("grafana.by_software", "os, version", "{{os}} {{version}}"),
    )
    return [
        panels.bars(
            words,
            Frame(key, 8, 9),
            instant(
                f"sort_desc(count by ({by}) (netmon_router_info "
                f"* on (agency) group_left (kind, district) {AGENCY}))",
                legend,
            ),
            Figure(decimals=0, minimum=0),
        )
        for key, by, legend in shown
    ]


def _routers(words: Words) -> model.Panel:
    by = "agency, vendor, model, serial, os, version, location"
    query = rows(f"max by ({by}) (netmon_router_info) {_NAMED}")
    columns = (
        Column("name", "grafana.agency", width=240, links=[to_agency(words)]),
        Column("vendor", "grafana.vendor"),
        Column("model", "grafana.model"),
        Column("os", "grafana.software"),
        Column("version", "grafana.version"),
        Column("serial", "grafana.serial"),
        Column("location", "grafana.place"),
        *panels.kind_columns(words),
        Column("district_name", "grafana.district"),
        Column("agency", ""),
        Column("Value", ""),
    )
    frame = Frame("grafana.routers", 24, 14)
    return panels.listing(words, frame, [query], columns, "grafana.agency")


def _changes(words: Words) -> list[model.Panel]:
    seen = "last_over_time(netmon_router_info[$__range])"
    told = f"(count by (agency) ({seen}) > 1) {_NAMED}"
    added = f"{AGENCY} unless on (agency) netmon_agency_info offset $__range"
    removed = "last_over_time(netmon_agency_info[$__range]) unless on (agency) netmon_agency_info"
    columns = (
        Column("name", "grafana.agency", links=[to_agency(words)]),
        Column("Value", "grafana.versions_seen", Figure(decimals=0)),
        *panels.kind_columns(words),
        Column("district_name", "grafana.district"),
        Column("agency", ""),
    )
    changed = panels.listing(
        words,
        Frame("grafana.routers_changed", 12, 9),
        [rows(told)],
        columns,
        "grafana.versions_seen",
    )
    by = "agency, name, kind, kind_name, district_name"
    moves = [
        panels.listing(
            words,
            Frame(key, 6, 9),
            [rows(f"max by ({by}) ({expression})")],
            (
                Column("name", "grafana.agency"),
                *columns[2:],
                Column("Value", ""),
            ),
            "grafana.agency",
        )
        for key, expression in (
            ("grafana.agencies_added", added),
            ("grafana.agencies_removed", removed),
        )
    ]
    return [changed, *moves]
