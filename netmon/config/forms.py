"""How a field may be written: forms that read nodes, and describe themselves as JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from netmon.config.nodes import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from netmon.config.report import Place, Report

Schema: TypeAlias = dict[str, object]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Refusal(Exception):  # noqa: N818  # not an error of ours: the text is not what the form reads
    """A text that a form does not read; the message holds problem and remedy, not the place."""


class Form(Protocol[T_co]):
    """One way of writing a value."""

    @property
    def accepts(self) -> str:
        """What may be written, for people, for example "a duration such as 1s or 500ms"."""
        ...

    def read(self, node: Node, report: Report) -> T_co | None:
        """Return the value of a node, or None after reporting why it has none."""
        ...

    def schema(self) -> Schema:
        """Return the JSON Schema of what may be written."""
        ...


@dataclass(frozen=True)
class Scalar(Generic[T]):
    """A form of text; `convert` raises Refusal."""

    convert: Callable[[str], T]
    accepts: str
    shape: Mapping[str, object]

    def read(self, node: Node, report: Report) -> T | None:
        """Convert the text of a scalar."""
        if not isinstance(node, ScalarNode):
            report_shape(node, self.accepts, report)
            return None
        if is_null(node):
            report.error(node.place, f"no value here: write {self.accepts}")
            return None
        try:
            return self.convert(node.text)
        except Refusal as refusal:
            report.error(node.place, str(refusal))
            return None

    def schema(self) -> Schema:
        """Return the shape it was declared with."""
        return dict(self.shape)


class Placed(NamedTuple, Generic[T]):
    """A value together with the place where it stands, for checks made later."""

    value: T
    place: Place


@dataclass(frozen=True)
class PlacedForm(Generic[T]):
    """A form whose value remembers its place."""

    form: Form[T]

    @property
    def accepts(self) -> str:
        """The same as the form inside."""
        return self.form.accepts

    def read(self, node: Node, report: Report) -> Placed[T] | None:
        """Read the value and note its place."""
        value = self.form.read(node, report)
        return None if value is None else Placed(value, node.place)

    def schema(self) -> Schema:
        """Return the schema of the form inside."""
        return self.form.schema()


@dataclass(frozen=True)
class ListOf(Generic[T]):
    """A list; items that cannot be read are reported and left out."""

    item: Form[T]
    accepts: str
    may_be_empty: bool = True

    def read(self, node: Node, report: Report) -> tuple[T, ...] | None:
        """Read every item."""
        if not isinstance(node, ListNode):
            report_shape(node, self.accepts, report)
            return None
        if not node.items and not self.may_be_empty:
            report.error(node.place, f"nothing in this list: write {self.accepts}")
        values = []
        for item in node.items:
            if report.full:
                # Nobody reads on: a hostile file is answered at once.
                break
            value = self.item.read(item, report)
            if value is not None:
                values.append(value)
        return tuple(values)

    def schema(self) -> Schema:
        """Return the schema of an array."""
        shape: Schema = {"type": "array", "items": self.item.schema()}
        return shape if self.may_be_empty else shape | {"minItems": 1}


@dataclass(frozen=True)
class MapOf(Generic[T]):
    """A mapping from ids to values of one form."""

    key: Scalar[str]
    value: Form[T]
    accepts: str

    def read(self, node: Node, report: Report) -> Mapping[str, T] | None:
        """Read every entry."""
        if not isinstance(node, MapNode):
            report_shape(node, self.accepts, report)
            return None
        read: dict[str, T] = {}
        for key_node, value_node in node.entries.values():
            key = self.key.read(key_node, report)
            value = self.value.read(value_node, report)
            if key is not None and value is not None:
                read[key] = value
        return read

    def schema(self) -> Schema:
        """Return the schema of an object with free keys."""
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
        }


def is_null(node: Node) -> bool:
    """Tell whether a value is what YAML calls null: nothing at all, or one of its spellings."""
    return isinstance(node, ScalarNode) and node.plain and node.text in _NULLS


def report_shape(node: Node, accepts: str, report: Report) -> None:
    """Report that a node is of another shape than wanted; a bare Node was reported before."""
    match node:
        case ScalarNode() if is_null(node):
            report.error(node.place, f"no value here: write {accepts}")
        case ScalarNode():
            report.error(node.place, f"a single value stands here: write {accepts}")
        case ListNode():
            report.error(node.place, f"a list stands here: write {accepts}")
        case MapNode():
            report.error(node.place, f"a mapping stands here: write {accepts}")
