"""`repostream push-hook`: have a repository analysed again by its host, whenever something is pushed."""

from typing import Annotated

import typer

from cli.moments import minute
from cli.sure import require_yes
from runtime.client import ApiError, Client

push_hook_app = typer.Typer(help="Analyse a repository again on each push, told by its host.", no_args_is_help=True)
Repository = Annotated[str, typer.Argument(help="The repository's URL, name or id.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@push_hook_app.command("make")
def make(
    repository: Repository,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    json: Json = False,
) -> None:
    """Make the push hook of a repository, or give it a new secret, and print both this once."""
    from cli.api import connect
    from cli.ask import find_repository
    from cli.screen import Screen

    api = connect()
    repository_id = find_repository(api, repository)
    if _is_there(api, repository_id):
        require_yes("It has a push hook: a new secret ends the one that its host knows. Go on?", yes=yes)
    made = api.push_hooks_make(repository_id)
    if json:
        print(made.model_dump_json())
        return
    lines = (
        f"Address: {address(made.url, api.url)}",
        f"Secret:  {made.secret}",
        "Put both into the webhook settings of the repository at its host, for pushes, as JSON.",
        "The secret is not shown again; `make` once more gives another one.",
    )
    for line in lines:
        Screen().say(line)


@push_hook_app.command("show")
def show(repository: Repository, json: Json = False) -> None:
    """Show the push hook of a repository, and what its newest call came to."""
    from cli.api import connect
    from cli.ask import find_repository
    from cli.screen import Screen

    api = connect()
    found = api.push_hooks_one(find_repository(api, repository))
    if json:
        print(found.model_dump_json())
        return
    newest = f"{minute(found.received_at)}: {found.outcome}" if found.received_at else "never"
    lines = [f"Address: {address(found.url, api.url)}", f"Called:  {newest}"]
    if not found.works:
        lines.append("Whoever made it may not begin analyses any more: make it anew.")
    for line in lines:
        Screen().say(line)


@push_hook_app.command("remove")
def remove(
    repository: Repository, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False
) -> None:
    """End the push hook of a repository: what its host sends is refused from then on."""
    from cli.api import connect
    from cli.ask import find_repository
    from cli.screen import Screen

    api = connect()
    repository_id = find_repository(api, repository)
    require_yes("End the push hook? What the host sends is refused from then on.", yes=yes)
    api.push_hooks_remove(repository_id)
    Screen().say("Removed: its host is not listened to any more.")


def _is_there(api: Client, repository_id: str) -> bool:
    try:
        api.push_hooks_one(repository_id)
    except ApiError as error:
        if error.problem.status != 404:
            raise
        return False
    return True


def address(url: str, api: str) -> str:
    """Where the hook is called: without a public address at the API's own, which hosts elsewhere may not reach."""
    return f"{api.rstrip('/')}{url}" if url.startswith("/") else url
