"""Read who wrote a commit, when, and what it says.

In:  the bytes of a commit object.
Out: the author's date and the subject line.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_MAX_SUBJECT = 200
_AUTHOR = re.compile(rb"^author [^\n]*> (-?\d{1,12}) ([+-])(\d{2})(\d{2})$", re.MULTILINE)
_BLANKS = re.compile(r"\s+")


def read_commit(commit: bytes) -> tuple[datetime | None, str]:
    """The author's date (None where it is nonsense) and the subject, cleaned of whatever does not print."""
    header, _, message = commit.partition(b"\n\n")
    first = message.strip(b"\n").partition(b"\n\n")[0][: _MAX_SUBJECT * 4].decode("utf-8", "replace")
    printable = "".join(char if char.isprintable() else " " for char in first)
    return _authored_at(header), _BLANKS.sub(" ", printable).strip()[:_MAX_SUBJECT]


def _authored_at(header: bytes) -> datetime | None:
    found = _AUTHOR.search(header)
    if found is None:
        return None
    seconds, sign, hours, minutes = int(found[1]), found[2], int(found[3]), int(found[4])
    try:
        offset = timedelta(hours=hours, minutes=minutes) * (1 if sign == b"+" else -1)
        return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(offset))
    except (ValueError, OverflowError, OSError):
        return None
