"""What `repostream ask` prints of an answer."""

from io import StringIO

from rich.console import Console

from cli.ask import Asked, print_answer
from tests.support.replies import a_question


def printed(**more: object) -> str:
    out = StringIO()
    view = a_question(answer="In app.py.", mode="extractive", commit="c0ffee", **more)
    print_answer(Console(file=out, width=200), Asked(view, failed=False))
    return out.getvalue()


def test_a_search_by_words_only_is_told() -> None:
    assert "searched by words only (vectors_unavailable)" in printed(degraded="vectors_unavailable")
    assert "words only" not in printed(degraded=None)
