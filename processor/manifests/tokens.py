"""The tokens and statements of manifests that are programs: Gradle, Gemfile, mix.exs, Package.swift, Terraform.

Nothing is executed and nothing is computed: what is written out is found, in linear time, whatever else is in the file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from processor.manifests.model import Text

_MOST_CHARACTERS = 200_000
_MAX_DEPTH = 50
_MOST_INSIDE = 20_000  # tokens that calls around a call repeat
# What is not closed ends with its line, or with the text: a search for the end from each beginning would be quadratic.
_STRINGS = (
    r"\"\"\"(?P<long>(?:[^\"\\]|\\.?|\"(?!\"\"))*+)(?:\"\"\"|\Z)"
    r"|\"(?P<double>(?:[^\"\\\n]|\\.?)*+)(?:\"|(?=\n)|\Z)"
)
_SINGLE = r"|'(?P<single>(?:[^'\\\n]|\\.?)*+)(?:'|(?=\n)|\Z)"
_REST = r"|(?P<word>[@$:]?[A-Za-z_][\w.?!-]*)|(?P<number>\d[\w.]*)|(?P<arrow>=>|->|<-)|(?P<mark>[^\s\w])|(?P<end>\n)"
_PERCENT = "".join(
    rf"|%[qQ]{re.escape(opens)}(?P<{name}>[^{re.escape(shuts)}\n]*+)(?:{re.escape(shuts)}|(?=\n)|\Z)"
    for name, opens, shuts in (("angle", "<", ">"), ("round", "(", ")"), ("square", "[", "]"), ("curly", "{", "}"))
)
_HASH = r"\#[^\n]*|"
_SLASHES = r"//[^\n]*|/\*.*?(?:\*/|\Z)|"
_OPEN, _SHUT = frozenset("([{"), frozenset(")]}")

HASH = re.compile(_HASH + _STRINGS + _SINGLE + _REST, re.DOTALL)  # Elixir, Meson, Python
RUBY = re.compile(_HASH + _STRINGS + _SINGLE + _PERCENT + _REST, re.DOTALL)
SLASHES = re.compile(_SLASHES + _STRINGS + _SINGLE + _REST, re.DOTALL)  # Gradle, Swift
BOTH = re.compile(_HASH + _SLASHES + _STRINGS + _REST, re.DOTALL)  # Terraform
_NAMES = frozenset(("word", "text"))
_KINDS = dict.fromkeys(("long", "double", "single", "angle", "round", "square", "curly"), "text") | {"arrow": "mark"}


class Token(NamedTuple):
    """`kind` is text (a string's contents), word, number, mark or end (of a line)."""

    kind: str
    value: str
    line: int


@dataclass(frozen=True)
class Statement:
    """The tokens of one statement, and the words before the blocks around it, outermost first."""

    tokens: tuple[Token, ...]
    blocks: tuple[tuple[str, ...], ...] = ()

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.tokens[0].line

    @property
    def head(self) -> str:
        """Its first word; empty where it begins otherwise."""
        return self.tokens[0].value if self.tokens[0].kind == "word" else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The strings in it."""
        return tuple(token.value for token in self.tokens if token.kind == "text")

    def is_in(self, block: str) -> bool:
        """Whether one of the blocks around it begins with this word."""
        return any(words[0] == block for words in self.blocks if words)


def tokens(text: Text, style: re.Pattern[str]) -> Iterator[Token]:
    """The tokens of a text; comments and blanks are left out. Raises ValueError where it is too long."""
    if len(text.content) > _MOST_CHARACTERS:
        raise ValueError(f"longer than {_MOST_CHARACTERS:,} characters")
    for match in style.finditer(text.content):
        if (group := match.lastgroup) is not None:
            yield Token(_KINDS.get(group, group), match[group], text.line_at(match.start()))


def statements(found: Iterable[Token]) -> Iterator[Statement]:
    """Statements of languages with braces: each ends with its line, unless a parenthesis or a bracket is open.

    A statement before `{` is yielded, and names the block; so it is with `name = {`.
    """
    current: list[Token] = []
    blocks: list[tuple[str, ...]] = []
    depth = 0
    for token in found:
        mark = token.value if token.kind == "mark" else ""
        if depth or not (token.kind == "end" or (mark and mark in "{};")):
            depth = max(0, depth + (mark in {"(", "["}) - (mark in {")", "]"}))
            current += [token] if token.kind != "end" else []
            continue
        if current:
            yield Statement(tuple(current), tuple(blocks))
        if mark == "{" and len(blocks) < _MAX_DEPTH:
            blocks.append(tuple(one.value for one in current if one.kind in {"word", "text"}))
        elif mark == "}" and blocks:
            blocks.pop()
        current = []
    if current:
        yield Statement(tuple(current), tuple(blocks))


class Call(NamedTuple):
    """A call: its name, what is between its parentheses (or brackets), and the names of those around it."""

    mark: str
    name: str
    line: int
    inside: tuple[Token, ...]
    around: tuple[str, ...]


def calls(found: Iterable[Token]) -> Iterator[Call]:
    """The calls `name(…)` of a program, the inner ones first. A list `name: […]` or `name = […]` counts as one."""
    stack: list[tuple[str, str, int, list[Token]]] = []
    before: list[Token] = []
    for token in found:
        if token.kind == "end":
            continue
        if token.kind == "mark" and token.value in _OPEN and len(stack) < _MAX_DEPTH:
            named = _name(before)
            stack.append((token.value, named, before[-1].line if named else token.line, []))
            before = []
            continue
        if token.kind == "mark" and token.value in _SHUT and stack:
            mark, name, line, inside = stack.pop()
            yield Call(mark, name, line, tuple(inside), tuple(outer[1] for outer in stack))
            if stack and sum(len(outer[3]) for outer in stack) < _MOST_INSIDE:
                stack[-1][3].extend(inside)
            before = []
            continue
        before = [*before[-1:], token]
        if stack:
            stack[-1][3].append(token)


def _name(before: list[Token]) -> str:
    if before and before[-1].kind == "word":
        return before[-1].value
    if len(before) > 1 and before[-1].kind == "mark" and before[-1].value in ":=" and before[-2].kind in _NAMES:
        return before[-2].value
    return ""


def argument(call: Iterable[Token], name: str) -> str:
    """The text after `name:`, `name =` or `name =>`; empty where there is none."""
    listed = list(call)
    for at, token in enumerate(listed[:-1]):
        if token.kind == "word" and token.value.rstrip(":").lstrip(":") == name:
            ahead = listed[at + 1 : at + 3]
            if ahead[0].kind == "text":
                return ahead[0].value
            if (
                len(ahead) > 1
                and ahead[0].kind == "mark"
                and ahead[0].value in {":", "=", "=>"}
                and ahead[1].kind == "text"
            ):
                return ahead[1].value
    return ""
