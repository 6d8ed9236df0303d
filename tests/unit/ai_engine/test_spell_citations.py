"""However a model names a place, it is spelled in the one form that is checked."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.stages.spell_citations import spell_citations


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("[src/a.py:9]", "[src/a.py:9-9]"),
        ("[src/a.py:900-910, 920]", "[src/a.py:900-910] [src/a.py:920-920]"),
        ("[a.py:9; b.py:2]", "[a.py:9-9] [b.py:2-2]"),
        ("[b.py:3-4 and c.py:9]", "[b.py:3-4] [c.py:9-9]"),
        ("[src/a.py: 9-10]", "[src/a.py:9-10]"),
        ("[src/a.py : L9 \u2013 L10]", "[src/a.py:9-10]"),
        ("[`src/a.py:1-2`]", "[src/a.py:1-2]"),
        ("[`src/a.py`:1-2]", "[src/a.py:1-2]"),
        ("`[src/a.py:1-2]`", "[src/a.py:1-2]"),
        ("`src/a.py:1-2`", "[src/a.py:1-2]"),
        ("[src/a.py:9-10](https://x.example/a(1))", "[src/a.py:9-10]"),
        ("[src/a.py:9-10](see below)", "[src/a.py:9-10] (see below)"),
        ("\u3010src/a.py:1-2\u3011", "[src/a.py:1-2]"),
        ("\uff3bsrc/a.py\uff1a1-2\uff3d", "[src/a.py:1-2]"),
        ("[x, lines 9-10]", "[x:9-10]"),
        ("[src/a.py (lines 9-10)]", "[src/a.py:9-10]"),
        ("[src/a.py line 9]", "[src/a.py:9-9]"),
        ("[src/a.py#L9-L10]", "[src/a.py:9-10]"),
        ("[./src/a.py:1-2]", "[src/a.py:1-2]"),
        ("[src/a.\u200bpy:1-2]", "[src/a.py:1-2]"),
        ("[a.py:99999999999999]", "[a.py:999999999-999999999]"),
        ("In src/a.py:9 (app/[id]/page.tsx:3-4).", "In [src/a.py:9-9] ([app/[id]/page.tsx:3-4])."),
        ("**src/a.py**:9", "[src/a.py:9-9]"),
        ("[app/[[...slug]]/page.tsx:1-9, 11]", "[app/[[...slug]]/page.tsx:1-9] [app/[[...slug]]/page.tsx:11-11]"),
        ("[see [src/a.py:1] x]", "[see [src/a.py:1-1] x]"),
        ("See [the app](src/app.py#L10).", "See the app [src/app.py:10-10]."),
        ('**[`run`](./src/app.py:10-12 "title")**', "**`run` [src/app.py:10-12]**"),
        ("[src/app.py](</src/app.py#L3-L4>)", "[src/app.py:3-4]"),
        ("[a](a.py#L1), [b](b/%63.py#L2)(as said)", "a [a.py:1-1], b [b/c.py:2-2] (as said)"),
    ],
)
def test_every_way_to_name_a_place_becomes_one(written: str, spelled: str) -> None:
    assert spell_citations(written) == spelled
    assert spell_citations(spelled) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "It waits [timeout: 30] at localhost:8080, http://example.com:80/x or [http://a:80](http://a:80), at 12:30.",
        "As in setup.py: 3 things; README: 2 of them; python:3.11, std::map, a:1.",
        "`parts[n:4]`, `x.py:3: error`, `docker run a.py:80/tcp`",
        "```\nsrc/a.py:9 and [src/a.py:9]\n```",
        "> src/a.py:9 is quoted",
        "[ ] one\n- [x] two [text](https://example.com/a.py:1) \u30104\u2020source\u3011",
        "Works with Node.js:18 and [later](Node.js:18).",
        "> [quoted](src/a.py#L9)\n\n`[code](src/a.py#L9)` [a file](src/a.py) [far](https://example.com/a.py#L9)",
    ],
)
def test_what_names_no_place_is_left_as_it_is(text: str) -> None:
    assert spell_citations(text) == text


@given(
    st.lists(
        st.sampled_from(
            [
                *"[]()`\u3010\u3011:,;-*>\n ",
                "a.py",
                "./",
                "src/",
                "[x]",
                "12",
                "L3",
                "#L3",
                "(a.py#L3)",
                "lines ",
                "and",
            ]
        )
    )
)
def test_spelling_again_changes_nothing(pieces: list[str]) -> None:
    once = spell_citations("".join(pieces))

    assert spell_citations(once) == once


@pytest.mark.parametrize(
    "piece", ["[", "[a", "[[a]", "`", "a/", "[a:1, ", "[x](", "`[a`", "[[[a]]", "~a", "a.py:1, ", "*", "[x](a.py#L1) "]
)
def test_no_answer_takes_long(piece: str) -> None:
    began = time.process_time()
    spell_citations(piece * (60_000 // len(piece)))

    assert time.process_time() - began < 5
