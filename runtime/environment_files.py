"""What files of environment variables (`.env`) set keys, tokens and passwords to: it has no form of its own. Pure.

A value is no secret where it is empty, a placeholder (`changeme`, `your-key`), a reference (`${KEY}`), a path or an
address, or, of a key or a token, a plain word or number: there are cache keys and numbers of tokens.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# No programs: `config.env.ts` is one.
_FILE = re.compile(
    r"(?:^|/)[^/]{0,200}\.(?:flask)?env(?:rc|[._\-][\w.\-]{0,60})?\Z"
    r"(?<!\.(?:js|ts|py|rb|go|rs|cs|md))(?<!\.(?:jsx|tsx|php|lua))(?<!\.(?:json|java))",
    re.IGNORECASE,
)
_SHOWS_WHAT_TO_SET = re.compile(
    r"[._\-](?:example|sample|template|dist|defaults?|tpl|tmpl)(?:[._\-][^/]*)?\Z", re.IGNORECASE
)
_VARIABLE = re.compile(
    r"^[ \t]*(?:#[ \t]*)?(?:export[ \t]+)?"
    r"(?P<name>\w{0,100}(?P<kind>KEY|TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE)(?:_BASE|_?\d)?)[ \t]*=[ \t]*"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[^\r\n]{0,2000}?)(?P=quote)|(?P<bare>[^\s#][^\r\n]{0,2000}))",
    re.IGNORECASE | re.MULTILINE,
)
_BEHIND = re.compile(r"[ \t]+(?:#.*)?\Z|[ \t]+#.*\Z")  # blanks, and a comment
_NO_VALUE = re.compile(
    r"\A\$[a-z_]\w*\Z|\$[{(]|\A%\w+%\Z|\A[.~]{0,2}/|<[^<>]*>|\{\{|://|\.\.\.|\*\*|x{4}|\[redacted\]|"
    r"change[_-]?(?:me|it|this)|your|placeholder|dummy|example|replace|todo|insert[_-]|"
    r"\A(?:none|null|true|false|undefined|unset|test|default|root|admin|postgres|mysql)\Z|"
    r"\A(?:enabled?|disabled?|yes|no|on|off|always|never|optional|required|auto)\b|"
    r"\A(?:super|my)?[_-]?(?:secret|password|token|key)\Z"
)
_PLAIN = re.compile(
    r"[a-z]{1,19}|[a-z]+(?:[._\-][a-z]+)+|[a-z]+(?:[A-Z][a-z]{2,}){1,4}|[a-z]{2,}(?:Id|Key)|[A-Z]+(?:_[A-Z]+)*|\d{1,12}|"
    r"(?:[A-Z][a-z]+\+)+\w+"
)
_LEAST = 4  # characters


class Value(NamedTuple):
    """A secret's place in a text."""

    start: int
    end: int
    said: str


def secrets_set(text: str, path: str, is_drawn: Callable[[str], bool]) -> Iterator[Value]:
    """The secrets in a file at `path`, or in some lines of it, in order; none where it is no file of variables.

    Of one that shows what to set (`.env.example`), those alone that `is_drawn` says were drawn by chance.
    """
    if _FILE.search(path) is None:
        return
    shows = _SHOWS_WHAT_TO_SET.search(path) is not None
    for match in _VARIABLE.finditer(text):
        group = "quoted" if match["bare"] is None else "bare"
        said = _BEHIND.sub("", match["bare"]) if group == "bare" else match["quoted"]
        if _is_secret(match["name"].upper(), match["kind"].upper(), said) and (not shows or is_drawn(said)):
            yield Value(match.start(group), match.start(group) + len(said), said)


def _is_secret(name: str, kind: str, said: str) -> bool:
    if len(said) < _LEAST or "PUBLIC" in name or "PUBLISHABLE" in name or _NO_VALUE.search(said.casefold()):
        return False
    return kind not in {"KEY", "TOKEN"} or _PLAIN.fullmatch(said) is None
