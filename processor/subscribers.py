"""What the processor hears, and which job does it.

Hears `processing.stage.requested` of six stages; says `repository.processing.started` and `processing.stage.*`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from events.catalog import CONSUMERS, stage_topic
from events.delivery import stages
from events.delivery.subscriber import EventSubscriber
from events.delivery.work import LongHandler
from events.processing import Stage
from events.replay.sandbox import MakeHandler, Nobody, SandboxObjects
from processor.adapters.parser_pool import ParserPool
from processor.jobs.base import Backends
from processor.jobs.clone import Clone
from processor.jobs.describe import Metadata, Structure
from processor.jobs.history import History
from processor.jobs.link import Link
from processor.jobs.parse import Parse


@dataclass(frozen=True)
class Slots:
    """How many runs of each stage go on side by side in one process."""

    clone: int = 2
    history: int = 1
    describe: int = 2
    parse: int = 1
    link: int = 1


def handlers(
    backends: Backends, clone: Clone, history: History, pool: ParserPool, slots: Slots
) -> dict[Stage, tuple[LongHandler, int]]:
    """The job of each stage, and its slots."""
    return {
        Stage.CLONE: (clone, slots.clone),
        Stage.METADATA: (Metadata(backends), slots.describe),
        Stage.STRUCTURE: (Structure(backends), slots.describe),
        Stage.HISTORY: (history, slots.history),
        Stage.PARSE: (Parse(backends, pool), slots.parse),
        Stage.LINK: (Link(backends), slots.link),
    }


def shadow_handlers(pool: ParserPool) -> dict[str, MakeHandler]:
    """The jobs that ask nothing of any host, each over a sandbox: nothing earlier is taken over, and nobody hears."""

    def inside(objects: SandboxObjects) -> Backends:
        return Backends(objects, Nobody())

    return {
        Stage.METADATA: lambda objects: Metadata(inside(objects)),
        Stage.STRUCTURE: lambda objects: Structure(inside(objects)),
        Stage.PARSE: lambda objects: Parse(inside(objects), pool),
        Stage.LINK: lambda objects: Link(inside(objects)),
    }


def subscribe(subscriber: EventSubscriber, jobs: Mapping[Stage, tuple[LongHandler, int]]) -> None:
    """Consume the topics of the stages."""
    for stage, (handler, slots) in jobs.items():
        topic = stage_topic(stage)
        [consumer] = CONSUMERS[topic]
        subscriber.long(
            topic,
            consumer,
            handler,
            slots=slots,
            on_start=stages.started,
            on_fault=stages.failed,
            on_parked=stages.parked,
        )
