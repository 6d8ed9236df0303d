"""One branch of what a preprocessor chooses from: what the parser is shown where a file has errors otherwise. Pure.

`#if` between the head of a class and its body, or around one of two heads, is no part of any grammar. The first branch
is kept, byte for byte where it stands; the others, and the directives that choose, are blanked.
"""

import re

_CHOICE = re.compile(rb"^[ \t]*#[ \t]*(if(?:n?def)?|elif|else|endif)\b", re.MULTILINE)
_END_OF_LINE = re.compile(rb"(?<!\\)(?<!\\\r)\r?\n|\Z")
_SHOWN = re.compile(rb"[^\r\n]")


def one_branch(source: bytes) -> bytes:
    """The source, of as many bytes and lines, with the first branch of each choice alone."""
    shown: list[bytes] = []
    around: list[bool] = []  # of each choice: whether its present branch is blanked
    blanked = upto = 0  # how many of them are
    for found in _CHOICE.finditer(source):
        if found.start() < upto:  # a line that goes on with another one
            continue
        between = source[upto : found.start()]
        shown.append(_blank(between) if blanked else between)
        end = _END_OF_LINE.search(source, found.end())
        upto = end.start() if end is not None else len(source)
        shown.append(_blank(source[found.start() : upto]))
        if found[1].startswith(b"if"):
            around.append(False)
        elif around and found[1] == b"endif":
            blanked -= around.pop()
        elif around:
            blanked += not around[-1]
            around[-1] = True
    rest = source[upto:]
    return b"".join((*shown, _blank(rest) if blanked else rest))


def _blank(source: bytes) -> bytes:
    return _SHOWN.sub(b" ", source)
