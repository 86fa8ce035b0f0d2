"""What is read in the answers of each platform, and what is hidden of its configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon.config.inventory_fields import PLATFORMS as NAMED
from netmon.probes.ssh.masking import MASK, clean, mask, tidy
from netmon.probes.ssh.platforms import identify, load_platforms, read_platform
from netmon.probes.ssh.reading import Answers, Unreadable, read_answer
from netmon.probes.ssh.visit import SshStatus
from tests.support.ssh_recordings import SEED, Recording, recordings

PLATFORMS = load_platforms()
EACH = [pytest.param(each, id=name) for name, each in recordings().items()]


def read(recording: Recording) -> Answers:
    platform, answers = PLATFORMS[recording.platform], Answers()
    for command in platform.commands:
        text = recording.answers[command.send]
        if not platform.refusal.search(text):
            answers.take(read_answer(platform, command, text))
    return answers


def test_the_inventory_may_name_every_platform_and_no_other() -> None:
    assert tuple(PLATFORMS) == NAMED


def test_every_platform_has_a_recording() -> None:
    assert recordings().keys() == PLATFORMS.keys()


@pytest.mark.parametrize("recording", EACH)
def test_the_facts_of_a_router_are_read(recording: Recording) -> None:
    told = read(recording)
    assert {key: told.facts.get(key) for key in recording.facts} == recording.facts
    for sort, rows in recording.tables.items():
        assert told.tables[sort] == rows


@pytest.mark.parametrize("recording", EACH)
def test_no_secret_of_a_configuration_is_kept(recording: Recording) -> None:
    rules = PLATFORMS[recording.platform].configuration
    assert recording.configuration.count(SEED) >= 2
    kept = clean(recording.configuration, rules)
    assert SEED not in kept
    for line in recording.kept:
        assert line in kept, line


@pytest.mark.parametrize("recording", EACH)
def test_what_changes_by_itself_is_not_kept(recording: Recording) -> None:
    kept = clean(recording.configuration, PLATFORMS[recording.platform].configuration)
    for word in recording.noise:
        assert word not in kept


@pytest.mark.parametrize("recording", EACH)
def test_cleaning_twice_changes_nothing_more(recording: Recording) -> None:
    rules = PLATFORMS[recording.platform].configuration
    once = clean(recording.configuration, rules)
    assert clean(once, rules) == once


@pytest.mark.parametrize("recording", EACH)
def test_every_secret_alone_on_its_line_is_masked_too(recording: Recording) -> None:
    """Rules must not lean on a neighbour: sections that need their heading are few."""
    rules = PLATFORMS[recording.platform].configuration
    whole = mask(recording.configuration, rules)
    assert whole.count(MASK) >= recording.configuration.count(SEED) - 2


@pytest.mark.parametrize("recording", EACH)
def test_a_configuration_that_breaks_off_is_not_taken_for_whole(recording: Recording) -> None:
    complete = PLATFORMS[recording.platform].configuration.complete
    whole = tidy(recording.configuration)
    if complete is None:
        pytest.skip("optional: a platform whose configuration has no mark of its end")
    assert complete.search(whole)
    if recording.platform not in {"mikrotik_routeros", "juniper_junos"}:
        assert not complete.search(tidy(whole[: len(whole) * 2 // 3]))
    assert not complete.search(tidy("\x00\x1b[2J?? 0xDEAD\n" * 3))


@pytest.mark.parametrize("recording", EACH)
def test_what_is_sent_is_on_the_allow_list_and_changes_nothing(recording: Recording) -> None:
    changing = ("conf", "system-view", "commit", "write", "reload", "set system", "edit", "delete")
    for line in PLATFORMS[recording.platform].allowed:
        assert not line.startswith(changing), line
        assert "\n" not in line


def test_our_own_secrets_are_masked_wherever_they_stand() -> None:
    rules = PLATFORMS["linux"].configuration
    assert "hunter22" not in clean("banner: hunter22!\n", rules, ["hunter22"])


def test_a_multi_line_key_is_masked_to_its_end() -> None:
    text = "a\n-----BEGIN RSA PRIVATE KEY-----\nSEED\nSEED\n-----END RSA PRIVATE KEY-----\nb\n"
    assert mask(text) == f"a\n{MASK}\nb\n"


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=1000)
def test_masking_ends_on_any_text(text: str) -> None:
    for platform in PLATFORMS.values():
        clean(text, platform.configuration)


@pytest.mark.parametrize("name", PLATFORMS)
def test_masking_is_quick_on_a_long_configuration(name: str) -> None:
    text = recordings()[name].configuration * 200
    assert SEED not in clean(text, PLATFORMS[name].configuration)


def test_several_addresses_and_neighbours_of_one_interface_are_all_told() -> None:
    platform = PLATFORMS["mikrotik_routeros"]
    command = next(each for each in platform.commands if each.send.startswith("ip address"))
    rows = ("10.9.0.1/24", "10.84.34.2/30", "0.0.0.0/0")
    text = "\n".join(f" {n}   address={each} interface=ether1" for n, each in enumerate(rows))
    turned = "\n".join(text.splitlines()[::-1])
    for each in (text, turned):
        assert read_answer(platform, command, each).tables["address"] == {
            "ether1": "10.84.34.2/30, 10.9.0.1/24"
        }


def test_an_answer_that_no_template_fits_is_told_not_raised_as_a_fault() -> None:
    platform = PLATFORMS["cisco_ios"]
    command = next(each for each in platform.commands if each.send == "show ip arp")
    with pytest.raises(Unreadable, match="show ip arp"):
        read_answer(platform, command, "\x00?? 0xDEAD is beef, line\n")


@pytest.mark.parametrize(
    ("description", "platform"),
    [
        ("Cisco IOS 15.4(3)M3", "cisco_ios"),
        ("Cisco IOS XE 16.9.4", "cisco_xe"),
        ("Cisco NX-OS 9.3", None),
        ("Huawei VRP 5.170", "huawei_vrp"),
        ("H3C Comware 7.1", "hp_comware"),
        ("HPE Comware 7.1", "hp_comware"),
        ("Juniper Junos 19.4R3", "juniper_junos"),
        ("MikroTik RouterOS 6.49", "mikrotik_routeros"),
        ("Fortinet FortiOS 7.0", "fortinet"),
        ("Linux Linux 6.1", "linux"),
        ("ZTE ROS", None),
        ("", None),
    ],
)
def test_a_platform_is_told_by_what_snmp_said(description: str, platform: str | None) -> None:
    found = identify(PLATFORMS, description)
    assert (None if found is None else found.name) == platform


def test_a_platform_file_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="platform x: unknown keys nonsense"):
        read_platform("x", "nonsense: 1")


def test_every_end_of_a_visit_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "inventory.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for status in SshStatus:
        assert any(f"`{status}`" in row.split("|")[1] for row in rows), status


def test_the_documented_table_is_what_the_recordings_fill() -> None:
    page = (Path(__file__).parents[2] / "docs" / "inventory.md").read_text("utf-8")
    heading = next(line for line in page.splitlines() if line.startswith("| platform"))
    columns = [cell.strip() for cell in heading.strip("| ").split("|")][1:]
    for name, recording in recordings().items():
        told = read(recording)
        filled = {*told.facts, *(sort for sort, rows in told.tables.items() if rows)}
        cells = " | ".join("x" if column in filled else "" for column in columns)
        assert f"| `{name}` | {cells} |" in page
