"""`repostream conversation` and `repostream rate`: what was talked about, and what is to become of it."""

from collections.abc import Iterator
from pathlib import Path

from cli.api import connect
from cli.ask import Asked, find_repository, print_answer
from cli.exits import OK
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import ConversationSummary, RatingRequest

_PAGE = 200


def run_list(repository: str, *, words: str, as_json: bool) -> int:
    """Print the conversations about a repository, those with `words` where any; returns the exit code.

    Raises ApiError.
    """
    api, console = connect(), Screen()
    found = list(_conversations(api, find_repository(api, repository), words))
    for each in found:
        asked = " ".join((each.first_question or "").split())
        line = f"{each.conversation_id}  begun {each.started_at:%Y-%m-%d %H:%M} UTC  {asked}"
        console.print(each.model_dump_json() if as_json else line, markup=False, highlight=False, soft_wrap=True)
    if not found and not as_json:
        said = "No conversation has these words." if words else "Nothing was asked yet."
        console.print(said, markup=False, highlight=False)
    return OK


def run_show(conversation_id: str, *, as_json: bool) -> int:
    """Print a conversation; returns the exit code. Raises ApiError."""
    found, console = connect().conversations_one(conversation_id), Screen()
    if as_json:
        print(found.model_dump_json())
        return OK
    for question in found.questions:
        head = f"{question.query}{'  (again)' if question.again else ''}"
        console.print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
        if question.state == "asked":
            console.print(f"  being answered  {question.question_id}", style="dim", markup=False, highlight=False)
        else:
            print_answer(console, Asked(question, question.state == "failed"))
        console.print()
    return OK


def run_export(conversation_id: str, output: Path | None) -> int:
    """Write a conversation as Markdown; returns the exit code. Raises ApiError."""
    found = connect().conversations_document(conversation_id)
    if output is not None:
        output.write_text(found.markdown, "utf-8")
    said = found.markdown.rstrip("\n") if output is None else f"Written to {output}."
    Screen().print(said, markup=False, highlight=False, soft_wrap=True)
    return OK


def run_rate(question_id: str, rating: int) -> int:
    """Say whether an answer helped; returns the exit code. Raises ApiError."""
    connect().conversations_rate(question_id, RatingRequest(rating=1 if rating > 0 else -1))
    Screen().print("Noted.", markup=False, highlight=False)
    return OK


def _conversations(api: Client, repository_id: str, words: str) -> Iterator[ConversationSummary]:
    page = api.conversations_newest(repository_id=repository_id, words=words, limit=_PAGE)
    yield from page.items
    while page.next is not None:
        page = api.conversations_newest(repository_id=repository_id, words=words, cursor=page.next, limit=_PAGE)
        yield from page.items
