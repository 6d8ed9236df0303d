"""A question at work: its conversation, the workers that answer it, what its reader sees."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from ai_engine.adapters.earlier import LoggedAnswers
from ai_engine.adapters.notes import ValkeyNotes
from ai_engine.adapters.turns import ValkeyTurns
from ai_engine.ports import LanguageModel, Retriever
from ai_engine.remembering import Remembering
from ai_engine.reranking import Reranking
from ai_engine.stages.plan_steps import Budget
from ai_engine.subscribers import Answerer, Deadlines
from events.base import LOCAL_TENANT, Envelope
from events.catalog import QUESTIONS
from events.delivery.subscriber import EventSubscriber
from events.question import QuestionAsked, StepTaken
from runtime.live import LiveChannels
from tests.fakes.facts import FakeFacts
from tests.support.delivery import Kernel, until
from tests.support.kernel import a_draft

FILES = {"src/app.py": "routes = {}\n\n\ndef route(path):\n    return routes[path]\n\n# the end"}
MODEL = "openai:m"


@dataclass
class Desk:
    """A conversation with one question, and workers that answer it."""

    kernel: Kernel
    question_id: UUID = field(default_factory=uuid4)
    stream_id: str = field(default_factory=lambda: f"conversation/{uuid4()}")
    facts: FakeFacts = field(default_factory=FakeFacts)
    budget: Budget = field(default_factory=Budget)
    reranking: Reranking = field(default_factory=Reranking)

    async def ask(self, query: str = "Where are routes kept?", *history: tuple[str, str], mode: str = "answer") -> None:
        asked = QuestionAsked(
            question_id=self.question_id, repository_id=uuid4(), query=query, mode=mode, history=history
        )
        await self.kernel.journal.append(self.stream_id, [a_draft(asked)])
        await self.kernel.carry()

    async def work(
        self, retriever: Retriever, models: Mapping[str, LanguageModel] | None = None, *, worker: str = "a"
    ) -> EventSubscriber:
        subscriber = self.kernel.subscriber(worker)
        answerer = Answerer(
            retriever=retriever,
            facts=self.facts,
            models=models or {},
            redis=self.kernel.redis,
            remembering=Remembering(LoggedAnswers(self.kernel.engine), ValkeyTurns(self.kernel.redis)),
            reranking=self.reranking,
            notes=ValkeyNotes(self.kernel.redis),
            deadlines=Deadlines(60, 60),
            budget=self.budget,
        )
        answerer.register(subscriber, slots=1)
        await subscriber.start()
        return subscriber

    async def ends(self) -> list[Envelope]:
        """All that came of the question but its steps."""
        every = (await self.kernel.journal.read_stream(self.stream_id))[1:]
        return [one for one in every if one.event_type != StepTaken.event_type]

    async def taken(self) -> list[StepTaken]:
        """The steps, in the order of the log."""
        every = await self.kernel.journal.read_stream(self.stream_id)
        return [StepTaken.model_validate(one.data) for one in every if one.event_type == StepTaken.event_type]

    async def end(self) -> Envelope:
        """The one event that ends the question."""
        await until(self.ends)
        [only] = await self.ends()
        return only

    async def parts(self) -> list[dict[str, object]]:
        entries = await self.kernel.redis.xrange(LiveChannels(LOCAL_TENANT).answer(self.question_id))
        return [json.loads(fields[b"part"]) for _, fields in entries]

    async def seen(self) -> str:
        """What a reader sees of the tokens at the end."""
        text = ""
        for part in await self.parts():
            text = "" if part["type"] == "reset" else text + str(part.get("text", ""))
        return text

    async def steps(self) -> list[object]:
        return [part.get("step") for part in await self.parts() if part["type"] == "status"]

    async def is_acked(self) -> bool:
        [group] = await self.kernel.redis.xinfo_groups(QUESTIONS)
        return group["last-delivered-id"] != b"0-0" and group["pending"] == 0
