"""What netmon knows of each platform: commands, how to read them, what to hide. All of it is data.

A platform is one YAML file beside this module. Its commands are the allow-list: nothing else is
ever written to a router (`netmon.probes.ssh.guard`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

_SCALARS = {"device_type", "vendor", "os", "template", "identifies", "refusal", "pager", "prompt"}
_KEYS = {"like"} | _SCALARS | {"session", "enable", "commands", "configuration"}
_COMMAND_KEYS = {"send", "optional", "template", "patterns", "facts", "tables"}
_NOTHING: Mapping[str, str] = MappingProxyType({})
_CONFIGURATION_KEYS = {"send", "complete", "noise", "secrets", "sections", "changed"}


@dataclass(frozen=True, slots=True)
class Rows:
    """How rows of an output become facts: texts with `{field}` placeholders."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """One question to a router, and how its answer is read."""

    send: str
    optional: bool = False
    """The router may refuse it without a finding, for example where LLDP is not built in."""
    template: bool = False
    """Read by the ntc-template of the platform; else by `patterns`."""
    patterns: tuple[re.Pattern[str], ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fact → text with placeholders, filled from the first row that has them."""
    tables: Mapping[str, Rows] = field(default_factory=dict)
    """Sort of fact (interface, address, neighbour, arp) → how its rows are told."""


@dataclass(frozen=True)
class Configuration:
    """How the configuration is read and what of it is kept."""

    send: tuple[str, ...]
    complete: re.Pattern[str] | None
    """What the text of a whole configuration matches; None: it has no mark of its end."""
    noise: tuple[re.Pattern[str], ...]
    """Lines that change without anybody changing anything."""
    secrets: tuple[re.Pattern[str], ...]
    """What must be hidden is in the groups `secret`, `secret2`, …"""
    sections: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    """Parts of the text, and what is secret within them only."""
    changed: re.Pattern[str] | None
    """Groups `at` and `by`: when the router says it was last changed."""


@dataclass(frozen=True)
class Platform:
    """One platform."""

    name: str
    device_type: str
    """netmiko's."""
    vendor: str
    os: str
    template: str
    """The platform's name in ntc-templates."""
    identifies: re.Pattern[str] | None
    """Matches "vendor os description" of a router's SNMP facts."""
    refusal: re.Pattern[str]
    """How the router says that it does not know a command, or does not let us."""
    pager: re.Pattern[str] | None
    prompt: re.Pattern[str] | None
    """Where netmiko's way of finding the prompt does not do."""
    enable: bool
    session: tuple[str, ...]
    """What netmiko itself sends to make a session usable: nothing of it changes the router."""
    commands: tuple[Command, ...]
    configuration: Configuration

    @cached_property
    def allowed(self) -> frozenset[str]:
        """Every line that may be written to such a router, beside an empty one."""
        asked = (command.send for command in self.commands)
        return frozenset((*self.session, *asked, *self.configuration.send))


def load_platforms() -> Mapping[str, Platform]:
    """Return the platforms that netmon comes with, by name."""
    folder = resources.files("netmon.probes.ssh").joinpath("platforms")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".yaml")), key=str)
    named = ((each.name.removesuffix(".yaml"), each.read_text("utf-8")) for each in files)
    texts = dict(named)
    return MappingProxyType(
        {name: read_platform(name, text, texts) for name, text in texts.items()}
    )


def identify(platforms: Mapping[str, Platform], description: str) -> Platform | None:
    """Return the platform that "vendor os description" of SNMP facts speaks of."""
    for platform in platforms.values():
        if platform.identifies is not None and platform.identifies.search(description):
            return platform
    return None


def read_platform(name: str, text: str, others: Mapping[str, str] = _NOTHING) -> Platform:
    """Return the platform that a YAML text tells; what it leaves out is as with `like`.

    Raises:
        ValueError: an unknown key, or a pattern that is none.
    """
    tree = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506  # every scalar a str, no objects
    _demand_known(name, tree, _KEYS)
    if "like" in tree:
        tree = {**yaml.load(others[tree["like"]], Loader=yaml.CBaseLoader), **tree}  # noqa: S506  # as above
    return Platform(
        name=name,
        device_type=tree["device_type"],
        vendor=tree["vendor"],
        os=tree["os"],
        template=tree.get("template", ""),
        identifies=_optional(tree.get("identifies")),
        refusal=_pattern(tree["refusal"]),
        pager=_optional(tree.get("pager")),
        prompt=_optional(tree.get("prompt")),
        enable=tree.get("enable") == "true",
        session=tuple(tree.get("session", ())),
        commands=tuple(_command(name, each) for each in tree["commands"]),
        configuration=_configuration(name, tree["configuration"]),
    )


def _command(name: str, tree: Mapping[str, Any]) -> Command:
    _demand_known(name, tree, _COMMAND_KEYS)
    return Command(
        send=tree["send"],
        optional=tree.get("optional") == "true",
        template=tree.get("template") == "true",
        patterns=_patterns(tree.get("patterns", ())),
        facts=MappingProxyType(dict(tree.get("facts", {}))),
        tables=MappingProxyType({k: Rows(**v) for k, v in tree.get("tables", {}).items()}),
    )


def _configuration(name: str, tree: Mapping[str, Any]) -> Configuration:
    _demand_known(name, tree, _CONFIGURATION_KEYS)
    return Configuration(
        send=tuple(tree["send"]),
        complete=_optional(tree.get("complete")),
        noise=_patterns(tree.get("noise", ())),
        secrets=_patterns(tree["secrets"]),
        sections=tuple(
            (_pattern(each["within"]), _pattern(each["secret"]))
            for each in tree.get("sections", ())
        ),
        changed=_optional(tree.get("changed")),
    )


def _demand_known(name: str, tree: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(tree) - known)
    if unknown:
        raise ValueError(f"platform {name}: unknown keys {', '.join(unknown)}")


def _patterns(texts: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(_pattern, texts))


def _optional(text: str | None) -> re.Pattern[str] | None:
    return None if text is None else _pattern(text)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.MULTILINE)
