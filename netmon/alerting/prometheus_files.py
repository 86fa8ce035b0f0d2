"""The file of rules that Prometheus reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.alerting.alerts import alerts, slow_alerts
from netmon.alerting.records import account_records, hour_record, link_records, uplink_record
from netmon.alerting.rules import Group, group_tree, to_yaml
from netmon.alerting.texts import alert_texts
from netmon.messages import Catalogue

if TYPE_CHECKING:
    from netmon.config.settings import Alerting
    from netmon.model import Province

_HEAD = (
    "Written by `netmon export rules`; change netmon/alerting or the settings, not this file.",
    "Prometheus reads it by its `rule_files`. Needs Prometheus 2.42 or later.",
)


def rules_file(alerting: Alerting, offset_seconds: int) -> str:
    """Return the rules. `offset_seconds`: local time of the province minus UTC."""
    catalogue = Catalogue.load()
    texts = {
        rule.name: alert_texts(catalogue, rule.name, alerting.runbooks, offset_seconds)
        for rule in (*alerts(alerting), *slow_alerts(alerting))
    }
    return to_yaml({"groups": [group_tree(each, texts) for each in _groups(alerting)]}, _HEAD)


def _groups(alerting: Alerting) -> list[Group]:
    # Records and alerts in one group: an alert sees what was recorded in the same evaluation.
    return [
        Group("netmon.network", [*link_records(alerting), *alerts(alerting)]),
        Group("netmon.tickets", [uplink_record(), *slow_alerts(alerting)], "1m"),
        Group("netmon.account.5m", account_records(), "5m"),
        Group("netmon.account.1h", [hour_record()], "1h"),
    ]


def utc_offset_seconds(province: Province) -> int:
    """Return local time of the province minus UTC, as in January: Prometheus has no zones."""
    january = datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(province.timezone))
    offset = january.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
