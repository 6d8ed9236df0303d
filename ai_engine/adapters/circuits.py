"""Circuits of models, shared by all processes over Redis; by this process alone where Redis is away.

The rules are `stages/circuit.py`. A change is written only where nobody changed the circuit meanwhile, else it is
decided again on what is there: of a hundred callers one becomes the probe.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ai_engine.ports import CircuitOpen, Finished, LanguageModel, Token, Used
from ai_engine.stages import circuit as rules
from ai_engine.stages.build_prompt import Prompt, ToolCall
from ai_engine.stages.circuit import Circuit, State
from runtime.faults import Transient
from runtime.metrics import model_circuit

PREFIX = "circuit"
_KEPT = 3_600  # seconds after the last change
_TRIES = 20  # of a change, each after somebody else's
_PAUSE = 2.0  # seconds without Redis before it is tried again
_LEVELS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
_SWAP = """
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
_log = structlog.get_logger(__name__)
Change = Callable[[Circuit, float], Circuit | None]


class Circuits:
    """The circuits of the models of one installation. Times are of the server's clock."""

    def __init__(self, redis: Redis, *, longest: float = rules.PROBE_SECONDS) -> None:
        """No call takes more than `longest` seconds: then another may be the probe."""
        self._redis = redis
        self._longest = longest
        self._swap = redis.register_script(_SWAP)
        self._alone: dict[str, Circuit] = {}
        self._alone_until = 0.0

    async def admit(self, model: str) -> str | None:
        """The name of a call that may be made now; None where the circuit is open, or somebody else probes."""
        caller = secrets.token_hex(8)
        admitted = await self._change(model, lambda circuit, now: rules.admit(circuit, now, caller, self._longest))
        return caller if admitted is not None else None

    async def succeeded(self, model: str, caller: str) -> None:
        """The call brought an answer."""
        await self._change(model, lambda circuit, _: rules.succeeded(circuit, caller))

    async def failed(self, model: str, caller: str, pause: float | None = None) -> None:
        """The call failed; the provider asked for `pause` seconds of rest, if it did."""
        await self._change(model, lambda circuit, now: rules.failed(circuit, now, caller, pause))

    async def given_up(self, model: str, caller: str) -> None:
        """The call was ended before it could tell anything."""
        await self._change(model, lambda circuit, _: rules.given_up(circuit, caller))

    async def states(self, models: list[str]) -> dict[str, State]:
        """The states of models at this moment."""
        found = {}
        for model in models:
            circuit, now = await self._read(model)
            found[model] = self._shown(model, circuit, now)
        return found

    async def _change(self, model: str, change: Change) -> Circuit | None:
        if time.monotonic() >= self._alone_until:
            try:
                return await self._shared(model, change)
            except RedisError as error:
                _log.warning("circuits are this process's own for now", error=type(error).__name__)
                self._alone_until = time.monotonic() + _PAUSE
        now = time.time()
        changed = change(self._alone.get(model, Circuit()), now)
        if changed is not None:
            self._alone[model] = changed
            self._shown(model, changed, now)
        return changed

    async def _shared(self, model: str, change: Change) -> Circuit | None:
        for _ in range(_TRIES):
            stored, now = await self._stored(model)
            circuit = _read(stored)
            changed = change(circuit, now)
            if changed is None or changed == circuit:
                self._shown(model, circuit, now)
                return changed
            written = json.dumps(asdict(changed))
            if await self._swap(keys=[_key(model)], args=[stored, written, _KEPT]):
                self._shown(model, changed, now)
                return changed
        return None  # twenty others were faster: one of them is the probe

    async def _read(self, model: str) -> tuple[Circuit, float]:
        try:
            stored, now = await self._stored(model)
        except RedisError:
            return self._alone.get(model, Circuit()), time.time()
        return _read(stored), now

    async def _stored(self, model: str) -> tuple[str, float]:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(_key(model))
            pipe.time()
            stored, (seconds, micros) = await pipe.execute()
        return (stored or b"").decode(), seconds + micros / 1e6

    def _shown(self, model: str, circuit: Circuit, now: float) -> State:
        state = rules.state_of(circuit, now)
        model_circuit.labels(model).set(_LEVELS[state])
        return state


class Guarded:
    """A `LanguageModel` that is called only while its circuit lets it be. What is the caller's fault says nothing."""

    def __init__(self, model: LanguageModel, circuits: Circuits) -> None:
        self._inner = model
        self._circuits = circuits
        self.provider = model.provider
        self.model = model.model
        self.price = model.price

    @property
    def most_tokens(self) -> int:
        """The most tokens of one answer; a model may learn another number from its server."""
        return self._inner.most_tokens

    async def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        """See `LanguageModel.stream`. Raises CircuitOpen."""
        name = f"{self.provider}:{self.model}"
        caller = await self._circuits.admit(name)
        if caller is None:
            raise CircuitOpen(name)
        told = False
        try:
            async for item in self._inner.stream(prompt):
                if isinstance(item, Finished):
                    told = True
                    await self._circuits.succeeded(name, caller)
                yield item
        except Transient as fault:
            told = True
            await self._circuits.failed(name, caller, fault.retry_after)
            raise
        finally:
            if not told:
                await self._circuits.given_up(name, caller)


def _key(model: str) -> str:
    return f"{PREFIX}.{model}"


def _read(stored: str) -> Circuit:
    if not stored:
        return Circuit()
    return Circuit(**cast("dict[str, float]", json.loads(stored)))  # type: ignore[arg-type]  # as it was written
