"""Whether what a request wrote may stand, although it ended without an answer that says so.

A commit whose answer is lost, or that was cut off, may have been done: nobody may tell the client that it was not.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

_WRITES = re.compile(r"\s*(?!SELECT\b|SET\b|SHOW\b)|.*\bes\.append\(", re.DOTALL)
_WROTE = "repostream_wrote"


@dataclass
class Done:
    """What one request did. `may_stand` from the moment on that a commit of something it wrote begins."""

    may_stand: bool = False


_current: ContextVar[Done | None] = ContextVar("repostream_done", default=None)


def follow() -> Done:
    """What this task, and whatever it starts, does from now on to the databases that are watched."""
    done = Done()
    _current.set(done)
    return done


def watch_commits(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, which tells of commits to whom `follow` was called for."""
    event.listen(engine.sync_engine, "begin", _on_begin)
    event.listen(engine.sync_engine, "before_cursor_execute", _on_statement)
    event.listen(engine.sync_engine, "commit", _on_commit)
    return engine


def _on_begin(connection: Connection) -> None:
    connection.info.pop(_WROTE, None)


def _on_statement(connection: Connection, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401  # the driver's
    if _WRITES.match(statement):
        connection.info[_WROTE] = True


def _on_commit(connection: Connection) -> None:
    done = _current.get()
    if done is not None and connection.info.pop(_WROTE, False):
        done.may_stand = True
