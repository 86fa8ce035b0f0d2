"""Outages that belong together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netmon.judge.groups import WITHIN_US, groups, together
from netmon.model import Cause, Inventory, LinkKey, Outage
from tests.support.judge_world import SECOND, inventory, link


def province() -> Inventory:
    names = dict.fromkeys(("a", "b", "c", "d")) | {"e": "a"}
    links = [link(name, provider="vn") for name in ("a", "b", "c", "e")]
    inv = inventory(names, [*links, link("d", provider="other")])
    agencies = {
        name: replace(agency, district="north" if name != "c" else "south")
        for name, agency in inv.agencies.items()
    }
    return replace(inv, agencies=agencies)


def outage(agency: str, start_us: int, cause: Cause = Cause.UNKNOWN) -> Outage:
    return Outage(LinkKey(agency, "a"), start_us, None, cause)


@pytest.mark.parametrize(
    ("outages", "expected"),
    [
        pytest.param([outage("a", 0), outage("b", 5)], [{"a", "b"}], id="one provider, one area"),
        pytest.param([outage("a", 0), outage("c", 5)], [], id="another area"),
        pytest.param([outage("a", 0), outage("d", 5)], [], id="another provider"),
        pytest.param([outage("a", 0), outage("b", WITHIN_US)], [], id="a minute apart"),
        pytest.param([outage("a", 0), outage("a", 5)], [], id="one link twice is no group"),
        pytest.param(
            [outage("a", 0, Cause.UPSTREAM), outage("b", 5)], [], id="explained by a parent"
        ),
        pytest.param(
            [outage("a", 0, Cause.POWER), outage("b", 5)], [], id="explained by a router's power"
        ),
        pytest.param([outage("e", 0), outage("a", 5)], [], id="its parent is down and open"),
        pytest.param(
            [outage("e", 0), outage("a", 5), outage("b", 9)],
            [{"a", "b"}],
            id="what stands behind one of the group is not of it",
        ),
        pytest.param([outage("gone", 0), outage("b", 5)], [], id="no longer in the inventory"),
    ],
)
def test_groups(outages: list[Outage], expected: list[set[str]]) -> None:
    found = groups(outages, province())
    assert [{key.agency for key in group.keys} for group in found] == expected
    assert groups(outages[::-1], province()) == found


def test_a_link_that_fell_twice_is_one_link_of_its_group() -> None:
    (group,) = groups([outage("a", 0), outage("b", 5), outage("a", 9)], province())
    assert [key.agency for key in group.keys] == ["a", "b"]


def test_every_outage_of_a_group_is_found_by_its_name_and_no_other() -> None:
    found = together([outage("a", 0), outage("b", 5), outage("d", 5)], province())
    assert {(str(key), at) for key, at in found} == {("a/a", 0), ("b/a", 5)}


def test_two_faults_of_one_provider_are_two_groups() -> None:
    pairs = [outage(name, at * SECOND) for at in (0, 300) for name in ("a", "b")]
    assert [group.start_us for group in groups(pairs, province())] == [0, 300 * SECOND]


def test_two_links_without_an_area_are_no_group_and_three_are() -> None:
    """Departments stand in no area: two that fail together share nothing but a carrier."""
    inv = province()
    agencies = {name: replace(agency, district=None) for name, agency in inv.agencies.items()}
    inv = replace(inv, agencies=agencies)
    assert groups([outage("a", 0), outage("b", 5)], inv) == []
    (group,) = groups([outage("a", 0), outage("b", 5), outage("c", 9)], inv)
    assert (group.area, len(group.keys)) == (None, 3)
