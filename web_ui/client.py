"""The API, typed: one method a request. Every error is an `ApiError` that carries a `Problem` fit to be shown."""

from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from web_ui.shapes import (
    Analysis,
    AnalysisPage,
    Config,
    Conversation,
    ConversationPage,
    EventPage,
    FilePage,
    Lines,
    Problem,
    Question,
)

T = TypeVar("T")

_UNREACHABLE = Problem(
    title="The analysis service does not answer",
    detail="It may be starting: try again in a few seconds.",
    code="orchestrator_unreachable",
    status=502,
)


class ApiError(Exception):
    """A request that did not succeed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


class Client:
    """One connection pool to the orchestrator, shared by all sessions of this process."""

    def __init__(self, orchestrator_url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=f"{orchestrator_url.rstrip('/')}/api/v1",
            timeout=httpx.Timeout(15.0, connect=3.0),
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )

    def analyse(self, url: str, ref: str | None) -> Analysis:
        """Ask for an analysis of `url` at `ref`."""
        return self._ask(Analysis, "POST", "/analyses", json={"url": url, "ref": ref})

    def analysis(self, analysis_id: str) -> Analysis:
        """One analysis as it is now."""
        return self._ask(Analysis, "GET", f"/analyses/{_part(analysis_id)}")

    def cancel(self, analysis_id: str) -> None:
        """Ask for an analysis to stop."""
        self._send("POST", f"/analyses/{_part(analysis_id)}/cancel")

    def retry(self, analysis_id: str) -> None:
        """Ask for a failed analysis to go on from what failed."""
        self._send("POST", f"/analyses/{_part(analysis_id)}/retry")

    def recent(self, limit: int = 30) -> tuple[Analysis, ...]:
        """The newest analyses of whoever is signed in, the newest first."""
        return self._ask(AnalysisPage, "GET", "/analyses", params={"limit": limit}).items

    def skipped(self, analysis_id: str, cursor: str | None = None, limit: int = 100) -> FilePage:
        """The files that were left out or failed, with their reasons."""
        return self._ask(
            FilePage, "GET", f"/analyses/{_part(analysis_id)}/skipped", params=_known(cursor=cursor, limit=limit)
        )

    def files(self, analysis_id: str, reason: str, cursor: str | None = None, limit: int = 100) -> FilePage:
        """The files of which `reason` is said: why they were left out, failed or were not parsed as a whole."""
        params = _known(reason=reason, cursor=cursor, limit=limit)
        return self._ask(FilePage, "GET", f"/analyses/{_part(analysis_id)}/files", params=params)

    def lines(self, analysis_id: str, path: str, first: int, last: int) -> Lines:
        """Lines of one file as they were analysed."""
        return self._ask(
            Lines,
            "GET",
            f"/analyses/{_part(analysis_id)}/lines",
            params={"path": path, "first_line": first, "last_line": last},
        )

    def events(self, analysis_id: str, after: int | None = None, limit: int = 500) -> EventPage:
        """The events of an analysis in their order."""
        known = _known(stream_id=f"analysis/{analysis_id}", after=after, limit=limit)
        return self._ask(EventPage, "GET", "/events", params=known)

    def begin_conversation(self, repository_id: str) -> Conversation:
        """Begin to talk about a repository."""
        return self._ask(Conversation, "POST", "/conversations", json={"repository_id": repository_id})

    def conversation(self, conversation_id: str) -> Conversation:
        """A conversation with its questions."""
        return self._ask(Conversation, "GET", f"/conversations/{_part(conversation_id)}")

    def conversations(self, repository_id: str, limit: int = 20) -> tuple[Conversation, ...]:
        """The conversations about a repository, the newest first, without their questions."""
        params: dict[str, str | int] = {"repository_id": repository_id, "limit": limit}
        return self._ask(ConversationPage, "GET", "/conversations", params=params).items

    def models(self) -> tuple[str, ...]:
        """The configured language models, the default first; none means extractive answers."""
        return self._ask(Config, "GET", "/config").models

    def ask(self, conversation_id: str, query: str, model: str | None = None) -> Question:
        """Ask; the answer comes over the question's stream."""
        path = f"/conversations/{_part(conversation_id)}/questions"
        return self._ask(Question, "POST", path, json={"query": query, "model": model})

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _ask(
        self, shape: type[T], method: str, path: str, *, params: dict[str, str | int] | None = None, json: object = None
    ) -> T:
        reply = self._send(method, path, params=params, json=json)
        try:
            return TypeAdapter(shape).validate_json(reply.content)
        except ValidationError as error:
            raise ApiError(_not_understood(reply.status_code)) from error

    def _send(
        self, method: str, path: str, *, params: dict[str, str | int] | None = None, json: object = None
    ) -> httpx.Response:
        try:
            reply = self._http.request(method, path, params=params, json=json)
        except httpx.HTTPError as error:
            raise ApiError(_UNREACHABLE) from error
        if not reply.is_success:
            raise ApiError(read_problem(reply))
        return reply


def read_problem(reply: httpx.Response) -> Problem:
    """The problem that an unsuccessful reply describes, or one that says how it answered instead."""
    try:
        return Problem.model_validate_json(reply.content)
    except ValidationError:
        return _not_understood(reply.status_code)


def _not_understood(status: int) -> Problem:
    return Problem(
        title="The analysis service gave an answer that this page does not understand",
        detail=f"It answered with HTTP status {status}.",
        code="unexpected_reply",
        status=status,
    )


def _part(text: str) -> str:
    return quote(text, safe="")


def _known(**params: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in params.items() if value is not None}
