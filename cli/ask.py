"""`repostream ask`: one question, its answer while it is written, and what it cites."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from rich.live import Live
from rich.text import Text

from cli.api import broken_off, connect, refusal
from cli.exits import FAILED, OK
from cli.moments import minute
from cli.paging import all_of
from cli.plain import one_line
from cli.screen import Screen
from runtime.client import ApiError, Client
from runtime.client.shapes import (
    AgainRequest,
    ConversationRequest,
    QuestionRequest,
    QuestionView,
    RepositoryView,
    StepView,
)

Mode = Literal["answer", "deep", "extractive"]
NO_GRAPH = "the graph is not made yet, which knows this better: {} again when the analysis is complete"
_PAGE = 200
_TRIES = 3  # connections to one answer's stream, which starts from its beginning each time


@dataclass(frozen=True)
class Asked:
    """A question and what came of it: `view` has `answer`, `citations`, `mode` …, or `code` and `message`."""

    view: QuestionView
    failed: bool


def run_ask(repository: str, question: QuestionRequest, *, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError."""
    api, console = connect(), Screen(stderr=as_json)
    return _told(ask_about(api, find_repository(api, repository), question, console), console, as_json=as_json)


def run_again(question_id: str, anew: AgainRequest, *, as_json: bool) -> int:
    """Have a question answered anew; returns the exit code. Raises ApiError."""
    api, console = connect(), Screen(stderr=as_json)
    asked = api.conversations_ask_again(question_id, anew)
    return _told(listen_or_stop(api, asked, console), console, as_json=as_json)


def _told(asked: Asked, console: Screen, *, as_json: bool) -> int:
    if as_json:
        print(asked.view.model_dump_json())
    else:
        print_answer(console, asked)
    return FAILED if asked.failed else OK


def repositories_of(api: Client) -> Iterator[RepositoryView]:
    """All repositories, page by page. Raises ApiError."""
    return all_of(lambda cursor: api.contents_repositories(cursor=cursor, limit=_PAGE))


def find_repository(api: Client, wanted: str) -> str:
    """The id of the repository whose id, URL or name is `wanted`. Raises ApiError where it is none, or several.

    One folder of a repository is meant by `URL:folder`; by the URL alone only where the whole was not analysed.
    """
    plain, known = _plain(wanted), list(repositories_of(api))
    found = [item for item in known if plain in (item.repository_id, _plain(address_of(item)), item.name.lower())]
    found = found or [item for item in known if plain == _plain(item.url)]
    if not found:
        raise refusal("repository_unknown", f"No repository “{wanted}” was analysed: run `repostream analyze`.")
    if len(found) > 1:
        urls = ", ".join(address_of(item) for item in found)
        raise refusal("repository_ambiguous", f"“{wanted}” may be each of {urls}: give one of these.")
    return found[0].repository_id


def find_analysis(api: Client, wanted: str) -> str:
    """The analysis of that repository that is searched; the newest where none was ever ready for that.

    Raises ApiError where it has none, and as `find_repository`.
    """
    found = api.contents_repository(find_repository(api, wanted))
    if found.latest is None:
        raise refusal("repository_unknown", f"“{wanted}” has no analysis yet: run `repostream analyze`.")
    return found.serving or found.latest.analysis_id


def address_of(repository: RepositoryView) -> str:
    """What names it alone: its URL, with the folder after a colon."""
    return f"{repository.url}:{repository.folder}" if repository.folder else repository.url


def _plain(text: str) -> str:
    return text.strip().rstrip("/").removesuffix(".git").lower()


def ask_about(api: Client, repository_id: str, question: QuestionRequest, console: Screen) -> Asked:
    """Ask, show the answer while it is written, and return it whole. Raises ApiError."""
    conversation = api.conversations_begin(ConversationRequest(repository_id=repository_id))
    return listen_or_stop(api, api.conversations_ask(conversation.conversation_id, question), console)


