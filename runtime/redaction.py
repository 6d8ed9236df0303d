"""The one redactor: whatever looks like a credential, and whatever is known to be one, is replaced by `[redacted]`.

Known are the secrets of the settings (`runtime/secret_files.py` hides each that it reads) and those that are in use at
this moment (`hidden`). The shapes are linear and capped in length: what is redacted may be hostile.
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import log2
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import re2

from runtime.environment_files import secrets_set

MARK = "[redacted]"
_LEAST = 8  # characters: a shorter literal would blot out ordinary words


class _Shape(NamedTuple):
    """How a kind of credential is recognised: a text that its `sign` is nowhere in (in small letters) has none.

    What `form` has as its group `kept` stays; so does all of it where `is_one` says that it is none.
    """

    sign: str
    form: re.Pattern[str]
    is_one: Callable[[str], bool] = lambda _found: True


def _shape(form: str, sign: str) -> _Shape:
    return _Shape(sign, re.compile(form))


def _names_somebody(found: str) -> bool:
    """Whether what stands behind “Basic” is a name and a password, and no word."""
    _, raw = found.split()
    try:
        return ":" in base64.b64decode(raw.translate(_PLAIN) + "=" * (-len(raw) % 4), validate=True).decode()
    except ValueError:
        return False


def _is_made_up_by_nobody(found: str) -> bool:
    """Whether what a program sets a password or key to was drawn by chance, by its look."""
    value = re.split("[\"'`]", found)[-1]
    kinds = [sum(map(is_one, value)) for is_one in (str.islower, str.isupper, str.isdigit, _MARKS.__contains__)]
    drawn = sum(map(bool, kinds)) > 2 or (len(value) >= 20 and kinds[2] > 3 and kinds[3] == 0)
    bits = -sum(n / len(value) * log2(n / len(value)) for n in Counter(value).values())
    return drawn and kinds[2] > 0 and bits > 2.7 and _MEANT.search(value.casefold()) is None


_MARKS = frozenset("!@#^&*+=/?~,;%$")
# A template, an address, a name in a program, or a word that says it is none.
_MEANT = re.compile(
    r"[{}<>()\[\]|\\]|://|%[(sdv]|\.\.\.|\*\*|x{4}|^[./~$]|"
    "example|change_?me|your|placeholder|dummy|redacted|passw|secret|token|test|sample|insecure|fake|1234|abcd"
)
_WORDS = "[sr]k_(?:live|test)|whsec|npm|hf|do[opr]_v1|shp(?:at|ca|pa|ss)|gsk|lin_api"
_PIECE = r"[A-Za-z0-9_\-]{16,}"
_SET = (
    r"(?:secret|passwo?r?d|passphrase|pwd|api[_-]?key|token)(?:[_-]?(?:access[_-]?key|key|base|value|string|[0-9]))?"
    r"[\"']?[ \t]*(?::[ \t]?str(?:ing)?[ \t]*)?(?:={1,3}|:=|=>|:)[ \t]*[bru@]?[\"'`]"
)
_PLAIN = str.maketrans("-_", "+/")
_BETWEEN = r"""(?:\\[nrt]|[\s"',;+#*|>])"""  # the lines of a key that stands in a program
_LINE = r"[A-Za-z0-9+/=]{16,}+|(?<=\n)[A-Za-z0-9+/=]++(?=\s|\Z)(?![ \t]+\S)|[A-Z][A-Za-z\-]{2,30}: [^\n]{1,200}"
_ASKED = ("access_token", "refresh_token", "id_token", "client_secret", "token", "code", "state", "password", "api_key")
# Those that hold others first. A form begins with letters, which is what is looked for first: what must not stand
# before them is asked behind them. Words are spared that no generator makes: without a capital or a digit.
_SHAPES = (
    _shape(
        # What is no line of a key ends it: a program that looks for a key's first line goes on behind it.
        rf"-----BEGIN [A-Z ]{{0,40}}PRIVATE KEY-----(?:{_BETWEEN}*+(?:{_LINE})){{1,2000}}+"
        rf"(?:{_BETWEEN}*+[A-Za-z0-9+/=]{{0,40}}+{_BETWEEN}*+-----END [A-Z ]{{0,40}}PRIVATE KEY-----)?",
        "private key-----",
    ),
    _shape(r"""(?P<kept>://)[^/\s"'<>]{1,512}(?=@)""", "://"),  # user and password of an address
    _shape(  # not “bearer TokenValidationParameters”
        r"[Bb](?i:earer)[ \t]+(?=[A-Za-z._~+/\-]{0,200}[0-9=])[A-Za-z0-9._~+/=\-]{8,}", "bearer"
    ),
    _Shape("basic", re.compile(r"[Bb](?i:asic)[ \t]+[A-Za-z0-9+/=\-_]{8,}"), _names_somebody),
    _shape(
        rf"""(?P<kept>[?&](?:{"|".join(_ASKED)})=)[^&\s"'<>]{{6,}}""",
        "(?:token|secret|code|state|password|api_key)=",
    ),
    _shape(r"""(?P<kept>__(?:Host|Secure)-[A-Za-z_]{1,40}=)[^;\s"']{6,}""", "__(?:host|secure)-"),
    # `ghs_<app>_<JWT>` has no fixed length.
    _shape(r"gh[opsur]_[A-Za-z0-9_.\-]{10,}", "gh[opsur]_"),
    _shape(r"github_pat_[A-Za-z0-9_]{10,}", "github_pat_"),
    _shape(r"gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[A-Za-z0-9_.\-]{16,}", "gl"),  # GitLab
    _shape(r"AT(?:BB|ATT|CTT)[A-Za-z0-9_\-=]{16,}", "at(?:bb|att|ctt)"),  # Bitbucket
    _shape(  # model providers; not “task-”
        r"sk-(?<![a-z][a-z]sk-)(?=[a-z_\-]{0,200}[A-Z0-9])[A-Za-z0-9_\-]{10,}", "sk-"
    ),
    _shape(  # our own keys and links
        r"rs[krli]_(?=[a-z_.\-]{0,200}[A-Z0-9])[A-Za-z0-9_.\-]{8,}", "rs[krli]_"
    ),
    _shape(r"xox[abeoprs]-[A-Za-z0-9\-]{10,}", "xox"),
    _shape(r"A(?:KIA|SIA)[0-9A-Z]{16}", "a(?:kia|sia)"),
    _shape(r"AIza[A-Za-z0-9_\-]{30,}", "aiza"),
    _shape(  # a JWT; begun once in a run
        r"eyJ(?<![A-Za-z0-9_\-]eyJ)[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*", "eyj"
    ),
    _shape(  # Stripe, npm, Hugging Face, DigitalOcean, Shopify, Groq, Linear
        rf"(?<![A-Za-z0-9])(?:{_WORDS})_(?=[A-Za-z]{{0,80}}[0-9])[A-Za-z0-9]{{16,}}", f"(?:{_WORDS})_[a-z0-9]"
    ),
    _shape(  # PyPI, SendGrid, Google, Vault
        rf"(?<![A-Za-z0-9])(?:pypi-Ag|SG\.{_PIECE}\.|GOCSPX-|ya29\.|hvs\.){_PIECE}",
        r"pypi-ag|sg\.[a-z0-9]|gocspx-|ya29\.|hvs\.",
    ),
    _shape(r"(?P<kept>hooks\.slack\.com/[a-z]{1,20}/)[A-Za-z0-9_\-/]{20,}", r"hooks\.slack\.com/"),
    _shape(
        r"(?P<kept>(?i:aws_?secret_?access_?key)[\"']?[ \t]{0,20}[:=][ \t]{0,20}[\"']?)"
        r"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])",
        "aws_?secret_?access_?key",
    ),
    _Shape(_SET, re.compile(rf"(?i:(?P<kept>{_SET})[^\s\"'`]{{8,200}}(?=[\"'`]))"), _is_made_up_by_nobody),
)


def _signs() -> re2.Set:
    """All signs, to be looked for together, once and without going back (in bytes, whatever they are)."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    signs = re2.Set.SearchSet(options)
    for shape in _SHAPES:
        signs.Add(shape.sign.encode())
    signs.Compile()
    return signs


_SIGNS = _signs()


class _Known:
    """Literal secrets, by how many want them hidden; the pattern is made anew where one comes or goes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.pattern: re.Pattern[str] | None = None

    def change(self, forms: frozenset[str], by: int) -> None:
        with self._lock:
            self._counts.update(dict.fromkeys(forms, by))
            self._counts = +self._counts
            longest_first = sorted(self._counts, key=len, reverse=True)
            self.pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


_known = _Known()


def redact(text: str) -> str:
    """`text` with whatever looks like a credential, or is a hidden secret, replaced by `[redacted]`."""
    return _redacted(text, lambda _hidden: MARK)


def redact_lines(text: str, path: str = "") -> str:
    """As `redact`, of as many lines as before: each line that a secret of several lines stands in has a mark.

    `path` is that of the file that they are of: what a `.env` sets a password to is known by that alone.
    """
    told = _redacted(text, lambda hidden: "\n".join([MARK] * (hidden.count("\n") + 1)))
    for value in reversed([*secrets_set(told, path, _is_made_up_by_nobody)]):
        told = told[: value.start] + MARK + told[value.end :]
    return told


def secrets_of(text: str, path: str) -> tuple[str, ...]:
    """What `redact_lines` knows as secrets by the file's `path` alone, the longest first."""
    return tuple(sorted({value.said for value in secrets_set(text, path, _is_made_up_by_nobody)}, key=len)[::-1])


def redact_all(value: object) -> object:
    """`value` with every text in it redacted; for any other object, its `repr` where that has one."""
    if isinstance(value, str):
        return redact(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redact(str(key)): redact_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_all(item) for item in value]
    said = repr(value)
    clean = redact(said)
    return value if clean == said else clean


def hide(secret: str) -> None:
    """From now on, redact `secret` wherever it appears, for as long as the process lives."""
    _known.change(_forms(secret), 1)


@contextmanager
def hidden(secret: str) -> Iterator[None]:
    """Redact `secret` wherever it appears, for as long as this is held."""
    forms = _forms(secret)
    _known.change(forms, 1)
    try:
        yield
    finally:
        _known.change(forms, -1)


def _redacted(text: str, marked: Callable[[str], str]) -> str:
    """`text` with `marked` in place of each secret."""

    def said(match: re.Match[str], is_one: Callable[[str], bool] = lambda _found: True) -> str:
        if not is_one(match[0]):
            return match[0]
        kept = match["kept"] if "kept" in match.re.groupindex else ""
        return kept + marked(match[0][len(kept) :])

    if (pattern := _known.pattern) is not None:
        text = pattern.sub(said, text)
    small = text.casefold()
    for number in sorted(_SIGNS.Match(small.encode("utf-8", "replace")) or ()):
        shape = _SHAPES[number]
        text = shape.form.sub(partial(said, is_one=shape.is_one), text)
    return text


def _forms(secret: str) -> frozenset[str]:
    """How a secret may appear: as it is, escaped, in base64; of an address only its password; of a list each item."""
    parts = {secret, *secret.split(",")}
    if "://" in secret:
        parts = {_password(secret)}
    stripped = {part.strip() for part in parts if len(part.strip()) >= _LEAST}
    return frozenset(
        form
        for part in stripped
        for form in (part, quote(part, safe=""), unquote(part), base64.b64encode(part.encode()).decode())
        if len(form) >= _LEAST
    )


def _password(url: str) -> str:
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return url
    return password if len(password) >= 12 else ""  # a short one is found by its place in the address
