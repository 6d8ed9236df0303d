"""Write the places that an answer names in the one form that is checked.

In:  an answer's Markdown.
Out: the same, where `[a.py:9, 12]`, `[a.py, lines 9-10]`, `【./a.py: 9】`, `` [`a.py:9`](link) `` and, in its prose,
     `a.py:9` are `[a.py:first-last]`, each place for itself; `[the app](a.py#L9)` is `the app [a.py:9-9]`. Whether
     there are such lines is not looked at.

Code is left as it is, unless a span of it is nothing but a place. A bare place in a block of `>` lines is quoted.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from runtime.citation_form import CITATION, path_form, path_of

_INSIDE = r"[^\[\]\u3010\u3011\uff3b\uff3d\n]"
_DEEP = rf"\[(?:{_INSIDE}|\[{_INSIDE}{{0,200}}\]){{0,200}}\]"
_DASH = r"[-\u2010-\u2015\u2212]"
_LINES = rf"L?(?P<first>\d+)(?: ?(?:{_DASH}|~|\.\.|to) ?L?(?P<last>\d+))?"
_TIGHT = rf"L?(?P<first>\d+)(?:{_DASH}L?(?P<last>\d+))?"
# What is told apart from a port, a version or an hour by nothing but its look.
_ENDINGS = (
    "astro|bash|bat|c|cc|cfg|cjs|clj|cmake|conf|cpp|cs|css|csv|cxx|dart|edn|erl|ex|exs|fs|go|gradle|graphql|groovy|h|hbs|hh|hpp|hs|html?|hxx|"
    "ini|ipynb|java|jl|js|json|jsonc|jsx|kts?|less|lock|lua|m|md|mdx|mjs|mk|ml|mm|mod|mts|nim|nix|php|pl|properties|proto|ps1|py|pyi|pyx|r|"
    "rake|rb|rs|rst|s|sass|scala|scss|sh|sql|sum|svelte|swift|tf|toml|tsx?|txt|vue|xml|ya?ml|zig|zsh"
)
_NAMES = "Dockerfile|Makefile|Jenkinsfile|Gemfile|Rakefile|Procfile|LICENSE|README"
_PART = r"(?:[\w@$+~.-]|\[[\w.-]{1,60}\])"
_BARE = (
    r"(?:(?<![\w/:.@$+~-])|(?P<stars>\*{1,3}))(?=[\w@$+~./\[\]-]{1,600}+[*]{0,3}[:#]L?\d)"
    rf"(?P<bare>(?:{_PART}{{0,100}}/){{0,40}}(?:{_PART}{{1,100}}\.(?i:{_ENDINGS})|{_NAMES}))"
    rf"(?(stars)(?P=stars))(?::|#(?=L)){_TIGHT}(?::\d+)?(?!\d|/\w|\.\d)"
)
_PIECE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*(?:\n.*?(?:^[ \t]*(?P=fence)[`~]*|\Z)|\Z)"
    rf"|(?P<tick>`+)?[\[\u3010\uff3b](?P<inner>(?:{_INSIDE}|{_DEEP}){{1,1100}})[\]\u3011\uff3d](?(tick)(?P=tick))"
    r"(?P<link>\((?:<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?\))?"
    r"|(?P<code>`[^`\n]+`)"
    rf"|{_BARE}",
    re.MULTILINE | re.DOTALL,
)
_WHOLE = re.compile(_BARE)
_TARGET = re.compile(r"\([ \t]*<?/?(?P<path>[^\s<>()]+)")
# One of what stands in a pair of brackets: a path with lines, or more lines of the path before.
_ITEM = re.compile(
    r"(?:(?=[\dLl])|(?P<path>.+?)(?: ?[:\uff1a] ?|#(?=L)| ?,? ?\(?(?=(?i:\blines?|\bll?\.) ?\d)|,? (?=L\d)))"
    rf"(?:(?i:lines?|ll?\.) ?)?{_LINES}\)?(?: ?(?:[,;&]|\band\b) ?|$)"
)
_STRICT = re.compile(r":L?\d+(?:[ \t]?[-\u2013][ \t]?L?\d+)?\Z")
_LIKE_A_FILE = re.compile(rf"[^/]*/.*|.*\.[A-Za-z]\w{{0,9}}|{_NAMES}")
_PRODUCT = re.compile(r"[A-Z]\w*\.js")  # `Node.js:18` is a version of it
_SAID = re.compile(r"\blines? ?\d", re.IGNORECASE)
_NO_PATH = re.compile(r"[:\uff1a]L?\d|://")
_MARKS = "`*\"' \t"
_MOST = 9  # digits
_PASSES = 4


@dataclass(frozen=True)
class Mention:
    """Where a text names places, and which: (path, first line, last line). `said` is what stays of it before them."""

    start: int
    end: int
    places: tuple[tuple[str, int, int], ...]
    is_bare: bool
    said: str = ""


def spell_citations(answer: str) -> str:
    """The answer with each place that it names as `[path:first-last]`. Pure."""
    for _ in range(_PASSES):  # what stands around one may be another
        spelled = _spelled(answer)
        if spelled == answer:
            break
        answer = spelled
    return answer


def _spelled(answer: str) -> str:
    parts, at = [], 0
    for mention in mentions(answer):
        spelled = " ".join(f"[{path_form(path)}:{first}-{last}]" for path, first, last in mention.places)
        apart = " " if answer[mention.end : mention.end + 1] == "(" else ""  # else it would be read as a link
        parts += [answer[at : mention.start], mention.said, spelled, apart]
        at = mention.end
    return "".join([*parts, answer[at:]])


def mentions(text: str) -> Iterator[Mention]:
    """Every place that a reader of the text may take for one, in order. Pure."""
    at = 0
    while match := _PIECE.search(text, at):
        places, said = _places(match), ""
        if not places and match["link"] is not None and match["tick"] is None:
            places, said = _linked(match)
        if places:
            yield Mention(match.start(), match.end(), places, match["inner"] is None, said)
        is_code = match["fence"] is not None or match["code"] is not None
        at = match.end() if places or is_code or match["bare"] is not None else match.start() + 1


def _places(match: re.Match[str]) -> tuple[tuple[str, int, int], ...]:
    if match["inner"] is not None:
        return _listed(match["inner"], in_code=match["tick"] is not None)
    if match["code"] is not None:
        whole = _WHOLE.fullmatch(match["code"].strip("`").strip())
        return (_place(whole["bare"], whole),) if whole else ()
    if match["bare"] is None or _is_quoted(match):
        return ()
    return () if _is_version(match) else (_place(match["bare"], match),)


def _is_version(match: re.Match[str]) -> bool:
    return match["last"] is None and _PRODUCT.fullmatch(match["bare"]) is not None


def _is_quoted(match: re.Match[str]) -> bool:
    return match.string[: match.start()].rpartition("\n")[2].lstrip().startswith(">")


def _linked(match: re.Match[str]) -> tuple[tuple[tuple[str, int, int], ...], str]:
    """The place that a link leads to, and its words where they say more than its path; none for an image."""
    target = _TARGET.match(match["link"])
    whole = _WHOLE.fullmatch(unquote(target["path"])) if target is not None else None
    if whole is None or _is_version(whole) or _is_quoted(match) or match.string[: match.start()].endswith("!"):
        return (), ""
    place, words = _place(whole["bare"], whole), match["inner"].strip()
    return (place,), "" if words.strip(_MARKS) in {place[0], f"./{place[0]}"} else f"{words} "


def _listed(inner: str, *, in_code: bool) -> tuple[tuple[str, int, int], ...]:
    """The places between two brackets; none where anything else is there."""
    if (cited := CITATION.fullmatch(f"[{inner}]")) and path_form(path := path_of(cited["path"])) == cited["path"]:
        return ((path, int(cited["first"]), int(cited["last"])),)
    visible = inner if inner.isascii() else "".join(c for c in inner if unicodedata.category(c) != "Cf")
    seen = " ".join(visible.replace("`", "").split())
    places: list[tuple[str, int, int]] = []
    path, at = "", 0
    while at < len(seen):
        item = _ITEM.match(seen, at)
        path = item["path"] or path if item else ""
        if item is None or not path or _NO_PATH.search(path):
            return ()
        places.append(_place(path, item))
        at = item.end()
    if _STRICT.search(inner) and len(places) == 1:
        return tuple(places)
    # In a form of its own it has to look like a file: `[timeout: 30]` says a number.
    is_meant = _SAID.search(seen) or all(_LIKE_A_FILE.fullmatch(path) for path, _, _ in places)
    return tuple(places) if is_meant and not in_code else ()


def _place(path: str, lines: re.Match[str]) -> tuple[str, int, int]:
    named = path.strip(_MARKS)
    while named.startswith("./"):
        named = named[2:].lstrip("/")
    first = int(lines["first"][:_MOST])
    return path_of(named or path), first, int((lines["last"] or "")[:_MOST] or first)
