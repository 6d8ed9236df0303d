"""Which rows two indexes share, and where they stand."""

from uuid import UUID

from rag_manager.stages.layout import Part, part_id, starts_of

OURS, THEIRS = UUID(int=1), UUID(int=2)


def test_what_is_made_of_the_same_artifact_in_the_same_way_is_one_part_of_a_repository() -> None:
    part = part_id(OURS, "recipe", "chunks", "tenant/chunks/ab.parquet")

    assert part == part_id(OURS, "recipe", "chunks", "tenant/chunks/ab.parquet")
    others = {
        part_id(THEIRS, "recipe", "chunks", "tenant/chunks/ab.parquet"),
        part_id(OURS, "another", "chunks", "tenant/chunks/ab.parquet"),
        part_id(OURS, "recipe", "files", "tenant/chunks/ab.parquet"),
        part_id(OURS, "recipe", "chunks", "tenant/chunks/cd.parquet"),
    }
    assert len(others - {part}) == 4


def test_parts_stand_one_behind_another() -> None:
    assert starts_of([Part(OURS, 2), Part(THEIRS, 3), Part(OURS, 5)]) == [0, 2, 5]
    assert starts_of([]) == []
