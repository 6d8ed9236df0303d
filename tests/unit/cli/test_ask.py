"""What `repostream ask` prints of an answer."""

from io import StringIO

from cli.ask import Asked, print_answer
from cli.screen import Screen
from tests.support.replies import a_question


def printed(**more: object) -> str:
    out = StringIO()
    view = a_question(answer="In app.py.", mode="extractive", commit="c0ffee", **more)
    print_answer(Screen(file=out, width=80), Asked(view, failed=False))
    return out.getvalue()


def test_a_search_by_words_only_is_told() -> None:
    assert "searched by words only (vectors_unavailable)" in printed(degraded="vectors_unavailable")
    assert "words only" not in printed(degraded=None)


def test_a_citation_is_one_line_however_long() -> None:
    path = f"src/{'folder/' * 20}app.py"

    assert f"  {path}:1-2\n" in printed(citations=[{"path": path, "first_line": 1, "last_line": 2}])
