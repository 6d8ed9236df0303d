"""How many tokens a question may take, before anybody knows how many it does. Pure.

In:  a question as it was asked, and what this installation lets an answer take.
Out: the tokens that are kept of a tenant's quota until its answer is there.

It is the most that its calls take where each is made once: one that fails and is made again comes on top.
"""

from dataclasses import dataclass

from events.question import QuestionAsked
from runtime.answer_limits import HISTORY_TOKENS, PASSAGE_CHARACTERS, REPLY_TOKENS, REPLY_WITH_THOUGHTS

_RULES = 500  # tokens of a prompt's own text, and the offer of its tools
_PER_TOKEN = 2.5  # characters: of code, with the numbers of its lines


@dataclass(frozen=True)
class AnswerLimits:
    """What an answer may take: the configured models, whether one of them orders passages, and the bounds of steps."""

    models: tuple[str, ...] = ()
    reranks: bool = False
    deep_steps: int = 8
    deep_tokens: int = 80_000
    deep_characters: int = 60_000

    def tokens_of(self, asked: QuestionAsked) -> int:
        """The most that the answer may take; nothing where no model is asked."""
        names = [asked.model] if asked.model is not None else list(self.models)
        if asked.mode == "extractive" or not names:
            return 0
        reply = max(REPLY_TOKENS if name.startswith("anthropic:") else REPLY_WITH_THOUGHTS for name in names)
        spoken = HISTORY_TOKENS if asked.history and not asked.facts else 0
        said = _RULES + spoken + _tokens(len(asked.query) + len(asked.facts)) + reply
        answer = said + _tokens(PASSAGE_CHARACTERS)
        rewritten = said if spoken else 0
        ordered = answer if self.reranks and not asked.facts else 0
        return rewritten + ordered + (self._steps(answer) if asked.mode == "deep" else answer)

    def _steps(self, opening: int) -> int:
        """Of all calls: one may begin just below the bound of tokens, and then the answer is written."""
        largest = opening + _tokens(self.deep_characters)
        return min((self.deep_steps + 1) * largest, self.deep_tokens + 2 * largest)


def _tokens(characters: int) -> int:
    return round(characters / _PER_TOKEN)
