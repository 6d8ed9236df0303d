"""Answers that leave: citations lead to the host's lines, and nothing else leads or loads anything."""

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runtime.line_links import line_link
from runtime.portable_markdown import cited, portable, quoted
from tests.unit.web_ui.test_markdown import PAYLOADS

SHA = "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81"
AT = ("src/a b/[app].py", 3, 9)
ESCAPES = (  # places where code and what is none are told apart wrongly by a simple reading
    r"\`![x](http://evil)`",
    "text\n    ```\n![x](http://evil)\n    ```",
    "- a\n  ```\n![x](http://evil)\n  ```",
    "> ```\n![x](http://evil)",
    "| a | b |\n|---|---|\n| `a | ![x](http://evil)` |",
    "``` a`b\n![x](http://evil)\n```",
    "`` ` `![x](http://evil)` ``` ",
    "![x][evil]\n\n[evil]: http://evil",
    "[a\\](http://evil)](http://evil)",
    "~~~\ncode\n ~~~~ \n![x](http://evil)",
    "[a.py:1-2](http://evil) and [a.py:1-2][evil]\n\n[evil]: http://evil",
    "<img src=http://evil> <http://evil> &lt;b>",
    "`a\n\n![x](http://evil)`",
    "[![x](http://evil):1-2]",
    "[a [x](http://evil) <img src=//evil>:1-2]",
    "[a [a\\](http://evil)](http://evil):1-2]",
)


def acting(tokens: list[Token]) -> list[str]:
    """What a reader of Markdown would load or follow."""
    found = [
        str(token.attrs.get("href") or token.attrs.get("src") or token.content)
        for token in tokens
        if token.type in {"link_open", "image", "html_inline", "html_block"}
    ]
    return found + [each for token in tokens for each in acting(token.children or [])]


@pytest.mark.parametrize("payload", [*PAYLOADS, *ESCAPES])
def test_nothing_that_a_model_writes_loads_or_leads_anywhere(payload: str) -> None:
    for said in (portable(payload, {}), quoted(payload)):
        for kind in ("commonmark", "gfm-like"):
            parser = MarkdownIt(kind, {"linkify": False}).enable("table")
            assert acting(parser.parse(said)) == [], said


def test_citations_become_links_and_code_stays_as_it_is() -> None:
    link = f"https://github.com/o/n/blob/{SHA}/a.py#L1-L2"
    text = "It *starts* [a.py:1-2], `x[0:1-2] <T>` and [b.py:1-2].\n\n```python\na < b  # [a.py:1-2]\n```\nEnd <b>"
    said = portable(text, {("a.py", 1, 2): link})

    assert said == (
        f"It *starts* [`a.py:1-2`]({link}), `x[0:1-2] <T>` and \\[b.py:1-2].\n\n"
        "```python\na < b  # [a.py:1-2]\n```\nEnd &lt;b>"
    )
    assert acting(MarkdownIt().parse(said)) == [link]


def test_a_path_with_brackets_becomes_a_link() -> None:
    link = f"https://github.com/o/n/blob/{SHA}/app/%5Bid%5D/page.tsx#L1-L2"
    said = portable("So [app/[id]/page.tsx:1-2], not [x/[id]/y.ts:1-2].", {("app/[id]/page.tsx", 1, 2): link})

    assert said == f"So [`app/[id]/page.tsx:1-2`]({link}), not \\[x/[id]/y.ts:1-2]."
    assert acting(MarkdownIt().parse(said)) == [link]


def test_a_fence_that_other_programs_draw_becomes_text() -> None:
    assert portable("```mermaid\ngraph TD\n```", {}) == "```text\ngraph TD\n```"
    assert portable("~~~ html\n<img>\n~~~", {}) == "~~~text\n<img>\n~~~"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/o/n", f"https://github.com/o/n/blob/{SHA}/src/a%20b/%5Bapp%5D.py#L3-L9"),
        ("https://gitlab.com/g/s/n", f"https://gitlab.com/g/s/n/-/blob/{SHA}/src/a%20b/%5Bapp%5D.py#L3-9"),
        ("https://bitbucket.org/o/n", f"https://bitbucket.org/o/n/src/{SHA}/src/a%20b/%5Bapp%5D.py#lines-3:9"),
        ("https://codeberg.org/o/n", f"https://codeberg.org/o/n/src/commit/{SHA}/src/a%20b/%5Bapp%5D.py#L3-L9"),
        ("https://git.example.org/o/n", None),
        ("upload://0123/n", None),
        ("http://127.0.0.1:80/o/n", None),
        ("", None),
        ("https://[", None),
    ],
)
def test_lines_are_linked_where_the_host_is_known_to_show_them(url: str, link: str | None) -> None:
    assert line_link(url, SHA, AT) == link


def test_a_link_needs_a_commit_and_stays_inside_the_repository() -> None:
    assert line_link("https://github.com/o/n", None, AT) is None
    assert line_link("https://github.com/o/n", "erased: gone", AT) is None
    assert line_link("https://github.com/o/n", SHA, ("../../evil", 1, 2)) is None
    assert cited(("a`b.py", 1, 2), None) == "`a%60b.py:1-2`"
