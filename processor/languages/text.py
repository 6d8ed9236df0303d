"""The text of nodes, and of what they call."""

import re
from functools import lru_cache

from tree_sitter import Node

MAX_NAME = 200
_MAX_RECEIVER = 5 * MAX_NAME  # characters; at most four bytes each
_REMEMBERED = 16_384  # callees, which are few and come again and again
_PLAIN = re.compile(r"[\w.$:@>?!\\-]+")
_TAIL = re.compile(r"[A-Za-z_$][\w$]*[?!]?$")
_LAST = re.compile(r"(?:\?\.|\.|::|->|\\)(?=[^.:>\\]*$)")
_ARGUMENTS = re.compile(r"\([^()]*\)")
_STRINGS = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


def text_of(node: Node, source: bytes) -> str:
    """The text of a node."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def target_of(written: bytes) -> str:
    """The callee or type as written where that is a plain name, else its last name; empty where it has none."""
    text = written.decode("utf-8", "replace")
    if len(text) <= MAX_NAME and _PLAIN.fullmatch(text):
        return text
    head, generic, _ = text.partition("<")
    tail = _TAIL.search((head if generic and "(" not in head else text)[-MAX_NAME:].rstrip())
    return tail.group() if tail else ""


def taken_apart(written: bytes) -> tuple[str, str]:
    """What is called, and what it is asked of, of a callee as written."""
    return _short_taken_apart(written) if len(written) <= MAX_NAME else _taken_apart(written)


def _taken_apart(written: bytes) -> tuple[str, str]:
    target = target_of(written)
    return target, receiver_of(written, target) if target else ""


_short_taken_apart = lru_cache(_REMEMBERED)(_taken_apart)


def receiver_of(written: bytes, target: str) -> str:
    """What stands before the last name of a callee: `a.b` of `a.b.c`; empty where nothing does."""
    text = written.decode("utf-8", "replace")
    if text == target:
        last = _LAST.search(text)
        return text[: last.start()] if last else ""
    head, tail, _ = text.rpartition(target)
    return short_receiver(head.rstrip(" \n\t.:>-?!&\\")) if tail else ""


def receiver_written(written: bytes) -> str:
    """A receiver that stands apart from what is asked of it."""
    if len(written) <= MAX_NAME:
        return _receiver(written)
    return short_receiver(written.decode("utf-8", "replace")) if len(written) <= 4 * _MAX_RECEIVER else "?"


@lru_cache(_REMEMBERED)
def _receiver(written: bytes) -> str:
    return short_receiver(written.decode("utf-8", "replace"))


def short_receiver(text: str) -> str:
    """A receiver on one line, without the arguments of its calls; `?` where it is no chain of names and calls."""
    if len(text) > _MAX_RECEIVER:
        return "?"
    text = _STRINGS.sub("''", text) if "'" in text or '"' in text else text
    while (shorter := _ARGUMENTS.sub("\0", text)) != text:
        text = shorter
    text = "".join(text.replace("\0", "()").split())
    return text if len(text) <= MAX_NAME else "?"
