"""`repostream fork` and `shadow`: what would have been, and what the present code makes, in a sandbox."""

from typing import Annotated

import typer

replaying_app = typer.Typer()
shadow_app = typer.Typer(
    help="A stage of this release over what was recorded, beside what serves. For administrators.", no_args_is_help=True
)
replaying_app.add_typer(shadow_app, name="shadow")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; of a list, a document a line.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")]


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


@shadow_app.command("run")
def shadow_run(
    analysis: Annotated[str, typer.Argument(help="An analysis's id.")],
    stage: Annotated[
        str, typer.Option(help="metadata, structure, parse, link, index, embed, answer or workflow.")
    ] = "workflow",
    passages: Annotated[
        str | None, typer.Option(help="Of an index: a shadow of parse, whose passages it is made of.")
    ] = None,
    json: Json = False,
) -> None:
    """Run a stage of the present code over the recorded inputs, and show what is different. Nothing live is touched."""
    from cli.shadow import run_shadow

    raise typer.Exit(run_shadow(analysis, stage, passages, as_json=json))


@shadow_app.command("show")
def shadow_show(
    shadow: Annotated[str | None, typer.Argument(help="Its id; all are listed where it is left out.")] = None,
    json: Json = False,
) -> None:
    """Show a shadow, or list them."""
    from cli.shadow import run_show

    raise typer.Exit(run_show(shadow, as_json=json))


@shadow_app.command("drop")
def shadow_drop(shadow: Annotated[str, typer.Argument(help="Its id.")], yes: Yes = False) -> None:
    """Remove a shadow with all that it made."""
    from cli.shadow import run_drop

    raise typer.Exit(run_drop(shadow, yes=yes))


@shadow_app.command("promote")
def shadow_promote(shadow: Annotated[str, typer.Argument(help="Its id.")], yes: Yes = False) -> None:
    """Let what a shadow made take the place of what serves; refused where other stages' results were made of that."""
    from cli.shadow import run_promote

    raise typer.Exit(run_promote(shadow, yes=yes))
