"""Accept a request: one transaction finds what is already running, or appends the events of a new analysis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import chain, count
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import Context, Draft, Envelope, Event, derived_id
from events.log.postgres import append_in, read_stream_in
from events.log.wake import Wake
from events.processing import ProcessingRequested
from events.repository import RepositoryRegistered
from orchestrator.adapters.deletion import is_deleted
from orchestrator.adapters.repository_credentials import Credential, keep_once, newest_for
from orchestrator.adapters.uploads import Upload, use_in
from orchestrator.adapters.usage import Usage
from orchestrator.api.intake import Wanted
from orchestrator.api.models import AnalysisView
from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from orchestrator.projections.analyses import AnalysisRecord, fold, is_running, name_of
from orchestrator.projections.stages import view_of
from runtime.tenancy import TenantDatabase

_HOLD = text("SELECT FROM es.streams WHERE stream_id = :stream FOR UPDATE")
# Whoever deletes the tenant waits until this is committed, and then finds what it began.
_TENANT = text("SELECT deleted_at FROM auth.tenants WHERE tenant_id = :tenant FOR KEY SHARE")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
_NEWEST = text("SELECT analysis_id FROM app.intake WHERE repository_id = :repository AND ref = :ref")
_KEEP = text("""
INSERT INTO app.intake (tenant_id, repository_id, ref, analysis_id) VALUES (:tenant, :repository, :ref, :analysis)
ON CONFLICT (repository_id, ref) DO UPDATE SET analysis_id = excluded.analysis_id
""")
# The name of a folder of it goes on with that; folders are not alike where only their letters' case differs.
_SPELT = text("""
SELECT repository_id FROM app.repositories
WHERE tenant_id = :tenant AND deleted_at IS NULL AND lower(url) = :same AND substr(name, :after) = :folder
ORDER BY url = :url DESC, registered_at
""")

_REGISTERED = text("SELECT 1 FROM es.streams WHERE stream_id = :stream AND version > 0")


@dataclass(frozen=True)
class Accepted:
    """The analysis that answers the request; `joined` where another request had begun it and it runs still."""

    view: AnalysisView
    joined: bool


def repository_id_of(tenant_id: UUID, url: str, deletions: int = 0, *, folder: str = "") -> UUID:
    """The id of a tenant's repository: the same address and folder, the same repository, until it is deleted."""
    what = f"{url}#{folder}" if folder else url  # an address has no fragment
    return derived_id("repository", tenant_id, what, *([deletions] if deletions else []))


class Intake:
    """Accepts analyses."""

    def __init__(self, database: TenantDatabase, wake: Wake, usage: Usage) -> None:
        self._database = database
        self._wake = wake
        self._usage = usage
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def accept(  # noqa: PLR0913  # what is asked for, by whom, and what goes with it
        self,
        who: Identity,
        wanted: Wanted,
        *,
        credential: Credential | None,
        correlation_id: UUID,
        at: datetime,
        upload: Upload | None = None,
        before: Callable[[AsyncConnection], Awaitable[None]] | None = None,
        after: UUID | None = None,
    ) -> Accepted:
        """Begin an analysis, or find the one that this request means. Committed when it returns.

        A request that names what to read the repository with joins no analysis that reads it with something else.

        An `upload` is what is read instead of a host's repository. `before` is done in the same transaction, first.
        `after` is the analysis that is asked for anew: its request is told as the cause of this one.

        Raises ApiProblem `quota_reached` and `quota_full` where the tenant has as much as it may have, `upload_gone`.
        """
        same = f"intake {who.tenant_id} {wanted.repository.identity}#{wanted.folder} {wanted.ref or ''}"
        turn = self._turns.setdefault(same, asyncio.Lock())  # so that a crowd does not wait with a connection each
        async with turn, self._database.of(who.tenant_id) as connection:
            if (await connection.execute(_TENANT, {"tenant": who.tenant_id})).scalar_one_or_none() is not None:
                raise ApiProblem("not_signed_in", "The team was deleted: sign in again.")
            if before is not None:
                await before(connection)
            await connection.execute(_LOCK, {"what": same})
            context = Context(
                tenant_id=who.tenant_id,
                correlation_id=correlation_id,
                repository_id=await present_id_in(connection, who, wanted),
                user_id=who.user_id,
            )
            record = await _running(connection, context.repository_id, wanted, credential)
            joined = record is not None
            if record is None:
                async with self._usage.counted(connection, who, context.repository_id, at):
                    read_by = credential if upload is None else upload
                    cause = request_id_of(after) if after is not None else None
                    own = context.model_copy(update={"causation_id": cause})
                    record = await _begin(connection, who, wanted, read_by, own, at)
        if not joined:
            self._wake.appended()
        return Accepted(view_of(record), joined)

    async def present_id(self, who: Identity, wanted: Wanted) -> UUID:
        """The id of the repository as it is now, whether anything is known of it or not."""
        async with self._database.of(who.tenant_id) as connection:
            return await present_id_in(connection, who, wanted)

    async def go_on(self, who: Identity, analysis_id: UUID, draft: Draft, *, expected: int) -> list[Envelope]:
        """Let an analysis, whose stream is at the version `expected`, run again; the events that were added.

        Raises ApiProblem `quota_reached` where as many run as may, WrongExpectedVersion.
        """
        async with self._database.of(who.tenant_id) as connection:
            added = await append_in(connection, f"analysis/{analysis_id}", [draft], expected=expected)
            await self._usage.check_running(connection, who, draft.occurred_at)
        self._wake.appended()
        return added


