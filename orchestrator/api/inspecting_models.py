"""A stream as it was: its state at a point and what is different, how long its runs took, what led to what."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from events.base import Envelope


class ChangeView(BaseModel):
    """One place of a state that is different; `path` is a JSON Pointer (RFC 6901). What is not there is null."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


class StateView(BaseModel):
    """A stream at one version, beside another one.

    `event` is what made it that version, null before the first one. `changes` lead from the state at `against` to this
    one; of more than are listed, `changes_left_out` counts the rest. `state` is null where it was not asked for.
    """

    stream_id: str
    newest: int
    version: int
    against: int
    at: datetime | None = None
    event: Envelope | None = None
    state: dict[str, Any] | None = None
    changes: list[ChangeView] = Field(default_factory=list)
    changes_left_out: int = 0


class MomentView(BaseModel):
    """When something of a repository changed: the event of this version of this stream made it so.

    `analysis_id`, its `state` and its `commit` from then on, where it was an analysis that changed.
    """

    at: datetime
    stream_id: str
    version: int
    event_type: str
    analysis_id: str | None = None
    state: str | None = None
    commit: str | None = None


class MomentsView(BaseModel):
    """The moments of a repository, the oldest first; `analyses_left_out` counts the older analyses without theirs."""

    stream_id: str
    items: list[MomentView]
    analyses_left_out: int = 0


class RunView(BaseModel):
    """One attempt at one shard of one stage: `waited` seconds in the queue, then `worked` seconds.

    `outcome` is queued, running, completed, failed or parked. `requested_in`, `started_in` and `ended_in` are the
    versions of the events that say so; 0 for none.
    """

    stage: str
    shard: int
    attempt: int
    outcome: str
    requested_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    waited: float
    worked: float
    requested_in: int
    started_in: int
    ended_in: int
    worker: str = ""
    code: str = ""
    because: str = ""


class StageTime(BaseModel):
    """One stage: its attempts, the sums of what they waited and worked in seconds, and the longest of each."""

    stage: str
    runs: int
    waited: float
    worked: float
    longest_wait: float
    longest_run: float


class TimelineView(BaseModel):
    """The runs of a stream in the order in which they were asked for. `at` is when this was told."""

    stream_id: str
    at: datetime
    began_at: datetime
    last_at: datetime
    stages: list[StageTime]
    runs: list[RunView]


class ElsewhereView(BaseModel):
    """An event of another stream that led to one of this stream, or that one of this stream led to."""

    stream_id: str
    version: int
    event_type: str


class CauseView(BaseModel):
    """An event and the version of the one that led to it; 0 where none in this stream did.

    `depth` counts the causes that lead to it. `from_outside`: its cause is in another stream; `elsewhere` says which
    event it is, where that is still there. `led_to` are the events of other streams that it led to. `about` is the
    stream of the analysis that a question was asked about, or answered from.
    """

    version: int
    event_type: str
    stage: str = ""
    shard: int = 0
    timestamp: datetime
    cause: int
    depth: int
    from_outside: bool = False
    elsewhere: ElsewhereView | None = None
    led_to: list[ElsewhereView] = Field(default_factory=list)
    about: str | None = None


class CausesView(BaseModel):
    """What led to what in a stream."""

    stream_id: str
    items: list[CauseView]
