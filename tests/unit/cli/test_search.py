"""What `repostream search` prints."""

from uuid import uuid4

from cli.search import told
from runtime.client.shapes import SearchView


def a_view(**more: object) -> SearchView:
    passage = {"chunk_id": "c", "path": "a.py", "first_line": 3, "last_line": 4, "text": "x = 1\ny = 2"}
    found = {"lexical": 2, "names": 1}
    view = {
        "analysis_id": str(uuid4()),
        "commit": "c0ffee" * 4,
        "generation_kind": "quick",
        "passages": [{**passage, "ranks": found, "scores": {"lexical": 12.345}}],
        "plan": [{"retriever": "lexical", "found": 200}, {"retriever": "names", "found": 1, "about": "Router"}],
        **more,
    }
    return SearchView.model_validate(view)


def test_each_passage_is_told_with_its_lines_and_which_retriever_put_it_where() -> None:
    assert [line for _, line in told(a_view())] == [
        "a.py:3-4  names #1, lexical #2 (12.3)",
        "     3 x = 1",
        "     4 y = 2",
        "1 passages of the quick index at c0ffeec0ff; found by lexical 200, names 1 (Router)",
    ]


def test_a_search_by_words_only_is_told_and_a_long_passage_is_cut() -> None:
    passage = {"chunk_id": "c", "path": "a.py", "first_line": 1, "last_line": 40, "text": "x\n" * 40}

    lines = [line for _, line in told(a_view(passages=[passage], degraded="vectors_missing"))]

    assert "       … 29 more lines" in lines
    assert lines[-1].startswith("searched by words only (vectors_missing)")


def test_a_relation_that_was_asked_before_there_is_a_graph_is_told() -> None:
    lines = [
        line
        for style, line in told(a_view(plan=[{"retriever": "graph", "found": 0, "absent": True}]))
        if style == "yellow"
    ]

    assert lines == ["the graph is not made yet, which knows this better: search again when the analysis is complete"]


def test_a_passage_that_grew_took_others_in_or_is_a_neighbour_says_so() -> None:
    place = {"path": "a.py", "first_line": 3, "last_line": 4}
    base = {"chunk_id": "c", "path": "a.py", "first_line": 1, "last_line": 9, "text": "x = 1"}
    grown = {**base, "ranks": {"lexical": 2}, "grown_from": place, "folded": [{**place, "path": "b.py"}]}
    beside = {**base, "neighbour_of": place, "relation": "type"}

    said = [line for style, line in told(a_view(passages=[grown, beside])) if style == "cyan"]

    assert said == ["a.py:1-9  lexical #2, grown from 3-4, with b.py:3-4", "a.py:1-9  type of a.py:3-4"]
