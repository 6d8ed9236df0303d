"""What an earlier tree says of a file is taken over, and comes out as if the file had been read."""

from collections.abc import Mapping

from events.artifacts import SourceRow, TreeRow
from processor.ports import TreeEntry
from processor.stages.known_files import KnownFiles
from processor.stages.take_sources import Intake, SourceLimits
from tests.support.trees import tree_of

FILES: Mapping[str, bytes] = {
    "README.md": b"# A dog\n",
    "src/dog.py": b"def bark():\n    ...\n",
    "src/cat.py": b"def purr():\n    ...\n",
    "src/page.js": b"x" * 5_000,
    "src/picture.dat": b"\x00\x01\x02",
    "package-lock.json": b"{}\n",
    "po/de.po": b'msgid ""\n',
}
LIMITS = SourceLimits(shard_files=2)


def entries_of(files: Mapping[str, bytes]) -> list[TreeEntry]:
    return [TreeEntry(path.encode(), "100644", f"{hash(content):x}", len(content)) for path, content in files.items()]


class Taken:
    """All that comes of an intake, and which blobs were read for it."""

    def __init__(
        self, files: Mapping[str, bytes], known: KnownFiles | None = None, limits: SourceLimits = LIMITS
    ) -> None:
        blobs = {f"{hash(content):x}": (path, content) for path, content in files.items()}
        self.read: list[str] = []

        def read(blob: str) -> bytes:
            self.read.append(blobs[blob][0])
            return blobs[blob][1]

        self.intake = Intake(limits, known=known or KnownFiles())
        shards = list(self.intake.shards(entries_of(files), read, lambda *_: None))
        self.same = [shard.earlier for shard in shards]
        self.needed = list(self.read)
        self.rows: list[list[SourceRow]] = [list(shard.read()) for shard in shards]

        self.tree = tree_of(self.intake)

    def facts(self) -> object:
        tree = self.intake.tree
        counts = {name: n for name, n in tree.counts().items() if not name.startswith("known_")}
        return counts, tree.skipped(), tree.languages(), self.intake.has_text


def assert_as_if_read(files: Mapping[str, bytes], before: Mapping[str, bytes], limits: SourceLimits = LIMITS) -> Taken:
    second = Taken(files, KnownFiles(Taken(before, limits=limits).tree), limits)
    clean = Taken(files, limits=limits)
    assert (second.tree, second.rows, second.facts()) == (clean.tree, clean.rows, clean.facts())
    assert [row.path for row in second.intake.locks] == [row.path for row in clean.intake.locks]
    return second


def test_the_same_tree_is_the_earlier_shards_and_only_lock_files_are_read() -> None:
    second = assert_as_if_read(FILES, FILES)

    assert second.same == [0, 1]
    counts = second.intake.tree.counts()
    assert (counts["known_files"], counts["known_bytes"]) == (counts["files"], counts["bytes"])
    assert not {"known_files", "known_bytes"} & Taken(FILES).intake.tree.counts().keys()
    assert set(second.needed) <= {"package-lock.json"}


def test_a_changed_file_is_read_and_its_shard_is_another() -> None:
    second = assert_as_if_read({**FILES, "src/dog.py": b"def bark(): return 1\n"}, FILES)

    assert second.same == [0, None]
    assert second.intake.tree.counts()["known_files"] == second.intake.tree.files - 1
    assert set(second.needed) <= {"package-lock.json", "src/dog.py"}


def test_a_file_that_came_or_went_moves_what_comes_after_it() -> None:
    came = assert_as_if_read({**FILES, "a.py": b"x = 1\n"}, FILES)
    went = assert_as_if_read({path: text for path, text in FILES.items() if path != "README.md"}, FILES)

    assert came.same == [None, None]
    assert went.same == [None]


def test_limits_of_the_whole_are_counted_anew() -> None:
    limits = SourceLimits(files=2, shard_files=2)
    second = assert_as_if_read({**FILES, "a.py": b"x = 1\n"}, FILES, limits)

    assert {row.skipped for row in second.tree if row.path.startswith("src/")} >= {"too_many_files"}


def test_a_path_that_cannot_be_used_is_never_known() -> None:
    odd = TreeEntry(b"src/\xff.py", "100644", "1", 1)
    shown = TreeRow(path="src/�.py", blob_id="1", mode="100644", size=1, skipped="bad_path")

    assert KnownFiles([shown]).row_of(odd) is None
    assert KnownFiles([shown]).row_of(TreeEntry(shown.path.encode(), "100644", "1", 1)) is None
