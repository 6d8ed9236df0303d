"""An embedder behind HTTP: what every provider's has in common. Implements `Embedder`.

A call is one request. What a reply must be like is checked here; retries, which wait as long as the provider asks, and
the deadline over all of them are here, and nowhere else; a longer wait is in the fault. Nothing
that looks like a secret leaves the machine.
"""

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag_manager.ports import InputRefused, Spent, always, uncounted
from runtime.faults import Fault, Permanent, Transient
from runtime.metrics import model_dollars, model_seconds, model_tokens
from runtime.redaction import redact
from runtime.retry_after import seconds_of
from runtime.tasks import end_tasks

CHARACTERS_PER_TOKEN = 2  # at the least, of code: what is counted by it never comes out too small for a provider
_OPERATION = "embeddings"  # the name of the GenAI conventions
_BACK_OFF, _LONGEST_BACK_OFF = 0.5, 20.0  # seconds before the second attempt, and before any
_LOOK = 0.1  # seconds between two looks at whether somebody waits still
_LEAST = 1e-6  # length of a vector that points somewhere
_MILLION = 1_000_000

Done = TypeVar("Done")


@dataclass(frozen=True)
class Model:
    """Which model, and what its vectors are like. `resized`: the provider is told the dimension.

    `revision` tells models apart that a server gives the same name.
    """

    provider: str
    model: str
    dimension: int
    resized: bool = False
    revision: str = ""

    @property
    def name(self) -> str:
        """The identity of its vectors, which are always of length 1."""
        return f"{self.provider}:{self.model}@{self.dimension}" + (f"#{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class Bounds:
    """Of one request (texts, tokens in all, tokens of one text), and seconds for all its attempts.

    `question` is for a question, which is asked once: somebody waits. `price` is dollars for a million tokens.
    """

    texts: int = 128
    tokens: int = 100_000
    text_tokens: int = 8_000
    deadline: float = 120.0
    question: float = 1.5
    price: float = 0.0


@dataclass(frozen=True)
class Reply:
    """What a provider sent: vectors by the place of their text, and the tokens it counted."""

    vectors: Mapping[int, Sequence[float]]
    tokens: int


class Wire(Protocol):
    """Speaks one provider's protocol. No retries."""

    async def ask(self, texts: Sequence[str], *, question: bool) -> Reply:
        """Send one request. Raises InputRefused, Transient or Permanent."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class RemoteEmbedder:
    """See `ports.Embedder`. Requests run on an event loop in a thread of their own, so that a deadline ends them."""

    def __init__(
        self, model: Model, wire: Wire, bounds: Bounds, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.name = model.name
        self.dimension = model.dimension
        self.max_batch = bounds.texts
        self.max_characters = bounds.tokens * CHARACTERS_PER_TOKEN
        self._model = model
        self._wire = wire
        self._bounds = bounds
        self._sleep = sleep
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._closed = False

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        """See `ports.Embedder`. A text is cut after `text_tokens`; an empty one is sent as a blank."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        longest = self._bounds.text_tokens * CHARACTERS_PER_TOKEN
        sent = [redact(text)[:longest] or " " for text in texts]
        return self._on_loop(self._patiently(sent, spent, question=question), go_on)

    def close(self) -> None:
        """End what is under way, which fails as Transient, and close its connections. Nothing is asked of it later."""
        with self._lock:
            loop, self._loop, self._closed = self._loop, None, True
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    async def _end(self) -> None:
        await end_tasks(asyncio.all_tasks() - {asyncio.current_task()})
        await self._wire.close()

    async def _patiently(
        self, texts: Sequence[str], spent: Callable[[Spent], None], *, question: bool
    ) -> NDArray[np.float32]:
        """Ask until there is an answer, or the deadline. Raises what the last attempt did."""
        end = time.monotonic() + (self._bounds.question if question else self._bounds.deadline)
        attempt = 0
        while True:
            attempt += 1
            try:
                async with asyncio.timeout(max(0.0, end - time.monotonic())):
                    with self._timed():
                        reply = await self._wire.ask(texts, question=question)
                        spent(self._count(reply.tokens))  # whatever it is like
                        return self._matrix(reply, len(texts))
            except TimeoutError as error:
                message = "The embedding provider did not answer in time."
                raise Transient("embedder_unavailable", message) from error
            except Transient as fault:
                pause = _pause(attempt, fault.retry_after)
                if question or time.monotonic() + pause >= end:
                    raise
            await self._sleep(pause)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began, error = time.perf_counter(), "cancelled"
        try:
            yield
            error = ""
        except Fault as fault:
            error = fault.code
            raise
        except InputRefused as refused:
            error = refused.code
            raise
        finally:
            labels = (_OPERATION, self._model.provider, self._model.model, error)
            model_seconds.labels(*labels).observe(time.perf_counter() - began)

    def _count(self, tokens: int) -> Spent:
        labels = (_OPERATION, self._model.provider, self._model.model)
        model_tokens.labels(*labels, "input").observe(tokens)
        if not self._bounds.price:
            return Spent(tokens)
        dollars = self._bounds.price * tokens / _MILLION
        model_dollars.labels(*labels).inc(dollars)
        return Spent(tokens, dollars)

    def _matrix(self, reply: Reply, count: int) -> NDArray[np.float32]:
        """The reply as rows of length 1. Raises a fault where it is not what was asked for."""
        if reply.vectors.keys() != set(range(count)):
            raise unreadable(f"{len(reply.vectors)} vectors for {count} texts")
        if not all(isinstance(vector, list) for vector in reply.vectors.values()):
            raise unreadable("vectors that are no lists")
        lengths = {len(vector) for vector in reply.vectors.values()}
        if lengths != {self.dimension}:
            said = ", ".join(map(str, sorted(lengths)))
            raise Permanent(
                "embedder_wrong_dimension",
                f"The model's vectors have {said} numbers, not {self.dimension}: set REPOSTREAM_EMBEDDER_DIMENSION.",
            )
        try:
            matrix = np.array([reply.vectors[place] for place in range(count)], np.float64)
        except (TypeError, ValueError) as error:
            raise unreadable("vectors that are no numbers") from error
        norms = np.linalg.norm(matrix, axis=1)
        if not np.isfinite(norms).all() or (norms < _LEAST).any():
            raise InputRefused("embedder_bad_vector")
        return np.asarray(matrix / norms[:, np.newaxis], np.float32)

    def _on_loop(self, work: Coroutine[object, object, Done], go_on: Callable[[], bool]) -> Done:
        with self._lock:
            if self._closed:
                work.close()
                raise _ending()
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="remote-embedder", daemon=True)
                self._thread.start()
            asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        while not wait({asked}, timeout=_LOOK).done:
            if not go_on():
                asked.cancel()  # its connection is closed: a provider that is not listened to stops, and counts no more
        try:
            return asked.result()
        except CancelledError as error:
            raise _ending() from error


