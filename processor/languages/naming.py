"""How the tree of a language tells names apart: where one is new, where it is used, where it is neither.

A place is a node's type and the field of it that a name is in (`type.field`), or `type` for any of its fields. Where a
grammar has no field for it: `type.#first` is the first name in it, `type.#last` its last child, and `type.#label` the
first name where something follows it.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

FIRST, LAST, LABEL = "#first", "#last", "#label"


class Naming(NamedTuple):
    """One language's. In `words` names stand; `chains` ask a thing (first field) for a name (second field).

    `roles` are by a node's type and a field of it (empty: any), the first that fits: a name there is `new` in the
    function around; `generic`, new in all that stands there (a type that is given, a field); `called`; or `passed`, for
    it names what stands there, or is a label. `own` is passed where the node has a body, `none` with what is asked of
    it, too. `lists` stand between a place and the names in it. Words that `unimported` matches may be names of other
    files, without an import.
    """

    words: frozenset[str]
    chains: Mapping[str, tuple[str, str]]
    roles: Mapping[str, Mapping[str, str]]
    lists: frozenset[str] = frozenset()
    unimported: re.Pattern[bytes] | None = None
    within: bytes = b""  # what stands between a name and that in which it is, besides a dot
    tagged: frozenset[bytes] = frozenset()  # words after which a type of any file is named


def roles_of(**places: str) -> Mapping[str, Mapping[str, str]]:
    """The roles of places that are written as `type.field` or `type`, with blanks between them."""
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for role, written in places.items():
        for kind, _, field in (one.partition(".") for one in written.split()):
            roles[kind][field] = role
    return dict(roles)


TYPES = re.compile(rb"[A-Z]")  # how most languages spell types
