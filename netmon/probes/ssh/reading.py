"""What routers answer, as facts. The only importer of ntc-templates and TextFSM."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

from ntc_templates.parse import ParsingException, parse_output
from textfsm.parser import TextFSMError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from netmon.probes.ssh.platforms import Command, Platform

TABLES = ("interface", "address", "neighbour", "arp")
_LONGEST = 200
"""Of one fact: longer is not what it was taken for."""


class Unreadable(Exception):  # noqa: N818  # a finding, not an error of ours
    """An answer that its template does not fit."""


@dataclass
class Answers:
    """What a router said, as far as it could be read."""

    facts: dict[str, str] = field(default_factory=dict)
    """model, serial, version, …"""
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    """Sort → name → text; a sort is there if it was asked and answered."""

    def take(self, other: Answers) -> None:
        """Add what another answer told; what was told first stays."""
        self.facts = {**other.facts, **self.facts}
        for sort, rows in other.tables.items():
            self.tables[sort] = {**rows, **self.tables.get(sort, {})}


class _Filled(dict[str, str]):
    """Placeholders that an answer did not fill are empty."""

    def __missing__(self, _key: str) -> str:
        return ""


def read_answer(platform: Platform, command: Command, text: str) -> Answers:
    """Return the facts in the answer to a command.

    Raises:
        Unreadable: the template does not fit.
    """
    rows = list(_rows(platform, command, text))
    answers = Answers()
    for fact, form in command.facts.items():
        told = next((value for row in rows if (value := _fill(form, row))), "")
        if told:
            answers.facts[fact] = told
    for sort, told_by in command.tables.items():
        named = ((_fill(told_by.name, row), _fill(told_by.text, row)) for row in rows)
        answers.tables[sort] = _table(sort, named)
    return answers


def _table(sort: str, named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the texts by name; of several under one name all are told, in an order that holds."""
    found: dict[str, list[str]] = {}
    for name, text in named:
        value = _address(text) if sort == "address" else text
        # An address that is not set, or a neighbour without a name, is none.
        if name and (value.strip("/") or sort == "interface"):
            found.setdefault(name, []).append(value)
    return {
        name: values[0] if len(values) == 1 else ", ".join(sorted(set(values)))[:_LONGEST]
        for name, values in found.items()
    }


def _address(text: str) -> str:
    """Return an address with the length of its prefix, however a router writes it."""
    try:
        address = ip_interface("/".join(text.split()))
    except ValueError:
        return text
    if address.ip.is_unspecified:
        return ""
    # Where no mask is told, none is invented.
    return address.with_prefixlen if {"/", " "} & set(text) else text


def _rows(platform: Platform, command: Command, text: str) -> Iterator[Mapping[str, str]]:
    if command.template:
        yield from map(_flat, _by_template(platform, command, text))
    for pattern in command.patterns:
        for match in pattern.finditer(text):
            yield {name: value or "" for name, value in match.groupdict().items()}


def _by_template(platform: Platform, command: Command, text: str) -> list[dict[str, Any]]:
    try:
        rows = parse_output(platform=platform.template, command=command.send, data=text)
    except (TextFSMError, ParsingException) as error:
        raise Unreadable(
            f"{command.send}: its template does not fit ({type(error).__name__})"
        ) from None
    except Exception as error:  # noqa: BLE001  # clitable raises bare Exceptions
        raise Unreadable(f"{command.send}: no template ({type(error).__name__})") from None
    # Where nothing fits the library hands back the text itself.
    if not isinstance(rows, list):
        raise Unreadable(f"{command.send}: no template")
    return rows


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in row.items()
    }


def _fill(form: str, row: Mapping[str, str]) -> str:
    text = " ".join(form.format_map(_Filled(row)).split())
    return "".join(c for c in text if c.isprintable())[:_LONGEST]
