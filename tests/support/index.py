"""An index over real servers: small repositories drawn as files, stages run one by one, searches asked."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow, SourceRow, SymbolRow
from events.base import LOCAL_TENANT, Context, Draft, Envelope, derived_id
from events.delivery.record import record
from events.delivery.work import LongHandler, Result
from events.index import GenerationKind
from events.log.ownership import ArtifactOwners
from events.processing import Stage, StageRequested
from events.question import SearchReply, SearchRequest
from rag_manager.adapters.chroma import ChromaVectors
from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.former import FormerEmbedders
from rag_manager.housekeeping import Graces, Housekeeping
from rag_manager.jobs.base import Backends, Turns
from rag_manager.lines import Lines
from rag_manager.ports import Embedder, Vectors
from rag_manager.rebuilding import Rebuilding
from rag_manager.search import Search
from rag_manager.serving import ServingCache
from rag_manager.shadow_index import BesideSearch
from rag_manager.subscribers import Slots, handlers
from runtime.faults import Cancelled
from runtime.objects import Objects, StoredObject, open_objects
from runtime.parquet import write_rows
from runtime.tenancy import TenantDatabase
from tests.fakes.embedder import WordEmbedder
from tests.support.delivery import Kernel, a_kernel
from tests.support.kernel import AT

REPOSITORY = derived_id("repository", "a test")
_LINKED = text(
    "INSERT INTO app.loaded (tenant_id, analysis_id, kind, shard, key, rows)"
    " VALUES (:tenant, :analysis, 'links', 0, 'l', :links)"
)


@dataclass
class ARun:
    """`work.Run`, cancelled on demand."""

    worker: str = "test"
    token: int = 1
    cancelled: bool = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled("a test asked")


@dataclass
class AnAnalysis:
    """An analysis whose parse stage is done. `vectors` fills as its shards are embedded."""

    number: int
    sources: list[ArtifactRef]
    symbols: list[ArtifactRef]
    chunks: list[ArtifactRef]
    vectors: dict[GenerationKind, list[ArtifactRef]] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return derived_id("analysis", "index", self.number)

    @property
    def stream(self) -> str:
        return f"analysis/{self.id}"


@dataclass
class Index:
    """Runs the stages of the index on real servers, as the delivery wrapper would."""

    kernel: Kernel
    backends: Backends
    lexicon: TantivyLexicon
    quick: WordEmbedder
    full: WordEmbedder
    former: dict[str, Callable[[], Embedder]] = field(default_factory=dict)

    def search(self) -> Search:
        cache = ServingCache(TenantDatabase(self.backends.engine), self.backends.objects, self.lexicon)
        embedders = {GenerationKind.QUICK: self.quick, GenerationKind.FULL: self.full}
        return Search(cache, self.backends.vectors, embedders, self.backends.turns, former=FormerEmbedders(self.former))

    def lines(self) -> Lines:
        return Lines(TenantDatabase(self.backends.engine), self.backends.objects)

    def housekeeping(
        self, *, generation_grace: float = 0.0, analysis_grace: float = 0.0, model_grace: float = 0.0
    ) -> Housekeeping:
        return Housekeeping(self.backends, self.rebuilding(), Graces(generation_grace, analysis_grace, model_grace))

    def rebuilding(self) -> Rebuilding:
        return Rebuilding(self.backends)

    async def ask(self, query: str, **more: object) -> SearchReply:
        asked = {"tenant_id": LOCAL_TENANT, "repository_id": REPOSITORY, "query": query, **more}
        return await self.search()(SearchRequest.model_validate(asked))

    def beside(self, live: ServingCache, remote: frozenset[str] = frozenset()) -> BesideSearch:
        """Searches in what serves and in a shadow."""
        embedders = {GenerationKind.QUICK: self.quick, GenerationKind.FULL: self.full}
        vectors, turns = self.backends.vectors, self.backends.turns
        return BesideSearch(
            self.backends, self.lexicon, live, lambda one: Search(one, vectors, embedders, turns, remote=remote)
        )

    async def analysis(self, files: Mapping[str, str], *, number: int = 1, shards: int = 1) -> AnAnalysis:
        """Store sources, symbols and chunks of `files`, dealt out to shards."""
        analysis = AnAnalysis(number, [], [], [])
        for shard in range(shards):
            part = [(path, text) for place, (path, text) in enumerate(files.items()) if place % shards == shard]
            objects = self.backends.objects
            analysis.sources.append(await _put(objects, ArtifactKind.SOURCES, shard, [_source(*file) for file in part]))
            symbols = [row for file in part for row in _symbols(*file)]
            analysis.symbols.append(await _put(objects, ArtifactKind.SYMBOLS, shard, symbols))
            chunks = [row for file in part for row in chunks_of(*file)]
            analysis.chunks.append(await _put(objects, ArtifactKind.CHUNKS, shard, chunks))
        return analysis

    async def request(
        self,
        analysis: AnAnalysis,
        stage: Stage,
        inputs: Sequence[ArtifactRef],
        *,
        shard: int = 0,
        attempt: int = 1,
        round_: int = 0,
    ) -> Envelope:
        """Append the request of one run."""
        run_id = derived_id("run", analysis.id, stage, shard, attempt)
        event = StageRequested(
            analysis_id=analysis.id,
            run_id=run_id,
            stage=stage,
            shard=shard,
            shards=len(analysis.chunks),
            attempt=attempt,
            url="https://example.org/x",
            commit=f"c0ffee{analysis.number}",
            inputs=tuple(inputs),
            round=round_,
        )
        context = Context(tenant_id=LOCAL_TENANT, correlation_id=analysis.id, repository_id=REPOSITORY)
        at = AT.replace(day=analysis.number)
        draft = Draft(event_id=derived_id("request", run_id), occurred_at=at, context=context, event=event, stage=stage)
        [envelope] = await self.kernel.journal.append(analysis.stream, [draft])
        return envelope

    async def handle(self, envelope: Envelope, run: ARun | None = None) -> Result:
        """What the stage's handler returns, not recorded yet."""
        return await self.handler(Stage(str(envelope.stage)))(envelope, run or ARun())

    def handler(self, stage: Stage) -> LongHandler:
        """The handler of a stage."""
        embedders = {GenerationKind.QUICK: self.quick, GenerationKind.FULL: self.full}
        handler, _ = handlers(self.backends, self.lexicon, embedders, Slots())[stage]
        return handler

    async def record(self, envelope: Envelope, result: Result) -> None:
        """Record a result in one transaction."""
        async with self.backends.engine.begin() as connection:
            await record(connection, result, envelope)

    async def run(self, envelope: Envelope) -> Result:
        result = await self.handle(envelope)
        await self.record(envelope, result)
        return result

    async def index(self, analysis: AnAnalysis) -> Result:
        inputs = [*analysis.sources, *analysis.symbols, *analysis.chunks]
        return await self.run(await self.request(analysis, Stage.INDEX, inputs))

    async def embed(self, analysis: AnAnalysis, kind: GenerationKind = GenerationKind.QUICK) -> None:
        stage = Stage.EMBED if kind == GenerationKind.QUICK else Stage.REFINE
        made = []
        for shard, chunks in enumerate(analysis.chunks):
            result = await self.run(await self.request(analysis, stage, [chunks], shard=shard))
            made += artifacts_of(result)
        analysis.vectors[kind] = made

    async def activate(self, analysis: AnAnalysis, kind: GenerationKind = GenerationKind.QUICK) -> Result:
        stage = Stage.ACTIVATE if kind == GenerationKind.QUICK else Stage.PROMOTE
        return await self.run(await self.request(analysis, stage, analysis.vectors[kind]))

    async def ready(self, files: Mapping[str, str], *, number: int = 1, shards: int = 1) -> AnAnalysis:
        """An analysis that is indexed, embedded and activated."""
        analysis = await self.analysis(files, number=number, shards=shards)
        await self.index(analysis)
        await self.embed(analysis)
        await self.activate(analysis)
        return analysis

    async def linked(self, analysis_id: UUID, *, links: int = 0, tenant: UUID = LOCAL_TENANT) -> None:
        """Say that the graph of an analysis is loaded, with so many links."""
        values = {"tenant": tenant, "analysis": analysis_id, "links": links}
        async with self.backends.engine.begin() as connection:
            await connection.execute(_LINKED, values)

    async def said(self, analysis: AnAnalysis) -> list[str]:
        """The types of the events of the analysis but for requests, in order."""
        events = await self.kernel.journal.read_stream(analysis.stream)
        return [event.event_type for event in events if event.event_type != StageRequested.event_type]


