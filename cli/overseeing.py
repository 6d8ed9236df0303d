"""Commands for administrators: who has an account, what was parked, and what is derived made again."""

from pathlib import Path
from typing import Annotated

import typer

people_app = typer.Typer(help="Who has an account. For administrators.", no_args_is_help=True)
bundle_app = typer.Typer(help="An analysis or a conversation as one file.", no_args_is_help=True)
rebuild_app = typer.Typer(help="Make again what is derived. For administrators.", no_args_is_help=True)
letters_app = typer.Typer(help="Messages that were parked. For administrators.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; of a list, a document a line.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")]


@people_app.command("list")
def people_list(
    search: Annotated[str, typer.Argument(help="A part of a login or name.")] = "",
    suspended: Annotated[bool, typer.Option("--suspended", help="Only those who are suspended.")] = False,
    json: Json = False,
) -> None:
    """List the people of this installation, the newest first. With --json, one a line."""
    from cli.people import run_list

    raise typer.Exit(run_list(search, suspended=suspended, as_json=json))


@people_app.command("suspend")
def people_suspend(
    who: Annotated[str, typer.Argument(help="A login, provider:id, or the id that `list` shows.")], yes: Yes = False
) -> None:
    """Let somebody in no more: within five seconds sessions, tokens, keys and open streams of theirs are over."""
    from cli.people import run_suspend

    raise typer.Exit(run_suspend(who, yes=yes))


@people_app.command("restore")
def people_restore(
    who: Annotated[str, typer.Argument(help="A login, provider:id, or the id that `list` shows.")],
) -> None:
    """Let somebody in again: they sign in anew, and their keys are good again."""
    from cli.people import run_restore

    raise typer.Exit(run_restore(who))


@letters_app.command("list")
def letters_list(
    settled: Annotated[bool, typer.Option("--settled", help="Also those that were decided.")] = False,
    json: Json = False,
) -> None:
    """List what waits for a decision, the newest first. With --json, one a line."""
    from cli.letters import run_list

    raise typer.Exit(run_list(settled=settled, as_json=json))


@letters_app.command("show")
def letters_show(
    letter: Annotated[str, typer.Argument(help="The id that `list` or `doctor` shows.")], json: Json = False
) -> None:
    """Show one parked message: what it is, whose, how often it was tried and why it was parked."""
    from cli.letters import run_show

    raise typer.Exit(run_show(letter, as_json=json))


@letters_app.command("retry")
def letters_retry(letter: Annotated[str, typer.Argument(help="The id that `list` or `doctor` shows.")]) -> None:
    """Have it done again."""
    from cli.letters import run_retry

    raise typer.Exit(run_retry(letter))


@letters_app.command("edit")
def letters_edit(
    letter: Annotated[str, typer.Argument(help="The id that `list` or `doctor` shows.")],
    values: Annotated[list[str] | None, typer.Argument(help="name=value, the value as JSON or as text.")] = None,
) -> None:
    """Have a parked run done with other values. Without any, show those that can be changed."""
    from cli.letters import run_edit

    raise typer.Exit(run_edit(letter, values or []))


@letters_app.command("discard")
def letters_discard(
    letter: Annotated[str, typer.Argument(help="The id that `list` or `doctor` shows.")], yes: Yes = False
) -> None:
    """Have it not done, for good."""
    from cli.letters import run_discard

    raise typer.Exit(run_discard(letter, yes=yes))


@rebuild_app.command("read-models")
def rebuild_read_models(
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    json: Json = False,
) -> None:
    """Build the read models again from events and artifacts beside those that serve, and replace what differs."""
    from cli.rebuild import run_read_models

    raise typer.Exit(run_read_models(check=check, as_json=json))


@rebuild_app.command("collection")
def rebuild_collection(
    target: Annotated[str, typer.Argument(help="A repository's URL, name or id, an analysis's or a generation's id.")],
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    json: Json = False,
) -> None:
    """Build the vectors of what serves again from the stored ones, beside it, compare, swap. Nothing is embedded."""
    from cli.rebuild_collection import run_collection

    raise typer.Exit(run_collection(target, check=check, as_json=json))


@bundle_app.command("export")
def bundle_export(
    what: Annotated[str, typer.Argument(help="The id of an analysis that is over, or conversation/<id>.")],
    file: Annotated[Path, typer.Argument(help="The file to be written.")],
    with_analysis: Annotated[
        bool, typer.Option("--with-analysis", help="With a conversation: the analysis that its answers rest on, too.")
    ] = False,
) -> None:
    """Write an analysis, or a conversation, with all its events and artifacts into one file."""
    from cli.bundle import run_export

    raise typer.Exit(run_export(what, file, with_analysis=with_analysis))


@bundle_app.command("import")
def bundle_import(file: Annotated[Path, typer.Argument(help="A bundle.")], json: Json = False) -> None:
    """Take over what is in a bundle: nothing is asked of any host or model, and nothing is embedded again."""
    from cli.bundle import run_import

    raise typer.Exit(run_import(file, as_json=json))
