"""`repostream retry`: have done again what failed of an analysis, or a stage, and say what it amounts to then."""

import time
from itertools import count
from uuid import UUID

from cli.api import connect, refusal
from cli.ask import find_repository
from cli.exits import FAILED, OK
from cli.progress import summary_lines
from cli.screen import Screen
from cli.status import failure_lines
from cli.waiting import Patience
from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisView, RetryBody

_LOOK = 0.5  # seconds between two looks at the events since: what is done again takes seconds, and survives a restart
_PAGE = 500
_SAID = "repository.processing."
_ENDS = frozenset(f"{_SAID}{how}" for how in ("completed", "refined", "failed", "cancelled", "cancel_requested"))
_AT_WORK = frozenset({"queued", "running", "retrying"})
_SILENT = 60  # such looks where nothing was said since it was asked: nothing comes of it
_QUIET = 6  # looks at which nothing is at work: no more comes of it, as where a better index fails again


def wanted_of(stage: str | None, shard: int | None, *, files: bool, reason: str) -> RetryBody:
    """What is to run again, as the API is asked for it."""
    return RetryBody(stage=stage, shard=shard, files=files, reason=reason)


def run_retry(target: str, wanted: RetryBody, *, as_json: bool) -> int:
    """The command; returns its exit code: 1 where something is missing still. Raises ApiError."""
    api = connect()
    asked = api.analyses_retry(analysis_of(api, target), wanted)
    console = Screen(stderr=as_json)
    console.say(_told(wanted))
    view = _until_said(api, asked)
    if as_json:
        print(view.model_dump_json())
    else:
        for line in (*failure_lines(view), *summary_lines(view)):
            console.say(line)
    return FAILED if view.partial or view.state not in ("ready", "refined") else OK


def _told(wanted: RetryBody) -> str:
    if wanted.stage is None:
        return "The files that failed are done again." if wanted.files else "What failed is done again."
    which = wanted.stage if wanted.shard is None else f"{wanted.stage}, shard {wanted.shard},"
    return f"{which} runs again, and then what is made of it."


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
    """The analysis once it said again what it amounts to, how it ended, or that nothing is at work any more."""
    after, quiet, patience = asked.version, 0, Patience()
    patience.seen()
    for _ in count():
        with patience:
            events = api.analyses_history(asked.analysis_id, after=after, limit=_PAGE).items
            view = api.analyses_one(asked.analysis_id)
            if any(event.event_type in _ENDS for event in events):
                return view
            after = events[-1].version if events else after
            quiet = 0 if events or any(stage.state in _AT_WORK for stage in view.stages) else quiet + 1
            if quiet >= (_QUIET if after > asked.version else _SILENT):
                return view
        time.sleep(_LOOK)
    raise AssertionError
