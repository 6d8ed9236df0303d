"""The programs that fit the quick model's table: texts, sample, regression, verdict."""

from pathlib import Path

import numpy as np
import pytest

from bench.fitting.judge import judge
from bench.fitting.regression import design, fit, prior_for
from bench.fitting.sample import Question, Sample, sample
from bench.fitting.texts import Text, first_sentence, texts_under
from rag_manager.models.token_table import table_of


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ('"""Return the delay.\n\n    In seconds.\n    """', "Return the delay."),
        ("/**\n * Sets a header\n * by name.\n * @param name the name\n */", "Sets a header by name."),
        ("// Match finds a route.\n", "Match finds a route."),
        ("/// Splits at `n`.\n///\n/// # Panics\n", "Splits at `n`."),
        ("", ""),
    ],
)
def test_the_first_paragraph_of_a_comment_is_read_without_its_marks(comment: str, said: str) -> None:
    assert first_sentence(comment) == said


def test_a_documented_function_gives_a_chunk_and_a_query_whose_chunk_lacks_the_documentation(tmp_path: Path) -> None:
    source = tmp_path / "pypi" / "thing-1.0" / "thing" / "wait.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        'class Retry:\n    def delay(self, n):\n        """Say how long to wait now."""\n        return 2 ** n\n'
    )

    found = {text.kind: text for text in texts_under(tmp_path) if text.symbol == "delay"}

    assert found["chunk"].text.startswith("thing/wait.py > Retry.delay\n")
    assert found["query"].text == "Say how long to wait now."
    assert "how long" not in found["query"].bare
    assert "return 2 ** n" in found["query"].bare


def test_the_fit_finds_the_table_that_made_the_targets() -> None:
    random = np.random.default_rng(3)
    rows, bias = random.normal(size=(12, 4)).astype(np.float32), random.normal(size=4).astype(np.float32)
    texts = [random.integers(0, 12, size=random.integers(1, 9)).tolist() for _ in range(400)]
    matrix = design(texts, 12)
    targets = (matrix @ np.vstack([rows, bias])).astype(np.float32)

    found = fit(matrix, targets, np.ones(400, np.float32), np.zeros_like(rows), ridge=1e-4)

    # A text's weights add up to 1, so only the sum of a row and the bias is determined.
    np.testing.assert_allclose(found.rows + found.bias, rows + bias, atol=0.02)
    pooled = table_of(found.rows, found.bias).pool(texts)
    expected = targets / np.linalg.norm(targets, axis=1, keepdims=True)
    assert float((pooled * expected).sum(axis=1).mean()) > 0.999


def test_a_token_that_no_text_has_keeps_what_the_prior_says() -> None:
    prior = np.arange(6, dtype=np.float32).reshape(3, 2)
    targets = np.ones((4, 2), np.float32)

    found = fit(design([[0], [1], [0, 1], [1]], 3), targets, np.ones(4, np.float32), prior)

    np.testing.assert_allclose(found.rows[2], prior[2])


def test_the_prior_follows_a_linear_rule_learnt_from_frequent_tokens() -> None:
    random = np.random.default_rng(5)
    known = random.normal(size=(40, 3)).astype(np.float32)
    features = np.hstack([known, np.ones((40, 1), np.float32)])
    rows = (features / np.linalg.norm(features, axis=1, keepdims=True) @ random.normal(size=(4, 2))).astype(np.float32)
    seen_only = rows.copy()
    seen_only[39] = 0  # never seen, so its row says nothing
    matrix = design([[token] * 3 for token in range(39) for _ in range(2_000)], 40)

    np.testing.assert_allclose(prior_for(matrix, seen_only, [known])[39], rows[39], atol=0.02)


def a_text(kind: str, package: str, text: str, symbol: str = "", bare: str = "") -> Text:
    return Text(kind, "python", package, text, symbol, bare)


def test_held_out_packages_are_judged_by_and_never_fitted_to() -> None:
    texts = [
        a_text("chunk", "attrs-1", "attrs/a.py > f\n" + "x" * 200, "f"),
        a_text("query", "attrs-1", "Say what f is."),
        a_text("query", "koa-3.3.0", "Answer the caller.", "respond", "koa/r.js > respond\nfunction respond() {}"),
        a_text("query", "koa-3.3.0", "Respond to the caller.", "respond", "koa/s.js > respond\nfunction respond() {}"),
        a_text("chunk", "koa-3.3.0", "koa/t.js > other\nfunction other() {}", "other"),
    ]

    chosen = sample(texts)

    assert sorted(text.split("\n")[0] for text in chosen.texts) == ["Say what f is.", "attrs/a.py > f"]
    assert chosen.queries == 1
    assert [question.text for question in chosen.questions] == ["Answer the caller."]  # the other names its function
    assert [text.split("\n")[0] for _, text in chosen.chunks] == ["koa/r.js > respond", "koa/t.js > other"]
    assert sample(reversed(texts)) == chosen


def test_the_verdict_ranks_each_question_among_the_chunks_of_its_package() -> None:
    chosen = Sample((), 0, (Question("a", "q", 0), Question("b", "r", 2)), (("a", "x"), ("a", "y"), ("b", "z")))
    chunks = np.array([[0.6, 0.8], [1, 0], [0, 1]], np.float32)
    questions = np.array([[1, 0], [1, 0]], np.float32)

    verdict = judge(chosen, questions, chunks, np.vstack([questions, chunks]))

    assert verdict.mrr == pytest.approx((1 / 2 + 1) / 2)
    assert verdict.found == 1
    assert verdict.cosine == pytest.approx(1)
