"""A question at work, and the answer that is recorded of it, with all that it rests on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ai_engine.metering import Meter
from ai_engine.ports import LanguageModel
from ai_engine.rewriting import Meant
from ai_engine.stages.build_prompt import without_secrets
from ai_engine.stages.check_citations import Checked
from ai_engine.stages.confidence import cited_passages, confidence_of, hits_of
from ai_engine.stages.fit_history import Kept
from ai_engine.stages.rerank import is_ordered
from ai_engine.stages.same_question import shelf_of
from ai_engine.stages.terms import terms_of
from ai_engine.stepping import DEEP
from ai_engine.writing import NOBODY, Written
from events.base import Envelope
from events.delivery.work import Run
from events.question import Passage, QuestionAnswered, QuestionAsked, SearchReply, StepTaken


@dataclass(frozen=True)
class Question:
    """A question at work: where its parts go, and the models that are to answer, the first one that does."""

    envelope: Envelope
    channel: str
    asked: QuestionAsked
    before: tuple[StepTaken, ...]
    models: tuple[LanguageModel, ...]
    run: Run
    meant: Meant
    kept: Kept
    began: float  # monotonic
    took: Meter


@dataclass(frozen=True)
class Grounds:
    """What was found, whether it is enough (from 0 to 1), and what the same question would have in common with this.

    Without a fingerprint nobody is given the answer again.
    """

    found: SearchReply
    evidence: float | None
    fingerprint: str = ""


def compose(
    question: Question, grounds: Grounds, written: Written, passages: Sequence[Passage], checked: Checked
) -> QuestionAnswered:
    """The answer as it is recorded; `passages` are those that it was written from."""
    asked, meant, kept, found = question.asked, question.meant, question.kept, grounds.found
    hits = hits_of(found.passages)
    spend = question.took.spend
    held = (cited_passages(passages, checked.citations) if written.mode == DEEP else ()) or hits
    confidence = confidence_of(terms_of(meant.query), held, stood=len(checked.citations), fell=checked.removed)
    as_wanted = written.model != NOBODY and not written.passed_over and is_ordered(found)
    fingerprint = grounds.fingerprint if as_wanted else ""
    return QuestionAnswered(
        question_id=asked.question_id,
        query=asked.query,
        answer=checked.text,
        mode=written.mode,
        response_time=round(time.monotonic() - question.began, 3),
        rag_hits=len(hits),
        confidence=0.0 if written.refused else confidence,
        citations=checked.citations,
        removed_citations=checked.removed,
        removed_quotes=checked.removed_quotes,
        passages=without_secrets(passages if written.mode == DEEP else found.passages),
        analysis_id=found.analysis_id,
        commit=found.commit,
        generation_kind=found.generation_kind,
        provider=written.provider,
        model=written.model,
        prompt=written.prompt,
        input_tokens=spend.input_tokens,
        output_tokens=spend.output_tokens,
        cost_usd=spend.cost_usd,
        is_estimated=spend.is_estimated,
        standalone=meant.query if meant.by else "",
        standalone_by=meant.by,
        history_turns=len(kept.turns),
        history_tokens=kept.tokens,
        history_left_out=kept.left_out,
        degraded=found.degraded,
        refused=written.refused,
        evidence=grounds.evidence,
        passed_over=written.passed_over,
        plan=found.plan,
        generation_id=found.generation_id,
        fingerprint=fingerprint,
        shelf=shelf_of(fingerprint) if fingerprint else None,
    )
