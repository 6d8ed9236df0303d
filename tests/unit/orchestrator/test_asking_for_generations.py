"""What the orchestrator asks rag_manager about generations is what that answers: both ends of the one wire."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from events.base import LOCAL_TENANT, Context
from events.collection import GenerationChoice, KeptGenerations
from orchestrator.adapters.searching import Searching
from orchestrator.api.problems import CODES
from rag_manager.api import add_problems, generation_routes
from rag_manager.going_back import GoingBack
from runtime.faults import Fault, Permanent, Transient
from tests.support.service_keys import signer, verifier

ANALYSIS = UUID("10000000-0000-4000-8000-000000000001")


class Answering(GoingBack):
    """Tells what it was asked, or refuses."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.refuses: Fault | None = None

    async def kept(self, tenant_id: UUID, analysis_id: UUID) -> KeptGenerations:
        self.asked.append((tenant_id, analysis_id))
        return KeptGenerations(analysis_id=analysis_id, wanted="new", items=())

    async def __call__(self, choice: GenerationChoice) -> KeptGenerations:
        self.asked.append(choice)
        if self.refuses is not None:
            raise self.refuses
        return KeptGenerations(analysis_id=choice.analysis_id, wanted="new", items=())


async def test_lists_choices_and_refusals_come_through() -> None:
    answering, app = Answering(), FastAPI()
    app.include_router(generation_routes(answering, verifier("rag_manager")))
    add_problems(app)
    searching = Searching("http://rag", lambda: signer("orchestrator").headers("rag_manager"))
    await searching.close()
    searching._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rag")
    context = Context(tenant_id=LOCAL_TENANT, correlation_id=ANALYSIS)
    choice = GenerationChoice(
        analysis_id=ANALYSIS, generation_id=uuid4(), expected=7, at=datetime(2026, 1, 1, tzinfo=UTC), context=context
    )

    assert (await searching.generations(LOCAL_TENANT, ANALYSIS)).wanted == "new"
    assert (await searching.choose(choice)).analysis_id == ANALYSIS
    assert answering.asked == [(LOCAL_TENANT, ANALYSIS), choice]
    for code in ("generation_unknown", "generation_outdated", "analysis_replaced", "embedder_not_set", "index_moved"):
        answering.refuses = Permanent(code, "It says why.")
        with pytest.raises(Permanent, match=code):
            await searching.choose(choice)
        assert code in CODES or code == "index_moved"  # which is decided again
    for code, told in (("index_unavailable", "index_unavailable: Away."), ("store_unavailable", "search_unavailable")):
        answering.refuses = Transient(code, "Away.")
        with pytest.raises(Transient, match=told):
            await searching.choose(choice)
        assert told.partition(":")[0] in CODES
    await searching.close()
