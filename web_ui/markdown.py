"""Turn a model's Markdown into a tree that can only say harmless things.

In:  an answer's Markdown, the citations that were checked, the analysed repository's address.
Out: nodes: a string is text; a mapping has a tag `t` from a closed list, children `c` and the few attributes a tag has.
     No image, no HTML, no address but the repository's own. The browser builds elements from it, never from markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from markdown_it.token import Token

from runtime.answer_markdown import answer_parser
from runtime.citation_form import path_of
from runtime.client.shapes import Citation
from web_ui.source import highlight
from web_ui.words import visible

Node: TypeAlias = "str | dict[str, object]"
LONGEST = 60_000  # characters of an answer that are shown

_TAGS = {
    "paragraph": "p",
    "heading": "h3",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "strong": "strong",
    "em": "em",
    "s": "s",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
}


def read_markdown(text: str, citations: Sequence[Citation], repository_url: str) -> list[Node]:
    """The tree of an answer, to be read alone: it is kept. A citation that was not checked stays text. Pure."""
    return _read(text[:LONGEST], tuple(citations), repository_url)


@lru_cache(maxsize=64)
def _read(text: str, citations: tuple[Citation, ...], repository_url: str) -> list[Node]:
    shown = visible(text)
    numbers = {(c.path, c.first_line, c.last_line): number for number, c in enumerate(citations, 1)}
    return _tree(answer_parser().parse(shown), numbers, repository_url)


def allowed_link(href: str, repository_url: str) -> bool:
    """Whether a link may stay one: https, and inside the analysed repository."""
    try:
        link, home = urlsplit(href), urlsplit(repository_url)
        same_place = link.hostname == home.hostname and link.port == home.port
    except ValueError:
        return False
    inside = f"{link.path.rstrip('/')}/".startswith(f"{home.path.removesuffix('.git').rstrip('/')}/")
    plain = link.scheme == "https" and link.username is None and ".." not in link.path and "\\" not in href
    return bool(home.path.strip("/")) and plain and same_place and inside


def _tree(tokens: Iterable[Token], numbers: Mapping[tuple[str, int, int], int], repository_url: str) -> list[Node]:
    root: list[Node] = []
    open_lists: list[list[Node]] = [root]
    for token in tokens:
        if token.nesting == 1:
            children: list[Node] = []
            if (node := _opened(token, children, repository_url)) is not None:
                open_lists[-1].append(node)
            else:
                children = open_lists[-1]  # a tag that is not ours, or a link that may not be one: its text stays
            open_lists.append(children)
        elif token.nesting == -1:
            open_lists.pop()
        elif token.type == "inline":
            open_lists[-1].extend(_tree(token.children or [], numbers, repository_url))
        elif (leaf := _leaf(token, numbers)) != "":
            open_lists[-1].append(leaf)
    return root


def _opened(token: Token, children: list[Node], repository_url: str) -> dict[str, object] | None:
    kind = token.type.removesuffix("_open")
    if kind == "paragraph" and token.hidden:
        return None
    if kind == "link":
        href = str(token.attrs.get("href", ""))
        return {"t": "a", "href": href, "c": children} if allowed_link(href, repository_url) else None
    if kind == "ordered_list":
        return {"t": "ol", "start": int(token.attrs.get("start", 1)), "c": children}
    return {"t": _TAGS[kind], "c": children} if kind in _TAGS else None


def _leaf(token: Token, numbers: Mapping[tuple[str, int, int], int]) -> Node:
    if token.type == "citation":
        return _cited(token, numbers)
    if token.type in {"fence", "code_block"}:
        return {"t": "pre", "lines": highlight(token.content.rstrip("\n"), language=token.info.split(" ")[0][:40])}
    simple: dict[str, Node] = {
        "code_inline": {"t": "code", "c": [token.content]},
        "softbreak": " ",
        "hardbreak": {"t": "br", "c": []},
        "hr": {"t": "hr", "c": []},
    }
    return simple.get(token.type, token.content)  # of an image only its description stays, as text


def _cited(token: Token, numbers: Mapping[tuple[str, int, int], int]) -> Node:
    written, first, last = str(token.meta["path"]), int(token.meta["first"]), int(token.meta["last"])
    path = path_of(written)
    if (path, first, last) not in numbers:  # an answer from when each path was written as it is
        path = written
    number = numbers.get((path, first, last))
    if number is None:
        return token.content
    return {"t": "cite", "n": number, "path": path, "first": first, "last": last, "c": []}
