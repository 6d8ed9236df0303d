"""JSON and YAML as nodes that know their lines. Iterative and bounded, so that no nesting and no alias can hurt.

In:  a text. JSON may have comments and trailing commas, as many tools allow.
Out: the root node. Scalars are texts; an alias is the very node it stands for, never a copy of it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from processor.manifests.model import Text, text_of

_MAX_DEPTH = 100
_MAX_NODES = 200_000
_MIN_CHARACTERS = 8  # a value, in larger texts than those with as many
_MAX_MERGED = 2_000
_JSON = re.compile(
    r"\s+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\")|(?P<mark>[{}\[\]:,])|(?P<bare>[^\s{}\[\]:,\"/]+)"
)
_CLOSING = {"}": "map", "]": "list"}


@dataclass(slots=True)
class Node:
    """A mapping, a list or a scalar. `line` is where it begins; for what a mapping holds, the line of its key."""

    line: int = 0
    kind: str = "none"
    scalar: str = ""
    entries: dict[str, "Node"] = field(default_factory=dict)
    elements: list["Node"] = field(default_factory=list)

    def get(self, *keys: str) -> "Node":
        """What a mapping holds under the keys, one after the other; an empty node where it holds nothing."""
        found = self
        for key in keys:
            found = found.entries.get(key, NOTHING)
        return found

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Keys and values of a mapping; nothing of other nodes."""
        yield from self.entries.items()

    def __iter__(self) -> Iterator["Node"]:
        """The elements of a list; nothing of other nodes."""
        yield from self.elements

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.scalar or self.entries or self.elements)

    @property
    def text(self) -> str:
        """A scalar on one line; empty for others."""
        return text_of(self.scalar)

    @property
    def is_true(self) -> bool:
        """Whether it is the scalar `true`."""
        return self.scalar.lower() == "true"


NOTHING = Node()


class _Builder:
    """Puts nodes together. `key` waits in the innermost mapping for its value."""

    def __init__(self, text: Text) -> None:
        self._most = max(_MAX_NODES, len(text.content) // _MIN_CHARACTERS)
        self.root: Node | None = None
        self.open: list[Node] = []
        self._keys: list[tuple[str, int] | None] = []
        self._nodes = 0

    def begin(self, kind: str, line: int) -> Node:
        if len(self.open) >= _MAX_DEPTH:
            raise ValueError("nested too deeply")
        node = Node(line, kind)
        self.put(node)
        self.open.append(node)
        self._keys.append(None)
        return node

    def end(self, kind: str) -> None:
        if not self.open or self.open[-1].kind != kind:
            raise ValueError("closed what is not open")
        self.open.pop()
        self._keys.pop()

    @property
    def wants_key(self) -> bool:
        return bool(self.open) and self.open[-1].kind == "map" and self._keys[-1] is None

    def key(self, name: str, line: int) -> None:
        self._keys[-1] = (name, line)

    def scalar(self, value: str, line: int) -> Node:
        if self.wants_key:
            self.key(value, line)
            return NOTHING
        node = Node(line, "scalar", value)
        self.put(node)
        return node

    def put(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > self._most:
            raise ValueError("too many values")
        if not self.open:
            self.root = self.root or node
        elif self.open[-1].kind == "list":
            self.open[-1].elements.append(node)
        elif (key := self._keys[-1]) is not None:
            node.line = node.line if node.kind == "alias" else key[1]
            self.open[-1].entries.setdefault(key[0], node)
            self._keys[-1] = None
        else:  # a mapping or a list as a key: nothing that we ask for
            self.key("", node.line)


def read_json(text: Text) -> Node:
    """The root of a JSON text. Raises ValueError."""
    builder, place = _Builder(text), 0
    content = text.content
    while place < len(content):
        match = _JSON.match(content, place)
        if match is None:
            raise ValueError(f"no JSON in line {text.line_at(place)}")
        if match.lastgroup is not None:
            if builder.root is not None and not builder.open:
                raise ValueError(f"more than one document in line {text.line_at(place)}")
            _take_json(builder, match, text.line_at(place))
        place = match.end()
    if builder.open or builder.root is None:
        raise ValueError("the text ends too early")
    return builder.root


def _take_json(builder: _Builder, match: re.Match[str], line: int) -> None:
    found = match[0]
    if match["text"]:
        builder.scalar(str(json.loads(found, strict=False)), line)
    elif match["bare"]:
        builder.scalar("" if found == "null" else found, line)
    elif found in "{[":
        builder.begin("map" if found == "{" else "list", line)
    elif found in _CLOSING:
        builder.end(_CLOSING[found])


def read_yaml(text: Text) -> Node:
    """The root of the first document of a YAML text. Raises ValueError."""
    builder, anchors = _Builder(text), dict[str, Node]()
    try:
        for event in yaml.parse(text.content, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            _take_yaml(builder, anchors, event)
    except yaml.YAMLError as error:
        raise ValueError(text_of(str(error))) from error
    return builder.root or NOTHING


def _take_yaml(builder: _Builder, anchors: dict[str, Node], event: yaml.Event) -> None:
    line = event.start_mark.line + 1 if event.start_mark is not None else 0
    node = NOTHING
    if isinstance(event, yaml.ScalarEvent):
        is_null = event.implicit[0] and event.value in {"~", "null"}
        node = builder.scalar("" if is_null else event.value, line)
    elif isinstance(event, yaml.MappingStartEvent):
        node = builder.begin("map", line)
    elif isinstance(event, yaml.SequenceStartEvent):
        node = builder.begin("list", line)
    elif isinstance(event, yaml.MappingEndEvent):
        _merge(builder.open[-1])
        builder.end("map")
    elif isinstance(event, yaml.SequenceEndEvent):
        builder.end("list")
    elif isinstance(event, yaml.AliasEvent):
        _alias(builder, anchors.get(event.anchor or "", NOTHING), line)
    if isinstance(event, yaml.NodeEvent) and event.anchor and not isinstance(event, yaml.AliasEvent):
        anchors[event.anchor] = node


def _alias(builder: _Builder, meant: Node, line: int) -> None:
    if any(node is meant for node in builder.open):
        raise ValueError("an alias inside of what it stands for")
    if builder.wants_key:
        builder.key(meant.scalar, line)
        return
    # A node of its own with the same contents: its line is that of the alias, and nothing is copied.
    builder.put(Node(line, meant.kind, meant.scalar, meant.entries, meant.elements))


def _merge(node: Node) -> None:
    """`<<: *other`: what the other mapping has and this one has not."""
    merged = node.entries.pop("<<", None)
    for other in [merged, *merged.elements] if merged is not None else ():
        if len(node.entries) + len(other.entries) > _MAX_MERGED:
            raise ValueError("merged too often")
        for key, value in other.entries.items():
            node.entries.setdefault(key, value)
