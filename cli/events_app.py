"""`repostream events`: its commands, each with its options."""

from typing import Annotated

import typer

events_app = typer.Typer(help="Read the event log, and look at anything as it was.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Stream = Annotated[
    str, typer.Argument(help="An analysis's id, or a stream such as conversation/<id> or repository/<id>.")
]
Type = Annotated[str | None, typer.Option(help="Only events of this type.")]
Stage = Annotated[str | None, typer.Option(help="Only events of this stage.")]
Since = Annotated[str | None, typer.Option(help="Only from this time on: 2026-03-01T12:00:00, here where no zone is.")]
Until = Annotated[str | None, typer.Option(help="Only before this time.")]
Words = Annotated[str | None, typer.Option("--text", help="Only events that have all these words.")]
Whole = Annotated[
    str | None, typer.Argument(help="An analysis's id, or a stream; the events of all where it is left out.")
]
Point = Annotated[str | None, typer.Option(help="A version (12) or a time; now where it is left out.")]


@events_app.command("show")
def show(  # noqa: PLR0913, PLR0917  # one for each option
    stream: Whole = None,
    type: Type = None,  # noqa: A002  # the option's name
    stage: Stage = None,
    since: Since = None,
    until: Until = None,
    text: Words = None,
    json: Json = False,
) -> None:
    """Print the events of one stream, or of all, in order. Of all, --text takes a stream."""
    from cli.events import Wanted, run_show
    from cli.inspecting import moment

    wanted = Wanted(type, stage, moment(since), moment(until), text)
    raise typer.Exit(run_show(stream, wanted, as_json=json))


@events_app.command("tail")
def tail(
    stream: Whole = None,
    type: Type = None,  # noqa: A002  # the option's name
    stage: Stage = None,
    text: Words = None,
    json: Json = False,
) -> None:
    """Print events as they happen, until Ctrl-C. With --json, one a line."""
    from cli.events import Wanted, run_tail

    raise typer.Exit(run_tail(stream, Wanted(type, stage, text=text), as_json=json))


@events_app.command("state")
def state(stream: Stream, at: Point = None, json: Json = False) -> None:
    """Print what a stream added up to at an event or a time, and what that event changed."""
    from cli.inspecting import run_state

    raise typer.Exit(run_state(stream, at, as_json=json))


@events_app.command("diff")
def diff(
    stream: Stream,
    since: Annotated[int, typer.Option("--from", min=0, help="The version to compare with; 0 is before all events.")],
    at: Point = None,
    json: Json = False,
) -> None:
    """Print what is different between a stream at one version and at another point."""
    from cli.inspecting import run_diff

    raise typer.Exit(run_diff(stream, since, at, as_json=json))


@events_app.command("moments")
def moments(
    repository: Annotated[str, typer.Argument(help="A repository's id, or its stream: repository/<id>.")],
    json: Json = False,
) -> None:
    """Print when a repository or one of its analyses changed: `events state repository/<id> --at` takes these times."""
    from cli.inspecting import run_moments

    raise typer.Exit(run_moments(repository, as_json=json))


@events_app.command("timeline")
def timeline(stream: Stream, json: Json = False) -> None:
    """Print how long each run of an analysis waited for a worker, and how long it was worked on."""
    from cli.inspecting import run_timeline

    raise typer.Exit(run_timeline(stream, as_json=json))


@events_app.command("graph")
def graph(stream: Stream, json: Json = False) -> None:
    """Print what led to what: each event below the one that caused it."""
    from cli.inspecting import run_graph

    raise typer.Exit(run_graph(stream, as_json=json))
