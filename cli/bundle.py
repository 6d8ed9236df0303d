"""`repostream bundle`: an analysis or a conversation as one file, and such a file taken over."""

from pathlib import Path

from cli.api import connect
from cli.exits import OK, USAGE, leave
from cli.files import arriving, require_absent
from cli.screen import Screen
from runtime.client.operations import part

_ANALYSIS = "/api/v1/analyses/{}/bundle"
_PATHS = {"": _ANALYSIS, "analysis": _ANALYSIS, "conversation": "/api/v1/conversations/{}/bundle"}


def run_export(what: str, target: Path, *, with_analysis: bool = False) -> int:
    """Write the bundle of an analysis or a `conversation/<id>`; returns the exit code.

    What is there is not written over. Raises ApiError.
    """
    kind, _, id_ = what.rpartition("/")
    path = _PATHS.get(kind) or leave(USAGE, f"There are no bundles of {kind}: name an analysis, or a conversation.")
    if with_analysis and kind != "conversation":
        leave(USAGE, "--with-analysis goes with a conversation: name it as conversation/<id>.")
    require_absent(target)
    with arriving(target) as file:
        connect().download(f"{path.format(part(id_))}{'?with_analysis=true' * with_analysis}", file.write)
    Screen().say(f"Wrote {target}: {target.stat().st_size:,} bytes.")
    return OK


def run_import(source: Path, *, as_json: bool) -> int:
    """Import a bundle; returns the exit code. Raises ApiError."""
    if not source.is_file():
        leave(USAGE, f"{source} is no file.")
    with source.open("rb") as file:
        taken = connect().bundles_take_over(file)
    if as_json:
        print(taken.model_dump_json())
        return OK
    if taken.analysis_id is not None:
        _say(f"Analysis {taken.analysis_id}; watch it with `repostream status {taken.analysis_id}`.")
    if taken.conversation_id is not None:
        _say(f"Conversation {taken.conversation_id}, about repository {taken.repository_id}.")
    return OK


def _say(sentence: str) -> None:
    Screen().say(sentence)
