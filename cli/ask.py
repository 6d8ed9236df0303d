"""`repostream ask`: one question, its answer while it is written, and what it cites."""

import json
import time
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.api import Api, ApiError, Json, api_url, part
from cli.exits import FAILED, OK, USAGE
from cli.screen import Screen

_TRIES = 3  # connections to one answer's stream, which starts from its beginning each time


@dataclass(frozen=True)
class Asked:
    """A question and what came of it: `view` has `answer`, `citations`, `mode` …, or `code` and `message`."""

    view: Json
    failed: bool


def run_ask(repository: str, text: str, *, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError."""
    api = Api(api_url())
    console = Screen(stderr=as_json)
    asked = ask_about(api, find_repository(api, repository), text, console)
    if as_json:
        print(json.dumps(asked.view))
    else:
        print_answer(console, asked)
    return FAILED if asked.failed else OK


def find_repository(api: Api, wanted: str) -> str:
    """The id of the repository whose id, URL or name is `wanted`. Raises ApiError where it is none, or several."""
    plain = _plain(wanted)
    found = [
        item
        for item in api.get("/repositories")["items"]
        if plain in (str(item["repository_id"]), _plain(str(item["url"])), str(item["name"]).lower())
    ]
    if not found:
        raise ApiError("repository_unknown", f"No repository “{wanted}” was analysed: run `repostream analyze`.", USAGE)
    if len(found) > 1:
        urls = ", ".join(str(item["url"]) for item in found)
        raise ApiError("repository_ambiguous", f"“{wanted}” may be each of {urls}: give the URL.", USAGE)
    return str(found[0]["repository_id"])


def _plain(text: str) -> str:
    return text.strip().rstrip("/").removesuffix(".git").lower()


def ask_about(api: Api, repository_id: str, text: str, console: Console) -> Asked:
    """Ask, show the answer while it is written, and return it whole. Raises ApiError."""
    conversation = api.post("/conversations", {"repository_id": str(repository_id)})
    question = api.post(f"/conversations/{part(str(conversation['conversation_id']))}/questions", {"query": text})
    path = f"/questions/{part(str(question['question_id']))}/stream"
    for attempt in range(_TRIES):
        try:
            return _listen(api, path, question, console)
        except ApiError as error:
            if error.code != "orchestrator_unreachable" or attempt == _TRIES - 1:
                raise
            time.sleep(1 + attempt)
    raise AssertionError("unreachable")


def _listen(api: Api, path: str, question: Json, console: Console) -> Asked:
    written = ""
    with (
        Live(console=console, refresh_per_second=8, transient=True) as live,
        api.stream(path) as messages,
    ):
        for message in messages:
            kind = message.data.get("type")
            if kind in ("done", "failed"):
                return _ended(question, message.data)
            if kind == "reset":
                written = ""
            elif kind == "token":
                written += str(message.data.get("text", ""))
            live.update(Text(written) if written else Text(_step(message.data), style="dim"))
    raise ApiError("orchestrator_unreachable", "The answer's stream ended before the answer did.", FAILED)


def _step(data: Json) -> str:
    return f"{data.get('step', 'thinking')} …"


def _ended(question: Json, data: Json) -> Asked:
    if data["type"] == "failed":
        return Asked({**question, "state": "failed", "code": data.get("code"), "message": data.get("message")}, True)
    view = data.get("question") or data.get("answer") or {}
    return Asked({**question, **(view if isinstance(view, dict) else data), "state": "answered"}, False)


def print_answer(console: Console, asked: Asked) -> None:
    """The answer, where its citations point, and what it rests on."""
    view = asked.view
    if asked.failed:
        said = f"No answer: {view.get('code')}: {view.get('message')}"
        console.print(said, style="red", markup=False, highlight=False, soft_wrap=True)
        return
    console.print()
    console.print(str(view.get("answer") or ""), markup=False, highlight=False, soft_wrap=True)
    console.print()
    for line in citation_lines(view):
        console.print(f"  {line}", style="cyan", markup=False, highlight=False)
    console.print(_provenance(view), style="dim", markup=False, highlight=False)
    if view.get("degraded"):
        said = f"searched by words only ({view['degraded']}): ask again for a better answer"
        console.print(said, style="yellow", markup=False, highlight=False)


def citation_lines(view: Json) -> list[str]:
    """`path:first-last`, each once, in the order of the answer."""
    places = [f"{c['path']}:{c['first_line']}-{c['last_line']}" for c in view.get("citations") or []]
    return list(dict.fromkeys(places))


def _provenance(view: Json) -> str:
    how = (
        "put together from the best passages, no language model"
        if view.get("mode") == "extractive"
        else (f"written by {view.get('model')}")
    )
    commit = f" at commit {str(view['commit'])[:10]}" if view.get("commit") else ""
    return f"{how}{commit}; {len(view.get('passages') or [])} passages read"
