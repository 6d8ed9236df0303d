"""`repostream team` and `repostream account`: what a key with `admin` deletes of its owner's."""

from typing import Annotated

import typer

team_app = typer.Typer(help="Teams that you own.", no_args_is_help=True)
account_app = typer.Typer(help="Your own account.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Confirm = Annotated[str, typer.Option("--confirm", help="The name, letter by letter; asked for where it is left out.")]


@team_app.command("delete")
def team_delete(
    team: Annotated[str, typer.Argument(help="The team's name or id.")], confirm: _Confirm = "", json: _Json = False
) -> None:
    """Delete a team that you own with all that it has, for good. It takes a key with `admin`."""
    from cli.delete import run_delete_team

    raise typer.Exit(run_delete_team(team, confirm=confirm, as_json=json))


@account_app.callback()
def account() -> None:
    """Your own account."""


@account_app.command("delete")
def account_delete(confirm: _Confirm = "", json: _Json = False) -> None:
    """Delete your account and every team that has nobody else, for good. It takes a key with `admin`."""
    from cli.delete import run_delete_account

    raise typer.Exit(run_delete_account(confirm=confirm, as_json=json))
