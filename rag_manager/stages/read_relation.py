"""Tell whether a question asks for a relation of the graph: who calls what, what depends on what.

In:  the question as it was typed.
Out: the relation and the name it is asked of, or None.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class RelationKind(StrEnum):
    """What is asked for: of `Router`, who calls it, what it calls, what inherits from it, …"""

    CALLERS = "callers"
    USES = "uses"  # who calls it, inherits from it, imports it or names it without a call
    CALLEES = "callees"
    HEIRS = "heirs"
    BASES = "bases"
    IMPORTERS = "importers"
    IMPORTS = "imports"
    DEPENDS = "depends"  # what it calls, inherits from and imports
    CONFIGURED = "configured"


@dataclass(frozen=True)
class Relation:
    """`name` is as written, without quotes and brackets."""

    kind: RelationKind
    name: str

    @property
    def last(self) -> str:
        """`send` of `Session.send`; a path keeps its folders."""
        return self._parts()[-1].lower()

    @property
    def owner(self) -> str:
        """`session` of `Session.send`; empty where nothing stands before."""
        parts = self._parts()
        return parts[-2].lower() if len(parts) > 1 else ""

    def _parts(self) -> list[str]:
        return [self.name] if "/" in self.name else re.split(r"\.|::|#|->", self.name)


_LONGEST = 300  # characters of a question that are looked at
_NAME = r"(?P<tick>[`'\"])?(?P<name>[\w$@][\w$]*(?:(?:\.|::|\#|->|/|-)[\w$]+)*)(?:\(\))?(?(tick)[`'\"])"
_KIND = r"(?:the |a |an )?(?:(?:function|method|class|module|file|package|interface|trait|struct|type|constructor)s? )?"
_KIND_AFTER = r"(?: (?:function|method|class|module|file|package|interface|trait|struct|type|constructor))?"
_OTHERS = r"(?:who|what|which(?: \w+){0,3}|where|list (?:all |the )?\w+ that|(?:all |the )?\w+ that)"
_END = r"(?: (?:in|inside|of|within) (?:this|the) (?:repository|repo|project|code ?base|code|library))?\s*[?.!]*\s*$"
_DO = r"(?:what(?: \w+){0,2}|which(?: \w+){0,3}) (?:does|do|is|are) "
_LIST = r"(?:(?:find|show|list|what (?:are|is)|which are|who are) )?(?:me )?(?:all )?(?:the )?"
_IS_AT = r"(?:where|from where|by (?:whom|what)|how often)(?: else)? (?:is|are|does|do) "


def _pattern(written: str) -> re.Pattern[str]:
    parts = {"NAME": f"{_KIND}{_NAME}{_KIND_AFTER}", "OTHERS": _OTHERS, "IS_AT": _IS_AT, "LIST": _LIST, "DO ": _DO}
    for short, whole in parts.items():
        written = written.replace(short, whole)
    return re.compile(rf"^\s*(?:please |and |so )?{written}{_END}", re.IGNORECASE)


_ASKED = {
    RelationKind.CALLERS: (
        r"OTHERS (?:calls?|invokes?|instantiates?|creates?|constructs?) NAME",
        r"IS_ATNAME (?:get )?(?:called|invoked|instantiated|created|constructed)(?: from)?",
        r"LIST(?:callers?|call ?sites?) of NAME",
    ),
    RelationKind.USES: (
        r"OTHERS uses? NAME",
        r"IS_ATNAME (?:get )?(?:used|referenced|mentioned)(?: from)?",
        r"LIST(?:usages?|uses|users|references) of NAME",
    ),
    RelationKind.CALLEES: (r"DO NAME (?:call|invoke|use)(?: internally)?", r"LISTcallees of NAME"),
    RelationKind.DEPENDS: (r"DO NAME (?:depend|rely|relies|build) (?:up)?on", r"LISTdependencies of NAME"),
    RelationKind.HEIRS: (
        r"OTHERS (?:inherits? from|extends?|implements?|subclass(?:es)?|derives? from) NAME",
        r"LIST(?:subclass(?:es)?|subtypes?|implementations?|implementers?|heirs|children) of NAME",
    ),
    RelationKind.BASES: (
        r"DO NAME (?:inherit from|extend|implement|derive from|subclass)",
        r"LIST(?:base ?class(?:es)?|superclass(?:es)?|parent(?: class(?:es)?)?|parents) of NAME",
    ),
    RelationKind.IMPORTERS: (
        r"OTHERS (?:imports?|includes?|requires?|depends? on|relies on) NAME",
        r"IS_ATNAME (?:imported|included|required)(?: from)?",
    ),
    RelationKind.IMPORTS: (r"DO NAME (?:import|include|require)",),
    RelationKind.CONFIGURED: (
        r"(?:where|in which files?) (?:is|are) NAME (?:configured|set(?: up)?)",
        r"how (?:is|are) NAME configured",
        r"(?:where|how) (?:do|does|can) (?:i|one|we|you) configure NAME",
    ),
}
_PATTERNS = tuple((kind, _pattern(written)) for kind, several in _ASKED.items() for written in several)


def read_relation(text: str) -> Relation | None:
    """Return what `text` asks of the graph. A name that nothing has is for the graph to find out. Pure."""
    for kind, pattern in _PATTERNS:
        found = pattern.match(text[:_LONGEST])
        if found is not None:
            return Relation(kind, found["name"])
    return None
