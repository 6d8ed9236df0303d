"""What is asked of rag_manager about generations and their collections of vectors, and what it tells."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import computed_field

from events.base import Context, Value
from events.index import GenerationKind


class Comparison(Value):
    """A collection beside its generation's stored vectors. `held` is what it has in all.

    It is None where the collection is not there, or cannot be read. Of the generation's `vectors`, so many are
    `missing` and so many `different`; `extra` are no generation's. Each number of a vector may be off by a rounding,
    which `held_checksum` leaves out: it is `checksum` where all are there.
    """

    vectors: int
    held: int | None
    missing: int
    extra: int
    different: int
    checksum: str
    held_checksum: str

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def agrees(self) -> bool:
        """Whether the collection has all of the generation, and nothing that is no one's."""
        return self.held is not None and not (self.missing or self.extra or self.different)


class CollectionAsked(Value):
    """Have the collection of a generation built again, or (`replace` false) only compared.

    `of` is a repository (what serves it), an analysis (its best generation with vectors) or a generation.
    """

    of: UUID
    replace: bool = True


class CollectionRebuild(Value):
    """A collection that is built again, or compared: `asked` until it is `done`, or `failed`, as `message` explains.

    `before` is the one that served, `after` the one that took over.
    """

    rebuild_id: UUID
    generation_id: UUID
    analysis_id: UUID
    repository_id: UUID
    kind: GenerationKind
    model: str | None
    replace: bool
    state: Literal["asked", "done", "failed"]
    asked_at: datetime
    ended_at: datetime | None = None
    message: str | None = None
    before: Comparison | None = None
    after: Comparison | None = None


class DamagedCollection(Value):
    """A generation whose collection does not have its `vectors`: it has `held`.

    None where the collection is not there, or cannot be read.
    """

    generation_id: UUID
    analysis_id: UUID
    kind: GenerationKind
    vectors: int
    held: int | None


class EarlierModel(Value):
    """An earlier model than is set, which made what serves so many analyses; `newest` are some of them.

    `asked`: whether this installation has their questions embedded by it; else their searches are by words. `chosen`:
    somebody went back to it, and they stay as they are until yet another model is set.
    """

    model: str
    analyses: int
    newest: tuple[UUID, ...]
    asked: bool
    chosen: bool = False


class CollectionsState(Value):
    """The collections of all generations that are built, by their counts; `damaged` has the first hundred that are.

    `wanted` is the model that is set for full generations.
    """

    checked: int
    wrong: int
    damaged: tuple[DamagedCollection, ...]
    wanted: str
    earlier: tuple[EarlierModel, ...]


class KeptGeneration(Value):
    """A full generation of an analysis that is complete. `since` it serves, or did so last.

    `kept_until`: when it is let go, None of the one that `serves`. `asked`: whether questions can be embedded by its
    model, without which nobody goes back to it.
    """

    generation_id: UUID
    model: str
    chunks: int
    vectors: int
    since: datetime
    serves: bool
    kept_until: datetime | None
    asked: bool


class KeptGenerations(Value):
    """Those of one analysis that searches could go to, what served last first. `wanted` is the model that is set."""

    analysis_id: UUID
    wanted: str
    items: tuple[KeptGeneration, ...]


class GenerationChoice(Value):
    """Have a generation that is kept serve again; its analysis's stream gains that after the version `expected`."""

    analysis_id: UUID
    generation_id: UUID
    expected: int
    at: datetime
    context: Context
