"""Whether searches notice that a repository is embedded anew beside them and swapped, and what they take meanwhile.

`python -m bench swap [--repository FOLDER.git] [--seconds 25] [--rate 8] [--ref TAG]` has a repository analysed by
`repostream up` in an empty home, embedded by a provider (a stand-in on loopback), and starts it again with the local
model. So many questions a second, none twice, are asked of rag_manager during all that follows: nothing else happens;
the repository is embedded anew and the new generation swapped in; nothing else; `repostream rollback` swaps back;
another commit (`--ref`) is analysed and swapped in twice, quick and then full. Writes bench/results/swap.md.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvloop

from bench.machine import processor_time, yardstick
from bench.questions import questions_about
from bench.served import serve
from events.base import LOCAL_TENANT
from events.index import EmbedderChanged, IndexActivated
from rag_manager.models.files import FULL_NAME
from runtime.service_tokens import ServiceSigner
from tests.fakes.embedder import WordEmbedder
from tests.support.embedding_stand_in import StandIn, embedding_stand_in
from tests.support.git_server import GitServer
from tests.support.system import System, free_port

RESULTS = Path(__file__).parent / "results" / "swap.md"
_WARM = 5.0  # seconds before time is taken
_AFTER = 3.0  # seconds after a swap that still count to it: what is loaded anew is loaded then
_START = 12.0  # seconds that the rest of `up` may take to be ready after rag_manager is
_AIMED = 1.5  # times the p95 of quiet
_PROCESSES = ("rag_manager", "chroma", "postgres", "valkey", "orchestrator", "processor", "ai_engine", "bench")


@dataclass(frozen=True)
class Heard:
    """One search: when it was due and when it ended (Unix time), and what it took by rag_manager's own account (ms)."""

    due: float
    ended: float
    own: float = 0.0
    generation: str = ""
    model: str = ""
    failed: str = ""

    @property
    def ms(self) -> float:
        """Milliseconds by the clock."""
        return (self.ended - self.due) * 1_000


@dataclass(frozen=True)
class Phase:
    """What was going on between two moments (Unix time), and the cores' seconds it took of each process."""

    name: str
    begun: float
    ended: float
    load: float
    busy: Mapping[str, float]


@dataclass
class Found:
    """All of it, and the machine's yardstick before and after."""

    heard: list[Heard] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    yardsticks: list[float] = field(default_factory=list)
    totals: Mapping[str, int] = field(default_factory=dict)

    def of(self, phase: Phase) -> list[Heard]:
        """What was due in a phase."""
        return [one for one in self.heard if phase.begun <= one.due < phase.ended]

    def until(self, name: str, begun: float, before: Counter[str], pid: int) -> None:
        """End a phase that began then, when processes had spent so much."""
        spent, ended = processor_time(pid), time.time()
        busy = {what: (spent[what] - before[what]) / (ended - begun) for what in spent}
        self.phases.append(Phase(name, begun, ended, os.getloadavg()[0], busy))


@dataclass(frozen=True)
class Searched:
    """Where is asked, and what."""

    url: str
    caller: ServiceSigner
    repository_id: str
    questions: Iterator[str]

    async def ask(self, client: httpx.AsyncClient, due: float) -> Heard:
        """One search."""
        body = {"tenant_id": str(LOCAL_TENANT), "repository_id": self.repository_id, "query": next(self.questions)}
        headers = self.caller.headers("rag_manager")
        try:
            reply = await client.post(f"{self.url}/internal/search", json=body, headers=headers)
            found = reply.raise_for_status().json()
        except httpx.HTTPError as error:
            return Heard(due, time.time(), failed=type(error).__name__)
        failed = found["degraded"] or ("" if found["passages"] else "nothing found")
        names = str(found["generation_id"]), str(found["model"])
        return Heard(due, time.time(), found["took_ms"], *names, failed)

    @asynccontextmanager
    async def going_on(self, rate: float, heard: list[Heard]) -> AsyncIterator[None]:
        """Ask so often a second, whether or not answers come, until the block ends; all of them are heard."""
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client, asyncio.TaskGroup() as group:

            async def one(due: float) -> None:
                heard.append(await self.ask(client, due))

            async def all_of_them() -> None:
                due = time.time()
                while True:
                    await asyncio.sleep(max(0.0, due - time.time()))
                    group.create_task(one(due))
                    due += 1 / rate

            asking = group.create_task(all_of_them())
            yield
            asking.cancel()


