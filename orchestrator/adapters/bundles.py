"""Analyses and conversations as bundles: handed out as a file, and taken over from one into a tenant of this one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from events.base import Context, Draft, Envelope, Event, derived_id
from events.conversation import ConversationImported
from events.log.postgres import append_in, read_stream_in
from events.log.wake import Wake
from events.processing import ProcessingImported
from events.replay import bundle
from events.replay.bundle import About, Bundle, Limits
from events.replay.bundled import BadBundle, artifacts_of
from events.replay.without_secrets import clean_artifact, clean_history
from events.repository import RepositoryRegistered
from orchestrator.adapters.deletion_of_parts import is_hidden
from orchestrator.adapters.intake import present_id_in
from orchestrator.adapters.usage import Usage
from orchestrator.api.intake import Wanted
from orchestrator.auth.identity import Identity
from orchestrator.projections.analyses import name_of
from orchestrator.workflow.imported import imported
from orchestrator.workflow.imported_conversation import imported_conversation
from runtime.objects import Objects
from runtime.tenancy import TenantDatabase


@dataclass(frozen=True)
class Taken:
    """What a bundle is called here, and whether any of it is new: a bundle is taken over once."""

    repository_id: UUID
    analysis_id: UUID | None
    conversation_id: UUID | None
    is_new: bool = False


class Bundles:
    """`objects` enters what it stores in the books; a file has at most `limit` bytes, unpacked those of `unpacked`."""

    def __init__(  # noqa: PLR0913  # what an import needs
        self,
        database: TenantDatabase,
        objects: Objects,
        usage: Usage,
        wake: Wake,
        clock: Callable[[], datetime],
        *,
        limit: int,
        unpacked: Limits,
    ) -> None:
        self._database = database
        self._objects = objects
        self._usage = usage
        self._wake = wake
        self._clock = clock
        self._unpacked = unpacked
        self.limit = limit

    async def export(
        self, about: About, analysis: Sequence[Envelope] = (), conversation: Sequence[Envelope] = ()
    ) -> IO[bytes]:
        """A file, at its beginning, with the bundle of an analysis, a conversation or both; gone once it is closed."""
        refs: dict[str, ArtifactRef] = {}
        file: IO[bytes] = NamedTemporaryFile()  # noqa: SIM115  # whoever sends it closes it
        try:
            writer = bundle.Writer(file)
            for ref in artifacts_of(analysis):
                content = await self._objects.get(ref.key, ref.sha256)
                refs[ref.sha256], clean = await asyncio.to_thread(clean_artifact, ref, content)
                await asyncio.to_thread(writer.artifact, clean)
            events, talk = clean_history(analysis, refs), clean_history(conversation, {})
            await asyncio.to_thread(writer.close, about, self._clock(), events, talk)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    async def receive(self, pieces: AsyncIterator[bytes], path: Path) -> Bundle:
        """What comes, put into `path` and looked through. Raises BadBundle."""
        received = 0
        with path.open("wb") as file:
            async for piece in pieces:
                received += len(piece)
                if received > self.limit:
                    raise BadBundle("bundle_too_large", f"A bundle may have {self.limit:,} bytes here.")
                await asyncio.to_thread(file.write, piece)
        return await asyncio.to_thread(bundle.read, path, self._unpacked)

    async def take_over(self, who: Identity, wanted: Wanted, taken: Bundle, correlation_id: UUID) -> Taken:
        """Take over what is in a bundle; once it was deleted here, it is taken over anew.

        Raises BadBundle; ApiProblem `quota_reached`, `quota_full`; Permanent where something cannot be stored.
        """
        async with self._database.of(who.tenant_id) as connection:
            found = await _named(connection, who, wanted, taken)
        refs = await self._store(who.tenant_id, found.repository_id, taken)
        context = Context(
            tenant_id=who.tenant_id,
            correlation_id=correlation_id,
            repository_id=found.repository_id,
            user_id=who.user_id,
        )
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._database.of(who.tenant_id))
            if taken.events:
                counted = self._usage.counted(connection, who, found.repository_id, self._clock())
                await stack.enter_async_context(counted)
            await self._register(connection, wanted, context)
            is_new = await self._append(connection, taken, found, context, refs)
            is_new = await self._append_talk(connection, taken, found, context) or is_new
        self._wake.appended()
        return replace(found, is_new=is_new)

    async def _store(self, tenant: UUID, repository: UUID, taken: Bundle) -> dict[str, ArtifactRef]:
        """The artifacts under this tenant's keys. What each was made from is not believed: it is no shortcut here."""
        objects, found = self._objects.of(tenant, repository), dict[str, ArtifactRef]()
        for ref in artifacts_of(taken.events):
            content = await asyncio.to_thread(taken.content, ref)
            stored = await objects.put(ref.kind.value, PurePosixPath(ref.key).suffix, content)
            found[ref.sha256] = ref.model_copy(update={"key": stored.key, "bytes": stored.bytes, "made_from": ""})
        return found

    async def _register(self, connection: AsyncConnection, wanted: Wanted, context: Context) -> None:
        repository = wanted.repository
        registered = RepositoryRegistered(
            url=repository.url,
            host=repository.host,
            name=name_of(repository.url, wanted.folder),
            folder=wanted.folder,
        )
        known = derived_id("registered", context.repository_id)
        draft = Draft(event_id=known, occurred_at=self._clock(), context=context, event=registered)
        await append_in(connection, f"repository/{context.repository_id}", [draft])

    async def _append(
        self, connection: AsyncConnection, taken: Bundle, found: Taken, context: Context, refs: dict[str, ArtifactRef]
    ) -> bool:
        """The analysis, where there is one; whether it is new."""
        if found.analysis_id is None or taken.manifest.analysis_id is None:
            return False
        stream = f"analysis/{found.analysis_id}"
        drafts = [
            Draft(
                event_id=derived_id(stream, place),
                occurred_at=told.at,
                context=context,
                event=told.event,
                stage=told.stage.value if told.stage is not None else None,
            )
            for place, told in enumerate(imported(taken.events, found.analysis_id, refs))
        ]
        said = ProcessingImported(analysis_id=taken.manifest.analysis_id, bundle=taken.sha256, events=len(taken.events))
        return await self._end(connection, stream, drafts, context, said)

    async def _append_talk(self, connection: AsyncConnection, taken: Bundle, found: Taken, context: Context) -> bool:
        """The conversation, where there is one; whether it is new."""
        manifest, stream = taken.manifest, f"conversation/{found.conversation_id}"
        if manifest.conversation_id is None:
            return False
        analyses = {manifest.analysis_id: found.analysis_id} if manifest.analysis_id and found.analysis_id else {}
        drafts = imported_conversation(taken.conversation, stream, context, self._clock(), analyses)
        said = ConversationImported(
            conversation_id=manifest.conversation_id, bundle=taken.sha256, events=len(taken.conversation)
        )
        return await self._end(connection, stream, drafts, context, said)

    async def _end(
        self, connection: AsyncConnection, stream: str, drafts: Sequence[Draft], context: Context, said: Event
    ) -> bool:
        """Append what happened elsewhere, told to nobody, and the fact that it was taken over; whether that is new.

        What another release took over stays as that told it.
        """
        if await read_stream_in(connection, stream, limit=1):
            return False
        at = self._clock()
        added = await append_in(connection, stream, drafts, told=False)
        last = Draft(event_id=derived_id(stream, "imported"), occurred_at=at, context=context, event=said)
        [end] = await append_in(connection, stream, [last])
        return end.version == len(added) + 1 and end.timestamp == at


async def _named(connection: AsyncConnection, who: Identity, wanted: Wanted, taken: Bundle) -> Taken:
    """What it is called here: an analysis is the team's, a conversation is the person's."""
    repository_id = await present_id_in(connection, who, wanted)
    analysis_id = conversation_id = None
    if taken.events:
        analysis_id = await _present(connection, "analysis", repository_id, taken.sha256)
    if taken.conversation:
        conversation_id = await _present(connection, "conversation", repository_id, taken.sha256, who.user_id)
    return Taken(repository_id, analysis_id, conversation_id)


async def _present(connection: AsyncConnection, kind: str, *cause: object) -> UUID:
    """The id that derives from the cause: a new one after each deletion."""
    deletions = 0
    while True:
        found = derived_id("imported", *cause, *([deletions] if deletions else []))
        if not await is_hidden(connection, f"{kind}/{found}"):
            return found
        deletions += 1
