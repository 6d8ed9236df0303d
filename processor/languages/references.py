"""Where a file names what it has imported or defines itself, other than to call it or to derive from it. Pure.

Only such words of the text are looked up in the tree, and each once for what it stands in: that costs by how many of
its own names a file uses, and not by how large it is.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, compress

from tree_sitter import Node

from processor.languages.naming import Naming, naming_of
from processor.languages.placing import Definition
from processor.languages.uses import Scope, Use, segments

MAX_LOOKED_AT = 5_000  # words of a file
_WORD = re.compile(rb"([A-Za-z_$][\w$]*)")
_CHAIN = re.compile(rb"[\w$]+(?:\.[\w$]+)*")
_OWN = (b"self.", b"this.", b"cls.")
_FUNCTIONS = frozenset({"function", "method"})
_LONGEST = 100  # bytes of what is named
_MOST_ABOVE = 6  # nodes between a name and its place
_STOP, _BRACKET = b".("
_NOTHING: Mapping[str, str] = {}


def references_of(  # a file, as it was read
    root: Node,
    language: str,
    source: bytes,
    uses: Collection[Use],
    definitions: Sequence[Definition],
    scopes: Sequence[Scope],
) -> list[Use]:
    """What the file names of what it imports and defines, in order; nothing of languages without a `Naming`.

    Not those names that a function around has bound for itself, or the class right around.
    """
    naming = naming_of(language)
    if naming is None:
        return []
    tops, members = _known(language, uses, definitions)
    bound: dict[int, set[str]] = {}
    found: list[tuple[Use, list[set[str]]]] = []
    seen: dict[int, set[bytes]] = {}
    places = list(_places(source, tops, members))
    for open_scopes, begin, end in segments(places, scopes):
        inner = open_scopes[-1].first if open_scopes else -1
        known, new = seen.setdefault(inner, set()), bound.setdefault(inner, set())
        hiding = [bound.setdefault(one.first, set()) for one in open_scopes if one.kind in _FUNCTIONS]
        for place in places[begin:end]:
            chain = _CHAIN.match(source, place)
            text = chain.group() if chain is not None else b""
            if text in known:
                continue
            role, node = _named(root.descendant_for_byte_range(place, place + 1), naming)
            if role == "passed":
                continue
            known.add(text)
            written = source[node.start_byte : node.end_byte] if node is not None else b""
            if role == "new":
                new |= {written.decode()} if open_scopes else set()
            elif len(written) <= _LONGEST and _CHAIN.fullmatch(written):
                found.append(((place, "use", written.decode(), "", "", "", "", 0), [*hiding, new]))
    return [use for use, hiding in found if not any(use[2].partition(".")[0] in names for names in hiding)]


def _known(language: str, uses: Collection[Use], definitions: Sequence[Definition]) -> tuple[set[bytes], set[bytes]]:
    """The names that the file has for itself, and those of members of its classes."""
    tops, members = set[str](), set[str]()
    for _, kind, _, _, module, name, alias, _ in uses:
        if kind == "import" and name != "*":
            path = module.replace("\\", "/").replace("::", "/").split("/")[-1]
            tops.add(alias or name or (path.partition(".")[0] if language == "python" else path.rpartition(".")[2]))
    for one in definitions:
        (members if one.kind == "method" else tops).add(one.name)
    return {one.encode() for one in tops if one}, {one.encode() for one in members}


def _places(source: bytes, tops: set[bytes], members: set[bytes]) -> Iterator[int]:
    """Where words begin that are names of the file and are not called there, at most `MAX_LOOKED_AT`."""
    parts = _WORD.split(source)
    starts = list(accumulate(map(len, parts), initial=0))[1::2]
    words, known = parts[1::2], tops | members
    looked_at = 0
    for start, word in compress(zip(starts, words, strict=False), map(known.__contains__, words)):
        end = start + len(word)
        if end < len(source) and source[end] == _BRACKET:
            continue
        asked = start > 0 and source[start - 1] == _STOP
        if word in members and source.endswith(_OWN, max(0, start - 5), start) if asked else word in tops:
            looked_at += 1
            if looked_at > MAX_LOOKED_AT:
                return
            yield start


def _named(node: Node | None, naming: Naming) -> tuple[str, Node | None]:
    """What is made of the name at a node, and the node of what is named: `passed` where it is none, or a label."""
    if node is None or node.type not in naming.words:
        return "passed", None
    parent = node.parent
    if parent is not None and _is_in_chain(parent, node, naming, 1):
        node, parent = parent, parent.parent  # `self.name`
    name = node
    while parent is not None and _is_in_chain(parent, node, naming, 0):
        node, parent = parent, parent.parent
    role = _role(parent, node, naming) if parent is not None else "passed"
    is_alone = node == name
    if role == "called":
        return role, None if is_alone else node.child_by_field_name(naming.chains[node.type][0])
    if role == "passed" and is_alone:
        return role, None
    return "new" if role == "new" and is_alone and node.type in naming.words else "used", node


def _is_in_chain(parent: Node, node: Node, naming: Naming, end: int) -> bool:
    fields = naming.chains.get(parent.type)
    return fields is not None and parent.child_by_field_name(fields[end]) == node


def _role(parent: Node, node: Node, naming: Naming) -> str:
    """What a place makes of a name: `new`, `called`, `passed`, or `used`."""
    above: Node | None = parent
    for _ in range(_MOST_ABOVE):
        if above is None:
            break
        for field, role in naming.roles.get(above.type, _NOTHING).items():
            if not field or above.child_by_field_name(field) == node or node in above.children_by_field_name(field):
                return role
        if above.type not in naming.lists:
            break
        node, above = above, above.parent
    return "used"