async def _event(system: System, analysis_id: str, is_it: Callable[[dict[str, Any]], bool]) -> None:
    """Wait for an event."""
    async with asyncio.timeout(280):
        while True:
            if any(map(is_it, await asyncio.to_thread(system.history, analysis_id))):
                return
            await asyncio.sleep(1.0)


def _is_changed(event: dict[str, Any]) -> bool:
    return bool(event["event_type"] == EmbedderChanged.event_type)


def _serves_now(event: dict[str, Any]) -> bool:
    return bool(event["event_type"] == IndexActivated.event_type and event["data"]["model"] == FULL_NAME)


async def _rolled_back(system: System, analysis_id: str) -> None:
    done = await asyncio.to_thread(system.run, "rollback", analysis_id)
    assert done.returncode == 0, done.stdout + done.stderr
    await asyncio.sleep(_AFTER)


async def _analysed(system: System, url: str, ref: str) -> None:
    accepted = await asyncio.to_thread(system.analyse, url, ref)
    view = await asyncio.to_thread(system.wait, accepted["analysis_id"], {"refined"}, 280)
    assert view["state"] == "refined", view
    await asyncio.sleep(_AFTER)


async def _embedded_anew(system: System, analysis_id: str) -> None:
    await _event(system, analysis_id, _serves_now)
    await asyncio.sleep(_AFTER)


async def _phases(system: System, searched: Searched, analysis_id: str, url: str, asked: argparse.Namespace) -> Found:
    """Search, and have happen what is to happen meanwhile."""
    what: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("quiet", partial(_event, system, analysis_id, _is_changed)),
        ("embedded anew, swapped", partial(_embedded_anew, system, analysis_id)),
        ("quiet, of the local model", partial(asyncio.sleep, asked.seconds)),
        ("gone back by command", partial(_rolled_back, system, analysis_id)),
    ]
    if asked.ref:
        what += [(f"{asked.ref} analysed, swapped", partial(_analysed, system, url, asked.ref))]
    found = Found()
    found.yardsticks.append(yardstick())
    async with searched.going_on(asked.rate, found.heard):
        await asyncio.sleep(_WARM)
        for name, happens in what:
            begun, before = time.time(), processor_time(system.pid)
            await happens()
            found.until(name, begun, before, system.pid)
    found.yardsticks.append(yardstick())
    return found


async def _measure(folder: Path, name: str, asked: argparse.Namespace) -> Found:
    stand_in = StandIn(WordEmbedder("words", dimension=48))
    home, port = folder / "installation" / "home", free_port()
    async with embedding_stand_in("openai", stand_in):
        remote = {"": "openai", "_MODEL": "words", "_DIMENSION": "48", "_BASE_URL": stand_in.url}
        first = {f"REPOSTREAM_EMBEDDER{key}": value for key, value in remote.items()}
        then = {f"REPOSTREAM_FORMER_EMBEDDER{key}": value for key, value in remote.items()} | {
            "REPOSTREAM_RAG_MANAGER_PORT": str(port),
            "REPOSTREAM_RAG_JANITOR_INTERVAL": str(asked.seconds + _WARM + _START),
        }
        with GitServer(folder / "served") as host:
            with System(home, first) as system:
                accepted = await asyncio.to_thread(system.analyse, host.url(name))
                view = await asyncio.to_thread(system.wait, accepted["analysis_id"], {"refined"})
                assert view["state"] == "refined", view
            with System(home, then) as system:
                caller = ServiceSigner("ai_engine", (home / "service-keys" / "ai_engine").read_text().strip())
                questions = questions_about(system, view["analysis_id"])
                searched = Searched(f"http://127.0.0.1:{port}", caller, view["repository_id"], questions)
                found = await _phases(system, searched, view["analysis_id"], host.url(name), asked)
    found.totals = view["totals"]
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench swap")
    parser.add_argument("--repository", type=Path, help="a bare repository; Flask's source archive where left out")
    parser.add_argument("--seconds", type=float, default=25.0, help="of quiet, before and after")
    parser.add_argument("--rate", type=float, default=8.0, help="searches a second")
    parser.add_argument("--ref", default="", help="another commit of it, to be analysed at the end")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-swap-") as name:
        folder = Path(name)
        served = serve(folder / "served", asked.repository, "flask")
        found = uvloop.run(_measure(folder, served, asked))
    told = report(served, asked.rate, found)
    RESULTS.write_text(told, "utf-8")
    print(told)


