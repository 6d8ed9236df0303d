"""How many searches of a chat that repeat an earlier one are answered from memory, in one process and in several.

    python -m bench chat_cache --questions FOLDER [--processes 3]

The workload is drawn, by a fixed seed so that each run is the same, from SWE-QA's and semble's questions: sixty people
ask twelve each of one repository, and four of these again, all in any order. Each search comes to any of the
processes. Replies of a real size are kept, through the product's own two levels and a real Valkey; nothing is searched,
so that what is measured is the memory alone. A search repeats where the same was asked of the same generation before;
in the middle half of the repositories get another generation.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import uvloop

from events.base import derived_id
from rag_manager.adapters.valkey_memory import ValkeyMemory
from rag_manager.remembering import Asked, Form, Recalled, Remembered
from runtime.broker import create_quick_redis
from runtime.embedded.valkey import EmbeddedValkey
from runtime.settings import BrokerSettings

_SEED = 20_261_122
_PEOPLE, _QUESTIONS = 60, 12
_REPLY = random.Random(_SEED).randbytes(9_000).hex().encode()  # 18 KB, of which half are left when packed
_TEXT = Form[bytes](lambda value: value, lambda value: value)


@dataclass(frozen=True)
class Counted:
    """Of one way to remember: searches, those that repeat an earlier one, those of them that were made again."""

    way: str
    asked: int
    repeats: int
    again: int
    p50_ms: float
    p95_ms: float

    @property
    def rate(self) -> float:
        """The share of repeated searches that were not made again."""
        return 1 - self.again / self.repeats


def questions_of(folder: Path) -> dict[str, list[str]]:
    """Repository → the questions that are known of it."""
    found: dict[str, list[str]] = {}
    for file in sorted((folder / "semble").glob("*.json")):
        content = json.loads(file.read_text())
        if isinstance(content, list):
            found[file.stem] = [str(one["query"]) for one in content if isinstance(one, dict) and "query" in one]
    for file in sorted((folder / "swe-qa").glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        found.setdefault(file.stem, []).extend(str(row["question"]) for row in rows)
    return {name: questions for name, questions in found.items() if len(questions) >= _QUESTIONS}


def workload(questions: dict[str, list[str]]) -> Iterator[tuple[str, str, int]]:
    """(repository, question, generation), in the order in which they are asked."""
    chance = random.Random(_SEED)
    asked: list[tuple[str, str]] = []
    for _ in range(_PEOPLE):
        repository = chance.choice(sorted(questions))
        own = [(repository, question) for question in chance.sample(questions[repository], _QUESTIONS)]
        asked += own + chance.sample(own, _QUESTIONS // 3)  # a conversation that is opened again, a page drawn anew
    chance.shuffle(asked)
    newer = set(sorted(questions)[::2])
    for place, (repository, question) in enumerate(asked):
        yield repository, question, int(repository in newer and place >= len(asked) // 2)


def key_of(repository: str, question: str, generation: int) -> Asked:
    """What the search would ask for."""
    analysis = derived_id("chat_cache", repository)
    state = derived_id("chat_cache", repository, generation)
    return Asked(UUID(int=1), analysis, "0" * 64, state, json.dumps([question, 12]))


async def measure(way: str, url: str | None, processes: int, questions: dict[str, list[str]]) -> Counted:
    """Ask all of it of `processes`, which share a memory where there is a `url`."""
    settings = BrokerSettings(url=url or "redis://127.0.0.1:1/0")
    clients = [create_quick_redis(settings) for _ in range(processes)]
    shared = [ValkeyMemory(client, _key) if url else None for client in clients]
    memories = [Recalled(Remembered[Asked, bytes](way, most=500, seconds=300), way, each, _TEXT) for each in shared]
    chance = random.Random(_SEED + 1)
    seen: set[Asked] = set()
    made: list[int] = []
    times: list[float] = []

    async def make() -> bytes:
        made.append(1)
        return _REPLY

    repeats = again = 0
    for repository, question, generation in workload(questions):
        key = key_of(repository, question, generation)
        before, began = len(made), time.perf_counter()
        await chance.choice(memories).get(key, make)
        times.append((time.perf_counter() - began) * 1_000)
        repeats += key in seen
        again += key in seen and len(made) > before
        seen.add(key)
    for client in clients:
        await client.aclose()
    times.sort()
    return Counted(way, len(times), repeats, again, times[len(times) // 2], times[int(len(times) * 0.95)])


async def _key() -> bytes:
    return b"k" * 32


async def compare(url: str, processes: int, questions: dict[str, list[str]]) -> list[Counted]:
    """One process; several, each for itself; several that share."""
    return [
        await measure("one process, its own memory", None, 1, questions),
        await measure(f"{processes} processes, each its own memory", None, processes, questions),
        await measure(f"{processes} processes that share", url, processes, questions),
    ]


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench chat_cache", description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        valkey = EmbeddedValkey(Path(folder) / "valkey")
        try:
            counted = uvloop.run(compare(valkey.start(), options.processes, questions_of(options.questions)))
        finally:
            valkey.stop()
    lines = [
        "| | searches | repeat an earlier one | of these from memory | p50 ms | p95 ms |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.way} | {one.asked:,} | {one.repeats:,} | {one.rate:.1%} | {one.p50_ms:.2f} | {one.p95_ms:.2f} |"
        for one in counted
    ]
    print("\n".join(lines))
