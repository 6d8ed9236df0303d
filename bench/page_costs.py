"""What the pages cost: processor time of everything, for one person who opens each page and does something on it.

`python -m bench page_costs --repository FOLDER.git [--times 20]` starts an installation as `bench people` does, with
one person who is signed in, and speaks Streamlit's own protocol as their browser would. Each page is opened so often,
and its script run again so often, one after the other, so that what is counted is work and not waiting. It prints
milliseconds of processor time by process, the messages and the bytes of one interaction; two versions are compared by
running them in turn.
"""

import argparse
import asyncio
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import processor_time, yardstick
from bench.visiting import PAGES, Person, Ran, Tab, an_installation, analysed, opened, sign_in
from tests.support.github import GitHubStandIn
from tests.support.system import System

_SHOWN = ("web_ui", "orchestrator", "postgres", "valkey", "bench")
_WARM = 5  # runs before anything is counted


@dataclass(frozen=True)
class Cost:
    """One kind of interaction: `spent` is milliseconds of processor time of one, by process."""

    what: str
    spent: Counter[str]
    ran: Ran


async def opens(system: System, person: Person, page: str, times: int) -> Ran:
    """Open a page so often."""
    for _ in range(times):
        async with opened(system, person, page) as tab:
            ran = await _run(tab, page)
    return ran


async def runs(system: System, person: Person, page: str, times: int) -> Ran:
    """Run the script of a page that is open so often."""
    async with opened(system, person, page) as tab:
        for _ in range(times + 1):
            ran = await _run(tab, page)
    return ran


async def _run(tab: Tab, page: str) -> Ran:
    ran = await tab.run()
    assert ran.status == "FINISHED_SUCCESSFULLY", f"{page}: {ran.status}"
    return ran


async def measure(system: System, github: GitHubStandIn, url: str, times: int) -> list[Cost]:
    """All pages."""
    cookies = await sign_in(system, github, 0)
    person = Person(cookies, await analysed(system, cookies, url))
    found: list[Cost] = []
    for page in PAGES:
        await opens(system, person, page, _WARM)
        for what, act in (("opened", opens), ("done on it", runs)):
            await asyncio.sleep(0.5)  # what was begun before comes to its end
            before = processor_time(system.pid)
            ran = await act(system, person, page, times)
            await asyncio.sleep(0.5)
            spent = processor_time(system.pid) - before
            each = Counter({name: 1_000 * seconds / times for name, seconds in spent.items()})
            found.append(Cost(f"{page}: {what}", each, ran))
    return found


def report(costs: Sequence[Cost]) -> str:
    """A table, one row for each kind of interaction, and one with their mean."""
    rows = [_row(cost.what, cost.spent, cost.ran.messages, cost.ran.size) for cost in costs]
    mean = Counter({name: statistics.mean(cost.spent[name] for cost in costs) for name in _SHOWN})
    messages, size = (
        statistics.mean(of) for of in zip(*((cost.ran.messages, cost.ran.size) for cost in costs), strict=True)
    )
    head = f"| one interaction, ms of processor time | {' | '.join(_SHOWN)} | together | messages | KiB |"
    return "\n".join([head, "|---" * (len(_SHOWN) + 4) + "|", *rows, _row("mean", mean, round(messages), size)])


def _row(what: str, spent: Counter[str], messages: int, size: float) -> str:
    told = [f"{spent[name]:.0f}" for name in _SHOWN] + [f"{sum(spent[name] for name in _SHOWN):.0f}"]
    return f"| {what} | {' | '.join(told)} | {messages} | {size / 1024:.0f} |"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--times", type=int, default=20)
    arguments = parser.parse_args()
    with an_installation(arguments.repository, "bench-page-costs-") as (system, github, url):
        print(f"load average {os.getloadavg()[0]:.1f}, {yardstick():.1f} million additions a second")
        print(report(asyncio.run(measure(system, github, url, arguments.times))))


if __name__ == "__main__":
    main()
