"""Reads the `alerting` section of the settings, and checks it against the inventory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from netmon.config.alerting_fields import AlertingKeys, GatewayKeys, ReceiverKeys, RouteKeys
from netmon.config.inventory_fields import AgencyKeys, KindKeys
from netmon.config.settings import Alerting, AlertRoute, Gateway, Receiver
from netmon.config.words import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from netmon.config.fields import Record
    from netmon.config.forms import Placed
    from netmon.config.inventory_file import Draft
    from netmon.config.report import Report


def check_routes(alerting: Record, report: Report) -> None:
    """Report routes to nobody, and receivers and gateways that cannot be reached."""
    receivers = alerting.get(AlertingKeys.RECEIVERS) or {}
    gateways = alerting.get(AlertingKeys.GATEWAYS) or {}
    for gateway in gateways.values():
        _check_gateway(gateway, report)
    for name, receiver in receivers.items():
        if not any(way in receiver for way in _WAYS):
            message = (
                f"receiver {quoted(name)} has neither email nor gateway nor webhook: "
                "write one of them"
            )
            report.error(receiver.node.place, message)
        _check_known(receiver.get(ReceiverKeys.GATEWAY) or (), gateways, "gateway", report)
    for route in alerting.get(AlertingKeys.ROUTES) or ():
        named = route.get(RouteKeys.RECEIVER)
        _check_known([named] if named else (), receivers, "receiver", report)


_WAYS = (ReceiverKeys.EMAIL, ReceiverKeys.GATEWAY, ReceiverKeys.WEBHOOK)


def _check_gateway(gateway: Record, report: Report) -> None:
    parts = [gateway.get(each) or "" for each in (GatewayKeys.URL, GatewayKeys.BODY)]
    if not any("{text}" in part for part in parts):
        message = "the text is nowhere: write {text} into the body, or into the URL"
        report.error(gateway.node.place, message)
    parts.append(gateway.get(GatewayKeys.AUTHORIZATION) or "")
    if any("{secret}" in part for part in parts) and GatewayKeys.SECRET not in gateway:
        message = "{secret} stands for nothing: write secret: {env: NAME}, or {file: PATH}"
        report.error(gateway.node.place, message)
    if parts[1] and gateway[GatewayKeys.CONTENT_TYPE] == "application/json":
        try:
            json.loads(parts[1])
        except ValueError as error:
            message = f"the body is no JSON ({error}): correct it, or write its content_type"
            report.error(gateway.place(GatewayKeys.BODY), message)


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
        relay_address=record[AlertingKeys.RELAY_ADDRESS],
        gateways={
            name: _gateway(name, each)
            for name, each in (record.get(AlertingKeys.GATEWAYS) or {}).items()
        },
        receivers={name: _receiver(name, each) for name, each in receivers.items()},
        routes=tuple(_route(each) for each in record.get(AlertingKeys.ROUTES) or ()),
    )


def _receiver(name: str, record: Record) -> Receiver:
    return Receiver(
        name,
        record.get(ReceiverKeys.EMAIL) or (),
        record.get(ReceiverKeys.WEBHOOK) or (),
        _values(record.get(ReceiverKeys.GATEWAY)),
    )


def _gateway(name: str, record: Record) -> Gateway:
    return Gateway(
        name,
        url=record[GatewayKeys.URL],
        body=record.get(GatewayKeys.BODY) or "",
        content_type=record[GatewayKeys.CONTENT_TYPE],
        authorization=record.get(GatewayKeys.AUTHORIZATION) or "",
        secret=record.get(GatewayKeys.SECRET),
        form=record[GatewayKeys.FORM],
        longest=record[GatewayKeys.LONGEST],
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
