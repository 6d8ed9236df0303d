"""Questions that were answered at two analyses of a repository, each with both answers. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from uuid import UUID

from events.question import Citation, Passage
from orchestrator.api.comparing_models import QuestionCompared
from orchestrator.api.models import ConversationView, QuestionView

_AROUND = " \t\n.,;:!?…¿¡\"'`“”„‘’«»"  # noqa: RUF001  # quotation marks
_SPACE = re.compile(r"\s+")


def same_words(query: str) -> str:
    """A question as it is compared: case, space, marks around it and ways of writing a character aside."""
    folded = unicodedata.normalize("NFKC", query).casefold()
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", folded)).strip(_AROUND)


def answered_at(conversations: Iterable[ConversationView], analyses: Sequence[UUID]) -> list[QuestionView]:
    """The questions that were answered at one of these analyses, each with no more than what its citations rest on."""
    return [
        question.model_copy(update={"passages": _cited(question), "steps": [], "plan": []})
        for conversation in conversations
        for question in conversation.questions
        if question.state == "answered" and question.analysis_id in analyses
    ]


def asked_at_both(questions: Sequence[QuestionView], before: UUID, after: UUID) -> list[QuestionCompared]:
    """The questions that both analyses have an answer to, the newest first; of several answers of one its newest.

    The same are those of the same words in the same part of the repository. A question that pointed back is taken by
    what it meant.
    """
    sides: dict[UUID, dict[tuple[str, str], QuestionView]] = {before: {}, after: {}}
    for question in sorted(questions, key=lambda each: each.asked_at):
        if question.analysis_id in sides:
            sides[question.analysis_id][_meant(question)] = question
    both = [
        QuestionCompared(query=question.standalone or question.query, before=sides[before][key], after=question)
        for key, question in sides[after].items()
        if key in sides[before]
    ]
    return sorted(both, key=lambda each: max(each.before.asked_at, each.after.asked_at), reverse=True)


def _meant(question: QuestionView) -> tuple[str, str]:
    scope = question.scope.model_dump_json() if question.scope is not None else ""
    return same_words(question.standalone or question.query), scope


def _cited(question: QuestionView) -> list[Passage]:
    return [passage for passage in question.passages if any(_has(passage, place) for place in question.citations)]


def _has(passage: Passage, place: Citation) -> bool:
    overlaps = passage.first_line <= place.last_line and place.first_line <= passage.last_line
    return passage.path == place.path and overlaps
