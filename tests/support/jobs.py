"""Run the processor's jobs without a broker: requests, a run that may be cancelled, artifacts in a folder."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT, Envelope, Event
from events.delivery.work import Result
from events.processing import Stage, StageRequested
from processor.adapters.archive import UploadedArchives
from processor.adapters.egress import EgressProxy, EgressRules
from processor.adapters.git import GitRepositories
from processor.adapters.git_ground import GitPolicy
from processor.adapters.git_history import GitPasts
from processor.adapters.git_process import GitLimits
from processor.adapters.workspace import open_workspace
from processor.archives.limits import ArchiveLimits
from processor.jobs.base import Backends
from processor.jobs.clone import Clone
from processor.stages.take_sources import SourceLimits
from runtime.faults import Cancelled
from runtime.objects import open_objects

Said = TypeVar("Said", bound=Event)
_PART = 100_000  # bytes: so that an upload has several


@dataclass
class FakeRun:
    worker: str = "worker"
    token: int = 1
    cancelled: bool = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled


@dataclass
class FakeRedis:
    """Keeps the ticks that are sent."""

    ticks: list[dict[str, object]] = field(default_factory=list)
    newest: dict[str, dict[str, object]] = field(default_factory=dict)

    def pipeline(self, *, transaction: bool) -> "FakeRedis":
        assert not transaction
        return self

    async def __aenter__(self) -> "FakeRedis":
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    def expire(self, _stream: str, _seconds: int) -> None:
        pass

    async def execute(self) -> None:
        pass

    def xadd(self, _stream: str, fields: dict[str, str], **_options: object) -> None:
        self.ticks.append(json.loads(fields["tick"]))

    def hset(self, _name: str, place: str, tick: str) -> None:
        self.newest[place] = json.loads(tick)

    def hdel(self, _name: str, place: str) -> None:
        self.newest.pop(place, None)


@dataclass
class QuietWatch:
    """`ports.Watch` that remembers, and stops the work where `stop` is set."""

    stop: bool = False
    seen: list[tuple[int, int, str]] = field(default_factory=list)

    def check(self) -> None:
        if self.stop:
            raise Cancelled

    def progress(self, done: int, total: int, current: str, unit: str | None = None) -> None:
        self.seen.append((done, total, current))


@cache
def egress_url() -> str:
    """The way out to this machine, one for all tests of a process."""
    proxy = EgressProxy(EgressRules(frozenset({"github.com"}), loopback=True))
    proxy.start()
    return proxy.url


@dataclass
class Bench:
    """Everything a job needs, in one folder. `work` is where clones are made."""

    folder: Path
    limits: SourceLimits = field(default_factory=SourceLimits)
    git_limits: GitLimits = field(default_factory=GitLimits)
    tree_entries: int = 200_000
    archive_limits: ArchiveLimits = field(default_factory=ArchiveLimits)

    def __post_init__(self) -> None:
        self.redis = FakeRedis()
        self.work = self.folder / "work"
        self.workspace = open_workspace(self.work)
        self.backends = Backends(open_objects("", self.folder).of(LOCAL_TENANT, None), self.redis)  # type: ignore[arg-type]  # what ticks need
        policy = GitPolicy(frozenset({"github.com"}), egress_url(), loopback=True, limits=self.git_limits)
        self.repositories = GitRepositories(policy, self.workspace)
        self.pasts = GitPasts(policy, self.workspace, self.git_limits)
        archives = UploadedArchives(self.workspace, self.archive_limits)
        self.clone = Clone(self.backends, self.repositories, self.limits, self.tree_entries, archives=archives)

    def leftovers(self) -> list[Path]:
        """What is left of clones."""
        return [path for path in self.workspace.folder.iterdir() if path.name != ".lock"]


def a_request(
    stage: Stage,
    url: str,
    ref: str | None = None,
    inputs: tuple[ArtifactRef, ...] = (),
    *,
    folder: str = "",
    commit: str | None = None,
    include: tuple[str, ...] = (),
    shard: int = 0,
    shards: int = 1,
    history: int = 0,
) -> Envelope:
    analysis = uuid4()
    event = StageRequested(
        analysis_id=analysis,
        run_id=uuid4(),
        stage=stage,
        url=url,
        ref=ref,
        folder=folder,
        commit=commit,
        include=include,
        inputs=inputs,
        shard=shard,
        shards=shards,
        history_depth=history,
    )
    return Envelope(
        event_id=uuid4(),
        event_type=event.event_type,
        stream_id=f"analysis/{analysis}",
        version=2,
        tenant_id=LOCAL_TENANT,
        repository_id=UUID(int=5),
        correlation_id=uuid4(),
        timestamp=datetime.now(UTC),
        data=event.model_dump(mode="json"),
    )


async def an_upload(bench: Bench, raw: bytes, *, folder: str = "", include: tuple[str, ...] = ()) -> Envelope:
    """A request for the clone of an archive that is in the object store, in parts."""
    parts = []
    for shard, begin in enumerate(range(0, max(1, len(raw)), _PART)):
        stored = await bench.backends.objects.put("upload", ".part", raw[begin : begin + _PART])
        ref = ArtifactRef(kind=ArtifactKind.UPLOAD, key=stored.key, sha256=stored.sha256, rows=0, bytes=stored.bytes)
        parts.append(ref.model_copy(update={"shard": shard}))
    url = f"upload://{hashlib.sha256(raw).hexdigest()}/a"
    return a_request(Stage.CLONE, url, inputs=tuple(parts), folder=folder, include=include)


def said(result: Result, kind: type[Said]) -> Said:
    """The one event of a class that a job said."""
    [found] = [draft.event for append in result.appends for draft in append.drafts if isinstance(draft.event, kind)]
    return found
