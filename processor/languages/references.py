"""Where a file names what it has imported or defines itself, other than to call it or to derive from it. Pure.

Only such words of the text are looked up in the tree, and each once for what it stands in: that costs by how many of
its own names a file uses, and not by how large it is.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tree_sitter import Node

from processor.languages.naming import Naming, naming_of
from processor.languages.placing import Definition
from processor.languages.uses import Scope, Use, segments

MAX_LOOKED_AT = 5_000  # words of a file
_IN_WORDS = frozenset(bytes([one]) for one in range(256) if re.match(rb"[\w$]", bytes([one])))
_WORDS_ALONE = bytes(one if bytes([one]) in _IN_WORDS else ord(" ") for one in range(256))
_CHAIN = re.compile(rb"[\w$]+(?:\.[\w$]+)*")
_OWN = re.compile(rb"\.(?:(?<=self\.)|(?<=this\.)|(?<=cls\.))([\w$]+)")
_FUNCTIONS = frozenset({"function", "method"})
_LONGEST = 100  # bytes of what is named
_MOST_ABOVE = 6  # nodes between a name and its place
_NOTHING: Mapping[str, str] = {}


def references_of(
    root: Node,
    language: str,
    shown: bytes,
    uses: Collection[Use],
    definitions: Sequence[Definition],
    scopes: Sequence[Scope],
) -> list[Use]:
    """What the file names of what it imports and defines, in order; nothing of languages without a `Naming`.

    Not those names that a function around has bound for itself, or the class right around. `shown` is the source, or as
    many bytes of it without what names nothing: comments and imports.
    """
    naming = naming_of(language)
    if naming is None:
        return []
    bound: dict[int, set[str]] = {}
    found: list[tuple[list[Use], list[set[str]]]] = []
    seen: dict[int, set[bytes]] = {}
    places = places_of(shown, *_known(language, uses, definitions))
    for open_scopes, begin, end in segments(places, scopes):
        inner = open_scopes[-1].first if open_scopes else -1
        known, new = seen.setdefault(inner, set()), bound.setdefault(inner, set())
        here: list[Use] = []
        for place, text in _chains(shown, places[begin:end]):
            if text in known:
                continue
            role, node = _named(root.descendant_for_byte_range(place, place + 1), naming)
            if role == "passed":
                continue
            known.add(text)
            written = shown[node.start_byte : node.end_byte] if node is not None else b""
            if role == "new":
                new |= {written.decode()} if open_scopes else set()
            elif len(written) <= _LONGEST and _CHAIN.fullmatch(written):
                here.append((place, "use", written.decode(), "", "", "", "", 0))
        around = [bound.setdefault(one.first, set()) for one in open_scopes if one.kind in _FUNCTIONS] if here else []
        found.append((here, [*around, new]))
    return [use for here, around in found for use in _free(here, set().union(*around))]


def _chains(text: bytes, places: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The words that begin at these places, with all that is asked of them."""
    return ((place, chain[0]) for place in places if (chain := _CHAIN.match(text, place)))


def _free(uses: Sequence[Use], bound: Collection[str]) -> Iterable[Use]:
    """The uses that do not begin with a name that is bound."""
    return [use for use in uses if use[2].partition(".")[0] not in bound] if bound else uses


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


def places_of(shown: bytes, tops: set[bytes], members: set[bytes]) -> list[int]:
    """Where words begin that are names of the file and not called there, at most `MAX_LOOKED_AT`, in order."""
    words = b" %b " % shown.translate(_WORDS_ALONE)
    places: list[int] = []
    upto = 0
    for word in filter(tops.__contains__, words.split()):
        start = words.index(b" %b " % word, upto)
        upto = start + len(word) + 1
        if shown[upto - 1 : upto] != b"(" and shown[start - 1 : start] != b".":
            places.append(start)
    asked = _OWN.finditer(shown) if members else ()
    places += [one.start(1) for one in asked if one[1] in members and shown[one.end() : one.end() + 1] != b"("]
    return sorted(places)[:MAX_LOOKED_AT]


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
