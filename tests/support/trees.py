"""Take a tree that is drawn as a mapping, as clone would."""

from collections.abc import Mapping, Sequence

from events.artifacts import TreeRow
from processor.ports import TreeEntry
from processor.rules.said import read_rules
from processor.stages.take_sources import Intake, SourceLimits
from runtime.parquet import read_rows


def take(
    files: Mapping[str, bytes],
    extra: Sequence[TreeEntry] = (),
    *,
    limits: SourceLimits | None = None,
    include: Sequence[str] = (),
    is_tracked: bool = True,
) -> Intake:
    """What was taken of `files`, by the rules among them."""
    blobs = {f"id-{path}": content for path, content in files.items()}
    entries = [TreeEntry(path.encode(), "100644", f"id-{path}", len(content)) for path, content in files.items()]
    rules = read_rules(entries, blobs.get, include=include, is_tracked=is_tracked)
    intake = Intake(limits or SourceLimits(), rules)
    for _ in intake.shards([*entries, *extra], blobs.get, lambda *_: None):
        pass
    return intake


def tree_of(intake: Intake) -> list[TreeRow]:
    """The rows of the tree, of which nothing more is taken."""
    return read_rows(TreeRow, intake.tree.finish().content)


def rows_of(intake: Intake) -> dict[str, TreeRow]:
    """The rows of the tree by path, of which nothing more is taken."""
    return {row.path: row for row in tree_of(intake)}
