"""Choose the earlier turns that a model is told.

In:  earlier turns, oldest first, as (question, answer), and a budget in tokens.
Out: the newest of them that fit, whole, oldest first; how many tokens they are, and how many turns were left out.

Half an answer would be told as if it were all that was said. Tokens are counted without a tokenizer, which differs from
model to model: a token each four ASCII characters, and one for each other character, is more than the usual ones need.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.answer_limits import HISTORY_TOKENS


@dataclass(frozen=True)
class Kept:
    """Earlier turns that are told."""

    turns: tuple[tuple[str, str], ...] = ()
    tokens: int = 0
    left_out: int = 0


def fit_history(history: Sequence[tuple[str, str]], budget: int = HISTORY_TOKENS) -> Kept:
    """The newest turns within the budget. A turn without words is none: providers refuse an empty message. Pure."""
    said = [(asked, answered) for asked, answered in history if asked.strip() and answered.strip()]
    tokens, first = 0, len(said)
    while first > 0 and (more := tokens + sum(map(tokens_of, said[first - 1]))) <= budget:
        tokens, first = more, first - 1
    return Kept(tuple(said[first:]), tokens, first)


def tokens_of(text: str) -> int:
    """About how many tokens a text is. Pure."""
    plain = sum(character.isascii() for character in text)
    return -(-plain // 4) + len(text) - plain
