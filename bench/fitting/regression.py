"""Fit a token table: ridge regression of weighted token vectors onto a sentence model's vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from rag_manager.models.token_table import TEXTS_AT_ONCE, token_weights

Floats = NDArray[np.float32]

STEPS = 15  # twelve and twenty-five gave the same
RIDGE = 0.01  # the prior weighs as much as one text of which the token makes a tenth
DAMPING = 0.01  # a token in this share of the texts weighs half


@dataclass(frozen=True, slots=True)
class Fitted:
    """Vectors by token, shape (vocabulary, width), and the bias, shape (width,)."""

    rows: Floats
    bias: Floats


def design(texts: Sequence[Sequence[int]], vocabulary: int) -> csr_matrix:
    """Return the weights of each text's tokens, shape (texts, vocabulary + 1); the last column is the bias."""
    data, columns, ends = [], [], [0]
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        weights, used = token_weights(texts[first : first + TEXTS_AT_ONCE], vocabulary)
        rows, places = np.nonzero(weights)
        data.append(weights[rows, places])
        columns.append(used[places])
        ends.extend(ends[-1] + np.cumsum(np.bincount(rows, minlength=len(weights))))
    matrix = csr_matrix((np.concatenate(data), np.concatenate(columns), ends), shape=(len(texts), vocabulary))
    return csr_matrix(hstack([matrix, np.ones((len(texts), 1), np.float32)], format="csr", dtype=np.float32))


def fit(matrix: csr_matrix, targets: Floats, weights: Floats, prior: Floats, ridge: float = RIDGE) -> Fitted:
    """Return the table with the least weighted squared error, held to `prior` where the texts say little.

    `prior` has shape (vocabulary, width). Conjugate gradients on the normal equations, all dimensions at once,
    preconditioned by the diagonal because tokens differ in frequency by five orders of magnitude.
    """
    weighted = csr_matrix(matrix.multiply(weights[:, None]))
    holding = np.full((matrix.shape[1], 1), ridge, np.float32)
    holding[-1] = 0
    start = np.vstack([prior, np.average(targets - matrix[:, :-1] @ prior, axis=0, weights=weights)]).astype(np.float32)
    diagonal = np.asarray(weighted.multiply(matrix).sum(axis=0), np.float32).reshape(-1, 1) + holding

    def curvature(direction: Floats) -> Floats:
        return np.asarray(weighted.T @ (matrix @ direction) + holding * direction)

    change = np.zeros_like(start)
    residual = np.asarray(weighted.T @ (targets - matrix @ start))
    scaled = residual / diagonal
    direction = scaled.copy()
    agreement = (residual * scaled).sum(axis=0)
    for _ in range(STEPS):
        bent = curvature(direction)
        step = agreement / np.maximum((direction * bent).sum(axis=0), 1e-30)
        change += step * direction
        residual -= step * bent
        scaled = residual / diagonal
        previous, agreement = agreement, (residual * scaled).sum(axis=0)
        direction = scaled + agreement / np.maximum(previous, 1e-30) * direction
    fitted = start + change
    return Fitted(fitted[:-1], fitted[-1])


def start_for(matrix: csr_matrix, targets: Floats, single: Floats) -> Floats:
    """Return a first prior: what the model makes of each token alone, frequent ones damped, scaled to the targets."""
    share = np.asarray((matrix[:, :-1] > 0).sum(axis=0)).ravel() / matrix.shape[0]
    damped = (single * (DAMPING / (DAMPING + share))[:, None]).astype(np.float32)
    pooled = matrix[:, :-1] @ damped
    return np.asarray(damped * ((pooled * targets).sum() / (pooled * pooled).sum()), np.float32)


def prior_for(matrix: csr_matrix, rows: Floats, known: Sequence[Floats]) -> Floats:
    """Return what fitted rows would be if they were a linear function of what is known of every token."""
    features = np.hstack([*known, np.ones((len(rows), 1), np.float32)])
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    trust = np.sqrt(np.asarray(matrix[:, :-1].sum(axis=0)).reshape(-1, 1))
    seen = features * trust
    mapping = np.linalg.solve(seen.T @ seen + np.eye(seen.shape[1]), seen.T @ (rows * trust))
    return np.asarray(features @ mapping, np.float32)
