"""Put rag_manager together: the only file that reads its settings."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from redis.exceptions import RedisError
from sqlalchemy import text

from events.delivery.subscriber import EventSubscriber
from events.index import GenerationKind
from events.log.earlier import EarlierRuns
from events.log.ownership import ArtifactOwners
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.replay.sandbox import ShadowWorker
from rag_manager.adapters.chroma import ChromaVectors
from rag_manager.adapters.onnx_model import load_full
from rag_manager.adapters.remote_embedder import Bounds, Model, RemoteEmbedder, Wire
from rag_manager.adapters.static_table import load_quick
from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.adapters.valkey_memory import ValkeyMemory
from rag_manager.api import NAME, add_problems, collection_routes, generation_routes, internal_routes, shadow_routes
from rag_manager.collections_now import CollectionsNow
from rag_manager.embedding_anew import EmbeddingAnew
from rag_manager.forgetting import Forgetting
from rag_manager.former import FormerEmbedders
from rag_manager.going_back import GoingBack, Models
from rag_manager.housekeeping import Chores, Graces, Housekeeping
from rag_manager.jobs.base import Backends, Turns
from rag_manager.jobs.promote_index import PromoteIndex
from rag_manager.lines import Lines
from rag_manager.models.files import FULL_MODEL, FULL_NAME, QUICK_TABLE, TOKENIZER
from rag_manager.ports import Embedder
from rag_manager.rebuilding import Rebuilding
from rag_manager.rows.generations import memory_key
from rag_manager.search import Search
from rag_manager.serving import ServingCache
from rag_manager.settings import EmbedderSettings, FormerEmbedderSettings, RagSettings
from rag_manager.shadow_index import BesideSearch
from rag_manager.subscribers import Slots, handlers, shadow_handlers, subscribe, subscribe_to_erasure
from runtime.broker import create_broker, create_quick_redis, create_redis
from runtime.database import create_engine
from runtime.faults import Permanent
from runtime.health import Check, health_routes
from runtime.logging import configure_logging
from runtime.metrics import MeasureRequests
from runtime.objects import open_objects
from runtime.secret_files import Secret
from runtime.service_tokens import ServiceVerifier
from runtime.settings import (
    BrokerSettings,
    ChromaSettings,
    DatabaseSettings,
    HomeSettings,
    LogSettings,
    ModelSettings,
    ObjectStoreSettings,
    ServiceKeySettings,
)
from runtime.tasks import end_tasks, keep_running
from runtime.tenancy import DatabaseRole, TenantDatabase
from runtime.worker_names import worker_name

# Seconds after which a thread that computes lets another one go on. A search waits for servers a dozen times, and each
# time for the thread that reads or indexes beside it: with Python's five milliseconds it takes several times as long.
_SWITCH_AFTER = 0.0005


def create_app() -> FastAPI:  # noqa: PLR0915  # one list of what is put together
    """The service: consumes five stages, answers searches, looks after the collections."""
    logs, home, rag, broker = LogSettings(), HomeSettings().home, RagSettings(), BrokerSettings()
    configure_logging(service="rag_manager", level=logs.level, format=logs.format)
    sys.setswitchinterval(_SWITCH_AFTER)
    models = ModelSettings().folder or home / "models"
    make_models(models)
    embedders: dict[GenerationKind, Embedder] = {
        GenerationKind.QUICK: load_quick(models),
        GenerationKind.FULL: full_embedder(EmbedderSettings(), models),
    }
    backends = _backends(home, broker)
    lexicon = TantivyLexicon(home / "cache" / "lexicon", max_bytes=rag.lexicon_cache_bytes)
    rebuilding = Rebuilding(backends)
    graces = Graces(rag.generation_grace, rag.analysis_grace, rag.model_grace)
    housekeeping = Housekeeping(backends, rebuilding, graces)
    searching = create_engine(DatabaseSettings(), application="rag_manager-search", role=DatabaseRole.SEARCH)
    cache = ServingCache(TenantDatabase(searching), backends.objects, lexicon, max_chunks=rag.catalogue_chunks)
    lines = Lines(cache.rows, backends.objects)
    quick = create_quick_redis(broker)
    shared = ValkeyMemory(quick, partial(memory_key, backends.engine))
    former = former_embedders(models)
    remote = remote_models()
    search = Search(cache, backends.vectors, embedders, backends.turns, former=former, shared=shared, remote=remote)
    beside = BesideSearch(
        backends,
        lexicon,
        cache,
        lambda index: Search(index, backends.vectors, embedders, backends.turns, former=former, remote=remote),
    )
    forgetting = Forgetting(backends.engine, cache, search, beside, lines, lexicon)
    known = Models(embedders[GenerationKind.FULL].name, former.has)
    going_back = GoingBack(backends, known, graces)
    anew = EmbeddingAnew(backends, PostgresJournal(backends.engine), known)
    chores = Chores(housekeeping, forgetting, anew, sweep_every=rag.janitor_interval, mend_every=rag.probe_interval)
    search.dense.on_missing = chores.collection_missed
    worker = worker_name("rag_manager")
    subscriber = EventSubscriber(create_broker(broker), backends.engine, backends.redis, worker=worker)
    subscribe(subscriber, handlers(backends, lexicon, embedders, _slots(rag)))
    shadows = ShadowWorker(
        backends.engine,
        backends.objects,
        shadow_handlers(backends, lexicon, embedders, remote),
        worker,
        Wake(backends.redis).worked,
    )
    unfinished = subscribe_to_erasure(subscriber, backends, worker)
    parts = {"unfinished": unfinished.run, "shadows": shadows.run, "rebuilds": rebuilding.run}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await subscriber.start()
        chores.start()
        later = [asyncio.create_task(keep_running(name, part)) for name, part in parts.items()]
        yield
        await subscriber.stop()
        await end_tasks(later)
        await going_back.close()
        await chores.stop()
        await searching.dispose()
        await quick.aclose()
        for each in (embedders[GenerationKind.FULL], former):
            await asyncio.to_thread(each.close)
        await _close(backends)

    app = FastAPI(title="Repostream rag_manager", lifespan=lifespan, openapi_url=None)
    app.routes.extend(health_routes(_checks(backends)))
    callers = ServiceVerifier(NAME, ServiceKeySettings().public_keys)
    app.include_router(internal_routes(search, lines, callers))
    app.include_router(shadow_routes(beside, PromoteIndex(backends, lexicon), callers))
    state = CollectionsNow(backends, known.wanted, former)
    app.include_router(collection_routes(rebuilding, state, callers))
    app.include_router(generation_routes(going_back, callers))
    app.add_middleware(MeasureRequests)
    add_problems(app)
    return app


def remote_models() -> frozenset[str]:
    """The names of the models that are somebody else's: where nobody may be asked, theirs are not searched."""
    every = (EmbedderSettings(), FormerEmbedderSettings())
    return frozenset(_model(settings).name for settings in every if settings.is_remote)


