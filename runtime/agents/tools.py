"""The tools: look for repositories, search, read lines, list definitions and callers, tell an overview, ask.

Each takes an `Input` and gives bounded text, whose places are written `path:first-last`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from anyio import move_on_after

from runtime.agents import inputs
from runtime.agents.asking import Asking, Json, ToolFault, part

LONGEST = 40_000  # characters of one result
ASK_SECONDS, DEEP_SECONDS = 150.0, 270.0  # the assistant's own deadlines are below
_STOP_SECONDS = 5.0  # for the API to hear that an answer is not wanted any more
_POLL = 0.4  # seconds between two looks for an answer
_PASSAGE_LINES = 60
_PAGES, _PAGE = 25, 200
_LATEST = "latest"


@dataclass(frozen=True)
class Tool:
    """One tool: what it takes, what it does, whether it changes anything (asking writes a conversation)."""

    name: str
    description: str
    takes: type[inputs.Input]
    run: Callable[[Asking, Any], Awaitable[str]]  # Any: each takes the class beside it
    reads_only: bool = True


async def call(asking: Asking, name: str, arguments: Mapping[str, object]) -> str:
    """The result of one tool, cut where it is too long. Raises ToolFault; ValidationError for what it does not take."""
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolFault("unknown_tool", f"There is no such tool: the tools are {', '.join(TOOLS)}.")
    text = await tool.run(asking, tool.takes.model_validate(dict(arguments)))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… (cut: ask for less at once)"


async def _repositories(asking: Asking, _asked: inputs.Nothing) -> str:
    lines = []
    for found in await _all(asking):
        latest = found.get(_LATEST) or {}
        state, commit = latest.get("state", "not analysed"), (latest.get("commit") or "")[:10]
        lines.append(f"{found['name']}  {found['url']}  {state}{f' at {commit}' if commit else ''}")
    return "\n".join(lines) or "No repository was analysed yet."


async def _search(asking: Asking, asked: inputs.Search) -> str:
    repository = await _find(asking, asked.repository)
    path = f"/repositories/{repository['repository_id']}/search"
    found = await asking.get(path, query=asked.query, limit=asked.limit, **asked.scope())
    blocks = [_passage(one) for one in found["passages"]]
    return "\n\n".join([f"commit {found['commit']}", *blocks]) if blocks else "Nothing of it matches."


def _passage(one: Json) -> str:
    lines = one["text"].split("\n")
    shown = "\n".join(f"{one['first_line'] + n:>6} {line}" for n, line in enumerate(lines[:_PASSAGE_LINES]))
    more = f"\n       … {len(lines) - _PASSAGE_LINES} more lines" if len(lines) > _PASSAGE_LINES else ""
    return f"{_place(one['path'], one['first_line'], one['last_line'])}\n{shown}{more}"


async def _read(asking: Asking, asked: inputs.Read) -> str:
    analysis = await _analysis(asking, asked.repository)
    last = min(asked.last_line or asked.first_line + inputs.MOST_LINES - 1, asked.first_line + inputs.MOST_LINES - 1)
    found = await asking.get(
        f"/analyses/{analysis}/lines", path=asked.path, first_line=asked.first_line, last_line=last
    )
    first = found["first_line"]
    shown = _cells(found["cells"]) or _numbered(found["text"].split("\n"), first)
    head = f"{_place(asked.path, first, found['last_line'])} of {found['line_count']} lines, commit {found['commit']}"
    return "\n".join([head, *shown] if found["last_line"] >= first else [f"{head}: no such lines"])


def _numbered(lines: list[str], first: int) -> list[str]:
    return [f"{first + n:>6} {line}" for n, line in enumerate(lines)]


def _cells(cells: list[Json]) -> list[str]:
    """Of a notebook what its cells say, at the lines of its file."""
    shown = []
    for cell in cells:
        shown += [f"       cell {cell['number']} ({cell['kind']})", *_numbered(cell["lines"], cell["first_line"])]
    return shown


async def _symbols(asking: Asking, asked: inputs.Symbols) -> str:
    if asked.name is None and asked.path is None:
        raise ToolFault("invalid_request", "Give the beginning of a name, or a path.")
    analysis = await _analysis(asking, asked.repository)
    found = await asking.get(f"/analyses/{analysis}/symbols", name=asked.name, path=asked.path, limit=asked.limit)
    lines = [
        f"{one['id']}  {one['kind']} {one['qualified_name']}"
        f"  {_place(one['path'], one['first_line'], one['last_line'])}"
        for one in found["items"]
    ]
    return "\n".join([f"{found['total']} found; each line begins with the id for `callers`", *lines])


async def _callers(asking: Asking, asked: inputs.Callers) -> str:
    analysis = await _analysis(asking, asked.repository)
    found = await asking.get(f"/analyses/{analysis}/symbols/{part(asked.symbol)}/callers", limit=asked.limit)
    lines = [
        f"{one['path']}:{one['line']}  {one['name'] or 'the file itself'}"
        f"  ({one['kind']}, {one['level']}, confidence {one['confidence']:.2f})"
        for one in found["items"]
    ]
    return "\n".join([f"{found['total']} found", *lines])


async def _overview(asking: Asking, asked: inputs.About) -> str:
    analysis = await _analysis(asking, asked.repository)
    return str((await asking.get(f"/analyses/{analysis}/overview"))["markdown"])


async def _ask(asking: Asking, asked: inputs.Ask) -> str:
    repository = await _find(asking, asked.repository)
    begun = await asking.post("/conversations", {"repository_id": repository["repository_id"]})
    path = f"/conversations/{begun['conversation_id']}/questions"
    question = await asking.post(path, {"query": asked.question, "mode": asked.mode, "scope": asked.scope()})
    try:
        async with asyncio.timeout(DEEP_SECONDS if asked.mode == "deep" else ASK_SECONDS):
            while question["state"] == "asked":
                await asyncio.sleep(_POLL)
                question = await asking.get(f"/questions/{question['question_id']}")
    except TimeoutError as error:
        raise ToolFault("answer_deadline", "There is no answer yet: ask again in a moment.") from error
    except asyncio.CancelledError:
        with move_on_after(_STOP_SECONDS, shield=True), suppress(ToolFault):  # nobody pays for the rest of it
            await asking.post(f"/questions/{question['question_id']}/stop", {})
        raise
    if question["state"] != "answered":
        code, message = question["code"], question["message"]
        raise ToolFault(code, message)
    how = "put together without a model" if question["mode"] == "extractive" else f"written by {question['model']}"
    how += f" in {len(question['steps'])} steps" if question["mode"] == "deep" else ""
    return f"{question['answer']}\n\n({how}, at commit {question['commit']})"


async def _all(asking: Asking) -> list[Json]:
    found: list[Json] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await asking.get("/repositories", cursor=cursor, limit=_PAGE)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


async def _find(asking: Asking, wanted: str) -> Json:
    """The repository whose id, URL or name that is. Raises ToolFault where it is none, or several."""
    plain = _plain(wanted)
    found = [
        one
        for one in await _all(asking)
        if plain in {one["repository_id"], _plain(one["url"] + (f":{one['folder']}" if one["folder"] else ""))}
        or plain in {one["name"].lower(), one["name"].lower().rpartition("/")[2]}
    ]
    if not found:
        raise ToolFault("repository_unknown", "No such repository was analysed: `repositories` lists those that were.")
    if len(found) > 1:
        names = ", ".join(one["url"] for one in found[:5])
        raise ToolFault("repository_ambiguous", f"It may be each of {names}: give one of these.")
    return found[0]


async def _analysis(asking: Asking, wanted: str) -> str:
    """The analysis of a repository that is searched; the newest where none was ever ready for that."""
    found = await _find(asking, wanted)
    latest = found.get(_LATEST)
    if latest is None:
        raise ToolFault("repository_unknown", "That repository has no analysis yet.")
    return str(found.get("serving") or latest["analysis_id"])


def _plain(text: str) -> str:
    return text.strip().rstrip("/").removesuffix(".git").lower()


def _place(path: str, first: int, last: int) -> str:
    return f"{path}:{first}-{last}"


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool("repositories", "List the repositories that were analysed.", inputs.Nothing, _repositories),
            Tool(
                "search",
                "Search one repository by meaning and by words: the best passages with their lines.",
                inputs.Search,
                _search,
            ),
            Tool("read", "Read lines of a file as they are at the analysed commit.", inputs.Read, _read),
            Tool("symbols", "List definitions whose name begins so, or those of a file.", inputs.Symbols, _symbols),
            Tool("callers", "Who calls a definition, inherits from it, or names it.", inputs.Callers, _callers),
            Tool(
                "overview",
                "What a repository is, how it is built, how its modules talk, how to run and test it.",
                inputs.About,
                _overview,
            ),
            Tool(
                "ask",
                "Ask a question about a repository; the answer cites the lines it rests on.",
                inputs.Ask,
                _ask,
                reads_only=False,
            ),
        )
    }
)
