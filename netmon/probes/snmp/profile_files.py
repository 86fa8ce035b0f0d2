"""Profiles from YAML files, read strictly: every mistake with file, line, column and remedy.

    vendor: MikroTik
    match:
      - object_id: 1.3.6.1.4.1.14988.1
    os: RouterOS
    model:
      - description: '^RouterOS (.+)'
    serial:
      - oid: 1.3.6.1.4.1.14988.1.1.7.3.0
    cpu:
      - {column: 1.3.6.1.2.1.25.3.3.1.2, scale: 0.01}

The file's name is the profile's. Scalars are read as they are written: YAML makes no numbers here.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import yaml

from netmon.errors import ConfigError
from netmon.model import Finding
from netmon.probes.snmp.profiles import (
    Entity,
    GaugeSource,
    Match,
    Profile,
    Profiles,
    Source,
    Take,
)
from netmon.probes.snmp.values import Oid, oid_from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_Made = TypeVar("_Made")

_FACTS = ("os", "model", "serial", "version")
_GAUGES = ("cpu", "memory", "temperature", "sessions")
_PROFILE_KEYS = ("vendor", "match", "vendors", *_FACTS, *_GAUGES)
_MATCH_KEYS = ("object_id", "description", "present", "fallback")
_SOURCE_PLACES = ("description", "object_id", "oid", "column", "chassis", "entity", "text")
_SOURCE_KEYS = (*_SOURCE_PLACES, "lookup", "pattern", "template", "names", "plus")
_GAUGE_KEYS = ("oid", "column", "take", "scale", "used", "free", "total", "storage")
_GAUGE_SHAPES = (
    {"oid"}, {"column"}, {"storage"}, {"used", "total"}, {"free", "total"}, {"used", "free"},
)  # fmt: skip


def load_profiles(own: Path | None = None) -> Profiles:
    """Read the profiles that come with netmon, and those of an operator.

    Args:
        own: The operator's folder; a file of the same name takes the place of netmon's own.

    Raises:
        ConfigError: with every finding in every file.
    """
    shipped = files("netmon.probes.snmp") / "profiles"
    texts = [
        (f"profiles/{entry.name}", entry.read_text(encoding="utf-8"))
        for entry in sorted(shipped.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    ]
    profiles: list[Profile] = []
    findings: list[Finding] = []
    for path in sorted(own.glob("*.yaml")) if own else ():
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            findings.append(Finding(str(path), 1, 1, f"it cannot be read as UTF-8 text: {error}"))
    for file, content in texts:
        try:
            profiles.append(parse_profile(content, file))
        except ConfigError as error:
            findings += error.findings
    if findings:
        raise ConfigError(findings)
    return Profiles(profiles)


def parse_profile(content: str, file: str) -> Profile:
    """Read one profile. Its name is the file's, without folder and ending.

    Raises:
        ConfigError: with every finding.
    """
    reader = _Reader(file)
    profile = reader.read(content)
    if reader.findings or profile is None:
        raise ConfigError(reader.findings)
    return profile


class _Refused(Exception):  # noqa: N818  # it stops a node, not the reading
    """A node was refused; the finding is noted already."""


class _Reader:
    """Reads one file and notes what is wrong with it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.findings: list[Finding] = []

    def read(self, content: str) -> Profile | None:
        try:
            root = yaml.compose(content, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.findings.append(Finding(self._file, line, column, f"not YAML: {error.problem}"))
            return None
        if root is None:
            self.findings.append(Finding(self._file, 1, 1, "the file is empty: write a profile"))
            return None
        try:
            return self._profile(root)
        except _Refused:
            return None

    def _profile(self, root: yaml.Node) -> Profile:
        fields = self._mapping(root, _PROFILE_KEYS)
        facts = {key: self._list(fields.get(key), self._source) for key in _FACTS}
        gauges = {key: self._list(fields.get(key), self._gauge) for key in _GAUGES}
        vendors = fields.get("vendors")
        return Profile(
            name=Path(self._file).stem,
            matches=self._list(fields.get("match"), self._match),
            vendor=self._text(fields["vendor"]) if "vendor" in fields else "",
            vendors={} if vendors is None else self._names(vendors),
            os=facts["os"],
            model=facts["model"],
            serial=facts["serial"],
            version=facts["version"],
            cpu=gauges["cpu"],
            memory=gauges["memory"],
            temperature=gauges["temperature"],
            sessions=gauges["sessions"],
        )

    def _match(self, node: yaml.Node) -> Match:
        fields = self._mapping(node, _MATCH_KEYS)
        if not fields:
            raise self._refuse(node, f"say what to match: {', '.join(_MATCH_KEYS)}")
        return Match(
            object_id=self._oid(fields.get("object_id")),
            description=self._pattern(fields.get("description")),
            present=self._oid(fields.get("present")),
            fallback="fallback" in fields and self._word(fields["fallback"], ("true",)) == "true",
        )

    def _source(self, node: yaml.Node) -> Source:
        if isinstance(node, yaml.ScalarNode):
            return Source(constant=self._text(node))
        fields = self._mapping(node, _SOURCE_KEYS)
        places = [key for key in _SOURCE_PLACES if key in fields]
        if len(places) != 1:
            raise self._refuse(node, f"say one place: {', '.join(_SOURCE_PLACES)}")
        names = fields.get("object_id", fields.get("names"))
        return Source(
            description="description" in fields,
            object_id="object_id" in fields,
            oid=self._oid(fields.get("oid")),
            column=self._oid(fields.get("column")),
            chassis=self._oid(fields.get("chassis")),
            entity=self._entity(fields.get("entity")),
            lookup=self._oid(fields.get("lookup")),
            constant=self._text(fields["text"]) if "text" in fields else "",
            pattern=self._pattern(fields.get("description", fields.get("pattern"))),
            template=self._text(fields["template"]) if "template" in fields else "",
            names={} if names is None else self._names(names),
            plus=self._source(fields["plus"]) if "plus" in fields else None,
        )

    def _gauge(self, node: yaml.Node) -> GaugeSource:
        fields = self._mapping(node, _GAUGE_KEYS)
        if fields.keys() - {"scale", "take"} not in _GAUGE_SHAPES:
            message = "give one of: oid, column, `storage: ram`, two of used, free and total"
            raise self._refuse(node, message)
        return GaugeSource(
            oid=self._oid(fields.get("oid")),
            column=self._oid(fields.get("column")),
            scale=self._number(fields.get("scale")),
            used=self._oid(fields.get("used")),
            free=self._oid(fields.get("free")),
            total=self._oid(fields.get("total")),
            storage="storage" in fields and self._word(fields["storage"], ("ram",)) == "ram",
            take=self._take(fields.get("take")),
        )

    def _entity(self, node: yaml.Node | None) -> Entity | None:
        return None if node is None else Entity(self._word(node, tuple(Entity)))

    def _take(self, node: yaml.Node | None) -> Take | None:
        return None if node is None else Take(self._word(node, tuple(Take)))

    def _word(self, node: yaml.Node, known: Sequence[str]) -> str:
        written = self._text(node)
        if written not in known:
            raise self._refuse(node, f"{written!r} is none of: {', '.join(known)}")
        return written

    def _oid(self, node: yaml.Node | None) -> Oid:
        if node is None:
            return ()
        try:
            return oid_from_text(self._text(node))
        except ValueError as error:
            raise self._refuse(node, str(error)) from None

    def _pattern(self, node: yaml.Node | None) -> re.Pattern[str] | None:
        if node is None:
            return None
        try:
            return re.compile(self._text(node), re.MULTILINE)
        except re.error as error:
            message = f"not a regular expression: {error}; see Python's re module"
            raise self._refuse(node, message) from None

    def _number(self, node: yaml.Node | None) -> float:
        if node is None:
            return 1.0
        try:
            return float(self._text(node))
        except ValueError:
            raise self._refuse(node, "not a number: write for example 0.01") from None

    def _names(self, node: yaml.Node) -> dict[str, str]:
        return {key: self._text(value) for key, value in self._mapping(node, None).items()}

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self._refuse(node, "a text is needed here")
        return str(node.value)

    def _list(self, node: yaml.Node | None, make: Callable[[yaml.Node], _Made]) -> Sequence[_Made]:
        """Read a list, or one thing in the place of a list; go on after one that is refused."""
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        made = []
        for item in nodes:
            try:
                made.append(make(item))
            except _Refused:  # every mistake of a file is told, not the first
                continue
        return tuple(made)

    def _mapping(self, node: yaml.Node, known: Sequence[str] | None) -> Mapping[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._refuse(node, "keys and values are needed here")
        fields: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._text(key_node)
            if key in fields:
                self._refuse(key_node, f"key {key!r} stands here twice: remove one")
            elif known is not None and key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else f": use {', '.join(known)}"
                self._refuse(key_node, f"unknown key {key!r}{hint}")
            else:
                fields[key] = value
        return fields

    def _refuse(self, node: yaml.Node, message: str) -> _Refused:
        mark = node.start_mark
        self.findings.append(Finding(self._file, mark.line + 1, mark.column + 1, message))
        return _Refused(message)
