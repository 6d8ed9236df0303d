"""Find the text that a message was made from: the literal in the code, with its placeholders.

In:  a message as a person saw it, and texts.
Out: how well each text tells the message, from 0 to 1.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

FEWEST = 3  # words that must stand together: two are anywhere
ENOUGH = 0.5  # of a message's words but for what placeholders held
_HELD = 8  # words of a message that one placeholder may stand for
_HOLE = "\0"

# What a literal has in place of a value, and where one literal goes on in the next ("…" \n f"…", "…" + name + "…").
_JOINED = re.compile(r"[\"'`][ \t]*(?:\\?\n[ \t]*|\+[ \t]*\n?[ \t]*|\n[ \t]*\+?[ \t]*)[rbfuRBFU$@]{0,2}[\"'`]")
_SPLICED = re.compile(
    r"[\"'`][ \t]*\n?[ \t]*(?:\+|<<|\.\.|,)[ \t]*[^\"'`\n]{1,60}?(?:\+|<<|\.\.|,)[ \t]*\n?[ \t]*[\"'`]"
)
_PLACEHOLDER = re.compile(r"%[-+ #0]*[\d.*]*(?:\(\w+\))?[a-zA-Z@]|%\(\w+\)[a-z]|[$#]?\{[^{}\n]*\}|\$\w+")
_WORD = re.compile(r"\w+|\0")


def match_message(message: str, texts: Sequence[str]) -> list[float]:
    """Return the score of each text, 0.0 where too little stands together. Pure.

    It is the share of the message's words, without those that placeholders held, that stands in one run in the text,
    lessened where the run is short: n words count n / (n + 1).
    """
    wanted = words_of(message)
    return [_score(wanted, _template(text)) for text in texts]


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a message, in lower case. Pure."""
    return tuple(word for word in _WORD.findall(text.lower()) if word != _HOLE)


@lru_cache(maxsize=2_000)
def _template(text: str) -> tuple[str, ...]:
    """The words of a code's text, a hole for each placeholder."""
    for pattern, put in ((_JOINED, ""), (_SPLICED, f" {_HOLE} "), (_PLACEHOLDER, f" {_HOLE} ")):
        text = pattern.sub(put, text)
    return tuple(_WORD.findall(text.lower()))


def _score(wanted: tuple[str, ...], words: tuple[str, ...]) -> float:
    if len(wanted) < FEWEST:
        return 0.0
    places: dict[str, list[int]] = {}
    for place, word in enumerate(wanted):
        places.setdefault(word, []).append(place)
    best, reached = 0.0, -1
    for start, word in enumerate(words):
        for place in places.get(word, ()) if start >= reached else ():
            met, held, end = _run(wanted, place, words, start)
            share = met / (len(wanted) - held)
            if met >= FEWEST and share >= ENOUGH and share * met / (met + 1) > best:
                best, reached = share * met / (met + 1), end
    return best


def _run(wanted: tuple[str, ...], place: int, words: tuple[str, ...], at: int) -> tuple[int, int, int]:
    """How many words are met from here on, how many placeholders held, and where the run ends."""
    met = held = 0
    while place < len(wanted) and at < len(words):
        if words[at] == wanted[place]:
            met, place, at = met + 1, place + 1, at + 1
        elif words[at] == _HOLE:
            while at < len(words) and words[at] == _HOLE:
                at += 1
            ahead = wanted[place : place + _HELD + 1]
            goes_on = at < len(words) and words[at] in ahead
            taken = ahead.index(words[at]) if goes_on else min(_HELD, len(ahead))
            held, place = held + taken, place + taken
            if not goes_on:
                break
        else:
            break
    return met, held, at
