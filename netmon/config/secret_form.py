"""How a secret is named in YAML: by where it lies, never by what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netmon.config.forms import Schema, report_shape
from netmon.config.nodes import MapNode, Node, ScalarNode
from netmon.config.settings import SecretReference, SecretSource
from netmon.config.words import quoted

if TYPE_CHECKING:
    from netmon.config.report import Report

_PATTERNS = {
    SecretSource.ENVIRONMENT: r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
    SecretSource.FILE: r"^[^\x00-\x1f\x7f]{1,1024}$",
    SecretSource.CREDENTIAL: r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
}
_NAMES = {
    SecretSource.ENVIRONMENT: "the name of an environment variable",
    SecretSource.FILE: "the path of a file",
    SecretSource.CREDENTIAL: "the name of a systemd credential",
}


@dataclass(frozen=True)
class SecretForm:
    """A reference to a secret. Text found in its place is never repeated in a message."""

    example: str

    @property
    def accepts(self) -> str:
        """The three ways of naming a secret."""
        return f"{{env: {self.example}}}, {{file: PATH}} or {{credential: NAME}}"

    def read(self, node: Node, report: Report) -> SecretReference | None:
        """Read a mapping of one key, which says where the secret lies."""
        if not isinstance(node, MapNode):
            if type(node) is not Node:
                message = f"a secret is not written in this file: write {self.accepts}"
                report.error(node.place, message)
            return None
        found = [self._reference(*entry, report) for entry in node.entries.values()]
        if len(node.entries) != 1 and not node.cut:
            report.error(node.place, f"one place of the secret is wanted: write {self.accepts}")
        return found[0] if found else None

    def schema(self) -> Schema:
        """Return an object with exactly one of the three keys."""
        return {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                str(source): {"type": "string", "pattern": pattern, "description": _NAMES[source]}
                for source, pattern in _PATTERNS.items()
            },
        }

    def _reference(self, key: ScalarNode, value: Node, report: Report) -> SecretReference | None:
        if key.text not in set(SecretSource):
            message = f"{quoted(key.text)} is no place of a secret: write {self.accepts}"
            report.error(key.place, message)
            return None
        if not isinstance(value, ScalarNode):
            report_shape(value, self.accepts, report)
            return None
        source = SecretSource(key.text)
        if not re.search(_PATTERNS[source], value.text):
            # The text may be the secret itself: it is not repeated.
            report.error(value.place, f"this is not {_NAMES[source]}: write {self.accepts}")
            return None
        if source is SecretSource.FILE:
            return SecretReference(source, str(Path(value.file).parent / value.text))
        return SecretReference(source, value.text)
