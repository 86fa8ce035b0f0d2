"""Tables of declared fields: the one declaration that reader, JSON Schema and reference share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Generic, TypeVar, cast

from netmon.config.forms import Form, Schema, is_null, report_shape
from netmon.config.nodes import MapNode, Node, ScalarNode
from netmon.config.report import Place, Report
from netmon.config.words import names_secret, quoted

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_REMEDY_FOR_SECRETS = (  # words, not a password
    "secrets are not written here: name a credential of the settings file, "
    "which reads its secret from {env: NAME}, {file: PATH} or {credential: NAME}"
)


@dataclass(frozen=True, eq=False)
class Field(Generic[T_co]):
    """One key of a table. `default` is YAML text, so that all may show what it is."""

    key: str
    form: Form[T_co]
    help: str
    required: bool = False
    default: str | None = None

    @cached_property
    def default_value(self) -> T_co:
        """The value of `default`."""
        if self.default is None:
            raise KeyError(self.key)
        report = Report()
        value = self.form.read(ScalarNode(self.key, 1, 1, self.default, plain=False), report)
        return report.require(value)

    def schema(self) -> Schema:
        """Return the schema of the value with this key's help."""
        shape = self.form.schema() | {"description": self.help}
        return shape if self.default is None else shape | {"x-default": self.default}


class Record:
    """The values of one mapping, looked up by their fields; what could not be read is absent."""

    __slots__ = ("_nodes", "_values", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._values: dict[str, object] = {}
        self._nodes: dict[str, Node] = {}

    def __contains__(self, field: object) -> bool:
        return isinstance(field, Field) and field.key in self._nodes

    def __getitem__(self, field: Field[T]) -> T:
        """Return the value, or the default.

        Raises:
            KeyError: there is neither.
        """
        value = self._values.get(field.key)
        return field.default_value if value is None else cast("T", value)

    def get(self, field: Field[T]) -> T | None:
        """Return the value as the file gives it, or None; defaults are not looked at."""
        return cast("T | None", self._values.get(field.key))

    def place(self, field: Field[T]) -> Place:
        """Return where the value stands; where the record begins, if it has none."""
        return self._nodes.get(field.key, self.node).place

    def raw(self, field: Field[T]) -> str | None:
        """Return the text of a scalar as it stands, even if it was refused."""
        node = self._nodes.get(field.key)
        return node.text if isinstance(node, ScalarNode) else None

    def keep(self, field: Field[T], node: Node, value: object) -> None:
        """Store what a table has read."""
        self._nodes[field.key] = node
        if value is not None:
            self._values[field.key] = value


@dataclass(frozen=True, eq=False)
class Table:
    """A mapping with declared keys. `shorthand` may stand alone in place of the mapping."""

    name: str
    keys: type
    """A class whose attributes are the fields; its own come before those of its bases."""
    shorthand: Field[object] | None = None
    elsewhere: Mapping[str, str] = dataclass_field(default_factory=dict)
    """Keys that people look for here, and where they are."""
    one_only: bool = False
    """Exactly one of the keys is wanted."""

    @cached_property
    def fields(self) -> tuple[Field[object], ...]:
        """The fields in the order of their declaration."""
        found = (value for base in self.keys.__mro__ for value in vars(base).values())
        return tuple(value for value in found if isinstance(value, Field))

    @property
    def accepts(self) -> str:
        """Name the table and its keys."""
        keys = ", ".join(f.key for f in self.fields[:4])
        mapping = f"{{{keys}{', …' if len(self.fields) > 4 else ''}}}"  # noqa: PLR2004  # a line's worth
        return f"{self.shorthand.form.accepts}, or {mapping}" if self.shorthand else mapping

    @cached_property
    def _by_key(self) -> Mapping[str, Field[object]]:
        return {f.key: f for f in self.fields}

    @cached_property
    def _required(self) -> tuple[Field[object], ...]:
        return tuple(f for f in self.fields if f.required)

    def read(self, node: Node, report: Report) -> Record | None:
        """Read a mapping; unknown keys and missing ones are reported, the rest is read."""
        record = Record(node)
        if isinstance(node, ScalarNode) and self.shorthand and node.text:
            record.keep(self.shorthand, node, self.shorthand.form.read(node, report))
            return record
        if not isinstance(node, MapNode):
            report_shape(node, self.accepts, report)
            return None
        for key, (key_node, value_node) in node.entries.items():
            field = self._by_key.get(key)
            if field is None:
                self._report_unknown(key_node, report)
            elif is_null(value_node):
                remedy = "" if field.required else ", or leave the key out"
                report.error(value_node.place, f"no value here: write {field.form.accepts}{remedy}")
                record.keep(field, value_node, None)
            else:
                record.keep(field, value_node, field.form.read(value_node, report))
        if not node.cut:
            self._report_missing(record, report)
        return record

    def schema(self) -> Schema:
        """Return the schema of an object with these properties only."""
        shape: Schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {f.key: f.schema() for f in self.fields},
        }
        if self._required:
            shape["required"] = [f.key for f in self._required]
        if self.one_only:
            shape |= {"minProperties": 1, "maxProperties": 1}
        return {"anyOf": [self.shorthand.form.schema(), shape]} if self.shorthand else shape

    def _report_missing(self, record: Record, report: Report) -> None:
        for field in self._required:
            if field not in record:
                message = f"key {field.key!r} is missing: write {field.form.accepts}"
                report.error(record.node.place, message)
        if self.one_only and sum(f in record for f in self.fields) != 1:
            keys = ", ".join(f.key for f in self.fields)
            report.error(record.node.place, f"exactly one of these keys is wanted: {keys}")

    def _report_unknown(self, key: ScalarNode, report: Report) -> None:
        if key.text == "<<":
            report.error(key.place, "merge key '<<' is not read: write the values out")
        elif key.text in self.elsewhere:
            report.error(
                key.place, f"key {key.text!r} is not read here: {self.elsewhere[key.text]}"
            )
        elif names_secret(key.text):
            report.error(key.place, f"unknown key {quoted(key.text)}; {_REMEDY_FOR_SECRETS}")
        else:
            report.error(key.place, f"unknown key {quoted(key.text)}{self._meant(key, report)}")

    def _meant(self, key: ScalarNode, report: Report) -> str:
        meant = report.guesser.closest(key.text, (*self._by_key, *self.elsewhere))
        if meant is None:
            return ""
        place = f" {self.elsewhere[meant]}" if meant in self.elsewhere else ""
        return f"; did you mean {meant!r}?{place}"
