"""Answer each question once: search, ask the model (or extract), check the citations, record.

Hears `ai.query.requested`; says `ai.query.processed` or `ai.query.failed`.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from uuid import UUID

from redis.asyncio import Redis

from ai_engine.ports import Finished, LanguageModel, ModelBusy, Retriever
from ai_engine.recording import append, failed, parked
from ai_engine.stages.build_prompt import Grounded, build_prompt, passage_of
from ai_engine.stages.check_citations import check_citations, checked_so_far, cited_paths
from ai_engine.stages.confidence import confidence_of
from ai_engine.stages.extract_answer import extract_answer
from ai_engine.stages.tell_overview import MOST_LINES, facts_again, facts_passage, places_of
from ai_engine.stages.terms import terms_of
from events.base import Envelope
from events.catalog import QUESTIONS, decode
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Result, Run
from events.question import (
    LinesReply,
    LinesRequest,
    Passage,
    QuestionAnswered,
    QuestionAsked,
    SearchReply,
    SearchRequest,
)
from runtime.faults import Fault, Permanent, Transient
from runtime.live import WRITTEN, LiveChannels, send_answer_part

CONSUMER = "ai_engine.answer"
PROMPT, OVERVIEW = "answer-v1", "overview-v1"
_CALLS = 3
_MUTE = 1.0  # seconds: a Redis that is down costs each part its retries, and a long answer its deadline
_MODELS_SHARE = 0.8  # of the deadline, for an overview: the rest is for the facts
_LONGEST_PAUSE = 20.0  # seconds: a provider that asks for more is told to the person at once
_READMES = ("README.md", "README.rst", "README.txt", "README", "readme.md", "Readme.md", "README.markdown")


@dataclass(frozen=True)
class Written:
    """An answer as it was written, before its citations were checked."""

    text: str
    mode: str
    provider: str
    model: str
    prompt: str
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class _Place:
    """What an answer rests on: one analysis of one tenant."""

    tenant_id: UUID
    analysis_id: UUID

    def lines(self, path: str, last: int) -> LinesRequest:
        """A request for the first lines of a file."""
        return LinesRequest(tenant_id=self.tenant_id, analysis_id=self.analysis_id, path=path, last_line=last)

    def cited(self, at: Passage) -> LinesRequest:
        """A request for the first of the lines that facts cite."""
        last = min(at.last_line, at.first_line + MOST_LINES - 1)
        return self.lines(at.path, last).model_copy(update={"first_line": at.first_line})


@dataclass(frozen=True)
class _Question:
    """A question at work: where its parts go, and the model that answers, if any."""

    channel: str
    asked: QuestionAsked
    model: LanguageModel | None
    run: Run


class Answerer:
    """Answers with what it is given: a retriever and the configured models by name (the first is the default)."""

    def __init__(
        self, *, retriever: Retriever, models: Mapping[str, LanguageModel], redis: Redis, deadline: float
    ) -> None:
        self._retriever = retriever
        self._models = models
        self._redis = redis
        self._deadline = deadline
        self._mute_until = 0.0
        prompts = resources.files("ai_engine").joinpath("prompts")
        self._rules = {name: prompts.joinpath(f"{name}.md").read_text("utf-8") for name in (PROMPT, OVERVIEW)}

    def register(self, subscriber: EventSubscriber, *, slots: int) -> None:
        """Consume the questions' topic."""
        subscriber.long(QUESTIONS, CONSUMER, self.answer, slots=slots, on_fault=failed, on_parked=parked)

    async def answer(self, envelope: Envelope, run: Run) -> Result:
        """Answer one question within the deadline. Raises Transient and Permanent."""
        asked = decode(envelope)
        assert isinstance(asked, QuestionAsked)  # noqa: S101  # the topic carries nothing else
        began, channel = time.monotonic(), _channel(envelope.tenant_id, asked)
        try:
            async with asyncio.timeout(self._deadline):
                answered = await self._answered(envelope.tenant_id, asked, run, began)
        except Fault:
            await self._say(channel, {"type": WRITTEN})
            raise
        except TimeoutError as error:
            await self._say(channel, {"type": WRITTEN})
            message = f"No complete answer within {self._deadline:.0f} seconds: ask again."
            raise Transient("answer_deadline", message) from error
        await self._say(channel, {"type": WRITTEN})
        return Result(appends=(append(envelope, answered),))

    async def _answered(self, tenant_id: UUID, asked: QuestionAsked, run: Run, began: float) -> QuestionAnswered:
        model, channel = self._model(asked), _channel(tenant_id, asked)
        await self._say(channel, {"type": "reset"})
        await self._say(channel, {"type": "status", "step": "searching"})
        found = await self._retriever.search(
            SearchRequest(
                tenant_id=tenant_id,
                repository_id=asked.repository_id,
                query=asked.query,
                analysis_id=asked.analysis_id,
            )
        )
        place = _Place(tenant_id, found.analysis_id)
        run.check()
        await self._say(channel, {"type": "status", "step": "reading", "passages": len(found.passages)})
        question = _Question(channel, asked, model, run)
        readme = None if asked.facts or (model and terms_of(asked.query)) else await self._readme(place)
        if asked.facts:
            written, passages = await self._tell_overview(question, place)
        elif model:
            written, passages = await self._generate(
                question, (*([passage_of(readme)] if readme else []), *found.passages)
            )
        else:
            written, passages = await self._extract(channel, asked, found, readme)
        counts = await self._line_counts(place, written.text)
        checked = check_citations(written.text, passages, counts)
        if not checked.text:
            raise Transient("answer_unsupported", "The model only named places that it was not given: ask again.")
        return QuestionAnswered(
            question_id=asked.question_id,
            query=asked.query,
            answer=checked.text,
            mode=written.mode,
            response_time=round(time.monotonic() - began, 3),
            rag_hits=len(found.passages),
            confidence=confidence_of(
                terms_of(asked.query), found.passages, stood=len(checked.citations), fell=checked.removed
            ),
            citations=checked.citations,
            removed_citations=checked.removed,
            removed_quotes=checked.removed_quotes,
            passages=found.passages,
            analysis_id=found.analysis_id,
            commit=found.commit,
            generation_kind=found.generation_kind,
            provider=written.provider,
            model=written.model,
            prompt=written.prompt,
            input_tokens=written.input_tokens,
            output_tokens=written.output_tokens,
            degraded=found.degraded,
        )

    def _model(self, asked: QuestionAsked) -> LanguageModel | None:
        name = asked.model
        if asked.mode == "extractive":
            return None
        if name is None:
            return next(iter(self._models.values()), None)
        if name not in self._models:
            raise Permanent(
                "model_not_configured", "That model is not configured here: choose one of the offered ones."
            )
        return self._models[name]

    async def _tell_overview(self, question: _Question, place: _Place) -> tuple[Written, tuple[Passage, ...]]:
        """The facts told again by the model; as they are where there is none, it fails or cites nothing given."""
        facts, why = question.asked.facts, ""
        places = places_of(facts)
        if question.model:
            try:
                async with asyncio.timeout(self._deadline * _MODELS_SHARE):
                    found = [await self._retriever.lines(place.cited(at)) for at in places]
                    given = (facts_passage(facts), *(passage_of(lines) for lines in found if lines is not None))
                    written, passages = await self._generate(question, given)
                if check_citations(written.text, passages, await self._line_counts(place, written.text)).citations:
                    return written, passages
                why = "answer_unsupported"
            except (Fault, TimeoutError) as fault:
                why = fault.code if isinstance(fault, Fault) else "answer_deadline"
            await self._say(question.channel, {"type": "reset"})
        text = facts_again(facts, why)
        await self._say(question.channel, {"type": "token", "text": checked_so_far(text, places)})
        return Written(text, "extractive", "none", "none", "overview-facts-v1"), places

    async def _extract(
        self, channel: str, asked: QuestionAsked, found: SearchReply, readme: LinesReply | None
    ) -> tuple[Written, tuple[Passage, ...]]:
        text = extract_answer(asked.query, found.passages, readme)
        given = (*found.passages, *([passage_of(readme)] if readme else []))
        await self._say(channel, {"type": "token", "text": checked_so_far(text, given)})
        return Written(text, "extractive", "none", "none", "extractive-v1"), given

    async def _generate(self, question: _Question, given: tuple[Passage, ...]) -> tuple[Written, tuple[Passage, ...]]:
        channel, asked, model, run = question.channel, question.asked, question.model, question.run
        assert model is not None  # noqa: S101  # asked before
        name = OVERVIEW if asked.facts else PROMPT
        grounded = build_prompt(
            asked.query,
            given,
            rules=self._rules[name],
            name=name,
            boundary=secrets.token_hex(8),
            history=asked.history,
        )
        for call in range(1, _CALLS + 1):
            try:
                return await self._stream(channel, grounded, model, run), grounded.passages
            except Transient as fault:
                pause = _pause(fault, call)
                if call == _CALLS or pause > _LONGEST_PAUSE:
                    raise
                await self._say(channel, {"type": "reset"})
                await self._say(channel, {"type": "status", "step": "retrying", "code": fault.code})
                await asyncio.sleep(pause)
        raise AssertionError("the last call returns or raises")

    async def _stream(self, channel: str, grounded: Grounded, model: LanguageModel, run: Run) -> Written:
        text, shown, prompt = "", "", grounded.prompt
        async for item in model.stream(prompt):
            run.check()
            if isinstance(item, Finished):
                return Written(
                    text, "generated", model.provider, item.model, prompt.name, item.input_tokens, item.output_tokens
                )
            text += item.text
            shown = await self._show(channel, shown, checked_so_far(text, grounded.passages))
        raise Transient("answer_cut_off", "The model ended its answer in the middle: ask again.")

    async def _show(self, channel: str, shown: str, wanted: str) -> str:
        """Let the reader see `wanted` after `shown`, or anew where it is no longer its beginning; what is seen now."""
        if not wanted.startswith(shown):
            if not await self._say(channel, {"type": "reset"}):
                return shown
            shown = ""
        if wanted != shown and await self._say(channel, {"type": "token", "text": wanted[len(shown) :]}):
            return wanted
        return shown

    async def _line_counts(self, place: _Place, text: str) -> dict[str, int]:
        counts = {}
        for path in cited_paths(text):
            reply = await self._retriever.lines(place.lines(path, 1))
            if reply is not None:
                counts[path] = reply.line_count
        return counts

    async def _readme(self, place: _Place) -> LinesReply | None:
        for name in _READMES:
            reply = await self._retriever.lines(place.lines(name, 80))
            if reply is not None:
                return reply
        return None

    async def _say(self, channel: str, part: dict[str, object]) -> bool:
        if part["type"] == "token" and time.monotonic() < self._mute_until:  # its text goes with the next one
            return False
        sent = await send_answer_part(self._redis, channel, part)
        if not sent:
            self._mute_until = time.monotonic() + _MUTE
        return sent


def _channel(tenant_id: UUID, asked: QuestionAsked) -> str:
    return LiveChannels(tenant_id).answer(asked.question_id)


def _pause(fault: Transient, call: int) -> float:
    asked = fault.retry_after if isinstance(fault, ModelBusy) else None
    return asked if asked is not None else min(8.0, 0.5 * 2**call) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter
