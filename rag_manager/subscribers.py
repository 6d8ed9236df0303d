"""What rag_manager hears, and which job does it.

Hears `processing.stage.requested` of five stages, `repository.deleted`, `tenant.deleted`, `analysis.deleted`;
says `processing.stage.*`, `rag.index.built`, `rag.index.activated`, `rag.embedder.changed`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from events.catalog import CONSUMERS, ERASURE, stage_topic
from events.delivery import persist, stages
from events.delivery.subscriber import EventSubscriber
from events.delivery.unfinished import Unfinished
from events.delivery.work import LongHandler
from events.index import GenerationKind
from events.log.earlier import EarlierRuns
from events.processing import Stage
from events.replay.sandbox import MakeHandler, Nobody, SandboxObjects
from rag_manager.adapters.recorded import RecordedEmbedder
from rag_manager.jobs.activate_generation import ActivateGeneration
from rag_manager.jobs.base import Backends, Turns
from rag_manager.jobs.embed_shard import EmbedShard
from rag_manager.jobs.erase_repository import EraseRepository
from rag_manager.jobs.index_analysis import IndexAnalysis
from rag_manager.jobs.index_beside import IndexBeside
from rag_manager.jobs.write_ahead import WriteAhead
from rag_manager.ports import Embedder, Lexicon


@dataclass(frozen=True)
class Slots:
    """How many runs of each stage go on side by side in one process."""

    index: int = 2
    embed: int = 2
    activate: int = 2
    refine: int = 1


def handlers(
    backends: Backends, lexicon: Lexicon, embedders: Mapping[GenerationKind, Embedder], slots: Slots
) -> dict[Stage, tuple[LongHandler, int]]:
    """The job of each stage, and its slots."""
    quick, full = embedders[GenerationKind.QUICK], embedders[GenerationKind.FULL]
    return {
        Stage.INDEX: (IndexAnalysis(backends, lexicon), slots.index),
        Stage.EMBED: (EmbedShard(backends, quick, background=False, ahead=WriteAhead(backends)), slots.embed),
        Stage.ACTIVATE: (ActivateGeneration(backends, GenerationKind.QUICK, quick.name), slots.activate),
        Stage.REFINE: (EmbedShard(backends, full, background=True), slots.refine),
        Stage.PROMOTE: (ActivateGeneration(backends, GenerationKind.FULL, full.name), slots.activate),
    }


def shadow_handlers(
    backends: Backends, lexicon: Lexicon, embedders: Mapping[GenerationKind, Embedder], remote: Collection[str]
) -> dict[str, MakeHandler]:
    """Indexing and embedding over a sandbox: vectors are those that were recorded of the same texts.

    No model is asked; `remote` names those of somebody else's.
    """
    recorded = RecordedEmbedder(embedders[GenerationKind.QUICK])

    def within(objects: SandboxObjects) -> Backends:
        return replace(backends, objects=objects, redis=Nobody(), turns=Turns(), earlier=EarlierRuns())

    return {
        Stage.EMBED: lambda objects: EmbedShard(within(objects), recorded, background=False),
        Stage.INDEX: lambda objects: IndexBeside(within(objects), lexicon, remote),
    }


def subscribe(subscriber: EventSubscriber, jobs: dict[Stage, tuple[LongHandler, int]]) -> None:
    """Consume the topics of the stages."""
    for stage, (handler, slots) in jobs.items():
        topic = stage_topic(stage)
        [consumer] = CONSUMERS[topic]
        ends = handler.ends if isinstance(handler, EmbedShard) else None
        subscriber.long(
            topic,
            consumer,
            handler,
            slots=slots,
            on_start=stages.started,
            on_fault=ends.failed if ends is not None else stages.failed,
            on_parked=stages.parked,
            on_cancelled=ends.stopped if ends is not None else None,
        )


def subscribe_to_erasure(subscriber: EventSubscriber, backends: Backends, worker: str) -> Unfinished:
    """Consume what was deleted; what takes up again what was set aside of it."""
    erase, consumer = EraseRepository(backends), CONSUMERS[ERASURE][1]
    subscriber.long(
        ERASURE,
        consumer,
        erase,
        slots=persist.SIDE_BY_SIDE,
        on_fault=persist.not_given_up,
        on_parked=persist.set_aside,
    )
    return Unfinished(backends.engine, consumer, erase, f"{worker}-later")
