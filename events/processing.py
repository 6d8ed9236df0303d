"""What happens in an analysis, from the request to the last generation of its index."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from events.artifacts import ArtifactRef
from events.base import ERASED, Event

_WHERE = {"url": ERASED, "ref": ERASED, "folder": ERASED, "commit": ERASED}


class Stage(StrEnum):
    """The stages of an analysis. `index` makes it answerable, `activate` ready, `promote` refined; `link` its graph."""

    CLONE = "clone"
    METADATA = "metadata"
    STRUCTURE = "structure"
    HISTORY = "history"
    PARSE = "parse"
    INDEX = "index"
    EMBED = "embed"
    ACTIVATE = "activate"
    REFINE = "refine"
    PROMOTE = "promote"
    LINK = "link"


class FaultKind(StrEnum):
    """Whether trying again can help: yes after a while, no, or only with more of something."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RESOURCE = "resource"


class ProcessingRequested(Event):
    """A person asked for an analysis; from here on it will end in completed, failed or cancelled.

    `folder` limits it to what is below that path; empty for the whole repository. `commit` is the one that was shown
    for `ref` when it was asked for; None where nobody looked. `include` are patterns of files that are read although a
    rule would leave them out. `history_depth` is how many commits back its history is read; 0 for none.
    `credential_ref` is the id of what the repository may be read with, never a secret.
    `upload` are the parts of the archive that is to be read instead of a host's repository.
    """

    event_type: ClassVar[str] = "repository.processing.requested"
    private: ClassVar[Mapping[str, object]] = {**_WHERE, "include": (), "options": {}}
    analysis_id: UUID
    url: str
    ref: str | None = None
    folder: str = ""
    commit: str | None = None
    include: tuple[str, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    priority: int = 0
    credential_ref: UUID | None = None
    upload: tuple[ArtifactRef, ...] = ()
    history_depth: int = 0


class ProcessingStarted(Event):
    """The commit is known and its tree is stored."""

    event_type: ClassVar[str] = "repository.processing.started"
    private: ClassVar[Mapping[str, object]] = _WHERE
    url: str
    commit: str
    ref: str
    folder: str = ""
    size: int
    file_count: int
    skipped_count: int


class StageRequested(Event):
    """One run of one stage over one shard is to be done.

    `credential_ref` is the request's, for the stages that ask the host, and `include`, for clone alone; there `commit`
    is the one to read, where known. `history_depth` is for the stage of that name. A later `attempt` says `because` of
    what: the code of what failed, or the stage whose result is another by now; the artifacts of the result that stands
    until then are among its inputs. `round` counts how often a person had a part of a serving index made again.
    """

    event_type: ClassVar[str] = "processing.stage.requested"
    private: ClassVar[Mapping[str, object]] = {**_WHERE, "include": ()}
    analysis_id: UUID
    run_id: UUID
    stage: Stage
    shard: int = 0
    shards: int = 1
    attempt: int = 1
    url: str
    ref: str | None = None
    folder: str = ""
    commit: str | None = None
    inputs: tuple[ArtifactRef, ...] = ()
    credential_ref: UUID | None = None
    include: tuple[str, ...] = ()
    history_depth: int = 0
    because: str = ""
    round: int = 0


class StageStarted(Event):
    """A worker has taken the run."""

    event_type: ClassVar[str] = "processing.stage.started"
    run_id: UUID
    stage: Stage
    shard: int
    attempt: int
    worker: str


class StageCompleted(Event):
    """One run is done. `metadata_extracted` is filled by the metadata stage, `facts` by any stage that has some."""

    event_type: ClassVar[str] = "processing.stage.completed"
    private: ClassVar[Mapping[str, object]] = {"metadata_extracted": {}, "facts": {}}
    run_id: UUID
    stage: Stage
    shard: int
    shards: int
    attempt: int
    duration: float
    files_processed: int
    counts: dict[str, int] = Field(default_factory=dict)
    artifacts: tuple[ArtifactRef, ...] = ()
    metadata_extracted: dict[str, object] = Field(default_factory=dict)
    facts: dict[str, object] = Field(default_factory=dict)


class StageFailed(Event):
    """One run did not succeed. `code` is stable and documented; `message` says what a person can do.

    `retry_after` is for how many seconds a host asked to be left alone. `artifacts` are what was made before it failed,
    where another attempt makes use of that; `tokens` and US dollars (`cost_usd`) are what a provider took for it.
    """

    event_type: ClassVar[str] = "processing.stage.failed"
    private: ClassVar[Mapping[str, object]] = {"message": ERASED}
    run_id: UUID
    stage: Stage
    shard: int
    shards: int
    attempt: int
    kind: FaultKind
    code: str
    message: str
    duration: float = 0.0
    retry_after: float = 0.0
    artifacts: tuple[ArtifactRef, ...] = ()
    tokens: int = 0
    cost_usd: float | None = None


class StageParked(Event):
    """A run killed its worker too often and was set aside for a person to look at."""

    event_type: ClassVar[str] = "processing.stage.parked"
    run_id: UUID
    stage: Stage
    shard: int
    shards: int
    attempt: int
    deliveries: int
    message: str


class RetryScheduled(Event):
    """A run that failed transiently will be tried again at `due_at`."""

    event_type: ClassVar[str] = "processing.retry.scheduled"
    run_id: UUID
    stage: Stage
    shard: int
    attempt: int
    due_at: datetime


class TimerFired(Event):
    """A timer came due. A stale one (its attempt is over) is ignored by whoever hears it."""

    event_type: ClassVar[str] = "timer.fired"
    timer_id: UUID
    kind: str
    data: dict[str, object] = Field(default_factory=dict)


class CancelRequested(Event):
    """A person asked for the analysis to stop."""

    event_type: ClassVar[str] = "repository.processing.cancel_requested"
    private: ClassVar[Mapping[str, object]] = {"reason": ERASED}
    reason: str = ""


class RetryRequested(Event):
    """A person asked for an analysis to go on from what failed, or for what is missing of a ready one to be added.

    With a `stage`, for that to run again, or one `shard` of it, and for what is made of its result; with `files`, for
    files alone whose parse failed. `reason` is the person's own.
    """

    event_type: ClassVar[str] = "repository.processing.retry_requested"
    private: ClassVar[Mapping[str, object]] = {"reason": ERASED}
    stage: Stage | None = None
    shard: int | None = None
    files: bool = False
    reason: str = ""


class ProcessingEstimated(Event):
    """The tree is listed, and this is what the rest is expected to take: it goes on, or waits for a person.

    `seconds` until it is ready by `measured` earlier analyses; None where there are none. `cost` of embedding `tokens`,
    None where that is none. A person has until `until` to confirm what is `over` limits. `known_files` are as before.
    """

    event_type: ClassVar[str] = "repository.processing.estimated"
    files: int
    bytes: int
    known_files: int = 0
    known_bytes: int = 0
    seconds: float | None = None
    measured: int = 0
    tokens: int = 0
    cost: float | None = None
    currency: str = ""
    over: tuple[str, ...] = ()
    until: datetime | None = None


class ProcessingImported(Event):
    """What another installation made of a repository was taken over, from a bundle with the hash `bundle`.

    `analysis_id` is what it was called there. Its index is made here.
    """

    event_type: ClassVar[str] = "repository.processing.imported"
    analysis_id: UUID
    bundle: str
    events: int


class ProcessingConfirmed(Event):
    """A person wants an analysis that is over a limit to go on."""

    event_type: ClassVar[str] = "repository.processing.confirmed"


class AnalysisDeleted(Event):
    """A policy, which `policy` names, let go of an analysis that a newer one of its repository had replaced."""

    event_type: ClassVar[str] = "analysis.deleted"
    policy: str = ""


class ProcessingCompleted(Event):
    """The analysis is ready: searchable by meaning, with the counts of all that was left out."""

    event_type: ClassVar[str] = "repository.processing.completed"
    private: ClassVar[Mapping[str, object]] = {"commit": ERASED}
    commit: str
    totals: dict[str, int]
    skipped: dict[str, int]
    failed: dict[str, int]
    duration: float
    partial: bool = False


class ProcessingRefined(Event):
    """The full generation is being searched; nothing is left to do."""

    event_type: ClassVar[str] = "repository.processing.refined"
    duration: float


class ProcessingFailed(Event):
    """The analysis ended without being ready."""

    event_type: ClassVar[str] = "repository.processing.failed"
    private: ClassVar[Mapping[str, object]] = {"message": ERASED}
    stage: Stage
    kind: FaultKind
    code: str
    message: str


class ProcessingCancelled(Event):
    """The analysis was stopped because a person asked."""

    event_type: ClassVar[str] = "repository.processing.cancelled"
    private: ClassVar[Mapping[str, object]] = {"reason": ERASED}
    reason: str = ""
