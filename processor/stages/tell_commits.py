"""Say what earlier commits tell of the files that they changed: a later search meets their words, and not only code's.

In:  commits, newest first, with the paths that their files have now.
Out: a row for each that says something of few files; without secrets, people's addresses and trailers.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from events.artifacts import CommitRow
from processor.stages.read_history import Commit
from runtime.redaction import redact

MOST_TOLD = 2_000  # commits whose messages are kept, merges aside
MOST_FILES = 30  # of one commit: a larger one is a sweep through the repository, and tells of no file
_SUBJECT, _MESSAGE = 300, 500  # characters
_TRAILER = re.compile(r"^[ \t]*[A-Za-z][A-Za-z-]{1,40}-(?:by|id|to):.*$", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"<?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+>?")


def tell_commits(commits: Iterable[tuple[Commit, Sequence[str]]]) -> tuple[CommitRow, ...]:
    """Return the rows of those that say something of at most `MOST_FILES` files. Pure."""
    return tuple(_rows(commits))


def what_is_said(message: str) -> tuple[str, str]:
    """The subject of a commit's message, and what is said besides; each one line of printable characters. Pure.

    The subject is git's: all lines up to the first empty one.
    """
    said = _ADDRESS.sub(" ", _TRAILER.sub("", redact(message)))
    subject, _, more = said.strip().partition("\n\n")
    return _line(subject, _SUBJECT), _line(more, _MESSAGE)


def _rows(commits: Iterable[tuple[Commit, Sequence[str]]]) -> Iterator[CommitRow]:
    for number, (commit, paths) in enumerate(commits):
        subject, message = what_is_said(commit.message)
        if (subject or message) and 0 < len(paths) <= MOST_FILES:
            yield CommitRow(number=number, commit=commit.commit, subject=subject, message=message, paths=sorted(paths))


def _line(text: str, most: int) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:most].rstrip()
