"""Make a question in a conversation one that can be searched for alone.

In:  a question and the earlier turns, oldest first, as (question, answer).
Out: the question, with what it is about where it points back (`And who calls it?`); as it is where it stands alone.

The rules know English. A question in another language is left as it is: there a model helps, where one is configured.
"""

import re
from collections.abc import Iterable, Sequence

from ai_engine.stages.terms import terms_of
from runtime.citation_form import CITATION

LONGEST = 500  # characters of what is searched for
_MOST = 6  # names that are carried along
_FROM_ANSWER = 2  # an answer names much; what it names first is mostly what was asked for
_LONGEST_NAME = 80
# A span of code, or a word with what joins the parts of paths and dotted names. Linear: texts come from anybody.
_WORD = re.compile(r"`([^`\n]{2,80})`|(\w[\w./:-]*)(\(\))?")
_JOINED = re.compile(r"\w[./:]+\w|_|[a-z0-9][A-Z]")
_ABBREVIATED = frozenset({"e.g", "i.e"})
_HERE = r"(?:repo|repository|project|code|codebase|package|library|app|application|program|tool)\b"
_BACK = re.compile(
    rf"\b(?:its?|they|them|their|these|those|former|latter|he|she|same|above|previous)\b|\bthis\b(?!\s+{_HERE})"
    rf"|\bthat(?=\s*(?:[?.!,;]|$|\s(?:one|function|class|method|file|module|variable|value|test|error|line|option)\b))"
    r"|^\s*(?:and|but|or|so|then|also|what about|how about|why|how so|where|when|who)\b[\s?.!]*$"
    r"|^\s*(?:and|but|so|then|also|what about|how about)\b",
    re.IGNORECASE,
)


_POSSESSIVE = frozenset({"its", "their"})
_OWN_SUBJECT = re.compile(r"\b(?:the|an?|each|every)\s+\w|(?<=\s)[A-Z]\w", re.ASCII)


def points_back(question: str) -> bool:
    """Whether a question may be about what was said before. Pure."""
    own = _OWN_SUBJECT.search(question)  # what something belongs to: `How does the parser keep its state?`
    named_at = own.end() if own else len(question)
    back = (match[0].lower() not in _POSSESSIVE or match.start() < named_at for match in _BACK.finditer(question))
    return any(back) or not terms_of(question)


def may_point_back(question: str) -> bool:
    """The same where the rules are no help, too: they read English alone. Pure."""
    return not question.isascii() or points_back(question)


def standalone_question(question: str, history: Sequence[tuple[str, str]]) -> str:
    """The question with the names or words it points back to. Pure."""
    if not history or not points_back(question):
        return question
    subject: tuple[str, ...] = ()
    for asked, answered in history:
        subject = _subject(asked, answered, subject)
    known = question.lower()
    missing = [name for name in subject if name.lower() not in known]
    return f"{question.strip()} (about {', '.join(missing)})"[:LONGEST] if missing else question


def one_line(reply: str) -> str | None:
    """A model's rewriting as a question to search for; None where it is none. Pure."""
    kept = reply.replace("\0", "").encode("utf-8", "replace").decode()  # what a log can hold
    text = " ".join(kept.strip().strip('"`').split())
    return text if terms_of(text) and len(text) <= LONGEST else None


def _subject(asked: str, answered: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """What a conversation is about after a turn: what was named in it, then what its question pointed back to."""
    kept = before if points_back(asked) else ()
    named = [*_names(asked)] or [term for term in terms_of(asked) if len(term) > 2 and not kept]
    told = [*_names(CITATION.sub("", answered))][:_FROM_ANSWER]
    return tuple(dict.fromkeys([*named[:_MOST], *told, *kept]))[:_MOST]


def _names(text: str) -> Iterable[str]:
    """What is written as code is: spans of code, calls, paths and dotted names, snake_case, CamelCase."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        name = (match[1] or match[2]).strip().rstrip(".:/-")
        is_code = match[1] or match[3] or (_JOINED.search(name[:_LONGEST_NAME]) and name not in _ABBREVIATED)
        if is_code and 1 < len(name) <= _LONGEST_NAME:
            found.setdefault(name)
    return found
