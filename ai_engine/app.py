"""Put ai_engine together: the only file that reads its settings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ai_engine.adapters.circuits import Circuits, Guarded
from ai_engine.adapters.earlier import LoggedAnswers
from ai_engine.adapters.facts import HttpFacts
from ai_engine.adapters.gen_ai import Observed
from ai_engine.adapters.notes import ValkeyNotes
from ai_engine.adapters.retriever import HttpRetriever
from ai_engine.adapters.turns import ValkeyTurns
from ai_engine.answering_again import AnswerAgain
from ai_engine.ports import LanguageModel
from ai_engine.remembering import Remembering
from ai_engine.reranking import ModelReranker, Reranking
from ai_engine.settings import AiSettings
from ai_engine.stages.plan_steps import Budget
from ai_engine.stages.price import Price, read_prices
from ai_engine.subscribers import Answerer, Deadlines
from events.delivery.subscriber import EventSubscriber
from events.log.postgres import PostgresJournal
from events.log.wake import Wake
from events.replay.sandbox import ANSWER, ShadowWorker
from runtime.broker import create_broker, create_quick_redis, create_redis
from runtime.database import create_engine
from runtime.health import Check, health_routes
from runtime.logging import configure_logging
from runtime.secret_files import Secret
from runtime.service_tokens import ServiceSigner
from runtime.settings import (
    BrokerSettings,
    DatabaseSettings,
    InternalSettings,
    LogSettings,
    ServiceKeySettings,
    TraceSettings,
)
from runtime.tasks import end_tasks, keep_running
from runtime.tenancy import DatabaseRole
from runtime.tracing import configure_tracing
from runtime.worker_names import worker_name

_ENDING = 10.0  # seconds: a call is over that long after its deadline, whatever happens


def create_app() -> Starlette:  # noqa: PLR0915  # one list of what is put together
    """The service: consumes questions; serves only health and metrics."""
    logs, internal, ai, broker_settings = LogSettings(), InternalSettings(), AiSettings(), BrokerSettings()
    configure_logging(service="ai_engine", level=logs.level, format=logs.format)
    tracing = configure_tracing("ai_engine", TraceSettings().url)
    engine = create_engine(DatabaseSettings(), application="ai_engine", role=DatabaseRole.AI_ENGINE)
    redis = create_redis(broker_settings)
    retriever = HttpRetriever(internal.rag_manager_url, _calls_to("rag_manager"))
    facts = HttpFacts(internal.orchestrator_url, _calls_to("orchestrator"))
    quick_redis = create_quick_redis(broker_settings)
    circuits = Circuits(quick_redis, longest=max(ai.deadline, ai.deep_deadline) + _ENDING)
    prices = read_prices(ai.prices)
    models = {
        name: Guarded(Observed(model, prices.get(name)), circuits)
        for name, model in configured_models(ai, ai.models).items()
    }
    subscriber = EventSubscriber(create_broker(broker_settings), engine, redis, worker=worker_name("ai_engine"))
    deadlines = Deadlines(ai.deadline, ai.deep_deadline)
    budget = Budget(ai.deep_steps, ai.deep_tokens, ai.deep_characters, ai.deep_seconds)
    answerer = Answerer(
        retriever=retriever,
        facts=facts,
        models=models,
        redis=redis,
        remembering=Remembering(LoggedAnswers(engine), ValkeyTurns(quick_redis)),
        reranking=Reranking(_reranker(ai, prices, circuits), ai.rerank_seconds),
        notes=ValkeyNotes(quick_redis),
        deadlines=deadlines,
        budget=budget,
    )
    answerer.register(subscriber, slots=ai.slots)
    again = AnswerAgain(
        PostgresJournal(engine), retriever, facts, configured=bool(models), deadlines=deadlines, budget=budget
    )
    shadows = ShadowWorker(engine, None, {ANSWER: lambda _objects: again}, worker_name("ai_engine"), Wake(redis).worked)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await subscriber.start()
        later = asyncio.create_task(keep_running("shadows", shadows.run))
        yield
        await subscriber.stop()
        await end_tasks([later])
        await retriever.close()
        await facts.close()
        await quick_redis.aclose()
        await redis.aclose()
        await engine.dispose()
        if tracing is not None:
            await asyncio.to_thread(tracing.shutdown)

    async def circuit_states(_request: Request) -> Response:
        return JSONResponse(await circuits.states(list(models)))

    routes = [*health_routes(_checks(engine, redis)), Route("/circuits", circuit_states)]
    return Starlette(routes=routes, lifespan=lifespan)


def _checks(engine: AsyncEngine, redis: Redis) -> dict[str, Check]:
    async def database_answers() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def broker_answers() -> None:
        if not await redis.ping():
            raise RedisError("no answer to PING")

    return {"database": database_answers, "broker": broker_answers}


def _calls_to(service: str) -> Callable[[], dict[str, str]]:
    signer = ServiceSigner("ai_engine", ServiceKeySettings().key.get_secret_value())
    return lambda: signer.headers(service)


def _reranker(settings: AiSettings, prices: Mapping[str, Price], circuits: Circuits) -> ModelReranker | None:
    for name, model in configured_models(settings, settings.rerank).items():
        return ModelReranker(Guarded(Observed(model, prices.get(name)), circuits))
    return None


def configured_models(settings: AiSettings, names: str) -> dict[str, LanguageModel]:
    """The models of `names`, separated by commas, in order. Raises ValueError for a name it cannot read."""
    models: dict[str, LanguageModel] = {}
    for name in filter(None, (part.strip() for part in names.split(","))):
        provider, _, model = name.partition(":")
        if not model or provider not in {"openai", "anthropic"}:
            raise ValueError(f"models of REPOSTREAM_AI_…: {name!r} is neither openai:<name> nor anthropic:<name>")
        models[name] = _model(provider, model, settings)
    return models


def _model(provider: str, model: str, settings: AiSettings) -> LanguageModel:
    # Imported late: each SDK costs a second of start-up and tens of megabytes, and most installations use one or none.
    if provider == "openai":
        from ai_engine.adapters.openai import OpenAIModel

        key = Secret(AiSettings, "openai_api_key")
        return OpenAIModel(model=model, key=key, base_url=settings.openai_base_url)
    from ai_engine.adapters.anthropic import AnthropicModel

    key = Secret(AiSettings, "anthropic_api_key")
    return AnthropicModel(model=model, key=key, base_url=settings.anthropic_base_url)
