"""The commands that tell what is known of a repository in ways made for reading on."""

from pathlib import Path
from typing import Annotated

import typer

from cli.scopes import File, Folder, Language, Symbol

reading_app = typer.Typer()


@reading_app.command()
def overview(
    repository: Annotated[str, typer.Argument(help="The repository's URL, name or id.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it as Markdown into this file.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Have the model tell it, from the same facts.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Tell what a repository is, how it is built, how its modules talk, how to run and test it; each with its lines."""
    from cli.overview import run_overview

    raise typer.Exit(run_overview(repository, output=output, write=write, as_json=json))


@reading_app.command()
def compare(
    analysis: Annotated[str, typer.Argument(help="The id of the newer analysis.")],
    against: Annotated[str, typer.Argument(help="The id of the older one, of the same repository.")],
    what: Annotated[
        str | None,
        typer.Option(
            help="List what is different: files, symbols, dependencies or chunks; or answers to the same questions."
        ),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Of these only what was added, removed or changed.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Compare an analysis with an older one: counts, times, and with --what each thing that is different."""
    from cli.compare import run_compare

    raise typer.Exit(run_compare((analysis, against), what, kind, as_json=json))


@reading_app.command()
def search(  # noqa: PLR0913, PLR0917  # one for each option
    repository: Annotated[str, typer.Argument(help="The repository's URL, name or id.")],
    query: Annotated[str, typer.Argument(help="A question, names, words of the code, or an error's text.")],
    folder: Folder = "",
    file: File = "",
    language: Language = "",
    symbol: Symbol = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many passages at most.")] = 8,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Search a repository: the best passages, and which retriever found each at which rank and score."""
    from cli.search import run_search
    from runtime.client.shapes import Scope

    scope = Scope(folder=folder, path=file, language=language, symbol=symbol)
    raise typer.Exit(run_search(repository, query, scope=scope, limit=limit, as_json=json))


@reading_app.command()
def mcp() -> None:
    """Serve the index to an editor or an agent over the Model Context Protocol (stdio); it starts this command."""
    from cli.mcp import run_mcp

    raise typer.Exit(run_mcp())
