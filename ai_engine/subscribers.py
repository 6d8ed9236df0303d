"""Answer each question once: search, ask the model (or extract), check the citations, record.

Hears `ai.query.requested`; says `ai.query.processed` or `ai.query.failed`.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from uuid import UUID

from redis.asyncio import Redis

from ai_engine.adapters.gen_ai import answering
from ai_engine.composing import Grounds, Question, compose
from ai_engine.metering import Meter, Metered
from ai_engine.ports import Facts, Found, LanguageModel, Notes, Place, Retriever
from ai_engine.recording import Ends, append, fault_of, parked
from ai_engine.remembering import Offer, Remembering, Wanted
from ai_engine.reranking import Reranking
from ai_engine.rewriting import meant_by
from ai_engine.sources import Sources
from ai_engine.stages.build_prompt import build_prompt, passage_of
from ai_engine.stages.check_citations import check_citations, checked_so_far
from ai_engine.stages.confidence import hits_of
from ai_engine.stages.extract_answer import extract_answer
from ai_engine.stages.fit_history import Kept, fit_history
from ai_engine.stages.judge_evidence import ENOUGH, evidence_for
from ai_engine.stages.plan_steps import Budget
from ai_engine.stages.refuse import BY_MODEL, NO_EVIDENCE, says_not_found, tell_not_found
from ai_engine.stages.same_question import fingerprint_of, told_again
from ai_engine.stages.tell_overview import facts_again, facts_passage, places_of
from ai_engine.stages.terms import terms_of
from ai_engine.stepping import DEEP, Deep, Stepper, steps_of
from ai_engine.writing import NOBODY, Live, Writer, Written, watched
from events.base import Envelope
from events.catalog import QUESTIONS, decode
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import Result, Run
from events.looking import LinesReply
from events.question import Passage, QuestionAnswered, QuestionAsked, SearchReply, SearchRequest
from runtime.faults import Cancelled, Fault, Permanent, Transient
from runtime.live import WRITTEN, LiveChannels

CONSUMER = "ai_engine.answer"
PROMPT, STEPS, OVERVIEW, REFUSAL = "answer-v2", "deep-v1", "overview-v1", "refusal-v1"
_OPENING = 5  # passages that an answer in steps begins with: it can look for more
_MODELS_SHARE = 0.8  # of the deadline, for an overview: the rest is for the facts


@dataclass(frozen=True)
class Deadlines:
    """Seconds for one answer, retries included: after one search, and in steps."""

    answer: float = 120.0
    deep: float = 240.0


DEADLINES, BUDGET = Deadlines(), Budget()


class Answerer:
    """Answers with what it is given: a retriever, facts, the configured models by name (the first is the default).

    Without `remembering` every question is answered anew; without `notes` nobody knows what a worker took that died.
    """

    def __init__(  # noqa: PLR0913  # each is one part of the process
        self,
        *,
        retriever: Retriever,
        facts: Facts,
        models: Mapping[str, LanguageModel],
        redis: Redis,
        remembering: Remembering | None = None,
        reranking: Reranking | None = None,
        notes: Notes | None = None,
        deadlines: Deadlines = DEADLINES,
        budget: Budget = BUDGET,
    ) -> None:
        self._retriever = retriever
        self._sources = Sources(retriever)
        self._remembering = remembering
        self._reranking = reranking or Reranking()
        self._models = models
        self._deadlines = deadlines
        self.ends = Ends(notes)
        self._live = Live(redis)
        self._writer = Writer(self._live)
        self._stepper = Stepper(self._writer, self._live, retriever, facts, budget)
        prompts = resources.files("ai_engine").joinpath("prompts")
        self._rules = {name: prompts.joinpath(f"{name}.md").read_text("utf-8") for name in (PROMPT, STEPS, OVERVIEW)}

    def register(self, subscriber: EventSubscriber, *, slots: int) -> None:
        """Consume the questions' topic."""
        subscriber.long(
            QUESTIONS,
            CONSUMER,
            self.answer,
            slots=slots,
            on_fault=self.ends.failed,
            on_parked=parked,
            on_cancelled=self.ends.stopped,
        )

    async def answer(self, envelope: Envelope, run: Run) -> Result:
        """Answer one question within the deadline. Raises Transient, Permanent and Cancelled."""
        asked = decode(envelope)
        assert isinstance(asked, QuestionAsked)  # noqa: S101  # the topic carries nothing else
        channel, seconds = _channel(envelope.tenant_id, asked), self._seconds(asked)
        took = self.ends.meter(envelope.tenant_id, asked.question_id)
        try:
            with answering(envelope, asked.mode):
                async with asyncio.timeout(seconds):
                    answered = await self._answered(envelope, asked, run, took)
        except (Exception, asyncio.CancelledError) as error:
            if run.cancelled:  # which the error may come of
                raise self.ends.keep(Cancelled(), took) from error
            if isinstance(error, (Cancelled, asyncio.CancelledError)):  # the process ends, and another goes on
                raise
            await self._live.say(channel, {"type": WRITTEN})
            raise self.ends.keep(fault_of(error, seconds), took) from error
        await self._live.say(channel, {"type": WRITTEN})
        return Result(appends=(append(envelope, answered),))

    def _seconds(self, asked: QuestionAsked) -> float:
        return self._deadlines.deep if asked.mode == DEEP else self._deadlines.answer

    async def _answered(self, envelope: Envelope, asked: QuestionAsked, run: Run, took: Meter) -> QuestionAnswered:
        began, tenant_id = time.monotonic(), envelope.tenant_id
        models: tuple[LanguageModel, ...] = tuple(Metered(model, took) for model in self._chosen(asked))
        channel, before = _channel(tenant_id, asked), await steps_of(envelope, asked, run)
        await self.ends.go_on(envelope, asked.question_id, before, took)
        await self._live.say(channel, {"type": "reset"}, {"type": "status", "step": "searching"})
        kept = fit_history(asked.history) if models and not asked.facts else Kept()
        meant = await watched(meant_by(asked, kept, next(iter(models), None)), run)
        found = await self._retriever.search(
            SearchRequest(
                tenant_id=tenant_id,
                repository_id=asked.repository_id,
                query=meant.query,
                analysis_id=before[0].analysis_id if before else asked.analysis_id,
                scope=asked.scope,
            )
        )
        run.check()
        await self._live.say(channel, {"type": "status", "step": "reading", "passages": len(found.passages)})
        question = Question(envelope, channel, asked, before, models, run, meant, kept, began, took)
        grounds = _grounds(question, found, self._reranking.name)
        memory, seconds = self._remembering, self._seconds(asked)
        wanted = _wanted(question, grounds)
        async with memory.offered(wanted, run, seconds) if memory else nullcontext(Offer()) as offer:
            if offer.found is not None:
                return await self._tell_again(question, offer.found)
            answered = await self._anew(question, grounds)
            offer.is_kept = bool(answered.fingerprint)
            return answered

    async def _tell_again(self, question: Question, earlier: Found) -> QuestionAnswered:
        shown = checked_so_far(f"{earlier.answer.answer}\n", earlier.answer.passages)
        await self._live.say(question.channel, {"type": "token", "text": shown})
        seconds = time.monotonic() - question.began
        return told_again(earlier.answer, question.asked, question.took.spend, answered_at=earlier.at, seconds=seconds)

    async def _anew(self, question: Question, grounds: Grounds) -> QuestionAnswered:
        is_enough = grounds.evidence is None or grounds.evidence >= ENOUGH
        if is_enough and question.models and not question.asked.facts:
            counted = partial(Metered, meter=question.took)
            found = await watched(self._reranking(question.meant.query, grounds.found, counted), question.run)
            grounds = replace(grounds, found=found)
        found = grounds.found
        place = Place(question.envelope.tenant_id, found.analysis_id, question.asked.scope)
        if not is_enough:
            written, passages = await self._refuse(question, found, NO_EVIDENCE)
        else:
            written, passages = await self._write(question, place, found)
        counts = await self._sources.line_counts(place, written.text, passages, found.line_counts)
        checked = check_citations(written.text, passages, counts)
        if not checked.text:
            raise Transient("answer_unsupported", "The model only named places that it was not given: ask again.")
        return compose(question, grounds, written, passages, checked)

    async def _write(self, question: Question, place: Place, found: SearchReply) -> tuple[Written, tuple[Passage, ...]]:
        asked, models = question.asked, question.models
        if asked.facts:
            return await self._tell_overview(question, place)
        readme = None if models and terms_of(question.meant.query) else await self._sources.readme(place)
        if not models:
            return await self._extract(question.channel, question.meant.query, found, readme)
        given = (*([passage_of(readme)] if readme else []), *found.passages)
        written, passages = await self._generate(question, given, place)
        if says_not_found(written.text):
            return await self._refuse(question, found, BY_MODEL, written)
        return written, passages

    async def _refuse(
        self, question: Question, found: SearchReply, why: str, said: Written | None = None
    ) -> tuple[Written, tuple[Passage, ...]]:
        """That nothing was found, with the nearest places; `said` is what it took a model to say so."""
        text = tell_not_found(hits_of(found.passages), found.commit)
        await self._live.say(question.channel, {"type": "token", "text": checked_so_far(f"{text}\n", found.passages)})
        written = said or Written(text, "extractive", NOBODY, NOBODY, REFUSAL)
        return replace(written, text=text, refused=why), found.passages

    def _chosen(self, asked: QuestionAsked) -> tuple[LanguageModel, ...]:
        """The models that are to answer, in order: the one that was asked for alone, or all; none: extractive."""
        if asked.mode == "extractive":
            return ()
        if asked.mode == DEEP and not self._models:
            raise Permanent("mode_not_offered", "Answers in steps take a language model: ask in another mode.")
        if asked.model is None:
            return tuple(self._models.values())
        if asked.model not in self._models:
            raise Permanent(
                "model_not_configured", "That model is not configured here: choose one of the offered ones."
            )
        return (self._models[asked.model],)

    async def _tell_overview(self, question: Question, place: Place) -> tuple[Written, tuple[Passage, ...]]:
        """The facts told again by the model; as they are where there is none, it fails or cites nothing given."""
        facts, why = question.asked.facts, ""
        places = places_of(facts)
        if question.models:
            try:
                async with asyncio.timeout(self._deadlines.answer * _MODELS_SHARE):
                    found = [await self._retriever.lines(place.cited(at)) for at in places]
                    given = (facts_passage(facts), *(passage_of(lines) for lines in found if lines is not None))
                    written, passages = await self._generate(question, given, place)
                counts = await self._sources.line_counts(place, written.text, passages, {})
                if check_citations(written.text, passages, counts).citations:
                    return written, passages
                why = "answer_unsupported"
            except (Fault, TimeoutError) as fault:
                why = fault.code if isinstance(fault, Fault) else "answer_deadline"
            await self._live.say(question.channel, {"type": "reset"})
        text = facts_again(facts, why)
        await self._live.say(question.channel, {"type": "token", "text": checked_so_far(text, places)})
        return Written(text, "extractive", NOBODY, NOBODY, "overview-facts-v1"), places

    async def _extract(
        self, channel: str, query: str, found: SearchReply, readme: LinesReply | None
    ) -> tuple[Written, tuple[Passage, ...]]:
        text = extract_answer(query, found.passages, readme, found.plan)
        given = (*found.passages, *([passage_of(readme)] if readme else []))
        await self._live.say(channel, {"type": "token", "text": checked_so_far(f"{text}\n", given)})
        return Written(text, "extractive", NOBODY, NOBODY, "extractive-v2"), given

    async def _generate(
        self, question: Question, given: tuple[Passage, ...], place: Place
    ) -> tuple[Written, tuple[Passage, ...]]:
        asked, boundary = question.asked, secrets.token_hex(8)
        name = OVERVIEW if asked.facts else STEPS if asked.mode == DEEP else PROMPT
        grounded = build_prompt(
            asked.query,
            given[:_OPENING] if name == STEPS else given,
            rules=self._rules[name],
            name=name,
            boundary=boundary,
            history=question.kept.turns,
        )
        if name != STEPS:
            written = await self._writer.write(question.channel, grounded, question.models, question.run)
            return written, grounded.passages
        at = (question.envelope, asked, place, question.channel)
        deep = Deep(*at, grounded, boundary, question.before, question.took)
        return await self._stepper.write(deep, question.models, question.run)


def _channel(tenant_id: UUID, asked: QuestionAsked) -> str:
    return LiveChannels(tenant_id).answer(asked.question_id)


def _grounds(question: Question, found: SearchReply, ordered_by: str) -> Grounds:
    """With a fingerprint where a model is to answer that no earlier worker asked."""
    asked, evidence = question.asked, evidence_for(question.asked, found)
    if not question.models or question.before or (evidence is not None and evidence < ENOUGH):
        return Grounds(found, evidence)
    first, prompt = question.models[0], f"{STEPS if asked.mode == DEEP else PROMPT} {ordered_by}"
    return Grounds(
        found, evidence, fingerprint_of(asked, found, model=f"{first.provider}:{first.model}", prompt=prompt)
    )


def _wanted(question: Question, grounds: Grounds) -> Wanted | None:
    if not grounds.fingerprint or question.asked.again is not None:
        return None
    found, asked = grounds.found, question.asked
    return Wanted(question.envelope.tenant_id, found.generation_id, asked.question_id, grounds.fingerprint)
