"""Order what was found anew, where that is wanted: within seconds, or as it was."""

import asyncio
import secrets
from importlib import resources

from ai_engine.ports import Counted, Finished, LanguageModel, Reranker, Token
from ai_engine.stages.confidence import hits_of
from ai_engine.stages.judge_evidence import OUTRIGHT
from ai_engine.stages.rerank import ask_order, read_order, reordered
from events.question import Passage, SearchReply
from runtime.faults import Fault

PROMPT = "rerank-v1"
SECONDS = 4.0  # of a person's waiting
_LONGEST_REPLY = 1_000  # characters: whoever writes more does not order
_FEWEST = 2  # passages that have an order


class ModelReranker:
    """A `Reranker` that is a language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._rules = resources.files("ai_engine").joinpath(f"prompts/{PROMPT}.md").read_text("utf-8")

    @property
    def name(self) -> str:
        """See `Reranker.name`."""
        return f"{self._model.provider}:{self._model.model}"

    async def order(self, question: str, passages: tuple[Passage, ...], counted: Counted) -> tuple[int, ...]:
        """See `Reranker.order`."""
        prompt = ask_order(question, passages, rules=self._rules, name=PROMPT, boundary=secrets.token_hex(8))
        text = ""
        async for item in counted(self._model).stream(prompt):
            if isinstance(item, Finished):
                return read_order(text, len(passages))
            text += item.text if isinstance(item, Token) else ""
            if len(text) > _LONGEST_REPLY:
                break
        return ()


class Reranking:
    """Asks a `Reranker`, if there is one."""

    def __init__(self, reranker: Reranker | None = None, seconds: float = SECONDS) -> None:
        self._reranker = reranker
        self._seconds = seconds

    @property
    def name(self) -> str:
        """By whom and how it is ordered; empty where it is not."""
        return f"{PROMPT} {self._reranker.name}" if self._reranker is not None else ""

    async def __call__(self, question: str, found: SearchReply, counted: Counted) -> SearchReply:
        """The reply in the new order. As it was where there is none in time: the plan says why."""
        hits = hits_of(found.passages)
        outright = any(step.found for step in found.plan if step.retriever in OUTRIGHT)
        if self._reranker is None or outright or len(hits) < _FEWEST:
            return found
        try:
            async with asyncio.timeout(self._seconds):
                places = await self._reranker.order(question, hits, counted)
        except (Fault, TimeoutError) as fault:
            code = fault.code if isinstance(fault, Fault) else "deadline"
            return reordered(found, (), f"{self._reranker.name}, {code}")
        why = "" if places else ", no_order"
        return reordered(found, places, f"{self._reranker.name}{why}")