@asynccontextmanager
async def an_index(database_url: str, redis_url: str, folder: Path, vectors: Vectors | str) -> AsyncIterator[Index]:
    """An index whose vectors are in the Chroma server at a URL, or in what is given."""
    vectors = ChromaVectors(vectors, timeout=5.0) if isinstance(vectors, str) else vectors
    async with a_kernel(database_url, redis_url) as kernel:
        objects = open_objects("", folder).claimed_in(ArtifactOwners(kernel.engine)).of(LOCAL_TENANT, REPOSITORY)
        backends = Backends(kernel.engine, objects, kernel.redis, vectors, Turns())
        lexicon = TantivyLexicon(folder / "cache" / "lexicon")
        try:
            yield Index(kernel, backends, lexicon, WordEmbedder("quick-words"), WordEmbedder("full-words"))
        finally:
            await vectors.close()


def artifacts_of(result: Result) -> list[ArtifactRef]:
    """The artifacts that a result's StageCompleted names."""
    return [
        ref for append in result.appends for draft in append.drafts for ref in getattr(draft.event, "artifacts", ())
    ]


def chunks_of(path: str, text: str) -> list[ChunkRow]:
    """A chunk for each block of lines between blank lines."""
    rows, line = [], 1
    for block in re.split(r"\n\n", text):
        last = line + block.count("\n")
        digest = hashlib.sha256(block.encode()).hexdigest()
        rows.append(
            ChunkRow(
                chunk_id=hashlib.sha256(f"{path}\n{block}".encode()).hexdigest(),
                path=path,
                language="python",
                file_class="test" if path.startswith("tests/") else "code",
                first_line=line,
                last_line=last,
                header=path,
                text=block,
                symbols=re.findall(r"(?:def|class) (\w+)", block),
                text_sha256=digest,
            )
        )
        line = last + 2
    return rows


