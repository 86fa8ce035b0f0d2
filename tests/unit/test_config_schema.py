"""Schemas for editors and the reference in docs say what the reader reads."""

from __future__ import annotations

import contextlib
import json
from dataclasses import MISSING, fields
from pathlib import Path

import jsonschema
import pytest

from netmon.config.alerting_fields import AlertingKeys, GatewayKeys, RouteKeys
from netmon.config.fields import Field, Table
from netmon.config.forms import Form, ListOf, MapOf
from netmon.config.inventory_fields import INCLUDED, INVENTORY, AgencyKeys
from netmon.config.nodes import ListNode, MapNode, Node, ScalarNode, compose
from netmon.config.reference import reference_tables
from netmon.config.report import Report
from netmon.config.schema import SCHEMAS
from netmon.config.settings import (
    Alerting,
    AlertRoute,
    EchoModule,
    Gateway,
    Settings,
    SnmpModule,
    Storage,
    Web,
)
from netmon.config.settings_fields import (
    CALENDAR,
    SETTINGS,
    EchoModuleKeys,
    JudgeKeys,
    SettingsKeys,
    SnmpModuleKeys,
    StorageKeys,
    WebKeys,
)
from netmon.judge.policy import Policy

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_committed_schemas_are_what_the_generator_prints(name: str) -> None:
    path = _ROOT / f"config/schema/{name}.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == SCHEMAS[name]()
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name]())


def _as_an_editor_sees(node: Node | None) -> object:
    """Return JSON by the core schema of YAML 1.2, which editors follow."""
    match node:
        case MapNode():
            return {key.text: _as_an_editor_sees(value) for key, value in node.entries.values()}
        case ListNode():
            return [_as_an_editor_sees(item) for item in node.items]
        case ScalarNode(plain=True, text=text):
            return _plain(text)
    return node.text if isinstance(node, ScalarNode) else None


def _plain(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    return text


_FILES = {
    "config/agencies.yaml": "agencies",
    "config/netmon.yaml": "netmon",
    "config/calendar.yaml": "calendar",
    "config/two-tier/agencies.yaml": "agencies",
    "config/two-tier/netmon.yaml": "netmon",
    "config/two-tier/areas/north.yaml": "part",
    "config/two-tier/areas/south.yaml": "part",
    "tests/data/config/base.yaml": "agencies",
}


@pytest.mark.parametrize(("file", "schema"), _FILES.items())
def test_good_files_fit_the_schema_that_they_name(file: str, schema: str) -> None:
    text = (_ROOT / file).read_text(encoding="utf-8")
    seen = _as_an_editor_sees(compose(text, file, Report()).root)
    jsonschema.validate(seen, SCHEMAS[schema](), jsonschema.Draft202012Validator)
    first = text.partition("\n")[0]
    if file.startswith("config/"):
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert ((_ROOT / file).parent / named).resolve() == (
            _ROOT / f"config/schema/{schema}.schema.json"
        )


@pytest.mark.parametrize(
    "agency",
    [
        {"id": "a", "name": "A", "kind": "k", "adress": "10.0.0.1"},
        {"id": "A", "name": "A", "kind": "k"},
        {"id": "a", "name": "A", "kind": "k", "router": "10.0.0.1/24"},
        {"id": "a", "name": "A", "kind": "k", "router": "10.0.0.01"},
        {"id": "a", "name": "A", "kind": "k", "lan": "no"},
        {"id": "a", "name": "A", "kind": "k", "bandwidth": "200 Mbps"},
        {"id": "a", "name": "A", "kind": "k", "limits": {"loss": 5, "rtt": "1s"}},
        {"id": "a", "name": "A"},
    ],
)
def test_an_editor_marks_the_same_mistakes(agency: dict[str, object]) -> None:
    document = {
        "province": {"id": "p", "name": "P", "name_en": "P"},
        "centre": {"name": "C"},
        "agencies": [agency],
    }
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMAS["agencies"](), jsonschema.Draft202012Validator)


def _tables(form: Form[object]) -> list[Table]:
    match form:
        case Table():
            return [form, *(t for field in form.fields for t in _tables(field.form))]
        case ListOf():
            return _tables(form.item)
        case MapOf():
            return _tables(form.value)
    return []


