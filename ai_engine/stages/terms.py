"""The words of a question that carry its meaning.

In:  a question.
Out: its lower-case terms, identifiers both whole and split, without stop words.
"""

import re

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]+|[0-9]{2,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_STOP_WORDS = """
a about all also an and any are as at be been but by can could did do does doing for from had has have how i if in into
is it its me more most my no not of on or our out please show so some such tell than that the their them then there
these they this those through to used using was we were what when where which while who whose why will with would you
your work works code repository repo project file files function class explain
"""
_STOP = frozenset(_STOP_WORDS.split())


def terms_of(question: str) -> tuple[str, ...]:
    """The question's terms, each once, in order. Pure."""
    found: dict[str, None] = {}
    for word in _WORD.findall(question):
        parts = [part.lower() for part in _PART.findall(word)]
        for term in (word.lower(), *parts):
            if len(term) > 1 and term not in _STOP:
                found.setdefault(term)
    return tuple(found)
