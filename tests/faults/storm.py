"""The fault storm: real PostgreSQL and Valkey, real processes, and every kind of death at random moments.

`python -m tests.faults.storm --seeds 5` runs the kernel under 5 storms and then the naive control under one:
FastStream's defaults, without inbox and reclaim. The kernel must lose nothing and double nothing; the control must
lose more than a tenth, or the storm does not bite.
"""

import argparse
import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from events.base import Draft
from events.log.outage import is_outage
from events.log.postgres import PostgresJournal
from events.processing import Stage
from events.replay.doctor import Limits, examine
from migrations import upgrade
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
from tests.faults import workers
from tests.support.kernel import requested, stage_requested

KINDS = ("kill worker", "kill pump", "kill valkey", "wipe valkey", "crash postgres")
_WEIGHTS = (5, 2, 2, 1, 1)
_RUN_EVERY = 40  # of so many events, one is a long run
_WORKERS, _PUMPS = 3, 2
_BURST = 0.4  # of the events: appended in one go at the end


@dataclass(frozen=True)
class Weather:
    """One storm. The seed decides which fault comes when."""

    seed: int
    seconds: float = 45.0
    events: int = 4_000
    interval: float = 1.3
    patience: float = 45.0  # seconds without progress after which what is missing counts as lost
    is_naive: bool = False


@dataclass
class Report:
    """What came of it. `effects` is how many there should be; `findings` are the doctor's bad ones."""

    weather: Weather
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    settled_after: float = 0.0

    @property
    def bites(self) -> bool:
        """Whether a control lost more than a tenth, though it worked: one that does nothing proves nothing."""
        return self.effects / 10 < self.lost < self.effects

    def __str__(self) -> str:
        what = "control" if self.weather.is_naive else "kernel "
        faults = ", ".join(f"{self.faults[kind]} x {kind}" for kind in KINDS)
        share = self.lost / self.effects if self.effects else 0.0
        line = f"{what} seed {self.weather.seed}: {self.effects} effects, {self.lost} lost ({share:.0%}), "
        return (
            line
            + f"{self.doubled} doubled, settled after {self.settled_after:.1f} s; {faults}"
            + "".join(f"\n  {finding}" for finding in self.findings)
        )


