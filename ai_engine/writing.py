"""Have a model write an answer, while its reader watches."""

import asyncio
import random
import time
from dataclasses import dataclass

from redis.asyncio import Redis

from ai_engine.ports import Finished, LanguageModel, ModelBusy
from ai_engine.stages.build_prompt import Grounded
from ai_engine.stages.check_citations import checked_so_far
from ai_engine.stages.refuse import may_say_not_found
from events.delivery.work import Run
from runtime.faults import Transient
from runtime.live import send_answer_part

_CALLS = 3
_MUTE = 1.0  # seconds: a Redis that is down costs each part its retries, and a long answer its deadline
_LONGEST_PAUSE = 20.0  # seconds: a provider that asks for more is told to the person at once


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
    refused: str = ""


class Live:
    """Where readers watch. A Redis that is away is asked again a second later."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._mute_until = 0.0

    async def say(self, channel: str, part: dict[str, object]) -> bool:
        """Send one part; whether it was sent."""
        if part["type"] == "token" and time.monotonic() < self._mute_until:  # its text goes with the next one
            return False
        sent = await send_answer_part(self._redis, channel, part)
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

    async def write(self, channel: str, grounded: Grounded, model: LanguageModel, run: Run) -> Written:
        """The whole answer of the model. Raises Transient and Permanent."""
        for call in range(1, _CALLS + 1):
            try:
                return await self._stream(channel, grounded, model, run)
            except Transient as fault:
                pause = _pause(fault, call)
                if call == _CALLS or pause > _LONGEST_PAUSE:
                    raise
                await self._live.say(channel, {"type": "reset"})
                await self._live.say(channel, {"type": "status", "step": "retrying", "code": fault.code})
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
            if may_say_not_found(text):
                continue
            shown = await self._live.show(channel, shown, checked_so_far(text, grounded.passages))
        raise Transient("answer_cut_off", "The model ended its answer in the middle: ask again.")


def _pause(fault: Transient, call: int) -> float:
    asked = fault.retry_after if isinstance(fault, ModelBusy) else None
    return asked if asked is not None else min(8.0, 0.5 * 2**call) * random.uniform(0.5, 1.5)  # noqa: S311  # jitter
