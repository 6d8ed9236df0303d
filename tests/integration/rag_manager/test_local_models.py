"""Both local models, built in a folder of their own, against what they stand for."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_manager.adapters.onnx_model import OnnxModel, load_full
from rag_manager.adapters.static_table import load_quick
from rag_manager.models import build
from rag_manager.models.build import PROBES, build_full_model, ensure_models
from rag_manager.models.files import FULL_MODEL, QUICK_TABLE, TABLE_SHA256, TOKENIZER, open_tokenizer, shipped
from rag_manager.models.forward import forward
from rag_manager.models.weights import MAX_TOKENS, TOKENIZER_SHA256, read_weights, weights_file
from rag_manager.ports import Embedder
from runtime.faults import Permanent

HARD_TEXTS = ("", " \n\t ", "ß 漢字 🙂 Ünïcödé \x00\ufffd", "word " * 100_000, "x" * 100_000, "  " * 50_000 + "return")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    ensure_models(folder)
    return folder


@pytest.fixture(scope="module", params=["quick", "full"])
def embedder(request: pytest.FixtureRequest, models: Path) -> Iterator[Embedder]:
    return load_quick(models) if request.param == "quick" else load_full(models)  # type: ignore[return-value]


def unit(vectors: NDArray[np.float32]) -> bool:
    return bool(np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5))


def test_vectors_have_the_promised_shape_type_and_length(embedder: Embedder) -> None:
    vectors = embedder.embed(PROBES)

    assert vectors.shape == (len(PROBES), embedder.dimension)
    assert vectors.dtype == np.float32
    assert unit(vectors)
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_hard_texts_have_vectors_like_any_other(embedder: Embedder) -> None:
    vectors = embedder.embed(HARD_TEXTS)

    assert np.isfinite(vectors).all()
    assert unit(vectors)


def test_a_text_has_the_same_vector_whatever_it_is_embedded_with(embedder: Embedder) -> None:
    many = [f"{probe} {number}" for number in range(20) for probe in PROBES]
    together = embedder.embed(many)

    np.testing.assert_array_equal(together, embedder.embed(many))
    for place in (0, 7, 79):
        np.testing.assert_allclose(together[place], embedder.embed([many[place]])[0], atol=1e-6)


def test_several_threads_may_embed_at_once(embedder: Embedder) -> None:
    expected = embedder.embed(PROBES)
    with ThreadPoolExecutor(4) as threads:
        for vectors in threads.map(lambda _: embedder.embed(PROBES), range(12)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_what_stands_behind_the_256th_token_does_not_count(embedder: Embedder) -> None:
    long = "alpha beta gamma delta " * 100
    cut, longer = embedder.embed([long, long + "an entirely different ending"])

    np.testing.assert_array_equal(cut, longer)


def test_a_question_is_nearest_to_the_code_that_answers_it(embedder: Embedder) -> None:
    code = (
        "def retry_delay(attempt):\n    '''Seconds to wait before the next attempt.'''\n    return 2**attempt",
        "class Invoice:\n    '''A bill for a customer, with its items and their prices.'''\n    items: list[Item]",
        "func openDatabase(path string) (*sql.DB, error) { return sql.Open(driver, path) }",
    )
    questions = (
        "how long do we wait between attempts",
        "what does a customer pay",
        "where is the database connection made",
    )

    scores = embedder.embed(questions) @ embedder.embed(code).T

    assert scores.argmax(axis=1).tolist() == [0, 1, 2]


def test_the_full_model_agrees_with_its_float_weights(models: Path) -> None:
    tensors = read_weights(weights_file())
    texts = [*PROBES, Path(build.__file__).read_text(encoding="utf-8"), "a", "naïve Ünicode 漢字"]
    encodings = open_tokenizer(shipped(TOKENIZER), MAX_TOKENS).encode_batch(texts)
    exact = np.stack([forward(tensors, np.array(encoding.ids)) for encoding in encodings])

    cosines = (load_full(models).embed(texts) * exact).sum(axis=1)

    assert cosines.mean() > 0.99
    assert cosines.min() > 0.98


def test_the_quick_model_speaks_the_full_models_language(models: Path) -> None:
    """Its vectors are fitted to the full model's, so they agree far beyond chance."""
    cosines = (load_quick(models).embed(PROBES[:3]) * load_full(models).embed(PROBES[:3])).sum(axis=1)

    assert cosines.mean() > 0.7


def test_the_shipped_files_are_the_ones_that_were_measured() -> None:
    assert hashlib.sha256(shipped(QUICK_TABLE).read_bytes()).hexdigest() == TABLE_SHA256
    assert hashlib.sha256(shipped(TOKENIZER).read_bytes()).hexdigest() == TOKENIZER_SHA256


def test_two_builds_give_the_same_bytes(models: Path, tmp_path: Path) -> None:
    build_full_model(tmp_path / "again.onnx")

    assert (tmp_path / "again.onnx").read_bytes() == (models / FULL_MODEL).read_bytes()


def test_concurrent_builders_leave_one_whole_set_of_files_and_nothing_else(models: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(ensure_models, [tmp_path] * 3))

    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([FULL_MODEL, QUICK_TABLE, TOKENIZER])
    assert (tmp_path / FULL_MODEL).read_bytes() == (models / FULL_MODEL).read_bytes()


def test_a_complete_folder_is_left_as_it_is(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_target: Path) -> float:
        raise AssertionError("built again")

    monkeypatch.setattr(build, "build_full_model", refuse)
    ensure_models(models)


def test_a_build_that_fails_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LEAST_COSINE", 1.1)

    with pytest.raises(Permanent, match=r"agrees with its weights only to 0\.99") as failed:
        ensure_models(tmp_path)

    assert failed.value.code == "model_corrupt"
    assert not list(tmp_path.glob("*onnx*"))


def test_weights_that_were_tampered_with_are_not_built_from(tmp_path: Path) -> None:
    content = bytearray(weights_file().read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)

    with pytest.raises(Permanent, match=r"SHA-256 of model\.safetensors") as refused:
        build_full_model(tmp_path / "model.onnx", tmp_path / "model.safetensors")
    assert refused.value.code == "model_corrupt"


def test_an_empty_folder_is_refused_with_the_command_that_fills_it(tmp_path: Path) -> None:
    for load in (load_full, load_quick):
        with pytest.raises(Permanent, match=r"python -m rag_manager\.models\.build") as refused:
            load(tmp_path)
        assert refused.value.code == "model_missing"


def test_fewer_threads_give_the_same_vectors(models: Path) -> None:
    one: OnnxModel = load_full(models, threads=1)

    np.testing.assert_array_equal(one.embed(PROBES), load_full(models, threads=2).embed(PROBES))
