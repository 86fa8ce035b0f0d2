"""Reads the `alerting` section of the settings, and checks it against the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.config.alerting_fields import AlertingKeys, ReceiverKeys, RouteKeys
from netmon.config.inventory_fields import AgencyKeys, KindKeys
from netmon.config.settings import Alerting, AlertRoute, Receiver
from netmon.config.words import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from netmon.config.fields import Record
    from netmon.config.forms import Placed
    from netmon.config.inventory_file import Draft
    from netmon.config.report import Report


def check_routes(alerting: Record, report: Report) -> None:
    """Report routes to nobody, and receivers that cannot be reached."""
    receivers = alerting.get(AlertingKeys.RECEIVERS) or {}
    for name, receiver in receivers.items():
        if ReceiverKeys.EMAIL not in receiver and ReceiverKeys.WEBHOOK not in receiver:
            message = f"receiver {quoted(name)} has neither email nor webhook: write one of them"
            report.error(receiver.node.place, message)
    for route in alerting.get(AlertingKeys.ROUTES) or ():
        named = route.get(RouteKeys.RECEIVER)
        _check_known([named] if named else (), receivers, "receiver", report)


def check_selectors(alerting: Record, inventory: Draft, report: Report) -> None:
    """Report routes that select what the inventory does not have: they would never deliver."""
    area_kinds = {name for name, kind in inventory.kinds.items() if kind[KindKeys.AREA]}
    areas = {
        agency.get(AgencyKeys.ID) or ""
        for agency in inventory.agencies
        if agency.get(AgencyKeys.KIND) in area_kinds
    }
    for route in alerting.get(AlertingKeys.ROUTES) or ():
        _check_known(route.get(RouteKeys.KINDS) or (), inventory.kinds, "kind", report)
        _check_known(route.get(RouteKeys.AREAS) or (), areas, "area", report)
        _check_known(route.get(RouteKeys.PROVIDERS) or (), inventory.providers, "provider", report)


def build_alerting(record: Record) -> Alerting:
    """Return the values of a section that was checked."""
    receivers = record.get(AlertingKeys.RECEIVERS) or {}
    return Alerting(
        page_after_seconds=record[AlertingKeys.PAGE_AFTER],
        ticket_after_seconds=record[AlertingKeys.TICKET_AFTER],
        group_wait_seconds=record[AlertingKeys.GROUP_WAIT],
        group_interval_seconds=record[AlertingKeys.GROUP_INTERVAL],
        repeat_seconds=record[AlertingKeys.REPEAT],
        runbooks=record[AlertingKeys.RUNBOOKS],
        smarthost=record[AlertingKeys.SMARTHOST],
        mail_from=record[AlertingKeys.MAIL_FROM],
        drill_webhook=record[AlertingKeys.DRILL_WEBHOOK],
        receivers={name: _receiver(name, each) for name, each in receivers.items()},
        routes=tuple(_route(each) for each in record.get(AlertingKeys.ROUTES) or ()),
    )


def _receiver(name: str, record: Record) -> Receiver:
    return Receiver(
        name, record.get(ReceiverKeys.EMAIL) or (), record.get(ReceiverKeys.WEBHOOK) or ()
    )


def _route(record: Record) -> AlertRoute:
    return AlertRoute(
        receiver=record[RouteKeys.RECEIVER].value,
        kinds=_values(record.get(RouteKeys.KINDS)),
        areas=_values(record.get(RouteKeys.AREAS)),
        providers=_values(record.get(RouteKeys.PROVIDERS)),
        severities=record.get(RouteKeys.SEVERITIES) or (),
        hours=record[RouteKeys.HOURS],
    )


def _values(placed: tuple[Placed[str], ...] | None) -> tuple[str, ...]:
    return tuple(each.value for each in placed or ())


def _check_known(
    names: Iterable[Placed[str]], known: Collection[str], what: str, report: Report
) -> None:
    for name in names:
        if name.value not in known:
            hint = report.guesser.hint(name.value, known) or ": declare it, or correct the name"
            report.error(name.place, f"there is no {what} {quoted(name.value)}{hint}")
