"""Whoever asks while the database goes away is told to come back, whatever the driver calls it."""

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import ProgrammingError

from orchestrator.api.problems import register


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (asyncpg.InternalClientError("another operation (2) is in progress"), 503, "database_unavailable"),
        (asyncpg.InterfaceError("connection is closed"), 503, "database_unavailable"),
        (ConnectionRefusedError(111, "Connection refused"), 503, "database_unavailable"),
        (ProgrammingError("SELECT wrong", {}, Exception()), 500, "internal_error"),
    ],
)
async def test_a_database_that_is_away_is_told_and_what_was_asked_wrongly_is_our_fault(
    error: Exception, status: int, code: str
) -> None:
    app = FastAPI()
    register(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        reply = await client.get("/")

    assert (reply.status_code, reply.json()["code"]) == (status, code)
