"""Whatever git allows as a path can be cited, and nothing that was not given."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ai_engine.stages.check_citations import check_citations, checked_so_far, cited_paths
from ai_engine.stages.spell_citations import spell_citations
from ai_engine.stages.spell_given import open_given, spell_given
from events.question import Passage
from orchestrator.overview.wording import cite, cited
from runtime.citation_form import CITATION, path_form, path_of
from runtime.portable_markdown import portable
from web_ui.markdown import read_markdown

HOSTILE = (
    "a`b.py", "`a`", "a:1.py", "x:1-2", "a]b.py", "[a", "a[[[b]]].ts", "docs/a file.rst", " a", "a ", "a  b", "'a'",
    'say "no".md', "f(1).py", "(a)/b.py", "naïve/ñ.py", "nai\u0308ve.py", "日本/語.py", "a\nb.py", "a\tb", "a\u202eb",
    "a\\b.py", "a*b*c.py", "_a_/__init__.py", "a~b.py", "<b>.py", "a&amp;b", "a%20b", "a%60b.py", "%", "a|b", "#L1",
    "a#L9.py", "a lines 3.py", "lines 3, b.py", "L5, a.py", "9, 12", "./a", ":facts", "a.py:9, b.py", "a and b.py",
    "【a】", "a\uff1a1", "http://x/y", "![a](b)", "a](b)", "x\u2028y", "l. 5", "1) a.md", "a:", "--",
    "``` x", "a\n```\nb",
)  # fmt: skip
LETTERS = st.one_of(
    st.sampled_from(" `:[]()'\"\\%*_~<>&|#L.,;-/!09aé\n\t\u202e\u0308\uff1a】lines"),
    st.characters(exclude_categories=["Cs"]),
)
PATHS = st.one_of(
    st.sampled_from(HOSTILE), st.text(LETTERS, min_size=1, max_size=12).filter(lambda path: "\0" not in path)
)


def a_passage(path: str) -> Passage:
    return Passage(chunk_id=path, path=path, first_line=1, last_line=9, text="", file_class="source")


@given(PATHS)
def test_a_path_has_one_form_that_every_reader_leaves_alone(path: str) -> None:
    form = path_form(path)
    said = f"[{form}:1-2]"
    match = CITATION.fullmatch(said)

    assert path_of(form) == path
    assert match is not None
    assert match["path"] == form
    assert spell_citations(f"So {said}.") == f"So {said}."
    assert cited_paths(said) == (path,)
    assert [c.path for c in cited(f"It is{cite(path, 1, 2)}.")] == [path]


@given(PATHS, PATHS)
def test_no_two_paths_have_the_same_form(one: str, other: str) -> None:
    assert (path_form(one) == path_form(other)) == (one == other)


@given(PATHS, st.lists(PATHS, max_size=4), st.booleans())
@example("src/__init__.py", ["a`b"], True)
def test_what_was_given_can_be_cited_the_whole_way(path: str, others: list[str], with_code: bool) -> None:
    passages = [a_passage(each) for each in dict.fromkeys([*others, path])]
    counts = {each.path: 9 for each in passages}
    said = f"It is {'`code` ' if with_code else ''}so [{path}:1-2]"
    checked = check_citations(said, passages, counts)
    form = f"[{path_form(path)}:1-2]"

    assert path in cited_paths(said, passages)
    assert (checked.text.endswith(form), checked.removed) == (True, 0)
    assert [(c.path, c.first_line, c.last_line) for c in checked.citations] == [(path, 1, 2)]
    assert check_citations(said.replace(f"[{path}:", f"[{path_form(path)}:"), [a_passage(path)], counts).removed == 0
    place = (path, 1, 2)
    assert f"[`{path_form(path)}:1-2`](https://h/x)" in portable(checked.text, {place: "https://h/x"})
    (paragraph,) = read_markdown(checked.text, checked.citations, "https://h/o/n")  # type: ignore[arg-type]
    assert {"t": "cite", "n": 1, "path": path, "first": 1, "last": 2, "c": []} in paragraph["c"]  # type: ignore[index]


@given(PATHS, PATHS)
def test_what_was_not_given_is_not_cited(path: str, other: str) -> None:
    checked = check_citations(f"It is so [{path}:1-2]", [a_passage(other)], {path: 9, other: 9})

    assert {c.path for c in checked.citations} <= {other}
    assert all(path_of(match["path"]) == other for match in CITATION.finditer(checked.text))


@given(PATHS)
def test_what_is_shown_while_it_is_written_has_no_beginning_of_a_citation(path: str) -> None:
    said = f"It is [{path}:1-2]"
    shown = [said[:at] for at in range(len(said))]

    assert {checked_so_far(each, [a_passage(path)]) for each in shown if len(each) > len("It is [")} <= {"It is"}


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("[`a:1.py`:9]", "[a%3A1.py:9-9]"),
        ("`[a:1.py:9-12]`", "[a%3A1.py:9-12]"),
        ("\u3010a:1.py\uff1aL9\u2013L12\u3011", "[a%3A1.py:9-12]"),
        ("[a:1.py:9, 11-12]", "[a%3A1.py:9-9] [a%3A1.py:11-12]"),
        ("`x = [a:1.py:9]`", "`x = [a:1.py:9]`"),
        ("```\n[a:1.py:9]\n```", "```\n[a:1.py:9]\n```"),
        ("[a:1.py:9", "[a:1.py:9"),
    ],
)
def test_however_it_is_written_it_is_spelled_alike(written: str, spelled: str) -> None:
    assert spell_given(written, ["a:1.py", "b.py"]) == spelled


def test_the_longest_path_is_meant() -> None:
    assert spell_given("[a:1:2:3-4]", ["a:1", "a:1:2"]) == "[a%3A1%3A2:3-4]"


def test_what_may_name_two_paths_names_none() -> None:
    assert spell_given("[a b:1-2]", ["a\nb", "a\tb", "a\u2028b"]) == "[a b:1-2]"
    assert spell_given("[a b:1-2]", ["a\nb"]) == "[a%0Ab:1-2]"
    assert spell_given("[a b:1-2]", ["a\nb", "a b"]) == "[a b:1-2]"


def test_only_what_may_become_a_citation_is_held_back() -> None:
    assert open_given("so [a:1", ["a:1.py"]) == 3
    assert open_given("so [a:1.py:9-", ["a:1.py"]) == 3
    assert open_given("so [a:1.py:9] and", ["a:1.py"]) == 17
    assert open_given("so [a", ["a.py"]) == 5


@pytest.mark.parametrize("path", ["src/__init__.py", "a*b*c.py", "a~b.py"])
def test_code_beside_a_citation_takes_no_sign_of_its_path_away(path: str) -> None:
    checked = check_citations(f"It is `x` [{path}:1-2].", [a_passage(path)], {path: 9})

    assert (checked.text, checked.removed) == (f"It is `x` [{path_form(path)}:1-2].", 0)
