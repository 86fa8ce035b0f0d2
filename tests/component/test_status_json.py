"""The JSON of the status page: stable keys, null for what is not known, all documented."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.cli import main
from netmon.model import LinkKey, State
from netmon.web import Request
from netmon_exporters.prometheus import PrometheusExporter
from tests.support.pages import ask, data, district_down, words
from tests.support.snapshots import (
    COMMUNE,
    DEPARTMENT,
    DISTRICT,
    SECOND_COMMUNE,
    ipv6_silent,
    outage,
    snapshot,
)

if TYPE_CHECKING:
    import pytest


def test_the_json_keeps_its_keys() -> None:
    tree = json.loads(data(replace(district_down(), recent_outages=(outage(COMMUNE, lasted=1),))))
    assert tree["version"] == 1
    assert tree["at"] == "2025-06-15T15:06:40Z"
    assert tree["age_seconds"] == 2
    assert tree["links_by_state"]["unreachable"] == 2
    assert set(tree) == {
        "version", "at", "age_seconds", "province", "netmon", "links_by_state", "down",
        "recent_outages", "outage_groups", "maintenance", "agencies",
    }  # fmt: skip
    district = tree["agencies"][1]
    assert set(district) == {
        "id", "name", "name_en", "kind", "parent", "district", "state", "on_backup", "lan",
        "staff", "mailboxes", "document_system", "router", "links",
    }  # fmt: skip
    (only,) = district["links"]
    assert set(only) == {
        "id", "role", "provider", "circuit", "state", "health", "since", "loss_ratio",
        "flapping", "echoes", "outage",
    }  # fmt: skip
    assert only["outage"]["start"] == "2025-06-15T13:31:40Z"
    assert only["outage"]["end"] is None
    assert district["router"] is None
    assert tree["agencies"][0]["router"]["model"] == "RB4011"


def test_what_is_not_known_is_null_in_the_json() -> None:
    tree = json.loads(data(snapshot({COMMUNE: State.UNKNOWN})))
    commune = tree["agencies"][2]
    assert (commune["staff"], commune["links"][0]["since"]) == (None, None)


def test_every_key_of_the_json_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/api.md").read_text("utf-8")

    def keys(tree: object) -> set[str]:
        if isinstance(tree, dict):
            inner = set().union(*map(keys, tree.values())) if tree else set()
            return inner | {key for key in tree if key not in set(State) | {"gateway"}}
        return set().union(*map(keys, tree)) if isinstance(tree, list) and tree else set()

    taken = replace(district_down(), recent_outages=(outage(COMMUNE, lasted=1),))
    assert [key for key in sorted(keys(json.loads(data(taken)))) if f"`{key}`" not in text] == []


def test_outages_of_one_carrier_in_one_area_at_once_are_a_group() -> None:
    both = [outage(COMMUNE, minutes=12, lasted=9), outage(SECOND_COMMUNE, minutes=12, lasted=9)]
    tree = json.loads(data(snapshot(recent_outages=both)))
    (group,) = tree["outage_groups"]
    assert (group["provider"], group["area"]) == ("vnpt", DISTRICT)
    assert [each["agency"] for each in group["outages"]] == sorted([COMMUNE, SECOND_COMMUNE])


def test_the_family_of_a_link_that_is_silent_is_told_on_the_page_in_json_and_as_a_metric() -> None:
    key = LinkKey(DEPARTMENT, "chinh")
    taken = ipv6_silent(snapshot({key: State.DEGRADED}), key)
    agency = json.loads(data(taken))["agencies"][0]
    echoes = {ip_address(e["address"]).version: e for e in agency["links"][0]["echoes"]}
    assert echoes[4]["silent_since"] is None
    assert echoes[6]["silent_since"] == "2025-06-15T14:59:40Z"
    for path in ("/", f"/agency/{DEPARTMENT}"):
        said = words(ask(taken, path))
        assert "IPv6 không trả lời từ 21:59:40" in said
        assert "IPv4 không" not in said
    text = b"".join(PrometheusExporter().routes()["/metrics"](taken, Request("/metrics")).parts)
    told = [line for line in text.decode().splitlines() if line.startswith("netmon_echo_family_up")]
    assert sorted(float(line.partition("}")[2]) for line in told) == [0, 1]
    assert all(f'agency="{DEPARTMENT}"' in line for line in told), "the others have one address"
    whole = snapshot({key: State.DOWN})
    text = b"".join(PrometheusExporter().routes()["/metrics"](whole, Request("/metrics")).parts)
    assert b"netmon_echo_family_up{" not in text


def test_netmon_status_names_the_silent_family(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = LinkKey(DEPARTMENT, "chinh")
    answer = data(ipv6_silent(snapshot({key: State.DEGRADED}), key))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr("netmon.cli.status._fetch", lambda _: answer)
    assert main(["status", "--lang=en"]) == 0
    assert "IPv6 silent since 21:59:40" in capsys.readouterr().out
