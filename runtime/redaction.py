"""The one redactor: whatever looks like a credential, and whatever is known to be one, is replaced by `[redacted]`.

Known are the secrets of the settings (`runtime/secret_files.py` hides each that it reads) and those that are in use at
this moment (`hidden`). The shapes are linear and capped in length: what is redacted may be hostile.
"""

import base64
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, unquote, urlsplit

MARK = "[redacted]"
_LEAST = 8  # characters: a shorter literal would blot out ordinary words

_SHAPES = re.compile(
    r"""(?<=://)[^/\s"'<>]{1,512}(?=@)"""  # user and password of an address
    r"|gh[opsur]_[A-Za-z0-9_.\-]{10,}|github_pat_[A-Za-z0-9_]{10,}"  # `ghs_<app>_<JWT>` has no fixed length
    r"|gl[a-z]{2,6}-[A-Za-z0-9_.\-]{16,}|AT(?:BB|ATT|CTT)[A-Za-z0-9_\-=]{16,}"  # GitLab, Bitbucket
    r"|sk-[A-Za-z0-9_\-]{10,}|rs[krli]_[A-Za-z0-9_.\-]{8,}"  # model providers; our own keys and links
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}|A(?:KIA|SIA)[0-9A-Z]{16}|AIza[A-Za-z0-9_\-]{30,}"
    r"|(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"  # a JWT; begun once in a run
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/=\-]{8,}"
    r"|(?i:basic)\s+(?=[A-Za-z+/]{0,200}[0-9=]|[A-Za-z][a-z]{0,200}[A-Z])[A-Za-z0-9+/=\-_]{8,}"  # not “basic knowledge”
    r"|(?P<kept>[?&](?:access_token|refresh_token|id_token|client_secret|token|code|state|password|api_key)=)"
    r"""[^&\s"'<>]{6,}"""
    r"""|(?P<cookie>__(?:Host|Secure)-[A-Za-z_]{1,40}=)[^;\s"']{6,}"""
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
)


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
    if (pattern := _known.pattern) is not None:
        text = pattern.sub(MARK, text)
    return _SHAPES.sub(_replacement, text)


def redact_lines(text: str) -> str:
    """As `redact`, of as many lines as before: what a secret of several lines stood in is marked line by line."""
    lines, told = text.split("\n"), redact(text).split("\n")
    if len(lines) == len(told):
        return "\n".join(told)
    first = next(place for place, (line, now) in enumerate(zip(lines, told, strict=False)) if line != now)
    pairs = zip(reversed(lines[first:]), reversed(told[first:]), strict=False)
    last = next((place for place, (line, now) in enumerate(pairs) if line != now), len(told) - first)
    hidden = [MARK] * (len(lines) - first - last)
    return "\n".join([*lines[:first], *hidden, *lines[len(lines) - last :]])


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


def _replacement(match: re.Match[str]) -> str:
    return f"{match['kept'] or match['cookie'] or ''}{MARK}"


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
