"""What both providers' adapters share: time limits, and faults in the product's own words."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from ai_engine.stages.build_prompt import Prompt, ToolCall
from runtime.faults import Fault, Permanent, Transient
from runtime.retry_after import seconds_of

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 45.0  # without a byte: a stalled stream, not a slow model
MOST_CALLS = 16  # in one reply
LONGEST_NAME, LONGEST_ARGUMENTS = 200, 20_000  # characters
ENDS = frozenset({"stop", "end_turn", "stop_sequence"})
ENDS_WITH_CALLS = frozenset({"tool_calls", "tool_use", "stop"})  # some servers of OpenAI's format say `stop`

# A broken stream reaches us as any of these: both SDKs let the transport's and the decoder's errors through.
BROKEN_STREAM = (httpx2.HTTPError, json.JSONDecodeError, AssertionError, UnicodeDecodeError)


def count(told: object) -> int:
    """A number of tokens as a provider told it; 0 where that is none."""
    return told if isinstance(told, int) and told > 0 else 0


def timeout() -> httpx2.Timeout:
    """The limits of one call; the answer's total deadline is the caller's."""
    return httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)


class Calls:
    """The tools that a streamed reply asks for, put together from its pieces, by their places in the reply.

    Raises Transient `model_reply_unreadable` where it asks for more, or with more, than anybody would.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._found: dict[tuple[int, int], list[str]] = {}
        self._now: dict[int | None, tuple[int, int]] = {}

    def add(self, place: int | None, call_id: str | None, name: str | None, arguments: str | None) -> None:
        """Take one piece. Some servers tell no places, or one for all: there another id begins another call."""
        key = self._now.get(place, (place or 0, 0))
        begun = self._found.get(key)
        if begun and call_id and begun[0] and call_id != begun[0]:
            key = (key[0], key[1] + 1)
        self._now[place] = key
        found = self._found.setdefault(key, ["", "", ""])
        found[0] = call_id or found[0]
        found[1] += name or ""
        found[2] += arguments or ""
        if len(self._found) > MOST_CALLS or len(found[1]) > LONGEST_NAME or len(found[2]) > LONGEST_ARGUMENTS:
            raise Transient("model_reply_unreadable", f"{self._provider} asked its tools for too much: ask again.")

    def all(self) -> list[ToolCall]:
        """The calls in their order."""
        return [ToolCall(*self._found[key]) for key in sorted(self._found)]


def check_end(provider: str, prompt: Prompt, reason: str | None, calls: list[ToolCall], *, text: bool) -> None:
    """Raise unless the model said that it was done: with an answer, or with tools that it was offered."""
    if reason in ENDS_WITH_CALLS and calls:
        if not prompt.tools or prompt.must_answer:
            raise Permanent("tools_not_offered", f"{provider} asked for tools instead of answering: ask again.")
        return
    if reason not in ENDS or calls or not text:
        raise cut_off(provider, reason)


def cut_off(provider: str, reason: str | None) -> Fault:
    """The fault for a stream that ended without the model saying that it was done."""
    if reason in {"length", "max_tokens", "model_context_window_exceeded"}:
        return Permanent("answer_too_long", f"{provider} stopped at its length limit: ask for less at once.")
    if reason in {"content_filter", "refusal"}:
        return Permanent("answer_refused", f"{provider} declined to answer this question.")
    return Transient("answer_cut_off", f"{provider} ended its answer in the middle: ask again.")


def silent(provider: str) -> Fault:
    """The fault for a provider of which nothing is heard any more."""
    return Transient("model_silent", f"{provider} sent nothing for {SILENCE_SECONDS:g} seconds: ask again.")


def status_fault(provider: str, status: int, retry_after: str | None, *, now: float) -> Fault:
    """The fault for an HTTP error status."""
    if status in {401, 403}:
        return Permanent("model_key_refused", f"{provider} refused the key: check the one that is configured.")
    if status == 404:
        return Permanent("model_unknown", f"{provider} does not know this model: check REPOSTREAM_AI_MODELS.")
    if status in {408, 409, 429} or status >= 500:
        code = "model_rate_limited" if status == 429 else "model_unavailable"
        message = f"{provider} answered with status {status}: try again later."
        return Transient(code, message, seconds_of(retry_after, now))
    if status < 400:  # an error event inside a stream that began well
        return Transient("model_error", f"{provider} reported an error while answering: ask again.")
    return Permanent("model_rejected", f"{provider} rejected the request with status {status}.")


@asynccontextmanager
async def broken_streams(provider: str) -> AsyncIterator[None]:
    """Turn what a broken connection or a nonsense reply raises into a Transient fault."""
    try:
        yield
    except httpx2.ReadTimeout as error:
        raise silent(provider) from error
    except BROKEN_STREAM as error:
        message = f"{provider} sent a reply that could not be read ({type(error).__name__}): ask again."
        raise Transient("model_reply_unreadable", message) from error
