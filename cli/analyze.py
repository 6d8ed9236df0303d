"""`repostream analyze`: ask for an analysis, show it live, say what came out, and ask about it."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.live import Live

from cli.api import connect
from cli.ask import Asked, ask_about, print_answer
from cli.exits import FAILED, OK
from cli.progress import Progress, Row, draw, going_on, print_summary
from cli.screen import Screen
from cli.temporary import temporary_system
from cli.uploading import with_upload
from cli.waiting import Patience
from runtime.client import ApiError, Client, ServerSent
from runtime.client.shapes import AnalysisRequest, AnalysisView, PreflightView, QuestionRequest
from runtime.upload_url import HOST

_MAY_GO_ON = frozenset({"preflight_unavailable", "host_unreachable", "clone_timeout", "clone_failed", "rate_limited"})
_OVER = ("ready", "refined", "failed", "cancelled", "unconfirmed")
_FOLLOW_INTERVAL = 0.25  # seconds between two looks at the view, however many milestones pass


def run_analyze(  # one for each option
    request: AnalysisRequest, *, question: str | None, start: bool, as_json: bool, agreed: bool = False
) -> int:
    """The command; returns its exit code. Raises ApiError."""
    console = Screen(stderr=as_json)
    with temporary_system(console) if start else _as_it_is() as started:
        api = connect()
        view = begin(api, with_upload(api, request, console, quiet=as_json), console, quiet=as_json)
        view = follow(api, view, console, quiet=as_json)
        if view.state == "unconfirmed" and (agreed or agrees(console, view, quiet=as_json)):
            view = follow(api, api.analyses_confirm(view.analysis_id), console, quiet=as_json)
        answerable = view.state in ("ready", "refined") or view.answerable_at is not None
        about = QuestionRequest(query=question) if question and answerable else None
        asked = ask_about(api, view.repository_id, about, console) if about else None
        if as_json:
            told = asked.view.model_dump(mode="json") if asked else None
            print(json.dumps({"analysis": view.model_dump(mode="json"), "question": told}))
        else:
            _say_the_end(console, view, asked, ends_now=started)
    return _exit_code(view, asked, question)


def begin(api: Client, request: AnalysisRequest, console: Screen, *, quiet: bool) -> AnalysisView:
    """Ask the host what is meant, say so, and begin; what was analysed already is taken as it is. Raises ApiError.

    Where the host cannot be asked now, the analysis asks again by itself.
    """
    try:
        looked = api.analyses_preflight(request)
    except ApiError as error:
        if error.problem.code not in _MAY_GO_ON:
            raise
        return api.analyses_begin(request)
    if not quiet:
        console.say(meant(looked))
    if looked.finished is not None and not request.force:
        if not quiet:
            console.say("Analysed already: --force begins again.")
        return api.analyses_one(looked.finished.analysis_id)
    known = {"url": looked.url, "ref": looked.ref, "folder": looked.folder or None, "commit": looked.commit}
    return api.analyses_begin(request.model_copy(update=known))


def meant(looked: PreflightView) -> str:
    """What a request means: `pallets/flask: main (default branch), commit 2ac89889f4; 3 branches, 50 tags`."""
    if looked.host == HOST:
        return f"{looked.name}: an upload" + (f", only {looked.folder}" if looked.folder else "")
    ref = looked.ref or f"{looked.default_branch or 'HEAD'} (default branch)"
    scope = f", only {looked.folder}" if looked.folder else ""
    commit = f", commit {looked.commit[:10]}" if looked.commit else ""
    size = f", {looked.size / 1_000_000:,.1f} MB at the host" if looked.size else ""
    return f"{looked.name}: {ref}{commit}{scope}; branches: {looked.branch_count:,}, tags: {looked.tag_count:,}{size}"


def agrees(console: Screen, view: AnalysisView, *, quiet: bool) -> bool:
    """Ask whether an analysis that is over a limit shall go on; nobody is asked where nobody can answer."""
    if not quiet:
        console.say(expectation(view))
    if quiet or not (console.is_terminal and sys.stdin.isatty()):
        return False
    return console.input("Go on? [y/N] ", markup=False, emoji=False).strip().lower() in {"y", "yes"}


def expectation(view: AnalysisView) -> str:
    """What an analysis that waits would take: `Over a limit (files): 1,204 files, 3,000,000 bytes …`."""
    told = view.estimate
    if told is None:
        return "It waits to be confirmed."
    known = f"about {told.seconds:.0f} s by {told.measured} earlier" if told.seconds is not None else "time unknown"
    cost = f", {told.tokens:,} tokens, {told.cost:.2f} {told.currency}" if told.cost is not None else ""
    had = f" ({told.known_files:,} as in an earlier analysis)" if told.known_files else ""
    return f"Over a limit ({', '.join(told.over)}): {told.files:,} files{had}, {told.bytes:,} bytes, {known}{cost}."


@contextmanager
def _as_it_is() -> Iterator[bool]:
    yield False


def follow(api: Client, view: AnalysisView, console: Screen, *, quiet: bool) -> AnalysisView:
    """Show the analysis until it is ready or over; return its view then. Raises ApiError."""
    progress = Progress(view)
    if quiet or not console.is_terminal:
        return _follow_lines(api, progress, console, quiet=quiet)
    with Live(
        get_renderable=lambda: draw(progress, datetime.now(UTC)), console=console, refresh_per_second=8, transient=False
    ):
        for _ in _changes(api, progress):
            pass
    return progress.view


def _follow_lines(api: Client, progress: Progress, console: Screen, *, quiet: bool) -> AnalysisView:
    """The same for a log file: a line for each stage that is done, or is tried again."""
    told: set[str] = set()
    for _ in _changes(api, progress):
        for line in stage_lines(progress.rows(datetime.now(UTC))):
            if line not in told and not quiet:
                told.add(line)
                console.say(line)
    return progress.view


def stage_lines(rows: list[Row]) -> list[str]:
    """What can be said of stages for good: done in so many seconds, or tried again and why."""
    lines = []
    for row in rows:
        if row.state == "completed":
            lines.append(f"{row.stage}: done" + ("" if row.seconds is None else f" in {row.seconds:.1f} s"))
        elif row.state == "retrying":
            lines.append(f"{row.stage}: trying again: {row.note}")
    return lines


def _changes(api: Client, progress: Progress) -> Iterator[None]:
    """Keep `progress` up to date from the stream, reconnecting, until the analysis is over; yields at each change."""
    analysis_id = progress.view.analysis_id
    patience = Patience()
    patience.seen()
    while progress.view.state not in _OVER:
        with patience:
            with api.analyses_live(analysis_id, last_event_id=str(progress.view.version)) as messages:
                for _ in _listen(api, progress, messages):
                    patience.seen()
                    yield
            progress.view = api.analyses_one(analysis_id)
        yield
        time.sleep(_FOLLOW_INTERVAL)


def _listen(api: Client, progress: Progress, messages: Iterator[ServerSent]) -> Iterator[None]:
    looked_at = 0.0
    behind = True
    for message in messages:
        if message.event == "resync":
            return
        if message.event == "tick":
            progress.tick(message.data)
        else:
            behind = True  # a milestone, or a heartbeat: the read model may have caught up since
            progress.milestone(message.data)
        if behind and time.monotonic() - looked_at >= _FOLLOW_INTERVAL:
            looked_at = time.monotonic()
            progress.view = api.analyses_one(progress.view.analysis_id)
            behind = message.event == "milestone" and progress.view.version < int(message.data["version"])
        yield
        if progress.view.state in _OVER:
            return


def _say_the_end(console: Screen, view: AnalysisView, asked: Asked | None, *, ends_now: bool) -> None:
    if view.state == "failed":
        said = f"Failed: {view.code}: {view.message}"
        console.say(said, style="red")
    elif view.state == "unconfirmed":
        console.say("It waits to be confirmed: the same command with --yes lets it go on.")
    elif view.state == "cancelled":
        console.say("Cancelled.")
    elif asked is None:
        print_summary(console, view)
    if asked is not None:
        print_answer(console, asked)
    rest = going_on(view)
    if rest:
        tail = "; it goes on at the next `repostream up`" if ends_now else ""
        console.say(f"Ready to be asked; {rest}{tail}.", style="dim")


def _exit_code(view: AnalysisView, asked: Asked | None, question: str | None) -> int:
    if view.state not in ("ready", "refined"):
        return FAILED
    if question and (asked is None or asked.failed):
        return FAILED
    return OK
