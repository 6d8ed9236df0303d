"""`repostream overview`: what a repository is, how it is built, how its modules talk, how to run and test it."""

import re
from pathlib import Path

from cli.api import connect, refusal
from cli.ask import Asked, find_repository, listen_to, print_answer
from cli.exits import FAILED, OK
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import OverviewRequest

_ESCAPED = re.compile(r"\\([\\`*_\[\]<>~|#])")


def run_overview(repository: str, *, output: Path | None, write: bool, as_json: bool) -> int:
    """The command; returns its exit code. With `write` a model tells it. Raises ApiError where it was not analysed."""
    api = connect()
    latest = api.contents_repository(find_repository(api, repository)).latest
    if latest is None:
        raise refusal("repository_unknown", f"“{repository}” has no analysis yet: run `repostream analyze`.")
    if write:
        return _written(api, latest.analysis_id, output, as_json=as_json)
    found = api.overview_one(latest.analysis_id)
    if output is not None:
        output.write_text(found.markdown, "utf-8")
    if as_json:
        print(found.model_dump_json())
        return OK
    console = Screen()
    if output is not None:
        console.print(f"Written to {output}.", markup=False, highlight=False, soft_wrap=True)
        return OK
    console.print(plain(found.markdown), markup=False, highlight=False, soft_wrap=True)
    for question in found.questions:
        console.print(f'  repostream ask {repository} "{question}"', style="dim", markup=False, highlight=False)
    return OK


def _written(api: Client, analysis_id: str, output: Path | None, *, as_json: bool) -> int:
    """Have it told by a model; where there is none, or it fails, the answer is the facts."""
    console = Screen(stderr=as_json)
    asked = listen_to(api, api.overview_write(analysis_id, OverviewRequest()), console)
    if output is not None and not asked.failed:
        output.write_text(f"{asked.view.answer}\n", "utf-8")
    if as_json:
        print(asked.view.model_dump_json())
    else:
        shown = asked.view.model_copy(update={"answer": plain(asked.view.answer or "")})
        print_answer(console, Asked(shown, asked.failed))
    return FAILED if asked.failed else OK


def plain(markdown: str) -> str:
    """Markdown as it reads in a terminal: without the signs that keep a repository's own words from being markup."""
    return _ESCAPED.sub(r"\1", markdown)