_ALL_TABLES = {
    table.name: table
    for root in (INVENTORY, INCLUDED, SETTINGS, CALENDAR)
    for table in _tables(root)
}


def test_the_reference_holds_every_key_as_it_is_declared() -> None:
    reference = (_ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert reference.endswith(reference_tables())
    for table in _ALL_TABLES.values():
        assert all(f"| `{field.key}` |" in reference_tables() for field in table.fields)


def test_every_default_can_be_read_by_its_own_form() -> None:
    for table in _ALL_TABLES.values():
        for field in table.fields:
            if field.default is not None:
                assert field.default_value is not None
            else:
                with pytest.raises(KeyError):
                    _ = field.default_value


_SAME_DEFAULT: list[tuple[type, str, Field[object]]] = [
    (EchoModule, "interval_seconds", EchoModuleKeys.INTERVAL),
    (EchoModule, "timeout_seconds", EchoModuleKeys.TIMEOUT),
    (EchoModule, "size_bytes", EchoModuleKeys.SIZE),
    (EchoModule, "dscp", EchoModuleKeys.DSCP),
    (EchoModule, "dont_fragment", EchoModuleKeys.DONT_FRAGMENT),
    (SnmpModule, "interval_seconds", SnmpModuleKeys.INTERVAL),
    (SnmpModule, "timeout_seconds", SnmpModuleKeys.TIMEOUT),
    (SnmpModule, "retries", SnmpModuleKeys.RETRIES),
    (SnmpModule, "max_repetitions", SnmpModuleKeys.MAX_REPETITIONS),
    (Policy, "false_alarms_per_link_year", JudgeKeys.FALSE_ALARMS),
    (Policy, "burst_packets_per_second", JudgeKeys.BURST),
    (Policy, "faults_until_unobserved", JudgeKeys.FAULTS_UNTIL_UNOBSERVED),
    (Policy, "loss_window_echoes", JudgeKeys.LOSS_WINDOW),
    (Policy, "new_links", JudgeKeys.NEW_LINKS),
    (Storage, "retention_days", StorageKeys.RETENTION),
    (Web, "listen_address", WebKeys.LISTEN_ADDRESS),
    (Web, "language", WebKeys.LANGUAGE),
    (Settings, "inventory_max_bytes", SettingsKeys.INVENTORY_MAX_SIZE),
    (Alerting, "page_after_seconds", AlertingKeys.PAGE_AFTER),
    (Alerting, "ticket_after_seconds", AlertingKeys.TICKET_AFTER),
    (Alerting, "group_wait_seconds", AlertingKeys.GROUP_WAIT),
    (Alerting, "group_interval_seconds", AlertingKeys.GROUP_INTERVAL),
    (Alerting, "repeat_seconds", AlertingKeys.REPEAT),
    (Alerting, "runbooks", AlertingKeys.RUNBOOKS),
    (Alerting, "smarthost", AlertingKeys.SMARTHOST),
    (Alerting, "mail_from", AlertingKeys.MAIL_FROM),
    (Alerting, "drill_webhook", AlertingKeys.DRILL_WEBHOOK),
    (Alerting, "relay_address", AlertingKeys.RELAY_ADDRESS),
    (Gateway, "content_type", GatewayKeys.CONTENT_TYPE),
    (Gateway, "form", GatewayKeys.FORM),
    (Gateway, "longest", GatewayKeys.LONGEST),
    (AlertRoute, "hours", RouteKeys.HOURS),
]


@pytest.mark.parametrize(("value", "name", "field"), _SAME_DEFAULT)
def test_defaults_of_the_file_are_those_of_the_values(
    value: type, name: str, field: Field[object]
) -> None:
    defaults = {f.name: f.default for f in fields(value) if f.default is not MISSING}
    assert field.default_value == defaults[name]


def test_address_is_looked_for_at_an_agency_and_told_where_it_is() -> None:
    assert "address" not in {field.key for field in INVENTORY.fields}
    assert AgencyKeys.ROUTER.form.accepts.startswith("an IP address such as 10.86.20.5")
