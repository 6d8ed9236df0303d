"""`repostream fork`: what would have become of a history, in a sandbox."""

from typing import Annotated

import typer

replaying_app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@replaying_app.command("fork")
def fork(
    stream: Annotated[str, typer.Argument(help="An analysis's id, or a stream such as conversation/<id>.")],
    version: Annotated[int, typer.Argument(help="The version of the event that is edited.", min=1)],
    values: Annotated[list[str] | None, typer.Argument(help="name=value, the value as JSON or text.")] = None,
    json: Json = False,
) -> None:
    """Edit an event of a copy of a history and go on from it with the present code; nothing is done for real."""
    from cli.fork import run_fork

    raise typer.Exit(run_fork(stream, version, values or [], as_json=json))
