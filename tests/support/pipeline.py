"""A whole analysis over real servers, run after run in one process: the workflow decides, and each run's job is done.

Deterministic: runs go in the order in which they were asked for. A test says which of them break, and looks at what can
be searched after each.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from events import processing as facts
from events.base import LOCAL_TENANT, LOCAL_USER, Context, Draft, Envelope, Event, derived_id
from events.delivery import stages
from events.delivery.record import record, record_appends
from events.delivery.work import LongHandler
from events.index import GenerationKind
from events.log.sequencer import sequence
from events.processing import Stage
from events.question import SearchReply, SearchRequest
from orchestrator.projections.analyses import fold
from orchestrator.projections.contents import Contents
from orchestrator.projections.runner import catch_up
from orchestrator.workflow import AnalysisState, Policy, decide, replay
from processor.adapters.parser_pool import ParserPool
from processor.jobs.base import Backends as ProcessorBackends
from processor.jobs.describe import Metadata, Structure
from processor.jobs.link import Link
from processor.jobs.parse import Parse
from processor.stages.take_sources import SourceLimits
from rag_manager.subscribers import Slots, handlers
from runtime.faults import Fault, Permanent
from tests.support.index import ARun, Index
from tests.support.jobs import Bench
from tests.support.kernel import AT

_ENDS = frozenset({facts.StageCompleted.event_type, facts.StageFailed.event_type})
Breaks = Callable[[facts.StageRequested], bool]
After = Callable[[facts.StageRequested], Awaitable[None]]


def nothing_breaks(_request: facts.StageRequested) -> bool:
    return False


async def nothing_after(_request: facts.StageRequested) -> None:
    pass


@dataclass
class Pipeline:
    """`pool` parses; each repository has a number."""

    index: Index
    bench: Bench
    pool: ParserPool
    twice: bool = False  # each job is also done once without being recorded, as by a worker that was killed then
    dies_at: Stage | None = None  # this process is killed when a run of the stage is about to be committed

    def repository(self, number: int) -> UUID:
        return derived_id("repository", "pipeline", number)

    def analysis(self, number: int) -> UUID:
        return derived_id("analysis", "pipeline", number)

    def stream(self, number: int) -> str:
        return f"analysis/{self.analysis(number)}"

    async def analyse(self, number: int, url: str, breaks: Breaks = nothing_breaks) -> AnalysisState:
        """Ask for an analysis and do all that comes of it."""
        await self.tell(number, facts.ProcessingRequested(analysis_id=self.analysis(number), url=url))
        return await self.go_on(number, breaks)

    async def tell(self, number: int, event: Event) -> None:
        context = Context(
            tenant_id=LOCAL_TENANT,
            correlation_id=derived_id("pipeline", number),
            repository_id=self.repository(number),
            user_id=LOCAL_USER,
        )
        draft = Draft(event_id=uuid4(), occurred_at=AT, context=context, event=event)
        await self.index.kernel.journal.append(self.stream(number), [draft])

    async def history(self, number: int) -> list[Envelope]:
        return list(await self.index.kernel.journal.read_stream(self.stream(number)))

    async def go_on(self, number: int, breaks: Breaks = nothing_breaks, after: After = nothing_after) -> AnalysisState:
        """Decide and do, until nothing is left; the tables are filled after each run, and then `after` looks."""
        while True:
            history = await self.history(number)
            decision = decide(replay(history), history[-1], Policy())
            if decision.drafts:
                await self.index.kernel.journal.append(self.stream(number), decision.drafts)
                continue
            ended = {each.data["run_id"] for each in history if each.event_type in _ENDS}
            asked = next((each for each in history if _is_request(each) and each.data["run_id"] not in ended), None)
            if asked is None:
                return replay(history)
            request = stages.read(asked, facts.StageRequested)
            await self._run(asked, request, breaks)
            await self.fill_tables()
            await after(request)

    async def _run(self, asked: Envelope, request: facts.StageRequested, breaks: Breaks) -> None:
        engine, job = self.index.backends.engine, self._job(request.stage)
        try:
            if breaks(request):
                raise Permanent("broken", "A test broke it.")
            if self.twice:
                await job(asked, ARun())
            result = await job(asked, ARun())
        except Fault as fault:
            async with engine.begin() as connection:
                await record_appends(connection, stages.failed(asked, fault))
            return
        async with engine.begin() as connection:
            await record(connection, result, asked)
            if request.stage is self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _job(self, stage: Stage) -> LongHandler:
        backends = ProcessorBackends(self.index.backends.objects, self.bench.redis)  # type: ignore[arg-type]  # what ticks need
        of_processor: dict[Stage, LongHandler] = {
            Stage.CLONE: self.bench.clone,
            Stage.METADATA: Metadata(backends),
            Stage.STRUCTURE: Structure(backends),
            Stage.PARSE: Parse(backends, self.pool),
            Stage.LINK: Link(backends),
        }
        embedders = {GenerationKind.QUICK: self.index.quick, GenerationKind.FULL: self.index.full}
        of_index = handlers(self.index.backends, self.index.lexicon, embedders, Slots())
        return of_processor[stage] if stage in of_processor else of_index[stage][0]

    async def fill_tables(self) -> None:
        """What the projection `contents` does."""
        engine, journal = self.index.backends.engine, self.index.kernel.journal
        while await sequence(engine):
            pass
        await catch_up(engine, journal, Contents(self.index.backends.objects))

    async def ask(self, number: int, query: str, analysis_id: UUID | None = None) -> SearchReply:
        request = SearchRequest(
            tenant_id=LOCAL_TENANT, repository_id=self.repository(number), query=query, analysis_id=analysis_id
        )
        return await self.index.search()(request)

    async def partial(self, number: int) -> bool:
        record_ = fold(await self.history(number))
        assert record_ is not None
        return record_.view.partial


def _is_request(envelope: Envelope) -> bool:
    return envelope.event_type == facts.StageRequested.event_type


def a_pipeline(index: Index, bench: Bench, pool: ParserPool, *, twice: bool = False) -> Pipeline:
    """The bench's clone stores where the index looks."""
    clone_backends = ProcessorBackends(index.backends.objects, bench.redis)  # type: ignore[arg-type]  # what ticks need
    bench.clone = type(bench.clone)(
        clone_backends, bench.repositories, bench.limits, bench.tree_entries, archives=bench.clone.archives
    )
    return Pipeline(index, bench, pool, twice)


SMALL = SourceLimits(shard_files=4, shard_every=10_000)
