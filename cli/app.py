"""`repostream`: the commands, each with its options. What they do is one file a group beside this one.

Each command imports what it needs when it runs, so that none waits for another's libraries.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.events_app import events_app
from cli.graph import graph_app
from cli.leaving import account_app, team_app
from cli.overseeing import bundle_app, letters_app, people_app, rebuild_app
from cli.push_hooks import push_hook_app
from cli.reading_app import reading_app
from cli.replaying_app import replaying_app
from cli.talking import conversation_app, talking_app
from cli.uploads import uploads_app

app = typer.Typer(
    name="repostream",
    help="Analyse a repository, watch each stage, ask questions whose answers cite exact lines, replay any of it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(events_app, name="events")
config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")
keys_app = typer.Typer(help="The keys of the installation.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(conversation_app, name="conversation")
for name, group in {"push-hook": push_hook_app, "graph": graph_app, "uploads": uploads_app}.items():
    app.add_typer(group, name=name)
app.add_typer(team_app, name="team")
app.add_typer(account_app, name="account")
app.add_typer(people_app, name="people")
app.add_typer(letters_app, name="letters")
app.add_typer(rebuild_app, name="rebuild")
app.add_typer(bundle_app, name="bundle")
app.add_typer(reading_app)
app.add_typer(replaying_app)
app.add_typer(talking_app)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
TokenFile = Annotated[Path | None, typer.Option(help="The file with a private repository's token; - asks for it.")]
Include = Annotated[
    list[str] | None,
    typer.Option(
        help="A pattern, as .gitignore has them, of files to read although a rule leaves them out; again for more."
    ),
]
Ref = Annotated[str | None, typer.Option(help="A branch, a tag or a commit; the default branch where it is left out.")]


@app.command()
def up(
    without: Annotated[list[str] | None, typer.Option(help="A service not to start.", hidden=True)] = None,
    any_port: Annotated[bool, typer.Option("--any-port", help="Move every taken port.", hidden=True)] = False,
) -> None:
    """Run everything on this machine: servers, services and the web page. Ctrl-C ends it."""
    from cli.system import all_services
    from cli.up import run_up

    raise typer.Exit(run_up(all_services(without or ()), movable=any_port))


@app.command()
def service(
    name: Annotated[str, typer.Argument(help="orchestrator, processor, ai_engine, rag_manager or web_ui")],
) -> None:
    """Run one service, with all its servers' URLs in the environment."""
    from cli.exits import USAGE, leave
    from cli.services import SERVICES, load, serve

    if name not in SERVICES:
        leave(USAGE, f"There is no service “{name}”: it is one of {', '.join(SERVICES)}.")
    load(name)
    serve(name)


@app.command()
def analyze(  # noqa: PLR0913, PLR0917  # one for each option
    url: Annotated[str, typer.Argument(help="The repository's URL; /tree/<ref>/<folder> may follow. Or a zip or tar.")],
    ref: Ref = None,
    folder: Annotated[str | None, typer.Option(help="A folder: nothing outside is read.")] = None,
    ask: Annotated[str | None, typer.Option(help="A question to ask as soon as it can be answered well.")] = None,
    up: Annotated[bool, typer.Option("--up", help="Start the system for as long as this takes, if none runs.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Again, although that commit was analysed.")] = False,
    include: Include = None,
    history: Annotated[int, typer.Option(min=0, help="So many commits of its history are read too.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Go on, although it is over a limit.")] = False,
    token_file: TokenFile = None,
    json: Json = False,
) -> None:
    """Analyse a repository and watch it; with --ask, ask about it too.

    A private one takes a token, from a file, typed, or in REPOSTREAM_REPOSITORY_TOKEN; never as an argument.
    """
    from cli.analyze import run_analyze
    from cli.repository_token import read_token
    from runtime.client.shapes import AnalysisRequest

    token = read_token(token_file)
    request = AnalysisRequest(
        url=url, ref=ref, folder=folder, force=force, include=include or [], token=token, history=history
    )
    raise typer.Exit(run_analyze(request, question=ask, start=up, as_json=json, agreed=yes))


@app.command()
def status(
    repository: Annotated[str | None, typer.Argument(help="A repository's URL, name or id: what became of it.")] = None,
    json: Json = False,
) -> None:
    """Show whether it runs, where, and the newest analysis of each repository; of one, its files by reason."""
    from cli.status import run_status

    raise typer.Exit(run_status(repository, as_json=json))


