"""The options that limit a search, or a question, to a part of a repository."""

from typing import Annotated

import typer

Folder = Annotated[str, typer.Option(help="Search in this folder of the repository alone.")]
File = Annotated[str, typer.Option("--file", help="Search in this file alone.")]
Language = Annotated[str, typer.Option(help="Search in this language alone.")]
Symbol = Annotated[str, typer.Option(help="Search in definitions of this name alone: send, Session.send.")]
