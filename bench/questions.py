"""How soon the first word of an answer comes, and how many questions a second are answered, by a model without delay.

`python -m bench questions [--repository FOLDER.git] [--askers 8 16 32] [--seconds 15] [--until ready]` starts
`repostream up` in an empty home with OpenAI's stand-in on loopback, has the repository analysed (Flask's pinned source
archive where none is named), and asks: first one question after the other, then so many people at once, each the next
as soon as the answer is whole. No question is asked twice, so that no search is remembered. Writes
bench/results/questions.md.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import uvloop

from bench.asking import Asked, Asker, Site
from bench.machine import processor_time, yardstick
from bench.served import serve
from tests.support.git_server import GitServer
from tests.support.model_stand_in import model_stand_in
from tests.support.system import System, free_port

RESULTS = Path(__file__).parent / "results" / "questions.md"
_CONVERSATIONS = 60  # for each second of a round
_SENTENCES = (
    "How does {0} work?",
    "Where is {0} used, and by what?",
    "What happens when {0} is called?",
    "Which errors can {0} raise?",
    "What does {0} have to do with {1}?",
    "How are {0} and {1} tested?",
)
# What is timed between two parts of the answer: the name of the hop, and the part that ends it.
_HOPS = (
    ("accepted", "POST answered: the question is committed"),
    ("reset", "log, relay, stream, lease: ai_engine begins"),
    ("reading", "search"),
    ("token", "prompt, model, first checked words"),
    ("done", "rest of the model, citations, recorded, told"),
)


@dataclass
class Round:
    """What one round of so many askers came to; `busy` is milliseconds of processor time a question, by process."""

    askers: int
    seconds: float = 0.0
    load: float = 0.0
    yardstick: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    busy: dict[str, float] = field(default_factory=dict)

    def at(self, percent: int, *, first: bool = False) -> float:
        """A percentile of whole answers (of first words), in milliseconds."""
        values = [one.first if first else one.whole for one in self.asked]
        return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]

    def hop(self, name: str, percent: int) -> float:
        """The same of one hop."""
        names = [each for each, _ in _HOPS]
        before = names[names.index(name) - 1] if name != names[0] else None
        values = [one.written[name] - (one.written[before] if before else 0.0) for one in self.asked]
        return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def questions_about(system: System, analysis_id: str) -> Iterator[str]:
    """Questions about the definitions of a repository, no two of them the same."""
    names: list[str] = []
    params: dict[str, str | int] = {"limit": 200}
    while True:
        page = system.client.get(f"/analyses/{analysis_id}/symbols", params=params).raise_for_status().json()
        names += [item["name"] for item in page["items"] if len(item["name"]) > 3]
        if page["next"] is None or len(names) > 2_000:
            break
        params["cursor"] = page["next"]
    unique = list(dict.fromkeys(names))
    for distance in count(1):
        for sentence in _SENTENCES:
            for place, name in enumerate(unique):
                if distance == 1 or "{1}" in sentence:
                    yield sentence.format(name, unique[(place + distance) % len(unique)])


async def _round(site: Site, askers: int, *, seconds: float, most: int) -> Round:
    """Have so many ask at once, for so long or so often."""
    people = [Asker(site) for _ in range(askers)]
    for person in people:
        await person.connect()
    while len(site.begun) < min(most, _CONVERSATIONS * seconds):
        await asyncio.gather(*(person.begin() for person in people))
    await asyncio.sleep(1)  # what follows the log does so
    found = Round(askers, load=os.getloadavg()[0], yardstick=yardstick())
    before, began = processor_time(site.system.pid), time.perf_counter()

    async def one(person: Asker) -> None:
        while time.perf_counter() - began < seconds and len(found.asked) < most:
            answer = await person.ask()
            if isinstance(answer, Asked):
                found.asked.append(answer)
            else:
                found.failed[answer] += 1

    await asyncio.gather(*(one(person) for person in people))
    found.seconds = time.perf_counter() - began
    assert found.asked, f"no question was answered: {found.failed}"
    spent = processor_time(site.system.pid)
    found.busy = {name: (spent[name] - before[name]) * 1_000 / len(found.asked) for name in spent}
    for person in people:
        person.close()
    found.yardstick = (found.yardstick + yardstick()) / 2
    return found


async def _measure(folder: Path, name: str, asked: argparse.Namespace) -> list[Round]:
    async with model_stand_in("openai") as model:
        model.script = ["cites"]
        settings = {
            "REPOSTREAM_AI_MODELS": "openai:scripted",
            "REPOSTREAM_AI_OPENAI_BASE_URL": model.url,
            "REPOSTREAM_RAG_MANAGER_PORT": str(free_port()),
        }
        with System(folder / "installation" / "home", settings) as system, GitServer(folder / "served") as host:
            accepted = await asyncio.to_thread(system.analyse, host.url(name))
            view = await asyncio.to_thread(system.wait, accepted["analysis_id"], {asked.until})
            assert view["state"] in {asked.until, "refined"}, view
            if view["state"] == "ready":  # or its refinement would take a core
                system.client.post(f"/analyses/{accepted['analysis_id']}/cancel").raise_for_status()
            site = Site(system, view["repository_id"], questions_about(system, accepted["analysis_id"]))
            await _round(site, 4, seconds=20, most=40)  # warm
            found = [await _round(site, 1, seconds=60, most=asked.alone)]
            for many in asked.askers:
                model.requests.clear()
                found.append(await _round(site, many, seconds=asked.seconds, most=100_000))
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench questions")
    parser.add_argument("--repository", type=Path, help="a bare repository; Flask's source archive where left out")
    parser.add_argument("--askers", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--alone", type=int, default=150, help="questions that are asked one after the other")
    parser.add_argument("--until", choices=("ready", "refined"), default="refined", help="when to begin to ask")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each round with several askers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-questions-") as name:
        folder = Path(name)
        served = serve(folder / "served", asked.repository, "flask")
        rounds = uvloop.run(_measure(folder, served, asked))
    told = report(f"{served}, {asked.until}", rounds)
    RESULTS.write_text(told, "utf-8")
    print(told)


def report(name: str, rounds: Sequence[Round]) -> str:
    """What is written down: all rounds."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    alone = rounds[0]
    hops = "\n".join(f"| {what} | {alone.hop(hop, 50):.0f} | {alone.hop(hop, 95):.0f} |" for hop, what in _HOPS)
    rows = "\n".join(_row(one) for one in rounds)
    names = sorted({name for one in rounds for name in one.busy if one.busy[name] >= 0.05})
    busy = "\n".join(f"| {each} | {' | '.join(f'{one.busy.get(each, 0.0):.1f}' for one in rounds)} |" for each in names)
    whole = " | ".join(f"{sum(one.busy.values()):.1f}" for one in rounds)
    return f"""# Questions

`python -m bench questions` on {machine}, {datetime.now(UTC):%Y-%m-%d}; the repository is {name}.
The model answers at once; it, the askers and the system share the cores. Each question is another one, in a
conversation of its own that was begun before. The yardstick is millions of additions a second by the clock on one core:
where it is lower, other work had the machine; `load` is the load average before each round. *Refused* are answers that
name the nearest passages, for want of evidence, and do not ask the model.

| askers | load | yardstick | answers a second | refused | failed | first word p50 / p95, ms | whole answer p50 / p95 |
|---|---|---|---|---|---|---|---|
{rows}

Aimed at: first word within 400 ms (p95) of a question asked alone; 60 answers a second at a p95 of 1 s.

Of {len(alone.asked)} questions asked one after the other, by when each part was written:

| until | p50, ms | p95, ms |
|---|---|---|
{hops}

Processor time of one question, in ms, by process; {1_000 * (os.cpu_count() or 1) / 60:.0f} ms in all would be 60
a second on these cores:

| askers | {" | ".join(str(one.askers) for one in rounds)} |
|---|{"---|" * len(rounds)}
{busy}
| **all** | {whole} |
"""


def _row(one: Round) -> str:
    refused = sum(each.refused for each in one.asked)
    failed = ", ".join(f"{number} {code}" for code, number in one.failed.items()) or "0"
    firsts, wholes = (f"{one.at(50, first=first):.0f} / {one.at(95, first=first):.0f}" for first in (True, False))
    rate = f"{len(one.asked) / one.seconds:.1f} | {refused} | {failed}"
    return f"| {one.askers} | {one.load:.1f} | {one.yardstick:.1f} | {rate} | {firsts} | {wholes} |"
