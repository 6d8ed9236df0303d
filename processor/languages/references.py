"""Where a file names what it has imported or defines itself, other than to call it or to derive from it. Pure.

Where a language needs no import to name what another file defines, words that are spelled like such names count too.
Only such words of the text are looked up in the tree, and each once for what it stands in: that costs by how many of
these names a file uses, and not by how large it is.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tree_sitter import Node

from processor.languages.naming import LABEL, LAST, Naming
from processor.languages.namings import naming_of
from processor.languages.placing import Definition
from processor.languages.uses import Scope, Use, segments

MAX_LOOKED_AT = 5_000  # words of a file
_IN_WORDS = frozenset(bytes([one]) for one in range(256) if re.match(rb"[\w$]", bytes([one])))
_WORDS_ALONE = bytes(one if bytes([one]) in _IN_WORDS else ord(" ") for one in range(256))
_CHAIN = re.compile(rb"[\w$]+(?:(?:\.|::)[\w$]+)*")
_OWN = re.compile(rb"\.(?:(?<=self\.)|(?<=this\.)|(?<=cls\.))([\w$]+)")
_FUNCTIONS = frozenset({"function", "method"})
_BY_PATH = frozenset({"c", "cpp", "ruby"})  # what is imported here has no name
_TYPE = "user_type"  # Kotlin's and Swift's: what is written so has its name elsewhere
_LONGEST = 100  # bytes of what is named
_MOST_ABOVE = 6  # nodes between a name and its place
_PLACE = "#"  # begins what is no field
_FILE = -1  # stands for the scope that is the file
_NOTHING: Mapping[str, str] = {}
_BINDING = frozenset({"new", "generic"})
_NOT_NAMED = frozenset({"none", "own"})


class _Written(NamedTuple):
    """A file: its tree, and as many bytes as it has, without what names nothing."""

    root: Node
    shown: bytes
    naming: Naming


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
    file = _Written(root, shown, naming)
    bound: dict[tuple[str, int], set[str]] = defaultdict(set)  # role and first byte of a scope → names
    seen: dict[int, set[bytes]] = defaultdict(set)
    found: list[tuple[list[Use], list[set[str]]]] = []
    places = places_of(shown, *_known(language, uses, definitions), naming)
    for open_scopes, begin, end in segments(places, scopes):
        inner = open_scopes[-1].first if open_scopes else _FILE
        here: list[Use] = []
        for role, use in _named_in(file, places[begin:end], seen[inner]):
            if role == "used":
                here.append(use)
            else:
                bound[role, inner].add(use[2])
        if here:
            found.append((here, [bound[one] for one in _binding(open_scopes)]))
    return [use for here, around in found for use in _free(here, set().union(*around))]


def _binding(open_scopes: Sequence[Scope]) -> Iterator[tuple[str, int]]:
    """Which bind names for what stands in these scopes: functions and the innermost; all of them type parameters."""
    yield "generic", _FILE
    for one in open_scopes:
        yield "generic", one.first
        if one.kind in _FUNCTIONS or one is open_scopes[-1]:
            yield "new", one.first


def _named_in(file: _Written, places: Iterable[int], known: set[bytes]) -> Iterator[tuple[str, Use]]:
    """What stands at these places of one scope, and its role: `new`, `generic` or `used`. Each text is `known` once."""
    root, shown, naming = file
    within = naming.within
    for place in places:
        text = _text_at(shown, place)
        if text in known:
            continue
        role, node = _named(root.descendant_for_byte_range(place, place + 1), naming)
        if role == "passed":
            continue
        first, last = node.byte_range if node is not None else (place, place)
        if within and shown[max(0, first - len(within)) : first] == within:
            continue  # the end of a longer name, of which the tree has made something else
        known.add(text)
        written = shown[first:last]
        if len(written) <= _LONGEST and (written == text or _CHAIN.fullmatch(written.removeprefix(b"::"))):
            yield role if role in _BINDING else "used", (place, "use", written.decode(), "", "", "", "", 0)


def _text_at(shown: bytes, place: int) -> bytes:
    """The word that begins at a place, with all that is asked of it."""
    chain = _CHAIN.match(shown, place)
    return chain[0] if chain is not None else b""


def _free(uses: Sequence[Use], bound: Collection[str]) -> Iterable[Use]:
    """The uses that do not begin with a name that is bound."""
    return [use for use in uses if use[2].replace("::", ".").partition(".")[0] not in bound] if bound else uses


def _known(language: str, uses: Collection[Use], definitions: Sequence[Definition]) -> tuple[set[bytes], set[bytes]]:
    """The names that the file has for itself, and those of members of its classes."""
    tops, members = set[str](), set[str]()
    for _, kind, _, _, module, name, alias, _ in uses:
        if kind == "import" and name != "*":
            path = module.replace("\\", "/").replace("::", "/").split("/")[-1]
            itself = path.partition(".")[0] if language == "python" else path.rpartition(".")[2]
            tops.add(alias or name or (itself if language not in _BY_PATH else ""))
    functions = {one.qualified_name for one in definitions if one.kind in _FUNCTIONS}
    for one in definitions:
        if one.kind == "declaration" and one.parent in functions:
            continue  # a variable: `User user(1);`
        (members if one.kind == "method" else tops).add(one.name)
    return {one.encode() for one in tops if one}, {one.encode() for one in members}


def places_of(shown: bytes, tops: set[bytes], members: set[bytes], naming: Naming) -> list[int]:
    """Where words begin that are names of the file, or may be of another one, and not called there.

    At most `MAX_LOOKED_AT`, in order.
    """
    words = b" %b " % shown.translate(_WORDS_ALONE)
    each = words.split()
    wanted = tops if naming.unimported is None else tops.union(filter(naming.unimported.match, set(each)))
    if naming.tagged:
        wanted |= {word for tag, word in pairwise(each) if tag in naming.tagged}
    places: list[int] = []
    upto = 0
    for word in filter(wanted.__contains__, each):
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
    while parent is not None and _is_in_chain(parent, node, naming, 1):
        node, parent = parent, parent.parent  # `self.name`
    name = node
    while parent is not None and _is_in_chain(parent, node, naming, 0):
        node, parent = parent, parent.parent
    role = _role(parent, node, naming) if parent is not None else "passed"
    is_alone = node == name
    if role == "called":
        return role, None if is_alone else _part(node, naming.chains[node.type][0], naming)
    if role in _NOT_NAMED or (role == "passed" and is_alone):
        return "passed", None
    return role if role in _BINDING and is_alone and node.type in naming.words else "used", node


def _is_in_chain(parent: Node, node: Node, naming: Naming, end: int) -> bool:
    fields = naming.chains.get(parent.type)
    return fields is not None and _part(parent, fields[end], naming) == node


def _part(node: Node, field: str, naming: Naming) -> Node | None:
    """A child by its field; where it has none, by a place of `naming`."""
    if field[0] != _PLACE:
        return node.child_by_field_name(field)
    children = node.named_children
    if field == LABEL and len(children) == 1:
        return None
    if field == LAST:
        return children[-1]
    return next((child for child in children if child.type in naming.words or child.type in naming.chains), None)


def _role(parent: Node, node: Node, naming: Naming) -> str:
    """What a place makes of a name, as `Naming` has it; `used` where that says nothing."""
    above: Node | None = parent
    for _ in range(_MOST_ABOVE):
        if above is None:
            break
        kind = above.type
        for field, role in naming.roles.get(kind, _NOTHING).items():
            if not _stands_in(above, field, node, naming) or (node.type == _TYPE and role != "called"):
                continue
            if role != "own" or above.child_by_field_name("body"):
                return role
        if kind not in naming.lists:
            break
        node, above = above, above.parent
    return "used"


def _stands_in(above: Node, field: str, node: Node, naming: Naming) -> bool:
    """Whether a node is in that field of the one above, or in any where `field` is empty."""
    if not field:
        return True
    part = _part(above, field, naming)
    return part == node or (part is not None and field[0] != _PLACE and node in above.children_by_field_name(field))