def former_embedders(models: Path) -> FormerEmbedders:
    """The models that generations in use may be of: the local one, and the one that is set as the former."""
    former = FormerEmbedderSettings()
    openers: dict[str, Callable[[], Embedder]] = {FULL_NAME: partial(load_full, models)}
    if former.is_remote:
        openers[_model(former).name] = partial(full_embedder, former, models)
    return FormerEmbedders(openers)


def full_embedder(settings: EmbedderSettings, models: Path) -> Embedder:
    """What embeds for the full generations: the local model of a folder, or one behind HTTP.

    Raises Permanent `model_missing`.
    """
    if not settings.is_remote:
        return load_full(models)
    bounds = Bounds(
        texts=settings.batch,
        tokens=settings.batch_tokens,
        text_tokens=settings.text_tokens,
        deadline=settings.deadline,
        price=settings.price,
    )
    return RemoteEmbedder(_model(settings), _wire(settings), bounds)


def _model(settings: EmbedderSettings) -> Model:
    return Model(settings.provider, settings.model, settings.dimension, settings.resize, settings.revision)


def _wire(settings: EmbedderSettings) -> Wire:
    model, key = _model(settings), Secret(type(settings), "api_key")
    if settings.provider == "openai":
        # Imported late: the SDK costs a second of start-up, and most installations embed on their own.
        from rag_manager.adapters.openai_embeddings import OpenAIWire

        return OpenAIWire(model, key=key, base_url=settings.base_url, timeout=settings.deadline)
    from rag_manager.adapters.voyage_embeddings import VoyageWire

    return VoyageWire(model, key=key, base_url=settings.base_url, timeout=settings.deadline)


def make_models(folder: Path) -> None:
    """Make the models where they are missing, in a child process: what that takes of memory goes with it.

    Raises Permanent `model_missing`.
    """
    if all((folder / name).is_file() for name in (QUICK_TABLE, TOKENIZER, FULL_MODEL)):
        return
    command = [sys.executable, "-m", "rag_manager.models.build", str(folder)]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603  # our own interpreter and module
        raise Permanent("model_missing", f"The models could not be made in {folder}: the log says why.")


def _backends(home: Path, broker: BrokerSettings) -> Backends:
    chroma = ChromaSettings()
    engine = create_engine(DatabaseSettings(), application="rag_manager", role=DatabaseRole.RAG_MANAGER)
    return Backends(
        engine=engine,
        objects=open_objects(ObjectStoreSettings().url, home).claimed_in(ArtifactOwners(engine)),
        redis=create_redis(broker),
        vectors=ChromaVectors(chroma.url.get_secret_value(), timeout=chroma.timeout),
        turns=Turns(),
        earlier=EarlierRuns(engine),
    )


async def _close(backends: Backends) -> None:
    await backends.vectors.close()
    await backends.redis.aclose()
    await backends.engine.dispose()


def _slots(rag: RagSettings) -> Slots:
    return Slots(index=rag.index_slots, embed=rag.embed_slots, activate=rag.activate_slots, refine=rag.refine_slots)


def _checks(backends: Backends) -> dict[str, Check]:
    # Not the vector server: without it questions are still answered, and the stages that need it wait.
    async def database_answers() -> None:
        async with backends.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def broker_answers() -> None:
        if not await backends.redis.ping():
            raise RedisError("no answer to PING")

    return {"database": database_answers, "broker": broker_answers}