def request_id_of(analysis_id: UUID) -> UUID:
    """The id of the event that asked for an analysis."""
    return derived_id("requested", analysis_id)


async def present_id_in(connection: AsyncConnection, who: Identity, wanted: Wanted) -> UUID:
    """The id of the repository as it is now: a new one after each deletion. Nobody deletes it in the meantime.

    One that was registered under another spelling, before these were the same, keeps its id.
    """
    same, folder = wanted.repository.identity, wanted.folder
    derived = (repository_id_of(who.tenant_id, same, deletions, folder=folder) for deletions in count())
    for repository_id in chain(await _spelt_otherwise(connection, who, wanted), derived):
        await connection.execute(_HOLD, {"stream": f"repository/{repository_id}"})
        if not await is_deleted(connection, repository_id):
            return repository_id
    raise AssertionError("there is always another id")


async def _spelt_otherwise(connection: AsyncConnection, who: Identity, wanted: Wanted) -> list[UUID]:
    """What is known already under any spelling of the address: first the very one, then the oldest."""
    repository = wanted.repository
    if not repository.is_caseless:
        return []
    name = name_of(repository.url)
    values = {
        "tenant": who.tenant_id,
        "same": repository.identity,
        "url": repository.url,
        "after": len(name) + 1,
        "folder": name_of(repository.url, wanted.folder).removeprefix(name),
    }
    known = list((await connection.execute(_SPELT, values)).scalars())
    return [*known, *[each async for each in _typed(connection, who, wanted) if each not in known]]


async def _typed(connection: AsyncConnection, who: Identity, wanted: Wanted) -> AsyncIterator[UUID]:
    """What is in the log under this very spelling: the list of repositories may be on its way to be built again."""
    for deletions in count():
        typed = repository_id_of(who.tenant_id, wanted.repository.url, deletions, folder=wanted.folder)
        if (await connection.execute(_REGISTERED, {"stream": f"repository/{typed}"})).first() is None:
            return
        yield typed


async def _running(
    connection: AsyncConnection, repository_id: UUID | None, wanted: Wanted, credential: Credential | None
) -> AnalysisRecord | None:
    """The newest analysis of the same repository, ref and patterns, if work on it goes on and it reads as much history.

    One that was asked for without a commit is the same where it turned out to read the one that is wanted.
    """
    same = await _running_as(connection, repository_id, key_of(wanted), credential, wanted.history)
    if same is not None or wanted.commit is None:
        return same
    other = await _running_as(
        connection, repository_id, key_of(replace(wanted, commit=None)), credential, wanted.history
    )
    return other if other is not None and other.view.commit == wanted.commit else None


def key_of(wanted: Wanted) -> str:
    """What makes two requests for one repository the same. A ref has no blanks."""
    patterns = sha256("\n".join(wanted.include).encode()).hexdigest()[:32] if wanted.include else ""
    parts = (wanted.ref or "", f"at {wanted.commit}" if wanted.commit else "", f"with {patterns}" if patterns else "")
    return " ".join(part for part in parts if part)


async def _running_as(
    connection: AsyncConnection, repository_id: UUID | None, key: str, credential: Credential | None, depth: int
) -> AnalysisRecord | None:
    where = {"repository": repository_id, "ref": key}
    analysis_id = (await connection.execute(_NEWEST, where)).scalar_one_or_none()
    if analysis_id is None:
        return None
    history = await read_stream_in(connection, f"analysis/{analysis_id}")
    if credential is not None and history[0].data.get("credential_ref") != str(credential.ref):
        return None
    record = fold(history)
    is_enough = record is not None and record.view.history_depth >= depth
    return record if record is not None and is_enough and is_running(record) else None


async def _begin(
    connection: AsyncConnection,
    who: Identity,
    wanted: Wanted,
    read_by: Credential | Upload | None,
    context: Context,
    at: datetime,
) -> AnalysisRecord:
    analysis_id, repository, repository_id = uuid4(), wanted.repository, context.repository_id

    def draft(event: Event, event_id: UUID) -> Draft:
        return Draft(event_id=event_id, occurred_at=at, context=context, event=event)

    name = name_of(repository.url, wanted.folder)
    registered = RepositoryRegistered(url=repository.url, host=repository.host, name=name, folder=wanted.folder)
    read_with: UUID | None = None
    if isinstance(read_by, Upload):
        assert repository_id is not None  # noqa: S101  # it was worked out before
        await use_in(connection, who.tenant_id, read_by, repository_id)
    elif read_by is not None:
        await keep_once(connection, who, read_by, analysis_id, at)
        read_with = read_by.ref
    else:
        read_with = await newest_for(connection, who, repository.host, at)
    requested = ProcessingRequested(
        analysis_id=analysis_id,
        url=repository.url,
        ref=wanted.ref,
        folder=wanted.folder,
        commit=wanted.commit,
        include=wanted.include,
        credential_ref=read_with,
        upload=read_by.parts if isinstance(read_by, Upload) else (),
        history_depth=wanted.history,
    )
    await append_in(
        connection, f"repository/{repository_id}", [draft(registered, derived_id("registered", repository_id))]
    )
    history = await append_in(
        connection, f"analysis/{analysis_id}", [draft(requested, request_id_of(analysis_id))], expected=0
    )
    row = {"tenant": who.tenant_id, "repository": repository_id, "ref": key_of(wanted), "analysis": analysis_id}
    await connection.execute(_KEEP, row)
    record = fold(history)
    assert record is not None  # noqa: S101  # it was just begun
    return record
