"""`repostream conversation` and `repostream rate`: what was talked about, and what is to become of it."""

from collections.abc import Iterator
from pathlib import Path

from cli.api import connect
from cli.ask import Asked, find_repository, print_answer
from cli.exits import OK
from cli.files import write_new
from cli.moments import minute
from cli.paging import all_of
from cli.plain import visible
from cli.screen import Screen, tell
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
        line = f"{each.conversation_id}  begun {minute(each.started_at)}  {asked}"
        tell(each, [line], as_json=as_json)
    if not found and not as_json:
        said = "No conversation has these words." if words else "Nothing was asked yet."
        console.say(said)
    return OK


def run_show(conversation_id: str, *, as_json: bool) -> int:
    """Print a conversation; returns the exit code. Raises ApiError."""
    found, console = connect().conversations_one(conversation_id), Screen()
    if as_json:
        print(found.model_dump_json())
        return OK
    for question in found.questions:
        head = f"{question.query}{'  (again)' if question.again else ''}"
        console.say(head, style="bold")
        if question.state == "asked":
            console.say(f"  being answered  {question.question_id}", style="dim")
        else:
            print_answer(console, Asked(question, question.state == "failed"))
        console.print()
    return OK


def run_export(conversation_id: str, output: Path | None) -> int:
    """Write a conversation as Markdown; returns the exit code. Raises ApiError."""
    found = connect().conversations_document(conversation_id)
    if output is None:
        print(visible(found.markdown), end="")
        return OK
    write_new(output, found.markdown)
    Screen().say(f"Written to {output}.")
    return OK


def run_rate(question_id: str, rating: int) -> int:
    """Say whether an answer helped; returns the exit code. Raises ApiError."""
    connect().conversations_rate(question_id, RatingRequest(rating=1 if rating > 0 else -1))
    Screen().say("Noted.")
    return OK


def _conversations(api: Client, repository_id: str, words: str) -> Iterator[ConversationSummary]:
    return all_of(
        lambda cursor: api.conversations_newest(repository_id=repository_id, words=words, cursor=cursor, limit=_PAGE)
    )
