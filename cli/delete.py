"""`repostream delete`, and `delete` of a conversation, a team or one's account: for good."""

import typer

from cli.api import connect
from cli.ask import address_of, find_repository
from cli.exits import OK, USAGE, leave
from cli.screen import Screen
from cli.sure import require_yes
from runtime.client.shapes import DepartureRequest, DepartureView


def run_delete(repository: str, *, sure: bool, as_json: bool) -> int:
    """The command; returns its exit code. Without `sure` it asks, and ends with DECLINED where the answer is no."""
    api = connect()
    repository_id = find_repository(api, repository)
    url = address_of(api.contents_repository(repository_id))
    question = f"Delete {url} with its analyses, conversations and index? This cannot be taken back."
    require_yes(question, yes=sure)
    said = api.deleting_delete(repository_id)
    if as_json:
        print(said.model_dump_json())
    else:
        Screen().say(f"Deleted {url}. Within a minute nothing of it is left.")
    return OK


def run_delete_conversation(conversation_id: str, *, sure: bool, as_json: bool) -> int:
    """The command; returns its exit code. Without `sure` it asks, and ends with DECLINED where the answer is no."""
    api = connect()
    found = api.conversations_one(conversation_id)
    question = (
        f"Delete the conversation about {found.title} with its {len(found.questions)} questions? "
        "This cannot be taken back."
    )
    require_yes(question, yes=sure)
    said = api.deleting_delete_conversation(conversation_id)
    if as_json:
        print(said.model_dump_json())
    else:
        line = f"Deleted the conversation about {found.title}. Within a minute nothing of it is left."
        Screen().say(line)
    return OK


def run_delete_team(team: str, *, confirm: str, as_json: bool) -> int:
    """The command; returns its exit code. Without `confirm` it asks for the team's name."""
    api = connect()
    found = [each for each in api.tenants_mine().items if team in {each.tenant_id, each.name} and not each.personal]
    if len(found) != 1:
        leave(USAGE, f"{'Several teams' if found else 'No team'} of yours is called “{team}”: name one by its id.")
    name = confirm or typer.prompt(
        f"Type the name of the team “{found[0].name}” to delete it with all it has", err=True
    )
    gone = api.deleting_delete_tenant(found[0].tenant_id, DepartureRequest(confirm=name))
    return _departed(gone, f"Deleted the team “{found[0].name}”.", as_json=as_json)


def run_delete_account(*, confirm: str, as_json: bool) -> int:
    """The command; returns its exit code. Without `confirm` it asks for the login."""
    api = connect()
    who = api.installation_me().name
    name = confirm or typer.prompt(f"Type your login to delete the account of {who} with all that is yours", err=True)
    gone = api.deleting_delete_account(DepartureRequest(confirm=name))
    return _departed(gone, f"Deleted the account of {who}.", as_json=as_json)


def _departed(gone: DepartureView, line: str, *, as_json: bool) -> int:
    if as_json:
        print(gone.model_dump_json())
    else:
        Screen().say(f"{line} Within a minute nothing of it is left.")
    return OK