class Storm:
    """The servers, the processes and the weather."""

    def __init__(self, folder: Path, weather: Weather) -> None:
        self._weather = weather
        self._random = random.Random(weather.seed)
        self._postgres = EmbeddedPostgres(folder / "postgres", fsync=False)
        self._valkey = EmbeddedValkey(folder / "valkey")
        self._context = cast("ForkServerContext", multiprocessing.get_context("forkserver"))
        self._context.set_forkserver_preload(["tests.faults.workers"])
        self._processes: dict[str, BaseProcess] = {}
        self._report = Report(weather)
        self._drafts: list[Draft] = []

    async def run(self) -> Report:
        """The whole storm, from an empty folder to the report."""
        self._valkey.spawn()
        url = self._postgres.start()
        self._valkey.wait_ready()
        upgrade(url)
        self._engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool)
        try:
            async with self._engine.begin() as connection:
                await connection.execute(text("CREATE TABLE public.effects (consumer text, cause uuid)"))
            self._revive()
            await asyncio.gather(self._produce(), self._rage())
            await self._last_blow()
            await self._settle()
            await self._judge()
        finally:
            for process in self._processes.values():
                process.kill()
                process.join()
            await self._engine.dispose()
            self._valkey.stop()
            self._postgres.stop()
        return self._report

    def _revive(self) -> None:
        """Start whatever process is not alive, as a supervisor would."""
        urls = (self._postgres.url, self._valkey.url)
        for number in range(_PUMPS):
            self._keep(f"pump {number}", workers.pump, (*urls, self._weather.is_naive))
        target = workers.naive_worker if self._weather.is_naive else workers.worker
        for number in range(_WORKERS):
            self._keep(f"worker {number}", target, (*urls, f"worker-{number}"))

    def _keep(self, name: str, target: object, arguments: tuple[object, ...]) -> None:
        process = self._processes.get(name)
        if process is None or not process.is_alive():
            process = self._context.Process(target=target, args=arguments, name=name, daemon=True)  # type: ignore[arg-type]
            process.start()
            self._processes[name] = process

    async def _produce(self) -> None:
        """Append most events, spread over the storm."""
        began, appended, total = time.monotonic(), 0, int(self._weather.events * (1 - _BURST))
        while appended < total:
            elapsed = (time.monotonic() - began) / self._weather.seconds
            while appended < min(total, 1 + int(total * elapsed)):
                drafts = self._drafts_from(appended, total)
                await self._append(f"analysis/{appended % 40}", drafts)
                appended += len(drafts)
            await asyncio.sleep(0.01)

    def _drafts_from(self, number: int, total: int) -> list[Draft]:
        if number % _RUN_EVERY == 0 and not self._weather.is_naive:
            return [stage_requested(Stage.PARSE, number=number)]
        return [requested(n) for n in range(number, min(number + 5, total))]

    async def _append(self, stream: str, drafts: list[Draft]) -> None:
        """Append; what fails is tried again as it was."""
        self._drafts += drafts
        while True:
            try:
                await PostgresJournal(self._engine).append(stream, drafts)
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    async def _rage(self) -> None:
        """One fault after the other: each kind at least once, the rest by weight, in an order by the seed."""
        count = max(len(KINDS), int(self._weather.seconds / self._weather.interval))
        faults = [*KINDS, *self._random.choices(KINDS, _WEIGHTS, k=count - len(KINDS))]
        self._random.shuffle(faults)
        for fault in faults:
            await asyncio.sleep(self._weather.seconds / count * self._random.uniform(0.6, 1.4))
            await self._strike(fault)
            self._report.faults[fault] += 1

    async def _strike(self, fault: str) -> None:
        if fault in ("kill worker", "kill pump"):
            role = fault.removeprefix("kill ")
            self._revive()
            victim = self._random.choice(sorted(name for name in self._processes if name.startswith(role)))
            self._processes[victim].kill()
            self._processes[victim].join()
            await asyncio.sleep(self._random.uniform(0, 0.3))
        elif fault == "kill valkey":
            self._valkey.kill()
            await asyncio.sleep(self._random.uniform(0, 0.5))
            self._valkey.start()
        elif fault == "wipe valkey":
            async with Redis.from_url(self._valkey.url) as redis:
                await redis.flushall()
        else:
            self._postgres.kill()
            await asyncio.sleep(self._random.uniform(0, 0.5))
            self._postgres.start()
        self._revive()

    async def _last_blow(self) -> None:
        """A burst of events, and at once the death of all workers that took any: their machine is gone."""
        await self._calm()
        first, before = int(self._weather.events * (1 - _BURST)), await self._held()
        await self._append("analysis/burst", [requested(n) for n in range(first, self._weather.events)])
        deadline = time.monotonic() + self._weather.patience
        holders: set[str] = set()
        while not holders and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            holders = _more(await self._held(), before)
        for name, process in self._processes.items():
            if any(holder.startswith(name.replace(" ", "-")) for holder in holders):
                process.kill()
                process.join()
                self._report.faults["kill worker"] += 1

    async def _calm(self) -> None:
        """Wait until all workers listen and nothing has moved for a while."""
        deadline = time.monotonic() + self._weather.patience
        calm_since, before = time.monotonic(), await self._counts()
        while time.monotonic() - calm_since < 1.5 and time.monotonic() < deadline:
            self._revive()
            await asyncio.sleep(0.1)
            counts = await self._counts()
            if counts != before or await self._listening() < _WORKERS:
                calm_since, before = time.monotonic(), counts

    async def _settle(self) -> None:
        """Wait until everything is done, or until nothing has moved for as long as the weather's patience."""
        began = moved = time.monotonic()
        before: object = None
        while time.monotonic() - moved < self._weather.patience:
            self._revive()
            state = (await self._counts(), await self._held())
            if state != before:
                before, moved = state, time.monotonic()
            if not self._weather.is_naive and not await self._missing() and not await self._findings():
                break
            await asyncio.sleep(0.5)
        self._report.settled_after = moved - began

    async def _counts(self) -> list[tuple[object, ...]]:
        return await self._rows("SELECT consumer, count(*) FROM public.effects GROUP BY 1 ORDER BY 1")

    async def _held(self) -> dict[str, int]:
        """How many messages each worker holds."""
        return {
            consumer["name"].decode(): consumer["pending"]
            for consumer in await self._consumers()
            if consumer["pending"]
        }

    async def _listening(self) -> int:
        """How many workers have asked for messages a moment ago."""
        return sum(consumer["idle"] < 1_500 for consumer in await self._consumers())

    async def _consumers(self) -> list[dict[str, Any]]:
        async with Redis.from_url(self._valkey.url) as redis:
            try:
                found: list[dict[str, Any]] = await redis.xinfo_consumers("workflow", workers.DECIDER)
            except RedisError:
                return []
            return found

    async def _missing(self) -> list[tuple[object, ...]]:
        """Events of the log that have a consumer here, and no effect."""
        return await self._rows(
            """
            SELECT e.event_id FROM es.events e
            LEFT JOIN public.effects x ON x.cause = e.event_id
            WHERE x.cause IS NULL AND e.type IN
              ('repository.processing.requested', 'ai.query.requested', 'processing.stage.requested')
            """
        )

    async def _findings(self) -> list[str]:
        limits = Limits(lease=workers.IDLE, outbox_age=0.0, forgotten_after=0.0, relay_behind=0)
        async with Redis.from_url(self._valkey.url) as redis:
            found = await examine(self._engine, redis, limits=limits)
            pending = [
                f"pending of {topic}: {count}"
                for topic, group in (
                    ("workflow", workers.DECIDER),
                    ("questions", workers.ANSWERER),
                    ("stage.parse", workers.PARSER),
                )
                if await redis.exists(topic) and (count := int((await redis.xpending(topic, group))["pending"]))
            ]
        return [f"{finding.name}: {finding.detail}" for finding in found if not finding.ok] + pending

    async def _judge(self) -> None:
        """Compare with the model: every append is in the log once, every event had its effect once."""
        report = self._report
        recorded = {row[0] for row in await self._rows("SELECT event_id FROM es.events")}
        lost_appends = sum(draft.event_id not in recorded for draft in self._drafts)
        sources = sum(draft.event.event_type == "repository.processing.requested" for draft in self._drafts)
        report.effects = len(self._drafts) + (0 if self._weather.is_naive else sources)  # each decision asks a question
        effects = Counter(row[0] for row in await self._rows("SELECT cause FROM public.effects"))
        report.lost = report.effects - len(effects) + lost_appends
        report.doubled = sum(count > 1 for count in effects.values())
        report.findings = [] if self._weather.is_naive else await self._findings()

    async def _rows(self, statement: str) -> list[tuple[object, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    _engine: AsyncEngine


def _more(held: dict[str, int], before: dict[str, int]) -> set[str]:
    """Who holds more than before."""
    return {name for name, count in held.items() if count > before.get(name, 0)}


async def run_storm(folder: Path, weather: Weather) -> Report:
    """One storm in an empty folder. To be called in the main thread."""
    return await Storm(folder, weather).run()


def main() -> int:
    """The command. 1 where the kernel lost or doubled anything, or where the control did not suffer."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many storms")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--events", type=int, default=4_000)
    arguments = parser.parse_args()
    is_good = True
    seeds = [*range(arguments.first, arguments.first + arguments.seeds)]
    for seed, is_naive in [*((seed, False) for seed in seeds), (arguments.first, True)]:
        patience = 15.0 if is_naive else 45.0
        weather = Weather(seed, arguments.seconds, arguments.events, patience=patience, is_naive=is_naive)
        with tempfile.TemporaryDirectory(prefix="storm-") as folder:
            report = asyncio.run(run_storm(Path(folder), weather))
        print(report, flush=True)  # noqa: T201  # a command
        if is_naive:
            is_good = is_good and report.bites
        else:
            is_good = is_good and not (report.lost or report.doubled or report.findings)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
