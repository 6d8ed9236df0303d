"""Turns of a conversation: the attempts at a question, what was told of those before, an answer for elsewhere. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from runtime.client.shapes import ConversationSummary, QuestionView, Scope
from runtime.line_links import line_link
from runtime.portable_markdown import portable
from web_ui.words import ago, count, moment, visible

_HEAD = 80  # characters of a question in a list


def attempts_of(questions: Sequence[QuestionView]) -> list[list[QuestionView]]:
    """The attempts at each question, the questions in the order in which they were first asked."""
    found: dict[str, list[QuestionView]] = {}
    for question in questions:
        found.setdefault(question.again or question.question_id, []).append(question)
    return list(found.values())


def shown_attempt(attempts: Sequence[QuestionView], chosen: str | None) -> int:
    """The place of the attempt that is shown: the chosen one, or the newest."""
    ids = [attempt.question_id for attempt in attempts]
    return ids.index(chosen) if chosen in ids else len(ids) - 1


def answer_actions(attempts: Sequence[QuestionView], place: int, *, may_ask: bool) -> dict[str, object]:
    """What the buttons below an answer say: how it was rated, and which of how many it is.

    Whoever may not ask neither rates nor has it answered again.
    """
    return {"may_ask": may_ask, "rating": attempts[place].rating, "number": place + 1, "count": len(attempts)}


def answer_markdown(question: QuestionView, repository_url: str) -> str:
    """An answer for other programs, its citations as links to the lines at the repository's host."""
    places = [(one.path, one.first_line, one.last_line) for one in question.citations]
    links = {place: line_link(repository_url, question.commit, place) for place in places}
    return portable(question.answer or "", links)


def told_scope(scope: Scope) -> str:
    """What a question is limited to."""
    given = (scope.folder and f"{scope.folder.strip('/')}/", scope.path, scope.language, scope.symbol)
    return f"Only in {', '.join(visible(each) for each in given if each)}"


def told_plan(question: QuestionView) -> list[str]:
    """Which retrievers were asked, how many passages each found, and what it looked for."""
    steps = [
        f"{visible(step.retriever)} {step.found:,}"
        + (f" (for {visible(step.about)})" if step.about else "")
        + (f", weight {step.weight:g}" if step.weight else "")
        for step in question.plan
    ]
    return [f"Found by: {'; '.join(steps)}"] if steps else []


def steps_shown(question: QuestionView) -> list[dict[str, object]]:
    """The steps of an answer as the components draw them."""
    shown = {"number", "tool", "asked", "said", "outcome", "found", "seconds"}
    return [step.model_dump(mode="json", include=shown) for step in question.steps]


def told_talk(conversation: ConversationSummary, now: datetime) -> str:
    """A conversation in a list: what was asked first, how many questions more, and when it began."""
    more = f" +{conversation.questions - 1}" if conversation.questions > 1 else ""
    return f"{head(conversation)}{more} · {ago(conversation.started_at, now)}"


def head(conversation: ConversationSummary) -> str:
    """The first words of what was asked first."""
    asked = visible(conversation.first_question or "Nothing asked yet")
    return asked if len(asked) <= _HEAD else f"{asked[: _HEAD - 1].rstrip()}…"


def told_before(question: QuestionView, zone: tzinfo) -> list[str]:
    """What was searched for in place of the question, how much of the conversation was told, and by which prompt."""
    by = "by rules" if question.standalone_by == "rules" else f"by {visible(question.standalone_by)}"
    turns = count(question.history_turns, "earlier turn")
    left = f", {question.history_left_out} more did not fit" if question.history_left_out else ""
    told = question.history_turns or question.history_left_out
    return [
        *([told_scope(question.scope)] if question.scope else []),
        *([f"Searched for: {visible(question.standalone)} (rewritten {by})"] if question.standalone else []),
        *([told_earlier(question.earlier_at, zone)] if question.earlier_at else []),
        *([f"Told {turns}, about {question.history_tokens:,} tokens{left}"] if told else []),
        *([f"Written by prompt {visible(question.prompt)}"] if question.prompt else []),
    ]


def told_earlier(at: datetime, zone: tzinfo) -> str:
    """That no model was asked this time."""
    return f"Answered from an earlier answer of {moment(at, zone)} to the same question; Answer again asks anew"
