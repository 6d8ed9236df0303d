"""Have a model write an answer, while its reader watches."""

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from redis.asyncio import Redis

from ai_engine.ports import CircuitOpen, Finished, LanguageModel, Token
from ai_engine.stages.build_prompt import Grounded, ToolCall
from ai_engine.stages.check_citations import checked_so_far
from ai_engine.stages.refuse import may_say_not_found
from events.delivery.work import Run
from events.question import PassedOver
from runtime.faults import Fault, Transient
from runtime.live import send_answer_part
from runtime.tasks import end_tasks

Result = TypeVar("Result")
NOBODY = "none"  # the provider and model of what no model wrote
_CALLS = 3  # of one model
_TOGETHER = 0.015  # seconds: words that follow each other faster are told together
_LOOK = 0.1  # seconds between two looks at whether the run is cancelled
# Another model may answer all the same: what is too long for one, or asks what it does not know, is not for each.
_OF_THE_MODEL = frozenset({"model_key_refused", "model_unknown", "model_rejected", "tools_not_offered"})
_MUTE = 1.0  # seconds: a Redis that is down costs each part its retries, and a long answer its deadline
_LONGEST_PAUSE = 20.0  # seconds: a provider that asks for more is told to the person at once


@dataclass(frozen=True)
class Written:
    """An answer as it was written, before its citations were checked; or the tools that the model asks for instead."""

    text: str
    mode: str
    provider: str
    model: str
    prompt: str
    input_tokens: int = 0
    output_tokens: int = 0
    refused: str = ""
    passed_over: tuple[PassedOver, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    cost_usd: float | None = None


async def watched(work: Coroutine[Any, Any, Result], run: Run) -> Result:
    """What `work` gives; cancelled as soon as the run is, also where it is silent."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            run.check()
            await asyncio.wait({task}, timeout=_LOOK)
        return await task
    finally:
        await end_tasks([task])


class Live:
    """Where readers watch. A Redis that is away is asked again a second later."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._mute_until = 0.0

    async def say(self, channel: str, *parts: dict[str, object]) -> bool:
        """Send parts, together; whether they were sent."""
        if parts[0]["type"] == "token" and time.monotonic() < self._mute_until:  # its text goes with the next one
            return False
        sent = await send_answer_part(self._redis, channel, *parts)
        if not sent:
            self._mute_until = time.monotonic() + _MUTE
        return sent

    async def show(self, channel: str, shown: str, wanted: str) -> str:
        """Let the reader see `wanted` after `shown`, or anew where it is no longer its beginning; what is seen now."""
        if not wanted.startswith(shown):
            if not await self.say(channel, {"type": "reset"}):
                return shown
            shown = ""
        if wanted != shown and await self.say(channel, {"type": "token", "text": wanted[len(shown) :]}):
            return wanted
        return shown


class Writer:
    """Writes what a prompt asks for."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def write(self, channel: str, grounded: Grounded, models: Sequence[LanguageModel], run: Run) -> Written:
        """The whole answer of the first model that gives one. Raises Transient and Permanent, as the last one did.

        The provider's call ends with the run: a person who deletes the conversation pays for nothing more.
        """
        passed: list[PassedOver] = []
        for left, model in zip(reversed(range(len(models))), models, strict=True):
            try:
                written = await self._calls(channel, grounded, model, run)
            except Fault as fault:
                if not left or not (isinstance(fault, Transient) or fault.code in _OF_THE_MODEL):
                    raise
                passed.append(PassedOver(model=f"{model.provider}:{model.model}", code=fault.code))
                told = {"type": "status", "step": "passed_over", **passed[-1].model_dump()}
                await self._live.say(channel, {"type": "reset"}, told)
            else:
                return replace(written, passed_over=tuple(passed))
        raise AssertionError("there is a model, and the last one returns or raises")

    async def _calls(self, channel: str, grounded: Grounded, model: LanguageModel, run: Run) -> Written:
        for call in range(1, _CALLS + 1):
            try:
                return await watched(self._stream(channel, grounded, model), run)
            except Transient as fault:
                pause = _pause(fault, call)
                if call == _CALLS or pause > _LONGEST_PAUSE or isinstance(fault, CircuitOpen):
                    raise
                told: dict[str, object] = {"type": "status", "step": "retrying", "code": fault.code}
                await self._live.say(channel, {"type": "reset"}, told)
                await asyncio.sleep(pause)
        raise AssertionError("the last call returns or raises")

    async def _stream(self, channel: str, grounded: Grounded, model: LanguageModel) -> Written:
        text, shown, prompt, told = "", "", grounded.prompt, 0.0
        calls: list[ToolCall] = []
        async for item in model.stream(prompt):
            if isinstance(item, Finished):
                await self._tell(channel, shown, f"{text}\n", grounded)  # nothing more can become of its end
                used = (item.input_tokens, item.output_tokens)
                named = (model.provider, item.model, prompt.name)
                whole = text.encode("utf-8", "replace").decode()  # half of a character can be told, and not be stored
                return Written(whole, "generated", *named, *used, calls=tuple(calls), cost_usd=item.cost_usd)
            if isinstance(item, ToolCall):
                calls.append(item)
                continue
            text += item.text if isinstance(item, Token) else ""
            if time.monotonic() >= told + _TOGETHER:
                shown, told = await self._tell(channel, shown, text, grounded), time.monotonic()
        raise Transient("answer_cut_off", "The model ended its answer in the middle: ask again.")

    async def _tell(self, channel: str, shown: str, text: str, grounded: Grounded) -> str:
        """Let the reader see what can be seen of a text; what is seen now."""
        if may_say_not_found(text):
            return shown
        return await self._live.show(channel, shown, checked_so_far(text, grounded.passages))


def _pause(fault: Transient, call: int) -> float:
    asked = fault.retry_after
    return asked if asked is not None else min(8.0, 0.5 * 2**call) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter
