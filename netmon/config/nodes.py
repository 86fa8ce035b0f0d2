"""YAML text into nodes that know their place; scalars stay the text that was written.

PyYAML's parser (libyaml where it is there) only finds the structure. Its idea of what a scalar
means is never asked: YAML 1.1 turns `no` into False, `12:30` into 750 and `0123` into 83. We read
events rather than its node tree, because that is five times as fast and cannot recurse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from netmon.config.report import Place, Report
from netmon.config.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.error import Mark
    from yaml.events import Event, NodeEvent

try:
    from yaml._yaml import CParser
except ImportError:  # pragma: no cover  # a PyYAML built without libyaml: slower, else the same
    HAS_LIBYAML = False
else:
    HAS_LIBYAML = True

MAX_DEPTH = 20
"""An inventory nests 7 deep; a parser's recursion or a reader's must never be the limit."""
MAX_NODES = 1_000_000
"""Twenty thousand links have about 400,000."""


class Node:
    """Something at a place in a file. A bare Node was already reported and holds nothing."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column

    @property
    def place(self) -> Place:
        """Where it starts."""
        return Place(self.file, self.line, self.column)


class ScalarNode(Node):
    """Text, exactly as written; `plain` if it stood without quotes."""

    __slots__ = ("plain", "text")

    def __init__(self, file: str, line: int, column: int, text: str, *, plain: bool) -> None:
        super().__init__(file, line, column)
        self.text = text
        self.plain = plain


class ListNode(Node):
    """A sequence; `cut` if the file ended in a syntax error inside it."""

    __slots__ = ("cut", "items")

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.items: list[Node] = []
        self.cut = False


class MapNode(Node):
    """A mapping: key → (key's node, value's node), in order, every key once."""

    __slots__ = ("cut", "entries")

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.entries: dict[str, tuple[ScalarNode, Node]] = {}
        self.cut = False


_Container: TypeAlias = ListNode | MapNode


class SyntaxFault(NamedTuple):
    """The line of the entry that holds a syntax error, which may be found only further down."""

    line: int


class Document(NamedTuple):
    """What stands in a file; not `complete` where a part of it could not be read."""

    root: Node | None
    complete: bool
    fault: SyntaxFault | None = None


def compose(text: str, file: str, report: Report, *, pure: bool = False) -> Document:
    """Return the one document in `text`; what keeps it from being read is reported.

    `pure` uses the parser written in Python, as is done where libyaml is missing.
    """
    builder = _Builder(file, report)
    fault = None
    try:
        for event in _events(text, pure=pure or not HAS_LIBYAML):
            if not builder.take(event):
                builder.cut()
                break
    except yaml.MarkedYAMLError as error:
        builder.cut()
        mark = error.problem_mark or error.context_mark
        if error.problem == "found unexpected end of stream" and error.context_mark:
            mark = error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        report.error(place, _syntax_message(error))
        fault = SyntaxFault(_line_of_cause(error, place))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        builder.cut()
        reason = str(error).partition("\n")[0]
        report.error(builder.last_place, f"not valid YAML after this place: {reason}")
    if builder.root is None and builder.complete:
        report.error(Place(file, 1, 1), "the file is empty")
    return Document(builder.root, builder.complete, fault)


def _line_of_cause(error: yaml.MarkedYAMLError, place: Place) -> int:
    """Return the line where the trouble began: a brace or quote never closed is told at the end.

    The context of a block is the beginning of the whole list or mapping, which says nothing.
    """
    context = error.context or ""
    if error.context_mark is None or "block" in context:
        return place.line
    return int(error.context_mark.line) + 1


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    context = f" {error.context}" if error.context else ""
    problem = error.problem or "cannot be read"
    mark = error.context_mark
    begun = (
        f" that begins at {mark.line + 1}:{mark.column + 1}" if mark and " flow " in context else ""
    )
    return f"not valid YAML: {problem}{context}{begun}{_REMEDIES.get(problem, '')}"


_REMEDIES = {
    "found unexpected end of stream": "; a quote or bracket that begins here is never closed",
    "found character that cannot start any token": "; put the text in quotes",
    "mapping values are not allowed in this context": "; put a text with ': ' in quotes",
    "did not find expected key": "; look at the indentation and at commas",
    "did not find expected ',' or '}'": "; a comma or a closing brace is missing",
    "did not find expected ',' or ']'": "; a comma or a closing bracket is missing",
    "could not find expected ':'": "; write a colon and a space after the key",
    "did not find expected '-' indicator": "; look at the indentation",
}


