"""Colour source code: runs of text with one of seven kinds, line by line. Markup is made of it elsewhere.

In:  a text and its language or path.
Out: for each line its (kind, text) runs; the kind is empty where there is nothing to colour.
"""

from contextlib import suppress
from typing import TypeAlias

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType
from pygments.util import ClassNotFound

from web_ui.words import visible

Run: TypeAlias = tuple[str, str]
_LARGEST = 200_000  # characters; above it the text is shown plain rather than late

_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "comment"),
    (Keyword.Type, "type"),
    (Keyword, "keyword"),
    (Name.Function, "function"),
    (Name.Class, "type"),
    (Name.Decorator, "function"),
    (Name.Builtin, "type"),
    (Name.Tag, "keyword"),
    (String, "string"),
    (Number, "number"),
)


def highlight(text: str, *, language: str | None = None, path: str | None = None) -> list[list[Run]]:
    """The coloured lines of a text. Pure; a language nobody knows gives plain lines."""
    lines: list[list[Run]] = [[]]
    for token, value in _lexer(text, language, path).get_tokens(visible(text)):
        kind = next((kind for parent, kind in _KINDS if _is_a(token, parent)), "")
        for index, piece in enumerate(value.split("\n")):
            if index:
                lines.append([])
            if piece:
                _join(lines[-1], kind, piece)
    wanted = text.count("\n") + 1
    return (lines + [[] for _ in range(wanted)])[:wanted]


def _is_a(token: _TokenType, parent: _TokenType) -> bool:
    return token[: len(parent)] == tuple(parent)


def _join(runs: list[Run], kind: str, text: str) -> None:
    if runs and runs[-1][0] == kind:
        runs[-1] = (kind, runs[-1][1] + text)
    else:
        runs.append((kind, text))


def _lexer(text: str, language: str | None, path: str | None) -> Lexer:
    if len(text) <= _LARGEST:
        with suppress(ClassNotFound):
            if language:
                return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
        with suppress(ClassNotFound):
            if path:
                return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    return TextLexer(stripnl=False, ensurenl=False)
