"""The sandbox in which a stage runs again: it reads what was recorded, and what it makes stays inside.

Its results are rows of the schema `sandbox`. Effects answer out of the record, or refuse: nothing is asked of a host
or of a model of somebody else's, nobody hears of it, and no live blob, row, stream or collection is written.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self
from uuid import UUID

import structlog
from obstore.store import MemoryStore
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactKind
from events.base import Draft, Envelope
from events.delivery.work import Append, LongHandler, Result
from events.log.drafts import record
from events.log.keyring import payloads
from events.processing import StageCompleted
from events.question import QuestionAnswered
from events.replay.made import read_key
from runtime.faults import Cancelled, Fault, Permanent, Transient
from runtime.objects import Objects

_log = structlog.get_logger(__name__)

ANSWER = "answer"  # the stage of a run that answers a recorded question again
MOST_BYTES = 500_000_000  # of an artifact: the database takes a gigabyte, and whoever writes one has it in memory twice
TRIES = 3  # of a run; then it is left alone, for it ends its workers
_POLL = 1.0  # seconds between two looks at what was asked for
_HELD = 60.0  # seconds for which a worker has a run, unless it says that it is still at work
_BEAT = 15.0  # seconds between saying so
_CLAIM = text("""
UPDATE sandbox.runs r SET tries = r.tries + 1, held_until = clock_timestamp() + make_interval(secs => :held)
FROM (
  SELECT shadow_id, shard FROM sandbox.runs
  WHERE state = 'asked' AND stage = ANY (:stages) AND tries < :most
    AND (held_until IS NULL OR held_until < clock_timestamp())
  ORDER BY shadow_id, shard FOR UPDATE SKIP LOCKED LIMIT 1
) next WHERE (r.shadow_id, r.shard) = (next.shadow_id, next.shard)
RETURNING r.shadow_id, r.shard, r.tenant_id, r.stage, r.tries, r.request::text AS request
""")
_MINE = "shadow_id = :shadow AND shard = :shard AND tries = :tries AND state = 'asked'"
_KEEP = text(f"UPDATE sandbox.runs SET held_until = clock_timestamp() + make_interval(secs => :held) WHERE {_MINE}")  # noqa: S608  # our own names
_END = text(f"""
UPDATE sandbox.runs SET state = :state, code = :code, message = :message, result = CAST(:result AS jsonb) WHERE {_MINE}
RETURNING shard
""")  # noqa: S608  # the same
_ARTIFACT = text("""
INSERT INTO sandbox.artifacts (shadow_id, shard, kind, tenant_id, sha256, content)
VALUES (:shadow, :shard, :kind, :tenant, :sha256, :content)
""")


_MADE = text("""
SELECT content FROM sandbox.artifacts
WHERE shadow_id = :shadow AND shard = :shard AND kind = :kind AND tenant_id = :tenant
""")


def not_recorded(what: str) -> Permanent:
    """The refusal of an effect that the record has no answer for."""
    return Permanent("effect_not_recorded", f"{what} is not in the record, and a sandbox asks nobody for it.")


class SandboxObjects(Objects):
    """A store that reads what was recorded, and keeps what is put in memory. Nothing is entered in any books.

    With an `engine` it also has what other shadows of the tenant made, by `made_key`.
    """

    def __init__(self, recorded: Objects | None, tenant: UUID, engine: AsyncEngine | None = None) -> None:
        """`recorded` is only read; None for a service that has no store."""
        super().__init__(MemoryStore(), tenant=tenant)
        self._recorded = recorded
        self._tenant_id = tenant
        self._engine = engine

    def of(self, tenant: UUID, owner: UUID | None) -> Self:  # nobody owns what is in here
        """The same one: a sandbox is of one tenant."""
        return self

    async def get(self, key: str, sha256: str | None = None) -> bytes:
        """What was put in here, else what was recorded. Raises as `Objects.get`."""
        if (made := read_key(key)) is not None and self._engine is not None:
            return await self._made(self._engine, *made)
        try:
            return await super().get(key, sha256)
        except Permanent as fault:
            if fault.code != "artifact_missing" or self._recorded is None:
                raise
        return await self._recorded.get(key, sha256)

    async def _made(self, engine: AsyncEngine, shadow: UUID, shard: int, kind: ArtifactKind) -> bytes:
        values = {"shadow": shadow, "shard": shard, "kind": kind.value, "tenant": self._tenant_id}
        async with engine.connect() as connection:
            content = await connection.scalar(_MADE, values)
        if content is None:
            raise Permanent("artifact_missing", "What this shadow was made of was dropped: make a new one.")
        return bytes(content)

    async def take_over_all(self, blobs: Mapping[str, str]) -> set[str]:  # as of the real one
        """None: what is to be seen is what the present code makes."""
        return set()


class Nobody(Redis):
    """A Redis that is never there: who ticks into it is not heard, and goes on."""

    def pipeline(self, *_arguments: Any, **_options: Any) -> NoReturn:  # noqa: ANN401  # as of the real one
        """Raises RedisError."""
        raise RedisError("a sandbox tells nobody")

    async def execute_command(self, *_arguments: Any, **_options: Any) -> NoReturn:  # noqa: ANN401  # the same
        """Raises RedisError."""
        raise RedisError("a sandbox tells nobody")


class Alone:
    """`events.delivery.work.Run` of a run that nobody leased: nothing is recorded on the way."""

    token = 0

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.cancelled = False

    def check(self) -> None:
        """As `Run.check`."""
        if self.cancelled:
            raise Cancelled

    async def record(self, append: Append) -> None:  # as of the real one
        """Nothing: what would be appended is seen in the result."""

    async def recorded(self, envelope: Envelope) -> list[Envelope]:  # the same
        """Nothing."""
        return []


MakeHandler = Callable[[SandboxObjects], LongHandler]


class ShadowWorker:
    """Does the runs that shadows asked for of the stages that a service has, one after the other.

    `handlers` make a stage's handler over a sandbox, `ended` is called after each run. A worker that dies is followed
    by another after a minute.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        recorded: Objects | None,
        handlers: Mapping[str, MakeHandler],
        worker: str,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._recorded = recorded
        self._handlers = handlers
        self._worker = worker
        self._ended = ended

    async def run(self) -> None:
        """Do what was asked for, for ever."""
        while True:
            try:
                done = await self.do_next()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("shadow_faulted", error=repr(error)[:300])
                done = False
            if not done:
                await asyncio.sleep(_POLL)

    async def do_next(self) -> bool:
        """Do the next run that waits; whether there was one."""
        values = {"held": _HELD, "most": TRIES, "stages": [str(stage) for stage in self._handlers]}
        async with self._engine.begin() as connection:
            claimed = (await connection.execute(_CLAIM, values)).first()
        if claimed is None:
            return False
        objects, alone = SandboxObjects(self._recorded, claimed.tenant_id, self._engine), Alone(self._worker)
        handler = self._handlers[claimed.stage](objects)
        beating = asyncio.create_task(self._beat(claimed))
        try:
            result = await handler(Envelope.model_validate_json(claimed.request), alone)
            await self._keep(claimed, result, objects)
        except Transient as fault:
            if claimed.tries == TRIES:
                await self._fail(claimed, fault.code, fault.message)
        except Fault as fault:
            await self._fail(claimed, fault.code, fault.message)
        except (SQLAlchemyError, OSError):
            raise  # it is done again, once nobody holds it
        except Exception as error:  # noqa: BLE001  # what the present code cannot do is what a shadow is to show
            _log.warning("shadow_run_failed", stage=claimed.stage, error=repr(error)[:500])
            await self._fail(
                claimed, "internal_error", "The stage failed by a fault of its own: see the service's log."
            )
        finally:
            alone.cancelled = True
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        self._ended()
        return True

    async def _keep(self, claimed: Row[Any], result: Result, objects: SandboxObjects) -> None:
        stream, draft = end_of(result)
        artifacts = draft.event.artifacts if isinstance(draft.event, StageCompleted) else ()
        if any(ref.bytes > MOST_BYTES for ref in artifacts):
            message = f"What the stage made has more than {MOST_BYTES:,} bytes in one piece, which no shadow keeps."
            raise Permanent("shadow_too_large", message)
        contents = [(ref, await objects.get(ref.key, ref.sha256)) for ref in artifacts]
        async with self._engine.begin() as connection:
            ended = _mine(claimed) | {"state": "done", "code": None, "message": None}
            told = await _told(connection, stream, draft)
            if (await connection.execute(_END, ended | {"result": told})).first() is None:
                return  # another has it by now, or nobody wants it any more
            for ref, content in contents:
                row = {"kind": ref.kind.value, "tenant": claimed.tenant_id, "sha256": ref.sha256, "content": content}
                await connection.execute(_ARTIFACT, {"shadow": claimed.shadow_id, "shard": claimed.shard, **row})

    async def _fail(self, claimed: Row[Any], code: str, message: str) -> None:
        values = _mine(claimed) | {"state": "failed", "code": code, "message": message, "result": json.dumps(None)}
        async with self._engine.begin() as connection:
            await connection.execute(_END, values)

    async def _beat(self, claimed: Row[Any]) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(_KEEP, _mine(claimed) | {"held": _HELD})
            except (SQLAlchemyError, OSError):
                continue


def _mine(claimed: Row[Any]) -> dict[str, object]:
    return {"shadow": claimed.shadow_id, "shard": claimed.shard, "tries": claimed.tries}


def end_of(result: Result) -> tuple[str, Draft]:
    """What a run said of its end, and the stream that is about. Raises LookupError where it said nothing of it."""
    drafts = [(append.stream_id, draft) for append in result.appends for draft in append.drafts]
    ends = (each for each in reversed(drafts) if isinstance(each[1].event, StageCompleted | QuestionAnswered))
    found = next(ends, None)
    if found is None:
        raise LookupError("the run did not say how it ended")
    return found


async def _told(connection: AsyncConnection, stream: str, draft: Draft) -> str:
    """The result as JSON: of a stage what was completed; an answer whole, and sealed as it would be in the log."""
    if isinstance(draft.event, StageCompleted):
        return draft.event.model_dump_json()
    [payload] = await payloads(connection, [draft])
    return record(draft, stream, 0).model_copy(update={"data": json.loads(payload)}).model_dump_json()