class _PureParser(Reader, Scanner, Parser):
    """PyYAML's parser in Python."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def _events(text: str, *, pure: bool) -> Iterator[Event]:
    parser = _PureParser(text) if pure else CParser(text)
    while parser.check_event():
        yield cast("Event", parser.get_event())


class _Builder:
    """Puts events together without recursion."""

    def __init__(self, file: str, report: Report) -> None:
        self.root: Node | None = None
        self.complete = True
        self._file = file
        self._report = report
        self._open: list[_Container] = []
        self._keys: list[ScalarNode | None] = []
        """For every open mapping: the key that waits for its value; None for open lists."""
        self._documents = 0
        self._nodes = 0
        self._last: Event | None = None

    @property
    def last_place(self) -> Place:
        """Where the last thing stands that was read."""
        return Place(self._file, 1, 1) if self._last is None else self._place(self._last)

    def take(self, event: Event) -> bool:
        """Add one event; False when the rest is not to be read."""
        self._last = event
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(cast("ScalarEvent", event))
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close()
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            return self._start(cast("NodeEvent", event))
        elif kind is AliasEvent:
            alias = cast("AliasEvent", event)
            message = f"alias '*{alias.anchor}' is not read: write the value out"
            self._report.error(self._place(alias), message)
            return self._add(Node(*self._place(alias)))
        elif kind is DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                message = "a second document begins here: netmon reads one; remove the '---'"
                self._report.error(self._place(event), message)
                return False
        return True

    def cut(self) -> None:
        """Mark what is still open: its end was never seen, so nothing is missing in it."""
        self.complete = False
        for container in self._open:
            container.cut = True

    def _place(self, event: Event) -> Place:
        mark = cast("Mark", event.start_mark)
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _scalar(self, event: ScalarEvent) -> bool:
        mark = cast("Mark", event.start_mark)
        if event.anchor is not None or event.tag is not None:
            self._report_properties(event)
        return self._add(
            ScalarNode(
                self._file,
                mark.line + 1,
                mark.column + 1,
                event.value,
                plain=event.style is None or event.style == "",
            )
        )

    def _start(self, event: NodeEvent) -> bool:
        if event.anchor is not None or getattr(event, "tag", None) is not None:
            self._report_properties(event)
        place = self._place(event)
        node = MapNode(*place) if type(event) is MappingStartEvent else ListNode(*place)
        if len(self._open) >= MAX_DEPTH:
            self._report.error(place, f"nested more than {MAX_DEPTH} deep: nothing here needs that")
            return False
        goes_on = self._add(node)
        self._open.append(node)
        self._keys.append(None)
        return goes_on

    def _close(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _add(self, node: Node) -> bool:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._report.error(node.place, f"more than {MAX_NODES} values: split the file")
            return False
        if not self._open:
            self.root = node
            return True
        parent = self._open[-1]
        if isinstance(parent, ListNode):
            parent.items.append(node)
        else:
            self._add_to_map(parent, node)
        return True

    def _add_to_map(self, parent: MapNode, node: Node) -> None:
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = self._read_key(node)
            return
        self._keys[-1] = None
        if isinstance(key, _UnreadableKey):
            return
        first = parent.entries.setdefault(key.text, (key, node))
        if first[0] is not key:
            message = f"key {quoted(key.text)} is given twice; the first is at {first[0].place}"
            self._report.error(key.place, message)

    def _read_key(self, node: Node) -> ScalarNode:
        if isinstance(node, ScalarNode):
            return node
        if isinstance(node, MapNode | ListNode):
            self._report.error(node.place, "a list or mapping cannot be a key: write a word")
        return _UnreadableKey(*node.place, "", plain=False)

    def _report_properties(self, event: NodeEvent) -> None:
        place = self._place(event)
        if event.anchor is not None:
            message = f"anchor '&{event.anchor}' is not read: remove it and write values out"
            self._report.error(place, message)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._report.error(place, f"tag {quoted(tag)} is not read: remove it")


class _UnreadableKey(ScalarNode):
    """Stands for a key that was reported already."""

    __slots__ = ()
