"""The JSON of the status page: stable keys, null for what is not known, all documented."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from netmon.model import (
    State,
)
from tests.support.pages import data, district_down
from tests.support.snapshots import (
    COMMUNE,
    DISTRICT,
    SECOND_COMMUNE,
    outage,
    snapshot,
)


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
