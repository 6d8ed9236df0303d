"""A report means all of its text and its first line; any other question is one text."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rag_manager.ports import Embedder
from rag_manager.stages.question_vector import question_vector
from rag_manager.stages.read_question import read_question

VECTORS = {"all\n\nof it": (1.0, 0.0), "all": (0.0, 1.0), "nothing": (0.0, 0.0), "back": (-1.0, 0.0), "on": (1.0, 0.0)}


class Known:
    """Embeds what is known."""

    def embed(self, texts: tuple[str, ...], *, question: bool) -> NDArray[np.float32]:
        assert question
        return np.array([VECTORS[text] for text in texts], np.float32)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("all",), (0.0, 1.0)),
        (("all\n\nof it", "all"), (np.sqrt(0.5), np.sqrt(0.5))),
        (("all", "nothing"), (0.0, 1.0)),
        (("nothing",), (0.0, 0.0)),
        (("on", "back"), (0.0, 0.0)),
    ],
)
def test_vectors_are_added_up_to_length_one(texts: tuple[str, ...], expected: tuple[float, float]) -> None:
    known: Embedder = Known()  # type: ignore[assignment]  # all that is asked of it

    vector = question_vector(known, texts)

    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_the_first_line_of_a_report_is_meant_beside_all_of_it() -> None:
    assert read_question("all\n\nof it").meant == ("all\n\nof it", "all")
    assert read_question("all of it\n").meant == ("all of it\n",)
    assert read_question("").meant == ("",)
    assert read_question("```\nall\nof it\n```").meant == ("```\nall\nof it\n```", "all")  # a fence says nothing
    assert read_question("***\nall of it\n---").meant == ("***\nall of it\n---",)
    assert len(read_question("long " * 200 + "\nmore").meant[1]) == 300


def test_a_report_is_ranked_as_a_statement() -> None:
    assert read_question("Cookies are lost?\n\nWhen signed, why?").statement
    assert not read_question("Are cookies lost when signed?").statement
