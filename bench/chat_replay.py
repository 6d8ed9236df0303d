"""How much of the work that a chat repeats is answered from memory, by the whole running system.

`python -m bench chat_replay --questions FILE.jsonl --repository FOLDER.git --ref COMMIT` has the repository analysed
by `repostream up` at the commit that the questions are about, with OpenAI's stand-in on loopback, and asks what SWE-QA
asks of it through the API: each question in a conversation of its own; then all of it as somebody else asks it again,
and each answer once more by its button; then each by the search of the pages, twice. Whether a search, or an answer,
came from memory is what the services' own metrics say. Nobody's real chats are on record: the questions are public
ones, the repeats are made. Prints Markdown.
"""

import argparse
import asyncio
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.machine import yardstick
from bench.served import serve
from tests.support.git_server import GitServer
from tests.support.model_stand_in import model_stand_in
from tests.support.system import System, free_port

_LOOKED = re.compile(r'^repostream_cache_lookups_total\{cache="([^"]+)",outcome="([^"]+)"\} ([0-9.]+)', re.MULTILINE)
_LINK_SECONDS = 120.0
Ask = Callable[[str], object]


@dataclass(frozen=True)
class Asked:
    """One time that something was asked: what was looked up in memory for it, and what came of that; and ms."""

    kind: str
    question: str
    looked: Counter[tuple[str, str]]
    ms: float

    def is_from_memory(self, cache: str) -> bool:
        """Whether that was."""
        return any(self.looked[name, "hit"] for name in (cache, f"{cache}, shared"))


@dataclass
class Chat:
    """Asks a running system, and looks at what its services count."""

    system: System
    repository_id: str
    ports: tuple[int, int]
    answered: dict[str, str]  # question → the id of the last time that it was asked

    def counted(self) -> Counter[tuple[str, str]]:
        """Look-ups until now, by memory and outcome, of all services."""
        pages = [httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text for port in self.ports]
        found = Counter[tuple[str, str]]()
        for name, outcome, count in (each for page in pages for each in _LOOKED.findall(page)):
            found[name, outcome] += int(float(count))
        return found

    def time(self, kind: str, ask: Ask, question: str) -> Asked:
        """Ask, and say what was looked up for it."""
        before, began = self.counted(), time.perf_counter()
        ask(question)
        took = (time.perf_counter() - began) * 1_000
        return Asked(kind, question, self.counted() - before, took)

    def ask(self, question: str) -> None:
        """In a conversation of its own."""
        self._answered(question, self.system.ask(self.repository_id, question))

    def once_more(self, question: str) -> None:
        """By the button below its answer."""
        path = f"/questions/{self.answered[question]}/again"
        self._answered(question, self.system.answer(self.system.client.post(path, json={}).raise_for_status().json()))

    def search(self, question: str) -> None:
        """By the search of the pages."""
        path = f"/repositories/{self.repository_id}/search"
        self.system.client.get(path, params={"query": question}).raise_for_status()

    def _answered(self, question: str, view: dict[str, Any]) -> None:
        assert view["state"] == "answered", view
        self.answered[question] = view["question_id"]


def _replay(chat: Chat, questions: Sequence[str]) -> list[Asked]:
    """All of it, in order."""
    steps: list[tuple[str, Ask]] = [
        ("asked the first time", chat.ask),
        ("asked again by somebody else", chat.ask),
        ("answered once more by its button", chat.once_more),
        ("searched for on the page", chat.search),
        ("searched for on the page again", chat.search),
    ]
    return [chat.time(kind, ask, question) for kind, ask in steps for question in questions]


def _linked(system: System, analysis_id: str) -> None:
    """Wait for the graph: what it is searched for before it is there is not kept."""
    end = time.monotonic() + _LINK_SECONDS
    while time.monotonic() < end:
        stages = {one["stage"]: one["state"] for one in system.analysis(analysis_id)["stages"]}
        if stages.get("link") == "completed":
            return
        time.sleep(0.5)  # the link stage ends seconds later; a stream would say no more
    raise AssertionError("the graph was not made in time")


async def _measure(folder: Path, name: str, asked: argparse.Namespace) -> list[Asked]:
    questions = [str(json.loads(line)["question"]) for line in asked.questions.read_text().splitlines()]
    async with model_stand_in("openai") as model:
        model.script = ["cites"]
        ports = free_port(), free_port()
        settings = {
            "REPOSTREAM_AI_MODELS": "openai:scripted",
            "REPOSTREAM_AI_OPENAI_BASE_URL": model.url,
            "REPOSTREAM_RAG_MANAGER_PORT": str(ports[0]),
            "REPOSTREAM_AI_ENGINE_PORT": str(ports[1]),
        }
        with System(folder / "installation" / "home", settings) as system, GitServer(folder / "served") as host:
            accepted = await asyncio.to_thread(system.analyse, host.url(name), asked.ref)
            view = await asyncio.to_thread(system.wait, accepted["analysis_id"], {"ready"})
            await asyncio.to_thread(_linked, system, accepted["analysis_id"])
            if view["state"] == "ready":  # or a better generation would come in the middle, and forget
                system.client.post(f"/analyses/{accepted['analysis_id']}/cancel").raise_for_status()
            chat = Chat(system, view["repository_id"], ports, {})
            return await asyncio.to_thread(partial(_replay, chat, questions))


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench chat_replay", description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--ref", required=True, help="the commit that the questions are about")
    asked = parser.parse_args()
    before = yardstick()
    with tempfile.TemporaryDirectory(prefix="bench-chat-") as name:
        folder = Path(name)
        served = serve(folder / "served", asked.repository, "")
        found = uvloop.run(_measure(folder, served, asked))
    print(report(found))
    print(f"\nYardstick {before:.1f} and {yardstick():.1f} million additions a second before and after.")


def report(found: Sequence[Asked]) -> str:
    """A row for each way of asking."""
    lines = ["| | asked | searched from memory | answered from memory | p50 ms |", "|---|---|---|---|---|"]
    for kind in dict.fromkeys(one.kind for one in found):
        its = [one for one in found if one.kind == kind]
        searches, answers = (sum(one.is_from_memory(cache) for one in its) for cache in ("searches", "answers"))
        told = f"{answers} ({answers / len(its):.0%})" if any(one.looked for one in its) else ""
        took = statistics.median(one.ms for one in its)
        lines.append(f"| {kind} | {len(its)} | {searches} ({searches / len(its):.0%}) | {told} | {took:.0f} |")
    never = [one.question for one in found if one.kind.endswith("somebody else") and not one.is_from_memory("searches")]
    return "\n".join([*lines, "", *(f"* searched anew: {question}" for question in never)])
