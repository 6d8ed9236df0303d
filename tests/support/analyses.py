"""An analysis told as a story: given what happened, when this comes, then that follows. No clock but `at`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from events import processing as facts
from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT, LOCAL_USER, Context, Draft, Envelope, Event, derived_id
from events.log.drafts import record
from events.processing import FaultKind, Stage
from orchestrator.workflow import AnalysisState, Decision, Policy, decide, replay
from orchestrator.workflow.decide import run_id_of

ANALYSIS = UUID("10000000-0000-4000-8000-000000000001")
REPOSITORY = UUID("20000000-0000-4000-8000-000000000001")
STREAM = f"analysis/{ANALYSIS}"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTEXT = Context(
    tenant_id=LOCAL_TENANT, correlation_id=derived_id("correlation"), repository_id=REPOSITORY, user_id=LOCAL_USER
)


def an_artifact(kind: ArtifactKind, shard: int = 0, *, of: str = "", rows: int = 10) -> ArtifactRef:
    name = f"{of}{kind}/{shard}"
    return ArtifactRef(kind=kind, key=name, sha256=name, rows=rows, bytes=100, shard=shard)


_WRITES = {
    Stage.PARSE: (ArtifactKind.SYMBOLS, ArtifactKind.EDGES, ArtifactKind.CHUNKS, ArtifactKind.OUTCOMES),
    Stage.INDEX: (ArtifactKind.LEXICON,),
    Stage.EMBED: (ArtifactKind.VECTORS,),
    Stage.REFINE: (ArtifactKind.VECTORS,),
    Stage.LINK: (ArtifactKind.IMPORTS, ArtifactKind.LINKS, ArtifactKind.CONNECTIONS),
}


def requested(url: str = "https://github.com/pallets/flask") -> facts.ProcessingRequested:
    return facts.ProcessingRequested(analysis_id=ANALYSIS, url=url)


def completed(stage: Stage, shard: int = 0, *, attempt: int = 1, shards: int = 1, **more: object) -> Event:
    return facts.StageCompleted(
        run_id=run_id_of(ANALYSIS, stage, shard, attempt),
        stage=stage,
        shard=shard,
        shards=shards,
        attempt=attempt,
        duration=1.0,
        files_processed=10,
        **{"artifacts": tuple(an_artifact(kind, shard, of=f"{stage}/") for kind in _WRITES.get(stage, ())), **more},
    )


def cloned(shards: int = 2, **more: object) -> Event:
    artifacts = (an_artifact(ArtifactKind.TREE), *(an_artifact(ArtifactKind.SOURCES, i) for i in range(shards)))
    return completed(Stage.CLONE, **{"artifacts": artifacts, "facts": {"commit": "c0ffee", "ref": "main"}, **more})


def failed(
    stage: Stage, shard: int = 0, *, attempt: int = 1, kind: FaultKind = FaultKind.PERMANENT, code: str = "broken"
) -> Event:
    return facts.StageFailed(
        run_id=run_id_of(ANALYSIS, stage, shard, attempt),
        stage=stage,
        shard=shard,
        shards=1,
        attempt=attempt,
        kind=kind,
        code=code,
        message="It broke.",
    )


def parked(stage: Stage, shard: int = 0, *, attempt: int = 1) -> Event:
    return facts.StageParked(
        run_id=run_id_of(ANALYSIS, stage, shard, attempt),
        stage=stage,
        shard=shard,
        shards=1,
        attempt=attempt,
        deliveries=4,
        message="It killed its worker.",
    )


def fired(stage: Stage, shard: int = 0, *, attempt: int = 1) -> Event:
    run_id = run_id_of(ANALYSIS, stage, shard, attempt)
    data: dict[str, object] = {"run_id": str(run_id), "stage": stage.value, "shard": shard, "attempt": attempt}
    return facts.TimerFired(timer_id=derived_id("timer", run_id), kind="retry", data=data)


class Story:
    """One analysis's stream, and the workflow that listens to it. Each event comes a second after the one before."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.history: list[Envelope] = []
        self.decisions: list[Decision] = []

    def _record(self, draft: Draft) -> Envelope:
        envelope = record(draft, STREAM, len(self.history) + 1, len(self.history) + 1)
        self.history.append(envelope)
        return envelope

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=len(self.history))

    @property
    def state(self) -> AnalysisState:
        return replay(self.history)

    def happens(self, event: Event) -> Envelope:
        """Append without deciding: the message is on its way."""
        ordinal = len(self.history)
        draft = Draft(event_id=derived_id("told", ordinal), occurred_at=self.now, context=CONTEXT, event=event)
        return self._record(draft)

    def hears(self, envelope: Envelope) -> list[Event]:
        """Deliver a message; what was decided, after it was appended."""
        decision = decide(self.state, envelope, self.policy)
        known = {recorded.event_id for recorded in self.history}
        for draft in decision.drafts:
            assert draft.event_id not in known, "an event was decided twice"
            self._record(draft)
        self.decisions.append(decision)
        return [draft.event for draft in decision.drafts]

    def given(self, *events: Event) -> "Story":
        """Tell what happened, the workflow deciding after each."""
        for event in events:
            self.hears(self.happens(event))
        return self

    def when(self, event: Event) -> list[Event]:
        """Tell one more; what was decided."""
        return self.hears(self.happens(event))

    def names(self) -> list[str]:
        return [envelope.event_type for envelope in self.history]


def asked(events: Sequence[Event]) -> list[tuple[str, int, int]]:
    """(stage, shard, attempt) of the runs that were requested."""
    return [
        (event.stage.value, event.shard, event.attempt) for event in events if isinstance(event, facts.StageRequested)
    ]


def parsed_story(shards: int = 2) -> Story:
    """All up to the last parse shard; metadata and structure too."""
    story = Story().given(requested(), cloned(shards), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    return story.given(*(completed(Stage.PARSE, shard, shards=shards) for shard in range(shards)))


def ready_story(shards: int = 2) -> Story:
    story = parsed_story(shards).given(completed(Stage.INDEX))
    story.given(*(completed(Stage.EMBED, shard, shards=shards) for shard in range(shards)))
    return story.given(completed(Stage.ACTIVATE))


def refined_story(shards: int = 2) -> Story:
    story = ready_story(shards)
    story.given(*(completed(Stage.REFINE, shard, shards=shards) for shard in range(shards)))
    return story.given(completed(Stage.PROMOTE), completed(Stage.LINK))
