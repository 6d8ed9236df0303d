"""Fifty signed-in people use the pages at once: how soon each is answered, and what the page server takes.

`python -m bench people --repository FOLDER.git [--people 50] [--seconds 120]` starts an installation where people sign
in by a stand-in for GitHub. Each analyses the repository, and then speaks Streamlit's own protocol as their browser
would: a person opens a page, or does something on the one they look at (opens Explore and looks for a definition, asks
a question that is answered without a model, looks at an event, or only has its script run again); thinks for two to
six seconds; and goes on. What is measured is from what they do until the script is over. Beside them a real Chromium
opens pages, alone first and then in the midst of them, until their first content is seen. The results go to
bench/results/people.md.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, async_playwright

from bench.memory import MemoryWatch
from bench.visiting import PAGES, Person, Ran, Tab, an_installation, analysed, answered, opened, sign_in
from tests.support.chromium import ARGUMENTS, PROGRAM
from tests.support.github import GitHubStandIn
from tests.support.system import System

RESULTS = Path(__file__).parent / "results" / "people.md"
_LOGINS = 6  # people who sign in and analyse at once
_THINKS = (2.0, 6.0)  # seconds
_OPENS = 0.4  # of what people do: open a page; the rest is done on the one that is open
_ACTS_ON = 0.6  # of that: what the page is for, where there is something; the rest runs its script again
_GOOD = "FINISHED_SUCCESSFULLY"
_EXPLORE, _DEFINITION = "Show the map, sizes, connections and callers", "Definition begins with"
_ASK = "Ask about this repository"
_ANSWER = "chat: an answer"  # from the question until it is drawn: with the search, and with being told of its end
_NO_SCRIPT = ("opened", "an event looked at", "an answer")
_QUESTIONS = ("Where does it start?", "How are options parsed?", "How is it tested?", "What does a command return?")
_SEEN = {
    "start": "Repository URL",
    "analysis": "ready",
    "chat": _ASK,
    "events": "What is looked at",
}
_LOOKS = 10  # times that the browser opens each page
_QUIET, _BUSY = "alone", "among them"
_STEPS = "\n## What each step gained\n"


@dataclass
class Taken:
    """Seconds by what was done; whatever did not come to a good end is a failure."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """One page that somebody has open, and where what they do on it is written down."""

    system: System
    person: Person
    page: str
    tab: Tab
    taken: Taken
    chance: random.Random

    async def timed(self, what: str, doing: Coroutine[object, object, Ran]) -> None:
        """Do something on the page, and write down how long it took."""
        begun = time.perf_counter()
        ended = (await doing).status
        self.taken.seconds[f"{self.page}: {what}"].append(time.perf_counter() - begun)
        if ended != _GOOD:
            self.taken.failures.append(f"{self.page}: {what}: {ended}")


async def explore(visit: Visit) -> None:
    """Open the map of the repository; once it is open, look for a definition."""
    if visit.tab.has(_DEFINITION):
        visit.tab.write(_DEFINITION, visit.chance.choice("abcdefgmoprstw"))
        await visit.timed("a definition looked for in Explore", visit.tab.run())
    else:
        visit.tab.turn_on(_EXPLORE)
        await visit.timed("Explore opened", visit.tab.run())


async def ask(visit: Visit) -> None:
    """Ask a question, which is answered without a model, and see the answer."""

    async def to_the_end() -> Ran:
        ran = await visit.tab.say(_ASK, visit.chance.choice(_QUESTIONS))
        asked.append(time.perf_counter() - begun)
        if visit.tab.question is not None:
            await answered(visit.system, visit.person, visit.tab.question)
            ran = await visit.tab.run()
        is_there = ran.status != _GOOD or visit.tab.answers == before + 1
        return ran if is_there else Ran("no answer is shown", 0, 0)

    asked: list[float] = []
    before, begun = visit.tab.answers, time.perf_counter()
    await visit.timed("an answer", to_the_end())
    visit.taken.seconds["chat: a question asked"] += asked


async def look_at_a_point(visit: Visit) -> None:
    """Pick an event, which the browser asks about; filtering what it has asks nobody."""

    async def picked() -> Ran:
        address = f"{visit.system.page}/api/v1/events/state"
        stream = f"analysis/{visit.person.analysis}"
        wanted = {"stream_id": stream, "version": str(visit.chance.randint(2, 30)), "with_state": "false"}
        reply = await http.get(address, params=wanted, headers={"cookie": visit.person.header})
        return Ran(_GOOD if reply.is_success else f"HTTP {reply.status_code}", 1, len(reply.content))

    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        await visit.timed("an event looked at", picked())


_ACTS: Mapping[str, Callable[[Visit], Awaitable[None]]] = {"analysis": explore, "chat": ask, "events": look_at_a_point}


async def use(system: System, person: Person, until: float, taken: Taken, chance: random.Random) -> None:
    """Open pages, and do things on them, until the time is over."""
    page = "start"
    await asyncio.sleep(chance.uniform(0, _THINKS[1]))
    while time.monotonic() < until:
        async with opened(system, person, page) as tab:
            visit = Visit(system, person, page, tab, taken, chance)
            await visit.timed("opened", tab.run())
            while True:
                await asyncio.sleep(chance.uniform(*_THINKS))
                if time.monotonic() >= until or chance.random() < _OPENS:
                    break
                act = _ACTS.get(page)
                if act is not None and chance.random() < _ACTS_ON:
                    await act(visit)
                else:
                    await visit.timed("run again", tab.run())
        page = chance.choice(list(PAGES))


async def look(context: BrowserContext, system: System, person: Person, taken: Taken) -> None:
    """Open each page some times in a browser that has been here before, until its first content is seen."""
    page = await context.new_page()
    for turn in range(_LOOKS + 1):
        for name, path in PAGES.items():
            address = f"{system.page}/{path}" + ("" if name == "start" else f"?analysis={person.analysis}")
            begun = time.perf_counter()
            await page.goto(address, wait_until="commit")
            seen = page.get_by_placeholder(_SEEN[name]) if name == "chat" else page.get_by_text(_SEEN[name])
            await seen.first.wait_for()
            if turn:  # the first fills the browser's cache
                taken.seconds[name].append(time.perf_counter() - begun)
    await page.close()


async def browser_of(browser: Browser, system: System, person: Person) -> BrowserContext:
    """A browser in which somebody is signed in."""
    context = await browser.new_context()
    secure = [
        {"name": n, "value": v, "url": system.page.replace("http:", "https:"), "secure": True}
        for n, v in person.cookies.items()
    ]
    await context.add_cookies(secure)  # type: ignore[arg-type]  # as its shape is
    return context


async def measure(system: System, github: GitHubStandIn, url: str, people: int, seconds: float) -> dict[str, Any]:
    """All of it."""
    cookies = [await sign_in(system, github, number) for number in range(people)]
    gate = asyncio.Semaphore(_LOGINS)

    async def one(own: dict[str, str]) -> Person:
        async with gate:
            return Person(own, await analysed(system, own, url))

    everybody = await asyncio.gather(*(one(own) for own in cookies))
    print(f"{people} people are signed in and have their analyses", flush=True)
    quiet, busy, taken = Taken(), Taken(), Taken()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        context = await browser_of(browser, system, everybody[0])
        await look(context, system, everybody[0], quiet)
        load = os.getloadavg()[0]
        with MemoryWatch(system.pid) as memory:
            until = time.monotonic() + seconds
            using = [use(system, person, until, taken, random.Random(n)) for n, person in enumerate(everybody)]
            await asyncio.gather(look(context, system, everybody[0], busy), *using)
        await browser.close()
    return {"quiet": quiet, "busy": busy, "taken": taken, "memory": memory.largest, "load": load}


def at(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _answered(seconds: Sequence[float]) -> str:
    return f"p95 {_ms(at(seconds, 0.95))}" if seconds else "none was asked for"


def report(found: dict[str, Any], people: int, seconds: float) -> str:
    """What was measured, as Markdown."""
    taken, quiet, busy = found["taken"], found["quiet"], found["busy"]
    every = [value for what, values in taken.seconds.items() if what != _ANSWER for value in values]
    done = [value for what, values in taken.seconds.items() if not what.endswith(_NO_SCRIPT) for value in values]
    first = [value for values in quiet.seconds.values() for value in values]
    rows = [_row(what, values) for what, values in sorted(taken.seconds.items())]
    looks = [
        _row(f"{name}, {when}", values)
        for when, side in ((_QUIET, quiet), (_BUSY, busy))
        for name, values in side.seconds.items()
    ]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    failed = f"{len(taken.failures)} {', '.join(sorted(set(taken.failures)))}".strip()
    memory = {name: f"{found['memory'].get(name, 0):.0f} MiB" for name in ("web_ui", "orchestrator")}
    return f"""# Fifty people at once

