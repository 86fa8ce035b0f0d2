"""Profiles: data that an operator can write, read strictly."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from netmon.errors import ConfigError
from netmon.probes.snmp.profile_files import load_profiles, parse_profile
from netmon.probes.snmp.profiles import Entity, Match, Profile, Profiles, Take
from netmon.probes.snmp.values import oid_from_text

GOOD = r"""
vendor: Acme
match:
  - {object_id: 1.3.6.1.4.1.9999, description: '^Acme OS'}
  - object_id: 1.3.6.1.4.1.9998
os: AcmeOS
model:
  - description: '^Acme OS (\S+) on (\S+)'
    template: '{1}'
    plus: {oid: 1.3.6.1.4.1.9999.7.0, template: 'Rev. {0}'}
  - entity: model
serial: {oid: 1.3.6.1.4.1.9999.1.0}
version:
  - object_id: {1.3.6.1.4.1.9999.5: five}
cpu:
  - {column: 1.3.6.1.4.1.9999.2, scale: 0.01, take: max}
memory:
  - {used: 1.3.6.1.4.1.9999.3.0, total: 1.3.6.1.4.1.9999.4.0}
  - storage: ram
"""


def shipped() -> list[Path]:
    return sorted(Path(str(files("netmon.probes.snmp") / "profiles")).glob("*.yaml"))


def test_a_profile_is_read_as_it_is_written() -> None:
    profile = parse_profile(GOOD, "etc/acme.yaml")

    assert (profile.name, profile.vendor) == ("acme", "Acme")
    assert profile.os[0].constant == "AcmeOS"
    model, by_entity = profile.model
    assert model.plus is not None
    assert (model.template, model.plus.template) == ("{1}", "Rev. {0}")
    assert by_entity.entity is Entity.MODEL
    assert profile.serial[0].oid == oid_from_text("1.3.6.1.4.1.9999.1.0")
    assert profile.version[0].names == {"1.3.6.1.4.1.9999.5": "five"}
    assert (profile.cpu[0].take, profile.cpu[0].scale) == (Take.MAX, 0.01)
    assert profile.memory[1].storage


NAMED_BY_THEIR_NUMBER = ("brocade-nos", "generic", "ironware", "linux")
"""Profiles of systems that run on devices of many makers."""


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_shipped_profile_is_short_and_recognises_something(path: Path) -> None:
    profile = parse_profile(path.read_text(encoding="utf-8"), path.name)

    lines = path.read_text(encoding="utf-8").splitlines()
    assert profile.name == "generic" or profile.matches
    assert profile.vendor or profile.name in NAMED_BY_THEIR_NUMBER
    assert len(lines) <= 50 or profile.name == "generic"
    assert profile.model or profile.version


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ("vendro: Acme", "acme.yaml:1:1: unknown key 'vendro'; did you mean 'vendor'?"),
        ("vendor: A\nvendor: B", "acme.yaml:2:1: key 'vendor' stands here twice: remove one"),
        ("vendor: [A]", "acme.yaml:1:9: a text is needed here"),
        ("- vendor", "acme.yaml:1:1: keys and values are needed here"),
        ("", "acme.yaml:1:1: the file is empty: write a profile"),
        (
            "serial:\n  - {oid: 1.3.x.1}",
            (
                "acme.yaml:2:11: '1.3.x.1' is not an OID: write numbers and dots, "
                "for example 1.3.6.1.2.1.1"
            ),
        ),
        (
            "model:\n  - {oid: 1.3.6, entity: model}",
            (
                "acme.yaml:2:5: say one place: description, object_id, oid, column, chassis, "
                "entity, text"
            ),
        ),
        (
            "model: {entity: colour}",
            (
                "acme.yaml:1:17: 'colour' is none of: description, name, hardware, firmware, "
                "software, serial, maker, model"
            ),
        ),
        ("match: [{}]", "acme.yaml:1:9: say what to match: object_id, description, present"),
        (
            "model: {description: '('}",
            (
                "acme.yaml:1:22: not a regular expression: missing ), unterminated subpattern at "
                "position 0; see Python's re module"
            ),
        ),
        (
            "cpu: {oid: 1.3.6, column: 1.3.6}",
            "acme.yaml:1:6: give one of: oid, column, `storage: ram`, two of used, free and total",
        ),
        ("cpu: {oid: 1.3.6, scale: tenth}", "acme.yaml:1:26: not a number: write for example 0.01"),
        ("memory: {storage: disk}", "acme.yaml:1:19: 'disk' is none of: ram"),
        ("vendor: 'A", "acme.yaml:1:11: not YAML: found unexpected end of stream"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(content: str, finding: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_profile(content, "acme.yaml")

    assert str(refused.value).startswith(finding)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_profile("serial:\n  - {oid: x}\n  - {oid: y}\nmodle: Z", "acme.yaml")

    assert [finding.line for finding in refused.value.findings] == [4, 2, 3]


def test_an_operators_profile_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "mikrotik.yaml"
    own.write_text("vendor: Ours\nmatch: {object_id: 1.3.6.1.4.1.14988}", encoding="utf-8")

    profiles = load_profiles(tmp_path)

    assert profiles["mikrotik"].vendor == "Ours"
    assert len(profiles) == len(shipped())


def test_a_bad_profile_of_the_operator_is_told_with_its_path(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("vndor: Ours", encoding="utf-8")

    with pytest.raises(ConfigError, match=f"{own}:1:1: unknown key 'vndor'"):
        load_profiles(tmp_path)


class TestChoice:
    """Of several profiles that match, the one whose match says most is taken."""

    def test_the_longer_number_outweighs_the_shorter(self) -> None:
        assert chosen("1.3.6.1.4.1.9.6.1.83", "SG350") == "cisco-small-business"

    def test_words_outweigh_a_number(self) -> None:
        assert chosen("1.3.6.1.4.1.674.10895.5027", "ArubaOS (MODEL: X), Version 6") == "aruba"

    def test_what_calls_itself_net_snmp_is_recognised_by_its_words(self) -> None:
        assert chosen("1.3.6.1.4.1.8072.3.2.10", "USW-Flex 5.76.7") == "ubiquiti-unifi"

    def test_or_by_an_object_that_only_that_make_has(self) -> None:
        profiles = load_profiles()
        object_id = oid_from_text("1.3.6.1.4.1.8072.3.2.10")
        questions = profiles.questions(object_id, "Linux gw 5.4")

        assert oid_from_text("1.3.6.1.4.1.48690.1.1.0") in questions
        found = profiles.explain(object_id, "Linux gw 5.4", questions[:1])
        assert found.profile.name != "linux"

    def test_a_fallback_counts_only_where_nothing_else_does(self) -> None:
        assert chosen("1.3.6.1.4.1.8072.3.2.10", "Linux gw 5.4") == "linux"
        assert chosen("1.3.6.1.4.1.2604.5", "Linux localhost 6.6") == "sophos"

    def test_what_nobody_knows_is_generic(self) -> None:
        assert chosen("1.3.6.1.4.1.99999", "Box") == "generic"
        assert chosen("", "") == "generic"

    def test_the_reason_names_the_match_and_those_that_came_next(self) -> None:
        found = load_profiles().explain(oid_from_text("1.3.6.1.4.1.9.6.1.83"), "SG350")

        assert found.reason == "sysObjectID below 1.3.6.1.4.1.9.6.1"
        assert found.others == ("cisco: sysObjectID below 1.3.6.1.4.1.9",)

    def test_without_a_last_profile_there_is_none_for_unknown_routers(self) -> None:
        with pytest.raises(ValueError, match="no profile named 'generic'"):
            Profiles([Profile("only", [Match()])])


def chosen(object_id: str, description: str) -> str:
    oid = oid_from_text(object_id) if object_id else ()
    return load_profiles().explain(oid, description).profile.name
