"""The file of rules that Prometheus reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from netmon.alerting.alerts import alerts
from netmon.alerting.records import account_groups, link_records
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
    rules = alerts(alerting)
    texts = {
        rule.name: alert_texts(catalogue, rule.name, alerting.runbooks, offset_seconds)
        for rule in rules
    }
    # Records and alerts in one group: an alert sees what was recorded in the same evaluation.
    network = Group("netmon.network", [*link_records(alerting), *rules])
    groups = [group_tree(group, texts) for group in (network, *account_groups())]
    return to_yaml({"groups": groups}, _HEAD)


def utc_offset_seconds(province: Province) -> int:
    """Return local time of the province minus UTC, as in January: Prometheus has no zones."""
    january = datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(province.timezone))
    offset = january.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