def _ending() -> Transient:
    return Transient("embedder_unavailable", "Nobody waits for it any more.")


def unreadable(what: str) -> Transient:
    """The fault for a reply that is not what the protocol says."""
    return Transient("embedder_reply_unreadable", f"The embedding provider sent {what}.")


def unreachable() -> Transient:
    """The fault for a server that cannot be reached, or breaks off."""
    return Transient(
        "embedder_unavailable",
        "The embedding provider cannot be reached: see whether it is up, and whether this machine reaches it.",
    )


def status_fault(status: int, retry_after: str | None, *, now: float) -> Fault | InputRefused:
    """What an HTTP error status means."""
    if status in {401, 402, 403}:
        return Permanent("embedder_key_refused", "The embedding provider refused the key: check the one that is set.")
    if status == 404:
        message = "The embedding provider does not know the model: check REPOSTREAM_EMBEDDER_MODEL and its address."
        return Permanent("embedder_model_unknown", message)
    if status in {408, 409, 425, 429} or status >= 500:
        message = f"The embedding provider answered with status {status}."
        wait = seconds_of(retry_after, now)
        return Transient("embedder_busy" if status == 429 else "embedder_unavailable", message, wait)
    if status in {400, 413, 422}:
        return InputRefused("embedder_input_refused")
    message = f"The embedding provider rejected the request with status {status}: check its address."
    return Permanent("embedder_rejected", message)


def _pause(attempt: int, asked: float | None) -> float:
    own = min(_LONGEST_BACK_OFF, _BACK_OFF * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
    return max(asked or 0.0, own)
