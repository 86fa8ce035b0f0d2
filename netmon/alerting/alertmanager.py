"""The configuration of Alertmanager, made from the inventory and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netmon.alerting.intervals import business_hours
from netmon.alerting.rules import Tree, duration, to_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netmon.config.settings import Alerting, AlertRoute, Receiver, Settings
    from netmon.model import Inventory

TEMPLATES = "netmon.tmpl"
_HEAD = (
    "Written by `netmon export alertmanager`; change the settings or the inventory, not this file.",
    "Needs Alertmanager 0.25 or later, and the templates beside it.",
)
_NOBODY = "nobody"
_WATCHDOG = "watchdog"
"""A receiver of this name is sent the Watchdog alert, and misses it when the path is broken."""
_DRILL = "netmon-drill"
_BUSINESS = "business-hours"
_LINKS = "LinkDown|BackupLinkDown|LinkDegraded|LinkFlapping"
_AGENCIES = f"AgencyDown|{_LINKS}"
_DOWN = "AgencyDown|LinkDown|BackupLinkDown"
_ROUTERS = "SnmpDown|Saturated|HostKeyChanged|RouterRestarted"
_ALL = f"{_AGENCIES}|ProviderOutage|AreaOutage|{_ROUTERS}|AvailabilityBurn"


def configuration(inventory: Inventory, settings: Settings) -> str:
    """Return alertmanager.yml."""
    alerting = settings.alerting
    tree: dict[str, Tree] = {
        "global": {
            "smtp_smarthost": alerting.smarthost,
            "smtp_from": alerting.mail_from,
            # A mail server on this machine speaks no TLS to itself.
            "smtp_require_tls": not alerting.smarthost.startswith(("localhost:", "127.")),
            "resolve_timeout": "5m",
        },
        "templates": [TEMPLATES],
        "route": _root(alerting),
        "inhibit_rules": list(_inhibitions(inventory)),
        "receivers": [
            {"name": _NOBODY},
            {"name": _DRILL, "webhook_configs": [_webhook(alerting.drill_webhook)]},
            *(_receiver(each, alerting) for each in alerting.receivers.values()),
        ],
        "time_intervals": [
            {"name": _BUSINESS, "time_intervals": business_hours(settings.calendar)}
        ],
    }
    return to_yaml(tree, _HEAD)


# --- Routes ---------------------------------------------------------------------------------------


def _root(alerting: Alerting) -> Tree:
    first = next((name for name in alerting.receivers if name != _WATCHDOG), _NOBODY)
    watchdog = _WATCHDOG if _WATCHDOG in alerting.receivers else _NOBODY
    people: dict[str, Tree] = {"receiver": first}
    if alerting.routes:
        people["routes"] = [_selected(route) for route in alerting.routes]
    return {
        "receiver": first,
        "group_by": ["alertname", "agency", "provider", "district", "instance"],
        "group_wait": duration(alerting.group_wait_seconds),
        "group_interval": duration(alerting.group_interval_seconds),
        "repeat_interval": duration(alerting.repeat_seconds),
        "routes": [
            {
                "receiver": watchdog,
                "matchers": ['alertname="Watchdog"'],
                "group_wait": "1s",
                "repeat_interval": "5m",
            },
            # netmon hears of its own drills; everybody else is told as of a true alert.
            {"receiver": _DRILL, "matchers": ['alertname="NetmonDrill"'], "continue": True},
            people,
        ],
    }


def _selected(route: AlertRoute) -> Tree:
    selectors = {
        "kind": route.kinds,
        "district": route.areas,
        "provider": route.providers,
        "severity": route.severities,
    }
    matchers: list[Tree] = [
        f'{label}=~"{"|".join(values)}"' for label, values in selectors.items() if values
    ]
    tree: dict[str, Tree] = {"receiver": route.receiver, "continue": True}
    if matchers:
        tree["matchers"] = matchers
    if route.hours != "always":
        key = "active_time_intervals" if route.hours == "business" else "mute_time_intervals"
        tree[key] = [_BUSINESS]
    return tree


# --- Inhibition -----------------------------------------------------------------------------------


def _inhibitions(inventory: Inventory) -> Iterator[Tree]:
    yield _inhibition(['alertname="NetmonBlind"'], [f'alertname=~"{_ALL}"'], ["job", "instance"])
    yield _inhibition(['alertname="AgencyDown"'], [f'alertname=~"{_LINKS}"'], ["agency"])
    # An absent label equals an absent label: the carrier must be there.
    members = [f'alertname=~"{_DOWN}"', 'provider=~".+"']
    yield _inhibition(['alertname="ProviderOutage"'], members, ["provider"])
    for area in _areas(inventory):
        # The agency that names the area explains the others: the two must not hush each other.
        yield _inhibition(
            ['alertname="AreaOutage"', f'district="{area}"'],
            [f'alertname=~"{_DOWN}"', f'district="{area}"', f'agency!="{area}"'],
        )
    for parent, below in _parents(inventory):
        source = ['alertname="AgencyDown"', f'agency="{parent}"']
        targets = [f'alertname=~"{_AGENCIES}|SnmpDown"', f'parent=~"{"|".join(below)}"']
        yield _inhibition(source, targets)
        if inventory.agencies[parent].district == parent:
            yield _inhibition(source, ['alertname="AreaOutage"', f'district="{parent}"'])


def _inhibition(source: Sequence[str], target: Sequence[str], equal: Sequence[str] = ()) -> Tree:
    tree: dict[str, Tree] = {"source_matchers": list(source), "target_matchers": list(target)}
    if equal:
        tree["equal"] = list(equal)
    return tree


def _areas(inventory: Inventory) -> list[str]:
    return [each.id for each in inventory.agencies.values() if each.district == each.id]


def _parents(inventory: Inventory) -> Iterator[tuple[str, list[str]]]:
    """Yield every agency that others stand behind, with all parents at and below it."""
    below: dict[str, list[str]] = {}
    for agency in reversed(tuple(inventory.agencies.values())):
        children = inventory.children[agency.id]
        if children:
            under = [each for child in children for each in below.get(child, ())]
            below[agency.id] = [agency.id, *under]
    yield from reversed(below.items())


# --- Receivers ------------------------------------------------------------------------------------


def _receiver(receiver: Receiver, alerting: Alerting) -> Tree:
    tree: dict[str, Tree] = {"name": receiver.name}
    if receiver.emails:
        tree["email_configs"] = [
            {
                "to": ", ".join(receiver.emails),
                "send_resolved": True,
                "html": '{{ template "netmon.html" . }}',
                "text": '{{ template "netmon.text" . }}',
                "headers": {"Subject": '{{ template "netmon.subject" . }}'},
            }
        ]
    relay = f"http://{alerting.relay_address}"
    webhooks = [*receiver.webhooks, *(f"{relay}/{gateway}" for gateway in receiver.gateways)]
    if webhooks:
        tree["webhook_configs"] = [_webhook(each) for each in webhooks]
    return tree


def _webhook(url: str) -> Tree:
    return {"url": url, "send_resolved": True}
