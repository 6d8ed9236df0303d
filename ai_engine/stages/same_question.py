"""Tell whether a question was asked before, of the same state of a repository, and give the answer of then again.

In:  a question, what its search said, and who is to answer it by which prompt; or an earlier answer.
Out: a fingerprint that is the same for the same, and a shelf to look for it on; or the answer as this question's.
"""

import hashlib
import json
import unicodedata
from datetime import datetime

from ai_engine.stages.price import Spend
from events.question import QuestionAnswered, QuestionAsked, SearchReply

_FORM = 1  # raise it where what makes an answer changes and no prompt's name does


def fingerprint_of(asked: QuestionAsked, found: SearchReply, *, model: str, prompt: str) -> str:
    """SHA-256 in hex of what was asked of what; empty where an answer depends on more than that. Pure.

    More than that are the turns before, an overview's facts, and what was away or not made yet when it was searched.
    """
    unsettled = found.degraded is not None or not found.settled or any(step.absent for step in found.plan)
    if asked.history or asked.facts or unsettled:
        return ""
    scope = asked.scope.model_dump() if asked.scope is not None else None
    state = (str(found.analysis_id), str(found.generation_id), found.lexicon_sha256)
    said = json.dumps([_FORM, _normal(asked.query), scope, asked.mode, model, prompt, *state])
    return hashlib.sha256(said.encode()).hexdigest()


def shelf_of(fingerprint: str) -> int:
    """One of 256: what is looked for is found by it among thousands, and nobody learns from it what was asked. Pure."""
    return int(fingerprint[:2], 16)


def told_again(
    earlier: QuestionAnswered, asked: QuestionAsked, spend: Spend, *, answered_at: datetime, seconds: float
) -> QuestionAnswered:
    """The earlier answer as the answer to this question, which took `seconds`, and `spend` until it was found. Pure.

    It is found by nobody else: only what a model wrote is offered again, as long as that is there.
    """
    return earlier.model_copy(
        update={
            "question_id": asked.question_id,
            "query": asked.query,
            "response_time": round(seconds, 3),
            "input_tokens": spend.input_tokens,
            "output_tokens": spend.output_tokens,
            "cost_usd": 0.0 if spend.cost_usd is None and earlier.cost_usd is not None else spend.cost_usd,
            "is_estimated": spend.is_estimated,
            "fingerprint": "",
            "shelf": None,
            "earlier": earlier.question_id,
            "earlier_at": answered_at,
        }
    )


def _normal(question: str) -> str:
    """Blanks and the end of the sentence aside. Capitals count: in code they are another name."""
    return " ".join(unicodedata.normalize("NFC", question).split()).rstrip("?.! ")
