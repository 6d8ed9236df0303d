"""Analyses as bundles: handed out as a file, and taken over from one into a tenant of this installation."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from events.artifacts import ArtifactRef
from events.base import Context, Draft, Envelope, derived_id
from events.log.postgres import append_in
from events.log.wake import Wake
from events.processing import ProcessingImported
from events.replay import bundle
from events.replay.bundle import BadBundle, Bundle, Limits
from events.repository import RepositoryRegistered
from orchestrator.adapters.intake import present_id_in
from orchestrator.adapters.usage import Usage
from orchestrator.api.intake import Wanted
from orchestrator.auth.identity import Identity
from orchestrator.projections.analyses import name_of
from orchestrator.workflow.imported import imported
from runtime.objects import Objects
from runtime.redaction import redact_all
from runtime.tenancy import TenantDatabase


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

    async def export(self, history: Sequence[Envelope], host: str, name: str) -> IO[bytes]:
        """A file, at its beginning, with the bundle of an analysis; it is gone once it is closed."""
        events = [e.model_copy(update={"data": redact_all(e.data), "traceparent": None}) for e in history]
        file: IO[bytes] = NamedTemporaryFile()  # noqa: SIM115  # whoever sends it closes it
        try:
            writer = bundle.Writer(file)
            for ref in bundle.artifacts_of(events):
                content = await self._objects.get(ref.key, ref.sha256)
                await asyncio.to_thread(writer.artifact, content)
            await asyncio.to_thread(writer.close, events, host=host, name=name, made_at=self._clock())
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

    async def take_over(
        self, who: Identity, wanted: Wanted, taken: Bundle, correlation_id: UUID
    ) -> tuple[UUID, UUID, bool]:
        """Analysis and repository as they are called here, and whether they are new: a bundle is taken over once.

        Raises BadBundle; ApiProblem `quota_reached`, `quota_full`; Permanent where something cannot be stored.
        """
        async with self._database.of(who.tenant_id) as connection:
            repository_id = await present_id_in(connection, who, wanted)
        analysis_id = derived_id("imported", repository_id, taken.sha256)
        refs = await self._store(who.tenant_id, repository_id, taken)
        context = Context(
            tenant_id=who.tenant_id, correlation_id=correlation_id, repository_id=repository_id, user_id=who.user_id
        )
        async with (
            self._database.of(who.tenant_id) as connection,
            self._usage.counted(connection, who, repository_id, self._clock()),
        ):
            is_new = await self._append(connection, wanted, taken, analysis_id, context, refs)
        self._wake.appended()
        return analysis_id, repository_id, is_new

    async def _store(self, tenant: UUID, repository: UUID, taken: Bundle) -> dict[str, ArtifactRef]:
        """The artifacts under this tenant's keys. What each was made from is not believed: it is no shortcut here."""
        objects, found = self._objects.of(tenant, repository), dict[str, ArtifactRef]()
        for ref in bundle.artifacts_of(taken.events):
            content = await asyncio.to_thread(taken.content, ref)
            stored = await objects.put(ref.kind.value, PurePosixPath(ref.key).suffix, content)
            found[ref.sha256] = ref.model_copy(update={"key": stored.key, "bytes": stored.bytes, "made_from": ""})
        return found

    async def _append(  # what the stream is made of
        self,
        connection: AsyncConnection,
        wanted: Wanted,
        taken: Bundle,
        analysis_id: UUID,
        context: Context,
        refs: dict[str, ArtifactRef],
    ) -> bool:
        stream, repository, at = f"analysis/{analysis_id}", wanted.repository, self._clock()
        registered = RepositoryRegistered(
            url=repository.url, host=repository.host, name=name_of(repository.url, wanted.folder), folder=wanted.folder
        )
        known = derived_id("registered", context.repository_id)
        draft = Draft(event_id=known, occurred_at=at, context=context, event=registered)
        await append_in(connection, f"repository/{context.repository_id}", [draft])
        drafts = [
            Draft(
                event_id=derived_id(stream, place),
                occurred_at=told.at,
                context=context,
                event=told.event,
                stage=told.stage.value if told.stage is not None else None,
            )
            for place, told in enumerate(imported(taken.events, analysis_id, refs))
        ]
        added = await append_in(connection, stream, drafts, told=False)
        said = ProcessingImported(analysis_id=taken.manifest.analysis_id, bundle=taken.sha256, events=len(taken.events))
        last = Draft(event_id=derived_id(stream, "imported"), occurred_at=at, context=context, event=said)
        [end] = await append_in(connection, stream, [last])
        return end.version == len(added) + 1 and end.timestamp == at
