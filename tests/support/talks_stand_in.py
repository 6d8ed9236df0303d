"""Conversations of the double of the API: begun, asked in, asked again, rated; answers are what a test says."""

import asyncio
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.stand_in_streams import Json, Streams, frame, problem


class Talks(ABC):
    """The conversations, by id, and their questions with their streams and the parts that were sent."""

    def __init__(self) -> None:
        self.conversations: dict[str, Json] = {}
        self.questions: dict[str, tuple[Json, Streams, list[Json]]] = {}

    @abstractmethod
    def _running_loop(self) -> asyncio.AbstractEventLoop: ...

    def talk_routes(self) -> list[Route]:
        """What is asked about conversations and questions."""
        return [
            Route("/api/v1/conversations", self._begin_conversation, methods=["POST"]),
            Route("/api/v1/conversations", self._conversations),
            Route("/api/v1/conversations/{id}", self._conversation),
            Route("/api/v1/conversations/{id}/document", self._document),
            Route("/api/v1/conversations/{id}/questions", self._ask, methods=["POST"]),
            Route("/api/v1/questions/{id}/stream", self._answer_stream),
            Route("/api/v1/questions/{id}/again", self._ask_again, methods=["POST"]),
            Route("/api/v1/questions/{id}/stop", self._stop, methods=["POST"]),
            Route("/api/v1/questions/{id}/rating", self._rate, methods=["POST"]),
        ]

    def part(self, question_id: str, part: Json) -> None:
        """Send one part of an answer."""
        _question, streams, parts = self.questions[question_id]
        streams.send(frame("part", part), keep=lambda: parts.append(part))

    def answered(self, question_id: str, **answer: Any) -> None:
        """Complete a question and say so on its stream."""
        question, _streams, _parts = self.questions[question_id]
        question.update({"state": "answered"} | answer)
        self.part(question_id, {"type": "done", "answer": question})

    async def _conversations(self, request: Request) -> Response:
        wanted = request.query_params["repository_id"]
        found = [c for c in reversed(self.conversations.values()) if c["repository_id"] == wanted]
        words = request.query_params.get("words", "").casefold().split()
        return JSONResponse({"items": [_summary(c) for c in found if _has(c, words)], "next": None})

    async def _begin_conversation(self, request: Request) -> Response:
        return JSONResponse(self._begun((await request.json())["repository_id"]), 201)

    def _begun(self, repository_id: str) -> Json:
        conversation: Json = {"conversation_id": str(uuid4()), "repository_id": repository_id, "title": "Talk"}
        conversation |= {"started_at": datetime.now(UTC).isoformat(), "questions": []}
        self.conversations[conversation["conversation_id"]] = conversation
        return conversation

    def begun_talk(self, repository_id: str) -> str:
        """The id of a conversation that nothing was asked in yet."""
        return str(self._begun(repository_id)["conversation_id"])

    async def _conversation(self, request: Request) -> Response:
        found = self.conversations.get(request.path_params["id"])
        if found is None:
            return problem(404, "conversation_not_found", "There is no such conversation", "Begin a new one.")
        return JSONResponse(found)

    async def _ask(self, request: Request) -> Response:
        body = await request.json()
        asked = self._asked(self.conversations[request.path_params["id"]], body["query"], body.get("model"))
        asked["asked_mode"] = body.get("mode")
        asked["scope"] = body.get("scope")
        return JSONResponse(asked, 202)

    def _asked(self, conversation: Json, query: str, model: str | None) -> Json:
        question: Json = {
            "question_id": str(uuid4()),
            "conversation_id": conversation["conversation_id"],
            "repository_id": conversation["repository_id"],
            "query": query,
            "model": model,
            "state": "asked",
            "asked_at": datetime.now(UTC).isoformat(),
        }
        conversation["questions"].append(question)
        self.questions[question["question_id"]] = (question, Streams(self._running_loop), [])
        return question

    async def _answer_stream(self, request: Request) -> Response:
        _question, streams, parts = self.questions[request.path_params["id"]]
        missed = lambda: [frame("part", part) for part in parts]  # noqa: E731  # a closure
        return StreamingResponse(streams.follow(missed), media_type="text/event-stream")

    async def _ask_again(self, request: Request) -> Response:
        question, _streams, _parts = self.questions[request.path_params["id"]]
        body = await request.json()
        talk = self.conversations[question["conversation_id"]]
        asked = self._asked(talk, body.get("query") or question["query"], body.get("model"))
        asked["again"] = question.get("again") or question["question_id"]
        return JSONResponse(asked, 202)

    async def _stop(self, request: Request) -> Response:
        question, _streams, _parts = self.questions[request.path_params["id"]]
        question |= {"state": "failed", "code": "answer_stopped", "message": "Somebody stopped this answer."}
        return JSONResponse(question)

    async def _rate(self, request: Request) -> Response:
        question, _streams, _parts = self.questions[request.path_params["id"]]
        question["rating"] = (await request.json())["rating"]
        return JSONResponse(question)

    async def _document(self, request: Request) -> Response:
        found = self.conversations[request.path_params["id"]]
        markdown = "\n".join(f"> {question['query']}" for question in found["questions"])
        return JSONResponse({"conversation_id": found["conversation_id"], "markdown": markdown})


def _summary(conversation: Json) -> Json:
    first = [question for question in conversation["questions"] if not question.get("again")]
    asked = first[0]["query"] if first else None
    return conversation | {"questions": len(first), "first_question": asked}


def _has(conversation: Json, words: list[str]) -> bool:
    said = (f"{question['query']} {question.get('answer')}".casefold() for question in conversation["questions"])
    return not words or any(all(word in each for word in words) for each in said)