{datetime.now(UTC):%Y-%m-%d}, `python -m bench people --people {people} --seconds {seconds:g}` on {machine};
load average before them {found["load"]:.1f}. The people, the browser and all services share these cores.
Aimed at: 95 in 100 answered within 1 s, a script run again within 300 ms, the page server below 1.5 GiB; a page's first
content, in a browser that has been here, within 1.5 s.

* {len(every):,} things done in {seconds:g} s: median {_ms(statistics.median(every))}, **p95 {_ms(at(every, 0.95))}**,
  longest {_ms(max(every))}; not to a good end: {failed}.
* A script run again, whatever was pressed: **p95 {_ms(at(done, 0.95))}**.
* An answer without a model, from the question until it is drawn: {_answered(taken.seconds[_ANSWER])}; it is not
  among the things done, the question is.
* First content in Chromium, nobody else there: **p95 {_ms(at(first, 0.95))}**.
* The page server at its peak: **{memory["web_ui"]}**; the orchestrator {memory["orchestrator"]}.

| what people did | times | median | p95 | longest |
|---|---|---|---|---|
{chr(10).join(rows)}

| first content in Chromium | times | median | p95 | longest |
|---|---|---|---|---|
{chr(10).join(looks)}
"""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _row(what: str, values: Sequence[float]) -> str:
    told = (statistics.median(values), at(values, 0.95), max(values))
    return f"| {what} | {len(values):,} | {' | '.join(map(_ms, told))} |"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    with an_installation(arguments.repository, "bench-people-") as (system, github, url):
        found = asyncio.run(measure(system, github, url, arguments.people, arguments.seconds))
    _, steps, written = RESULTS.read_text().partition(_STEPS)  # by hand, of pairs that `bench page_costs` measured
    RESULTS.write_text(report(found, arguments.people, arguments.seconds) + steps + written)
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
