"""A conversation as one Markdown document, with citations as links to the lines at the repository's host. Pure."""

from collections.abc import Sequence

from orchestrator.api.models import ConversationView, QuestionView
from orchestrator.projections.conversations import first_attempt
from runtime.line_links import line_link
from runtime.portable_markdown import Place, cited, portable, quoted

_RATED = {1: "rated helpful", -1: "rated not helpful"}


def transcript(conversation: ConversationView, repository_url: str) -> str:
    """All questions, each with every answer that it got, the oldest first."""
    began = f"{conversation.started_at:%Y-%m-%d %H:%M} UTC"
    blocks = [
        f"# A conversation about {_plain(conversation.title)}",
        f"Repository: {_plain(repository_url)}, begun {began}.",
    ]
    for number, attempts in enumerate(attempts_of(conversation.questions), 1):
        blocks += [f"## Question {number}", quoted(attempts[0].query)]
        for turn, attempt in enumerate(attempts, 1):
            blocks += [f"### Answer {turn} of {len(attempts)}"] if len(attempts) > 1 else []
            blocks += [quoted(attempt.query)] if attempt.query != attempts[0].query else []
            blocks += _answer(attempt, repository_url)
    return "\n\n".join(blocks) + "\n"


def attempts_of(questions: Sequence[QuestionView]) -> list[list[QuestionView]]:
    """The attempts at each question, in the order in which they were asked."""
    found: dict[object, list[QuestionView]] = {}
    for question in questions:
        found.setdefault(first_attempt(question), []).append(question)
    return list(found.values())


def _answer(question: QuestionView, url: str) -> list[str]:
    if question.state == "failed":
        return [f"*Not answered: {_plain(question.message or question.code or '')}*"]
    if question.answer is None:
        return ["*The answer is still being written.*"]
    places = [(one.path, one.first_line, one.last_line) for one in question.citations]
    links: dict[Place, str | None] = {place: line_link(url, question.commit, place) for place in places}
    listed = [f"- {cited(place, link)}" for place, link in links.items()]
    return [
        portable(question.answer, links),
        *(["Cited:\n" + "\n".join(listed)] if listed else []),
        _rests_on(question),
    ]


def _rests_on(question: QuestionView) -> str:
    """By what it was written, at which commit, how well it is founded, and what somebody thought of it."""
    model = "put together from passages, no language model"
    if question.refused:
        model = "refused: nothing in the repository answers it"
    elif question.mode != "extractive":
        model = f"written by {_plain(question.model or 'a language model')}"
    facts = (
        model,
        f"an answer of {question.earlier_at:%Y-%m-%d %H:%M} UTC to the same question" if question.earlier_at else "",
        f"commit {_plain(question.commit)}" if question.commit else "",
        f"evidence {question.confidence:.0%}" if question.confidence is not None else "",
        f"asked {question.asked_at:%Y-%m-%d %H:%M} UTC",
        _RATED.get(question.rating or 0, ""),
    )
    return f"*{'; '.join(fact for fact in facts if fact)}*"


def _plain(text: str) -> str:
    """One line that is no markup."""
    return portable(" ".join(text.split()), {}).replace("*", r"\*").replace("`", "'")
