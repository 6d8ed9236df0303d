"""`repostream overview`: what a repository is, how it is built, how its modules talk, how to run and test it."""

import re
from pathlib import Path

from cli.api import connect, refusal
from cli.ask import find_repository
from cli.exits import OK
from cli.screen import Screen

_ESCAPED = re.compile(r"\\([\\`*_\[\]<>~|#])")


def run_overview(repository: str, *, output: Path | None, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers, or it was not analysed."""
    api = connect()
    latest = api.contents_repository(find_repository(api, repository)).latest
    if latest is None:
        raise refusal("repository_unknown", f"“{repository}” has no analysis yet: run `repostream analyze`.")
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


def plain(markdown: str) -> str:
    """Markdown as it reads in a terminal: without the signs that keep a repository's own words from being markup."""
    return _ESCAPED.sub(r"\1", markdown)
