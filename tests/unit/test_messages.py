"""The catalogue: complete in both languages, and nothing in it that nobody says."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netmon.messages import LANGUAGES, Catalogue
from netmon.model import Cause, EchoError, Role, SnmpStatus, State
from netmon.probes.ssh.visit import SshStatus

if TYPE_CHECKING:
    from enum import StrEnum

ROOT = Path(__file__).parents[2]
ENUMS: dict[str, type[StrEnum]] = {
    "state": State,
    "state_help": State,
    "role": Role,
    "cause": Cause,
    "echo_error": EchoError,
    "snmp": SnmpStatus,
    "visit": SshStatus,
}
"""Groups of which the key is put together from a value."""
ALERTS = "alert"
"""The texts of alerts, by the alert's name: tests of the rules compare them."""


PUT_TOGETHER = ("account", "note", "fact")
"""Headings of the account's tables, by column; sentences of the ledger, by what they look like; and
kinds of facts, of which one that is not named keeps its key."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def sources() -> str:
    """Return everything that may say something."""
    folders = (ROOT / "netmon", ROOT / "exporters", ROOT / "grafana")
    files = (
        path
        for folder in folders
        for pattern in ("*.py", "*.html")
        for path in folder.rglob(pattern)
    )
    return "\n".join(path.read_text("utf-8") for path in files)


def test_every_text_is_there_in_both_languages_in_nfc(catalogue: Catalogue) -> None:
    for key, texts in catalogue.texts.items():
        assert set(texts) == set(LANGUAGES), key
        for text in texts.values():
            assert text.strip(), key
            assert unicodedata.is_normalized("NFC", text), key


def test_both_languages_name_the_same_values(catalogue: Catalogue) -> None:
    for key, texts in catalogue.texts.items():
        named = {
            language: {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for language, text in texts.items()
        }
        assert named["vi"] == named["en"], key


@pytest.mark.parametrize(("group", "enum"), ENUMS.items())
def test_every_value_of_an_enum_has_its_words(
    catalogue: Catalogue, group: str, enum: type[StrEnum]
) -> None:
    for value in enum:
        assert f"{group}.{value.value}" in catalogue.texts


def test_no_text_is_unused(catalogue: Catalogue) -> None:
    said = sources()
    unused = [
        key
        for key in catalogue.texts
        # The description of a panel or dashboard is said with its title.
        if key.split(".", maxsplit=1)[0] not in {*ENUMS, *PUT_TOGETHER, ALERTS}
        and f'"{key.removesuffix("_help")}"' not in said
    ]
    assert not unused


def test_no_key_is_said_that_is_not_there(catalogue: Catalogue) -> None:
    groups = {key.split(".", maxsplit=1)[0] for key in catalogue.texts} - {ALERTS}
    said = re.findall(rf'"((?:{"|".join(sorted(groups))})\.[a-z_]+)"', sources())
    assert [key for key in said if key not in catalogue.texts] == []


def test_values_are_filled_in_and_braces_in_them_are_only_text(catalogue: Catalogue) -> None:
    said = catalogue.text("vi", "trouble.ledger", message="{hostile.__class__}")
    assert said == "Không ghi được sổ sự cố: {hostile.__class__}"


def test_an_unknown_key_is_an_error(catalogue: Catalogue) -> None:
    with pytest.raises(KeyError, match=r"page\.nonsense"):
        catalogue.text("vi", "page.nonsense")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("5 echoes in a row lost", "mất 5 gói liên tiếp"),
        ("10.0.3.1 reports host_unreachable", "10.0.3.1 báo: không tới được thiết bị"),
        (
            (
                "the router ran on; wan0 lost its carrier; during the outage "
                "10.0.3.1 reports net_unreachable"
            ),
            (
                "thiết bị vẫn chạy; cổng wan0 mất tín hiệu đường truyền; trong lúc đó "
                "10.0.3.1 báo: không có đường tới mạng đích"
            ),
        ),
        ("IPv6 does not answer; 5 echoes in a row lost", "IPv6 không trả lời; mất 5 gói liên tiếp"),
        (
            "the router restarted within the outage; entered by hand",
            "thiết bị khởi động lại trong lúc mất kết nối; entered by hand",
        ),
        ("entered by hand", "entered by hand"),
        ("", ""),
    ],
)
def test_what_the_ledger_keeps_in_english_is_retold(
    catalogue: Catalogue, kept: str, told: str
) -> None:
    assert catalogue.retold("vi", kept) == told
    assert catalogue.retold("en", kept) == kept


def test_every_sentence_of_the_judge_is_retold(catalogue: Catalogue) -> None:
    """Those that stand in its source; what is put in stands in their place."""
    source = (ROOT / "netmon/judge/cause.py").read_text("utf-8")
    said = re.findall(r'Cause\.\w+,\s+f?"([^"]+)"', source)
    assert len(said) == 9
    for sentence in said:
        kept = re.sub(r"\{.*?\}", "wan0", sentence)
        assert catalogue.retold("vi", kept) != kept, kept
