"""What a reader of an answer sees as text, which code is not.

In:  an answer's Markdown.
Out: its prose, a line for each piece between code and line breaks, as a Markdown parser reads it.
"""

from markdown_it.token import Token

from runtime.answer_markdown import answer_parser

_SHOWN = dict.fromkeys(("em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close"), "")
_SHOWN |= {"link_open": "[", "link_close": "]"}  # as it is written
_LITERAL = str.maketrans("`~", "  ")  # marks of code that enclose none
_TRICKS = frozenset("`~\\&")  # what can make code of prose, and prose of what looks like code


def is_plain(answer: str) -> bool:
    """Whether nothing in it can be read as code by one and as prose by another. Pure."""
    return _TRICKS.isdisjoint(answer)


def read_prose(answer: str) -> str:
    """The text that is no code. Pure."""
    lines = ("".join(map(_seen, block.children or ())) for block in answer_parser().parse(answer))
    return "\n".join(lines).translate(_LITERAL)


def _seen(token: Token) -> str:
    if token.type in {"text", "citation"}:
        return token.content
    if token.type == "image":  # only its description is shown
        return f"[{token.content}]"
    return _SHOWN.get(token.type, "\n")
