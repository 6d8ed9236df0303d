"""`repostream retry`: have done again what failed of an analysis, and say what it amounts to then."""

import time
from uuid import UUID

from cli.api import connect, refusal
from cli.ask import find_repository
from cli.exits import FAILED, OK
from cli.progress import summary_lines
from cli.screen import Screen
from cli.status import failure_lines
from cli.waiting import Patience
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisView

_LOOK = 0.5  # seconds between two looks at the events since: what is done again takes seconds, and survives a restart
_PAGE = 500
_SAID = "repository.processing."
_ENDS = frozenset({f"{_SAID}completed", f"{_SAID}failed", f"{_SAID}cancelled", f"{_SAID}cancel_requested"})


def run_retry(target: str, *, as_json: bool) -> int:
    """The command; returns its exit code: 1 where something is missing still. Raises ApiError."""
    api = connect()
    asked = api.analyses_retry(analysis_of(api, target))
    console = Screen(stderr=as_json)
    console.say("What failed is done again.")
    view = _until_said(api, asked)
    if as_json:
        print(view.model_dump_json())
    else:
        for line in (*failure_lines(view), *summary_lines(view)):
            console.say(line)
    return FAILED if view.partial or view.state not in ("ready", "refined") else OK


def analysis_of(api: Client, target: str) -> str:
    """The id of the analysis that is meant: by its own, or the newest of a repository. Raises ApiError."""
    try:
        found = api.contents_repository(find_repository(api, target))
    except ApiError as error:
        if error.problem.code != "repository_unknown" or not is_id(target):
            raise
        return target
    if found.latest is None:
        raise refusal("repository_unknown", f"“{target}” was not analysed: run `repostream analyze`.")
    return found.latest.analysis_id


def is_id(text: str) -> bool:
    """Whether that is an id, and not a name or an address."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _until_said(api: Client, asked: AnalysisView) -> AnalysisView:
    """The analysis once it said again what it amounts to, or how it ended."""
    after, patience = asked.version, Patience()
    patience.seen()
    while True:
        with patience:
            events = api.analyses_history(asked.analysis_id, after=after, limit=_PAGE).items
            if any(event.event_type in _ENDS for event in events):
                return api.analyses_one(asked.analysis_id)
            after = events[-1].version if events else after
        time.sleep(_LOOK)
