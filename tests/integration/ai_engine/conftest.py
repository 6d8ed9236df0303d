"""A question at its desk over real servers, and a model that speaks OpenAI's wire format."""

from collections.abc import AsyncIterator

import pytest

from ai_engine.adapters.openai import OpenAIModel
from ai_engine.ports import LanguageModel
from tests.support.answering import MODEL, Desk
from tests.support.delivery import a_kernel
from tests.support.model_stand_in import StandIn, model_stand_in


@pytest.fixture
async def desk(database_url: str, redis_url: str) -> AsyncIterator[Desk]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield Desk(kernel)


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with model_stand_in("openai") as stand_in:
        yield stand_in


@pytest.fixture
async def models(server: StandIn) -> AsyncIterator[dict[str, LanguageModel]]:
    model = OpenAIModel(model="m", key=lambda: "test-key", base_url=server.url)
    yield {MODEL: model}
    await model.close()
