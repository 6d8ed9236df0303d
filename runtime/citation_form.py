"""How a citation is written in an answer: `[path:first-last]`.

In it a path is itself, but for signs that a reader of Markdown or of citations would take for something else: of these
the bytes are written in percent (`a%60b.py`), and a `%` that two hexadecimal digits follow is `%25`. So every path that
git allows has one form, no two have the same, and a form says one path. It is cited up to 1,024 signs of its form.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

_INSIDE = r"[^\[\]\n:`]|:(?!L?\d)"
_DEEPER = rf"\[(?:{_INSIDE}){{0,200}}\]"
PATH: Final = rf"(?:{_INSIDE}|\[(?:{_INSIDE}|{_DEEPER}){{0,200}}\]){{1,1024}}"
FORM: Final = rf"\[(?P<path>{PATH}):(?P<first>\d{{1,9}})-(?P<last>\d{{1,9}})\](?!\()"
CITATION: Final = re.compile(FORM)

# Balanced two deep, as FORM reads them.
_BALANCED = re.compile(r"(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,200}\])*")
# What is taken for lines, for marks around a path, for more paths than one, or for Markdown.
_MISREAD = re.compile(
    r"%(?=[0-9A-Fa-f]{2})|[`\\\"*<>&|~\u3010\u3011\uff3b\uff3d\uff1a]|:(?![A-KM-Za-km-z])|#(?=L)|\](?=[(\[])"
    r"|\A[' ]|[' ]\Z|(?<= ) |\A\.(?=/)|(?<=[ ,])L(?=\d)|\b[Ll](?=(?:(?i:ines?)|(?i:l)?\.) ?\d)"
    r"|\A[Ll]?\d(?=.*(?:[,;&]|\band\b))",
    re.DOTALL,
)


def path_form(path: str) -> str:
    """The path as citations have it. Pure."""
    spelled = _MISREAD.sub(lambda found: _percent(found[0]), path)
    shown = "".join(_percent(sign) if _is_hidden(sign) else sign for sign in spelled)
    return shown if _BALANCED.fullmatch(shown) else re.sub(r"[\[\]]", lambda found: _percent(found[0]), shown)


def path_of(form: str) -> str:
    """The path that a citation has as `form`; what is no form of any path is the path itself. Pure."""
    path = unquote(form)
    return path if path_form(path) == form else form


def _percent(signs: str) -> str:
    return "".join(f"%{byte:02X}" for byte in signs.encode("utf-8", "surrogatepass"))


def _is_hidden(sign: str) -> bool:
    """Whether it has no shape of its own or ends a line."""
    return sign != " " and unicodedata.category(sign)[0] in "CZ"
