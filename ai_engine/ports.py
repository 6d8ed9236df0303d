"""What the assistant needs of the world."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from ai_engine.stages.build_prompt import Prompt
from events.question import LinesReply, LinesRequest, SearchReply, SearchRequest
from runtime.faults import Transient


@dataclass(frozen=True)
class Token:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The model said that it is done. An answer without this was cut off, and is never kept."""

    model: str
    input_tokens: int
    output_tokens: int


class ModelBusy(Transient):
    """The provider asked to be left alone for a while: `retry_after` seconds, or None where it did not say."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class LanguageModel(Protocol):
    """A model that answers as a stream."""

    @property
    def provider(self) -> str:
        """Who serves it: openai or anthropic (the wire format, also of compatible servers)."""
        ...

    @property
    def model(self) -> str:
        """Its name at the provider."""
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[Token | Finished]:
        """The answer's tokens, and `Finished` as the last item.

        Raises runtime.faults.Transient (try again), or Permanent; never ends without Finished.
        """
        ...


class Retriever(Protocol):
    """Search in one repository, and its lines as stored."""

    async def search(self, request: SearchRequest) -> SearchReply:
        """The passages that match best. Raises Transient or Permanent (`not_indexed_yet`, …)."""
        ...

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        """Those lines of the file at the analysed commit; None where there is no such file."""
        ...
