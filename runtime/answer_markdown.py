"""Markdown as answers are read, by the pages and by what checks them: both have to see the same.

A citation is one token `citation`, before an underscore in its path can mean emphasis (`src/__init__.py`).
"""

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from runtime.citation_form import CITATION


@cache
def answer_parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, without HTML."""
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False})
    parser.enable(["table", "strikethrough"]).disable(["html_block", "html_inline", "autolink"])
    parser.inline.ruler.before("link", "citation", _citation_rule)
    return parser


def _citation_rule(state: StateInline, silent: bool) -> bool:
    """`content` as it is written, `meta` the place: path, as it is written, first, last."""
    if state.src[state.pos] != "[" or not (match := CITATION.match(state.src, state.pos, state.posMax)):
        return False
    if not silent:
        token = state.push("citation", "", 0)
        token.content = match[0]
        token.meta = {"path": match["path"], "first": int(match["first"]), "last": int(match["last"])}
    state.pos = match.end()
    return True
