"""`repostream delete` and `repostream conversation delete`: for good."""

import typer

from cli.api import connect
from cli.ask import address_of, find_repository
from cli.exits import OK, USAGE
from cli.screen import Screen


def run_delete(repository: str, *, sure: bool, as_json: bool) -> int:
    """The command; returns its exit code. Without `sure` it asks, and does nothing where the answer is no."""
    api = connect()
    repository_id = find_repository(api, repository)
    url = address_of(api.contents_repository(repository_id))
    question = f"Delete {url} with its analyses, conversations and index? This cannot be taken back."
    if not sure and not typer.confirm(question, err=True):
        Screen().print("Nothing was deleted.")
        return USAGE
    said = api.deleting_delete(repository_id)
    if as_json:
        print(said.model_dump_json())
    else:
        Screen().print(f"Deleted {url}. Within a minute nothing of it is left.", markup=False, highlight=False)
    return OK


def run_delete_conversation(conversation_id: str, *, sure: bool, as_json: bool) -> int:
    """The command; returns its exit code. Without `sure` it asks, and does nothing where the answer is no."""
    api = connect()
    found = api.conversations_one(conversation_id)
    question = (
        f"Delete the conversation about {found.title} with its {len(found.questions)} questions? "
        "This cannot be taken back."
    )
    if not sure and not typer.confirm(question, err=True):
        Screen().print("Nothing was deleted.")
        return USAGE
    said = api.deleting_delete_conversation(conversation_id)
    if as_json:
        print(said.model_dump_json())
    else:
        line = f"Deleted the conversation about {found.title}. Within a minute nothing of it is left."
        Screen().print(line, markup=False, highlight=False)
    return OK
