"""`repostream push-hook`: have a repository analysed again by its host, whenever something is pushed."""

from typing import Annotated

import typer

push_hook_app = typer.Typer(help="Analyse a repository again on each push, told by its host.", no_args_is_help=True)
Repository = Annotated[str, typer.Argument(help="The repository's URL, name or id.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@push_hook_app.command("make")
def make(repository: Repository, json: Json = False) -> None:
    """Make the push hook of a repository, or give it a new secret, and print both this once."""
    from cli.api import connect
    from cli.ask import find_repository
    from cli.screen import Screen

    api = connect()
    made = api.push_hooks_make(find_repository(api, repository))
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
        Screen().print(line, markup=False, highlight=False, soft_wrap=True)


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
    newest = f"{found.received_at:%Y-%m-%d %H:%M} UTC: {found.outcome}" if found.received_at else "never"
    lines = [f"Address: {address(found.url, api.url)}", f"Called:  {newest}"]
    if not found.works:
        lines.append("Whoever made it may not begin analyses any more: make it anew.")
    for line in lines:
        Screen().print(line, markup=False, highlight=False, soft_wrap=True)


@push_hook_app.command("remove")
def remove(repository: Repository) -> None:
    """End the push hook of a repository: what its host sends is refused from then on."""
    from cli.api import connect
    from cli.ask import find_repository
    from cli.screen import Screen

    api = connect()
    api.push_hooks_remove(find_repository(api, repository))
    Screen().print("Removed: its host is not listened to any more.")


def address(url: str, api: str) -> str:
    """Where the hook is called: without a public address at the API's own, which hosts elsewhere may not reach."""
    return f"{api.rstrip('/')}{url}" if url.startswith("/") else url