@app.command()
def retry(
    target: Annotated[str, typer.Argument(help="The repository's URL, name or id, or an analysis's id.")],
    stage: Annotated[str | None, typer.Option(help="Run this stage again, though it succeeded, and then on.")] = None,
    shard: Annotated[int | None, typer.Option(min=0, help="Only this shard of the stage, from 0.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Only the files that failed.")] = False,
    reason: Annotated[str, typer.Option(help="Why: kept in the log beside who asked.")] = "",
    json: Json = False,
) -> None:
    """Do again what failed of an analysis, or a stage of it: a failed one goes on, a ready one serves meanwhile."""
    from cli.retry import run_retry, wanted_of

    raise typer.Exit(run_retry(target, wanted_of(stage, shard, files=files, reason=reason), as_json=json))


@app.command()
def rollback(
    target: Annotated[str, typer.Argument(help="The repository's URL, name or id, or an analysis's id.")],
    to: Annotated[str | None, typer.Option(help="The id of the generation, as --list shows it.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Only list those that are kept.")] = False,
    json: Json = False,
) -> None:
    """Search by the vectors that served before another embedder came (again: forward). Nothing is embedded."""
    from cli.rollback import run_rollback

    raise typer.Exit(run_rollback(target, to, only_list=only_list, as_json=json))


@app.command()
def dependencies(
    repository: Annotated[str, typer.Argument(help="The repository's URL, name or id.")],
    scope: Annotated[str | None, typer.Option(help="Only of this scope: runtime, dev, test, build, optional …")] = None,
    locked: Annotated[bool, typer.Option("--locked", help="With what lock files chose.")] = False,
    json: Json = False,
) -> None:
    """List what the manifests of a repository ask for, each with its line."""
    from cli.dependencies import run_dependencies

    raise typer.Exit(run_dependencies(repository, scope=scope, locked=locked, as_json=json))


@app.command()
def skipped(
    repository: Annotated[str, typer.Argument(help="The repository's URL, name or id.")],
    reason: Annotated[str | None, typer.Option(help="Only of this reason: vendored, generated, ignored …")] = None,
    json: Json = False,
) -> None:
    """List the files that were left out, or failed, each with its reason and the rule behind it."""
    from cli.skipped import run_skipped

    raise typer.Exit(run_skipped(repository, reason=reason, as_json=json))


@app.command()
def delete(
    repository: Annotated[str, typer.Argument(help="The repository's URL, name or id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    json: Json = False,
) -> None:
    """Delete a repository with its analyses, conversations and index, for good."""
    from cli.delete import run_delete

    raise typer.Exit(run_delete(repository, sure=yes, as_json=json))


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="The file to write.")] = Path("repostream.zip"),
    json: Json = False,
) -> None:
    """Write all that is yours into one archive of JSON lines, without any secret."""
    from cli.export import run_export

    raise typer.Exit(run_export(target, as_json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Check this machine and, where the database answers, the event log itself."""
    from cli.doctor import run_doctor

    raise typer.Exit(run_doctor(as_json=json))


@config_app.command("check")
def config_check(json: Json = False) -> None:
    """Say for each service what is set, from where, and what is missing, wrong or unreachable; never a secret."""
    from cli.config_check import run_check

    raise typer.Exit(run_check(as_json=json))


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Publish the next key that signs session tokens; it takes over once everybody has heard of it."""
    from cli.keys import run_rotate

    raise typer.Exit(run_rotate())


@keys_app.command("services")
def keys_services() -> None:
    """Print new keys by which services that are started one by one know each other; `up` makes its own."""
    from cli.keys import run_services

    raise typer.Exit(run_services())


def main() -> None:
    """The entry point: whatever goes wrong is one sentence and an exit code."""
    import os
    import sys

    from cli.exits import INTERRUPTED, UNREACHABLE, USAGE, leave
    from runtime.embedded.child import StartError

    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # `repostream events show … | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except StartError as error:
        leave(UNREACHABLE, str(error))
    except OSError as error:
        if error.filename is None:
            raise
        leave(USAGE, f"{error.filename}: {error.strerror}.")
    except Exception as error:
        from cli.api import exit_code_of
        from runtime.client import ApiError

        if isinstance(error, ApiError):
            leave(exit_code_of(error), str(error))
        raise


if __name__ == "__main__":
    main()