def _source(path: str, text: str) -> SourceRow:
    return SourceRow(
        path=path,
        blob_id=hashlib.sha256(text.encode()).hexdigest()[:40],
        language="python",
        file_class="code",
        size=len(text.encode()),
        lines=text.count("\n") + (not text.endswith("\n")),
        content=text,
    )


def _symbols(path: str, text: str) -> list[SymbolRow]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*(def|class) (\w+)", line):
            kind = {"def": "function", "class": "class"}[found[1]]
            rows.append(
                SymbolRow(
                    path=path,
                    language="python",
                    kind=kind,
                    name=found[2],
                    qualified_name=found[2],
                    parent=None,
                    signature=line.strip(),
                    docstring="",
                    first_line=number,
                    last_line=number,
                    first_byte=0,
                    last_byte=0,
                )
            )
    return rows


async def _put(
    objects: Objects, kind: ArtifactKind, shard: int, rows: Sequence[SourceRow | SymbolRow | ChunkRow]
) -> ArtifactRef:
    row_class = {ArtifactKind.SOURCES: SourceRow, ArtifactKind.SYMBOLS: SymbolRow, ArtifactKind.CHUNKS: ChunkRow}[kind]
    stored: StoredObject = await objects.put(str(kind), ".parquet", write_rows(row_class, rows))
    return ArtifactRef(kind=kind, key=stored.key, sha256=stored.sha256, rows=len(rows), bytes=stored.bytes, shard=shard)
