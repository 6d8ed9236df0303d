"""Commands for talking about a repository: ask, ask again, rate, and what becomes of a conversation."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.scopes import File, Folder, Language, Symbol

talking_app = typer.Typer()
conversation_app = typer.Typer(help="Conversations about a repository.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text; of a list, a document a line.")]
Repository = Annotated[str, typer.Argument(help="The repository's URL, name or id.")]
Mode = Literal["answer", "deep", "extractive"]
How = Annotated[
    Mode,
    typer.Option(help="One search, then the model; searching and reading in steps; or the places without a model."),
]
Question = Annotated[str, typer.Argument(help="The question's id, which `ask` and `conversation show` print.")]
Conversation = Annotated[str, typer.Argument(help="The conversation's id, which `conversation list` prints.")]


@talking_app.command()
def ask(  # noqa: PLR0913, PLR0917  # one for each option
    repository: Repository,
    text: Annotated[str, typer.Argument(help="The question.")],
    mode: How = "answer",
    folder: Folder = "",
    file: File = "",
    language: Language = "",
    symbol: Symbol = "",
    json: Json = False,
) -> None:
    """Ask about a repository that was analysed, or about a part of it."""
    from cli.ask import run_ask
    from runtime.client.shapes import QuestionRequest, Scope

    scope = Scope(folder=folder, path=file, language=language, symbol=symbol)
    question = QuestionRequest(query=text, mode=mode, scope=scope)
    raise typer.Exit(run_ask(repository, question, as_json=json))


@talking_app.command()
def chat(
    repository: Repository,
    conversation: Annotated[str | None, typer.Option(help="Go on with an earlier conversation.")] = None,
    model: Annotated[str | None, typer.Option(help="One of the configured models.")] = None,
    mode: How = "answer",
) -> None:
    """Talk about a repository: each question builds on those before. Ctrl-D ends it."""
    from cli.chat import run_chat

    raise typer.Exit(run_chat(repository, conversation=conversation, model=model, mode=mode))


@talking_app.command()
def again(
    question: Question,
    model: Annotated[str | None, typer.Option(help="Another of the configured models.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Another mode.")] = None,
    query: Annotated[str | None, typer.Option(help="The question in other words.")] = None,
    json: Json = False,
) -> None:
    """Have a question answered anew, in other words where they are given. The answer that it has stays."""
    from cli.ask import run_again
    from runtime.client.shapes import AgainRequest

    raise typer.Exit(run_again(question, AgainRequest(query=query, model=model, mode=mode), as_json=json))


@talking_app.command()
def rate(
    question: Question, how: Annotated[Literal["up", "down"], typer.Argument(help="Whether the answer helped.")]
) -> None:
    """Say whether an answer helped."""
    from cli.conversations import run_rate

    raise typer.Exit(run_rate(question, 1 if how == "up" else -1))


@conversation_app.command("list")
def conversation_list(
    repository: Repository,
    words: Annotated[str, typer.Option(help="Only those that have these words, in a question or its answer.")] = "",
    json: Json = False,
) -> None:
    """List the conversations about a repository, the newest first. With --json, one a line."""
    from cli.conversations import run_list

    raise typer.Exit(run_list(repository, words=words, as_json=json))


@conversation_app.command("show")
def conversation_show(conversation: Conversation, json: Json = False) -> None:
    """Print a conversation: each question with every answer that it got."""
    from cli.conversations import run_show

    raise typer.Exit(run_show(conversation, as_json=json))


@conversation_app.command("export")
def conversation_export(
    conversation: Conversation,
    output: Annotated[Path | None, typer.Option(help="The file to write; printed where it is left out.")] = None,
) -> None:
    """Write a conversation as Markdown, with its citations as links to the lines at the repository's host."""
    from cli.conversations import run_export

    raise typer.Exit(run_export(conversation, output))


@conversation_app.command("delete")
def conversation_delete(
    conversation: Conversation,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    json: Json = False,
) -> None:
    """Delete a conversation with its questions and answers, for good; links to it end."""
    from cli.delete import run_delete_conversation

    raise typer.Exit(run_delete_conversation(conversation, sure=yes, as_json=json))
