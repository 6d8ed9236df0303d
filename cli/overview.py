"""`repostream overview`: what a repository is, how it is built, how its modules talk, how to run and test it."""

import re
import shlex
from pathlib import Path

from cli.api import connect
from cli.ask import Asked, find_analysis, listen_or_stop, print_answer
from cli.exits import FAILED, OK
from cli.files import require_absent, write_new
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import OverviewRequest

_ESCAPED = re.compile(r"\\([\\`*_\[\]<>~|#])")


def run_overview(repository: str, *, output: Path | None, write: bool, as_json: bool) -> int:
    """The command; returns its exit code. With `write` a model tells it. Raises ApiError where it was not analysed."""
    if output is not None:
        require_absent(output)  # before a model is paid for
    api = connect()
    analysis_id = find_analysis(api, repository)
    if write:
        return _written(api, analysis_id, output, as_json=as_json)
    found = api.overview_one(analysis_id)
    if output is not None:
        write_new(output, found.markdown)
    if as_json:
        print(found.model_dump_json())
        return OK
    console = Screen()
    if output is not None:
        console.say(f"Written to {output}.")
        return OK
    console.say(plain(found.markdown))
    for question in found.questions:
        console.say(f"  {shlex.join(['repostream', 'ask', repository, question])}", style="dim")
    return OK


def _written(api: Client, analysis_id: str, output: Path | None, *, as_json: bool) -> int:
    """Have it told by a model; where there is none, or it fails, the answer is the facts."""
    console = Screen(stderr=as_json)
    asked = listen_or_stop(api, api.overview_write(analysis_id, OverviewRequest()), console)
    if output is not None and not asked.failed:
        write_new(output, f"{asked.view.answer}\n")
    if as_json:
        print(asked.view.model_dump_json())
    else:
        shown = asked.view.model_copy(update={"answer": plain(asked.view.answer or "")})
        print_answer(console, Asked(shown, asked.failed))
    return FAILED if asked.failed else OK


def plain(markdown: str) -> str:
    """Markdown as it reads in a terminal: without the signs that keep a repository's own words from being markup."""
    return _ESCAPED.sub(r"\1", markdown)