def listen_or_stop(api: Client, question: QuestionView, console: Screen) -> Asked:
    """As `listen_to`; whoever gives up waiting (Ctrl-C) gives the answer up, and nobody pays for the rest of it."""
    try:
        return listen_to(api, question, console)
    except KeyboardInterrupt:
        with suppress(ApiError):  # it ends by its deadline then
            api.conversations_stop(question.question_id)
        raise


def listen_to(api: Client, question: QuestionView, console: Screen) -> Asked:
    """Show the answer to a question that was asked while it is written, and return it whole. Raises ApiError."""
    for attempt in range(_TRIES):
        try:
            return _listen(api, question, console)
        except ApiError as error:
            if error.problem.code != "orchestrator_unreachable" or attempt == _TRIES - 1:
                raise
            time.sleep(1 + attempt)  # a restart takes seconds; the answer goes on meanwhile
    raise AssertionError("unreachable")


def _listen(api: Client, question: QuestionView, console: Screen) -> Asked:
    written, steps = "", 0
    with (
        Live(console=console, refresh_per_second=8, transient=True) as live,
        api.conversations_stream(question.question_id) as messages,
    ):
        for message in messages:
            kind = message.data.get("type")
            if kind in ("done", "failed"):
                return _ended(question, message.data)
            if kind == "reset":
                written = ""
            elif kind == "token":
                written += str(message.data.get("text", ""))
            elif kind == "step" and (step := StepView.model_validate(message.data)).number > steps:
                steps = step.number
                console.say(step_line(step), style="dim")
            live.update(Text(written) if written else Text(_step(message.data), style="dim"))
    raise broken_off("The answer's stream ended before the answer did.")


def _step(data: Mapping[str, object]) -> str:
    return f"{data.get('step', 'thinking')} {data.get('tool', '')}".rstrip() + " …"


def step_line(step: StepView) -> str:
    """One step of an answer: which tool was asked what, and what came of it."""
    came = f"{step.found} found" if step.outcome == "ok" else step.outcome
    return f"  {step.number}. {step.tool} {step.asked}: {came}, {step.seconds:.1f} s"


def _ended(question: QuestionView, data: Mapping[str, Any]) -> Asked:
    if data["type"] == "failed":
        why = {"state": "failed", "code": data.get("code"), "message": data.get("message")}
        return Asked(question.model_copy(update=why), True)
    told = question.model_dump() | data.get("question", {}) | {"state": "answered"}
    return Asked(QuestionView.model_validate(told), False)


def print_answer(console: Screen, asked: Asked) -> None:
    """The answer, where its citations point, and what it rests on."""
    view = asked.view
    if asked.failed:
        said = f"No answer: {view.code}: {view.message}"
        console.say(said, style="red")
        return
    console.print()
    console.say(view.answer or "")
    console.print()
    for line in citation_lines(view):
        console.say(f"  {line}", style="cyan")
    console.say(_provenance(view), style="dim")
    if any(step.absent for step in view.plan):
        console.say(NO_GRAPH.format("ask"), style="yellow")
    if view.degraded:
        said = f"searched by words only ({view.degraded}): ask again for a better answer"
        console.say(said, style="yellow")


def citation_lines(view: QuestionView) -> list[str]:
    """`path:first-last`, each once, in the order of the answer."""
    places = [f"{one_line(cited.path)}:{cited.first_line}-{cited.last_line}" for cited in view.citations]
    return list(dict.fromkeys(places))


def _provenance(view: QuestionView) -> str:
    how = f"written by {view.model}"
    if view.refused:
        how = "refused: nothing here answers it"
    elif view.mode == "deep":
        how = f"written by {view.model} in {len(view.steps)} steps"
    elif view.mode == "extractive":
        how = "put together from the best passages, no language model"
    again = f", from an answer of {minute(view.earlier_at)}" if view.earlier_at else ""
    commit = f" at commit {view.commit[:10]}" if view.commit else ""
    return f"{how}{again}{commit}; {len(view.passages)} passages read; question {view.question_id}"
