"""What the assistant needs of the world."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from ai_engine.stages.build_prompt import Prompt, ToolCall
from ai_engine.stages.price import Noted, Price
from ai_engine.stages.tell_overview import MOST_LINES
from events.looking import CallersRequest, DefinitionsRequest, Entries, FolderRequest, LinesReply, LinesRequest
from events.question import Passage, QuestionAnswered, Scope, SearchReply, SearchRequest
from runtime.faults import Transient


@dataclass(frozen=True)
class Token:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Used:
    """What a provider said of a call's tokens before its end; `is_all` where nothing will be added."""

    input_tokens: int
    output_tokens: int
    is_all: bool = False


@dataclass(frozen=True)
class Finished:
    """The model said that it is done, in its provider's word. An answer without this was cut off, and is never kept.

    `cost_usd` is None where no price is configured. Tokens are 0 where the provider does not tell them.
    """

    model: str
    input_tokens: int
    output_tokens: int
    reason: str = "stop"
    cost_usd: float | None = None


@dataclass(frozen=True)
class Place:
    """What an answer rests on: one analysis of one tenant, of which searches may be limited to a scope."""

    tenant_id: UUID
    analysis_id: UUID
    scope: Scope | None = None

    def lines(self, path: str, last: int) -> LinesRequest:
        """A request for the first lines of a file."""
        return LinesRequest(tenant_id=self.tenant_id, analysis_id=self.analysis_id, path=path, last_line=last)

    def whole(self, path: str) -> LinesRequest:
        """A request for all lines of a file."""
        return LinesRequest(tenant_id=self.tenant_id, analysis_id=self.analysis_id, path=path)

    def cited(self, at: Passage) -> LinesRequest:
        """A request for the first of the lines that facts cite."""
        last = min(at.last_line, at.first_line + MOST_LINES - 1)
        return self.lines(at.path, last).model_copy(update={"first_line": at.first_line})


class CircuitOpen(Transient):
    """The model failed again and again, and is left alone for a while."""

    def __init__(self, model: str) -> None:
        message = f"{model} failed again and again and is left alone: ask again later."
        super().__init__(code="model_circuit_open", message=message)


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

    @property
    def most_tokens(self) -> int:
        """How many it is let say in one reply, its thoughts included where they count."""
        ...

    @property
    def price(self) -> Price | None:
        """What its tokens cost; None where nobody said."""
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[Token | ToolCall | Used | Finished]:
        """The answer's tokens, the tools that it asks for where the prompt offers any, and `Finished` as the last item.

        Between them what the provider says that this takes, where it does.

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


class Facts(Protocol):
    """What is known of an analysis beside its texts. Another tenant's analysis has nothing."""

    async def definitions(self, request: DefinitionsRequest) -> Entries:
        """Definitions by the beginning of a name, or of a file. Raises Transient `facts_unavailable`."""
        ...

    async def callers(self, request: CallersRequest) -> Entries:
        """Who calls a definition. Raises as `definitions`."""
        ...

    async def folder(self, request: FolderRequest) -> Entries:
        """What is right below a folder. Raises as `definitions`."""
        ...


@dataclass(frozen=True)
class Found:
    """An answer that was given before, and when."""

    answer: QuestionAnswered
    at: datetime


Counted = Callable[[LanguageModel], LanguageModel]  # the same model, whose calls are counted for one question


class Reranker(Protocol):
    """Orders passages by how well they answer a question."""

    @property
    def name(self) -> str:
        """Which model it is: another one is another order."""
        ...

    async def order(self, question: str, passages: tuple[Passage, ...], counted: Counted) -> tuple[int, ...]:
        """The places (from 0) of those that help, the most helpful first; none where it cannot tell.

        A language model that it asks is `counted`. Raises runtime.faults.Transient and Permanent.
        """
        ...


class Earlier(Protocol):
    """Answers that were given before."""

    async def find(self, tenant_id: UUID, generation_id: UUID, fingerprint: str) -> Found | None:
        """The newest that somebody of the tenant was given for the same, and may still be read.

        None also where it was rated down, stopped or asked for again, and where it cannot be looked for.
        """
        ...


class Notes(Protocol):
    """What workers took that is in no event yet. Raises nothing: where none can be kept, what dies with one is lost."""

    async def keep(self, tenant_id: UUID, question_id: UUID, noted: Noted) -> None:
        """Keep the newest note of a question."""
        ...

    async def find(self, tenant_id: UUID, question_id: UUID) -> Noted | None:
        """The newest note; None where no worker made one."""
        ...


class Turn(Enum):
    """Whose turn it is: one's own, somebody else's, or nobody's, for the answer is written and about to be recorded."""

    OWN = "own"
    OF_ANOTHER = "of another"
    OVER = "over"


class Turns(Protocol):
    """Who of those that ask the same asks a model. Raises nothing: where it cannot be told, everybody does.

    Only the question whose turn it is can pass it on.
    """

    async def take(self, tenant_id: UUID, fingerprint: str, question_id: UUID, seconds: float) -> Turn:
        """Take the turn for `seconds` if nobody has it; whose it is then."""
        ...

    async def give_back(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """Let the next one ask at once: there is no answer."""
        ...

    async def end(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """Let the next one ask as soon as the answer must have been recorded."""
        ...

    async def open(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        """Let everybody ask, side by side, for a while: answers come that are nobody else's."""
        ...