def report(name: str, rate: float, found: Found) -> str:
    """What is written down."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    totals = ", ".join(f"{found.totals[what]:,} {what}" for what in ("files", "lines", "chunks"))
    yardsticks = " and ".join(f"{one:.1f}" for one in found.yardsticks)
    quiet = found.of(found.phases[0])
    rows = "\n".join(_row(phase, found.of(phase), quiet) for phase in found.phases)
    cores = ((one.name, *(f"{one.busy.get(what, 0.0):.2f}" for what in _PROCESSES)) for one in found.phases)
    busy = "\n".join(f"| {' | '.join(cells)} |" for cells in cores)
    answered = "\n".join(_answered(phase, found.of(phase)) for phase in found.phases)
    return f"""# Searches while an index is embedded anew and swapped

`python -m bench swap` on {machine}, {datetime.now(UTC):%Y-%m-%d}: {name} ({totals}); {rate:g} searches a second from
one client over HTTP, whether or not the ones before were answered, no question twice. The client, the git server and
the first embedder (a stand-in, a sum of words) share the cores. Yardstick before and after: {yardsticks} million
additions a second.

*By the clock* (ms) from when a search was due until its reply was read; *own* as rag_manager itself tells it. Failed is
what was not answered, was merely lexical, or found nothing. Aimed at: 0 failed, p95 at most {_AIMED} times quiet's.

| what happens | s | load | searches | failed | by the clock: p50 / p95 / most | own: p50 / p95 | p95 to quiet's |
|---|---|---|---|---|---|---|---|
{rows}

Who answered, in order: generation and model, how many searches, when in the phase the first and last were due, and by
the clock. *Back* counts searches that were due when the next generation had replied, and were answered by the former.

| what happens | answered by | back |
|---|---|---|
{answered}

| processor time, cores | {" | ".join(_PROCESSES)} |
|---|{"---|" * len(_PROCESSES)}
{busy}
"""


def _row(phase: Phase, heard: Sequence[Heard], quiet: Sequence[Heard]) -> str:
    failed = Counter(one.failed for one in heard if one.failed)
    told = f"{failed.total()}" + (f" ({', '.join(f'{n} {what}' for what, n in failed.items())})" if failed else "")
    clock, own = [one.ms for one in heard], [one.own for one in heard]
    times = f"{_at(clock, 50):.1f} / {_at(clock, 95):.1f} / {max(clock):.1f} | {_at(own, 50):.1f} / {_at(own, 95):.1f}"
    ratio = _at(clock, 95) / _at([one.ms for one in quiet], 95)
    seconds = phase.ended - phase.begun
    return f"| {phase.name} | {seconds:.0f} | {phase.load:.1f} | {len(heard)} | {told} | {times} | {ratio:.2f} |"


def _answered(phase: Phase, heard: Sequence[Heard]) -> str:
    by = dict[str, list[Heard]]()
    for one in sorted((one for one in heard if not one.failed), key=lambda one: one.due):
        by.setdefault(one.generation, []).append(one)
    parts, back = list[str](), 0
    for place, (generation, its) in enumerate(by.items()):
        span = f"{its[0].due - phase.begun:.1f} to {its[-1].due - phase.begun:.1f} s"
        p95 = f"p95 {_at([one.ms for one in its], 95):.0f} ms" if len(its) > 1 else ""
        parts.append(f"`{generation[:8]}` ({its[0].model[:24]}): {len(its)}, {span}, {p95}")
        later = [min(one.ended for one in others) for others in list(by.values())[place + 1 :]]
        back += sum(one.due > min(later) for one in its) if later else 0
    return f"| {phase.name} | {'; '.join(parts)} | {back} |"


def _at(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
