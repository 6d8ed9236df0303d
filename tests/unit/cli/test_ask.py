"""What `repostream ask` prints of an answer."""

from io import StringIO

from rich.console import Console

from cli.ask import Asked, print_answer


def printed(**more: object) -> str:
    out = StringIO()
    view = {"answer": "In app.py.", "mode": "extractive", "citations": [], "passages": [], "commit": "c0ffee"}
    print_answer(Console(file=out, width=200), Asked(view | more, failed=False))
    return out.getvalue()


def test_a_search_by_words_only_is_told() -> None:
    assert "searched by words only (vectors_unavailable)" in printed(degraded="vectors_unavailable")
    assert "words only" not in printed(degraded=None)
