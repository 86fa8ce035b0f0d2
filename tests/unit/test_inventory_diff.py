"""A reload touches exactly what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from netmon.config import load_inventory
from netmon.inventory.diff import diff
from netmon.model import Agency, Inventory, LinkKey

_PROVINCE = load_inventory(Path(__file__).parents[2] / "config/agencies.yaml").inventory


def _with_agencies(*agencies: Agency) -> Inventory:
    return replace(_PROVINCE, agencies={a.id: a for a in agencies})


def test_an_inventory_does_not_differ_from_itself() -> None:
    difference = diff(_PROVINCE, _PROVINCE)
    assert not difference
    assert difference.text() == "nothing changed"
    assert difference.links.unchanged == tuple(_PROVINCE.links)


def test_an_added_commune_leaves_every_other_link_unchanged() -> None:
    agencies = list(_PROVINCE.agencies.values())
    difference = diff(_with_agencies(*agencies[:-1]), _PROVINCE)
    added = agencies[-1]
    assert difference.agencies.added == (added.id,)
    assert difference.links.added == (LinkKey(added.id, "primary"),)
    assert len(difference.links.unchanged) == len(_PROVINCE.links) - 1
    assert difference.text() == (
        f"agencies: 1 added ({added.id}); links: 1 added ({added.id}/primary)"
    )


def test_a_renamed_agency_is_changed_and_its_links_are_not() -> None:
    agencies = dict(_PROVINCE.agencies)
    agencies["so-y-te"] = replace(
        agencies["so-y-te"], name="Sở Y tế mới", former_names=("Sở Y tế",)
    )
    difference = diff(_PROVINCE, replace(_PROVINCE, agencies=agencies))
    assert difference.agencies.changed == {"so-y-te": ("name", "former_names")}
    assert not difference.links
    assert difference.text() == "agencies: 1 changed (so-y-te: name, former_names)"


def test_a_changed_link_names_its_fields_and_does_not_change_its_agency() -> None:
    agencies = dict(_PROVINCE.agencies)
    old = agencies["so-y-te"]
    link = replace(old.links[0], circuit="NEW", bandwidth_bits_per_second=1)
    agencies["so-y-te"] = replace(old, links=(link, *old.links[1:]))
    difference = diff(_PROVINCE, replace(_PROVINCE, agencies=agencies))
    assert difference.links.changed == {link.key: ("circuit", "bandwidth_bits_per_second")}
    assert not difference.agencies


def test_everything_else_that_differs_is_named() -> None:
    canary = replace(_PROVINCE.canaries[0], name="X")
    other = replace(
        _PROVINCE,
        canaries=(canary,),
        providers={},
        kinds={**_PROVINCE.kinds, "district": replace(_PROVINCE.kinds["district"], area=False)},
        province=replace(_PROVINCE.province, name="X"),
    )
    difference = diff(_PROVINCE, other)
    assert difference.canaries.removed == ("core-switch",)
    assert difference.canaries.changed == {"gateway": ("name",)}
    assert difference.text() == (
        "province: name; kinds: 1 changed (district: area); "
        "providers: 2 removed (vnpt, viettel); "
        "canaries: 1 removed (core-switch), 1 changed (gateway: name)"
    )


def test_only_a_few_of_many_are_named_in_the_text() -> None:
    text = diff(_with_agencies(), _PROVINCE).text()
    assert text.startswith("agencies: 64 added (van-phong-tinh-uy, ban-to-chuc-tinh-uy, ")
    assert text.count("…") == 2


_subsets = st.sets(st.sampled_from(sorted(_PROVINCE.agencies)), max_size=64)


@given(before=_subsets, after=_subsets)
def test_added_removed_and_unchanged_make_up_both_inventories(
    before: set[str], after: set[str]
) -> None:
    one = _with_agencies(*(a for a in _PROVINCE.agencies.values() if a.id in before))
    two = _with_agencies(*(a for a in _PROVINCE.agencies.values() if a.id in after))
    changes = diff(one, two).links
    assert {*changes.added, *changes.unchanged, *changes.changed} == set(two.links)
    assert {*changes.removed, *changes.unchanged, *changes.changed} == set(one.links)
