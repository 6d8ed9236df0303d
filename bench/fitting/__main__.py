"""Fit the quick model's table, judge it, and write it with its model card.

    python -m bench.fitting UNPACKED WORK MODELS

UNPACKED: what `bench.fitting.packages` left; WORK: keeps the full model's vectors between runs; MODELS: a folder of
`rag_manager.models.build`. Some ten minutes on two cores, nearly all of them for the vectors.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bench.fitting.card import write_card
from bench.fitting.judge import Verdict, judge
from bench.fitting.regression import design, fit, prior_for, start_for
from bench.fitting.sample import Sample, sample
from bench.fitting.targets import token_vectors, vectors_of
from bench.fitting.texts import texts_under
from rag_manager.models.files import TOKENIZER, open_tokenizer, shipped
from rag_manager.models.token_table import TokenTable, table_of, write_table
from rag_manager.models.weights import MAX_TOKENS, TOKENIZER_SHA256, read_weights, weights_file

Floats = NDArray[np.float32]


def main(unpacked: Path, work: Path, models: Path) -> None:
    """Do all of it."""
    chosen = sample(texts_under(unpacked))
    tokenizer = open_tokenizer(shipped(TOKENIZER), MAX_TOKENS)
    judged = [question.text for question in chosen.questions] + [text for _, text in chosen.chunks]
    reference = vectors_of(judged, models, work)
    targets = vectors_of(chosen.texts, models, work)
    inputs = read_weights(weights_file())["embeddings.word_embeddings.weight"]
    table = _fit(chosen, tokenizer, targets, inputs, token_vectors(len(inputs), models, work))
    verdicts = {
        "full model (all-MiniLM-L6-v2, 8 bits)": _verdict(chosen, reference, reference),
        "this table": _verdict(chosen, table.pool(_ids(tokenizer, judged)), reference),
        "mean of the model's input embeddings": _verdict(
            chosen, table_of(inputs, np.zeros(len(inputs[0]), np.float32)).pool(_ids(tokenizer, judged)), reference
        ),
    }
    digest = write_table(work / "token-table.npz", table)
    target = shipped(f"minilm-token-table-{digest[:8]}.npz")
    (work / "token-table.npz").replace(target)
    write_card(target, (digest, TOKENIZER_SHA256), chosen, verdicts)
    print(f"TABLE_SHA256 = {digest!r}")


def _fit(chosen: Sample, tokenizer: Tokenizer, targets: Floats, inputs: Floats, single: Floats) -> TokenTable:
    """Fit twice: what the first fit learnt about frequent tokens tells the second what rare ones are like.

    A text weighs the root of its length: each of a short text's few tokens would else outweigh a long one's many.
    """
    texts = _ids(tokenizer, chosen.texts)
    weights = np.sqrt(np.array([max(len(ids), 1) for ids in texts], np.float32))
    weights /= weights.mean()
    matrix = design(texts, len(inputs))
    first = fit(matrix, targets, weights, start_for(matrix, targets, single))
    fitted = fit(matrix, targets, weights, prior_for(matrix, first.rows, [inputs, single]))
    return table_of(fitted.rows, fitted.bias)


def _ids(tokenizer: Tokenizer, texts: list[str] | tuple[str, ...]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def _verdict(chosen: Sample, vectors: Floats, reference: Floats) -> Verdict:
    count = len(chosen.questions)
    return judge(chosen, vectors[:count], vectors[count:], reference)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
