"""What is edited without counting otherwise is found by its text; what only stands elsewhere is the same."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from events.artifacts import ArtifactKind, ArtifactRef, ChunkRow, SourceRow, SymbolRow, TreeRow
from orchestrator.adapters.edits import Edits
from runtime.parquet import write_rows

BEFORE = {"a.py": "def f():\n    return 1\n\ndef g():\n    return 2\n", "b.py": "def h():\n    return 3\n"}
ROWS: Mapping[ArtifactKind, type[BaseModel]] = {
    ArtifactKind.TREE: TreeRow,
    ArtifactKind.SOURCES: SourceRow,
    ArtifactKind.SYMBOLS: SymbolRow,
    ArtifactKind.CHUNKS: ChunkRow,
}


class Store:
    """Objects by their content; it counts how many were read."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.read = 0

    async def get(self, key: str, sha256: str) -> bytes:
        assert key == sha256
        self.read += 1
        return self.kept[key]

    def analysis(self, files: Mapping[str, str]) -> tuple[ArtifactRef, ...]:
        """A tree, and a shard for each file."""
        common: dict[str, Any] = {"language": "python", "file_class": "code"}
        tree = [
            TreeRow(path=path, blob_id=str(hash(text)), mode="100644", size=len(text), **common)
            for path, text in files.items()
        ]
        refs = [self._put(ArtifactKind.TREE, tree, 0)]
        for shard, (path, text) in enumerate(files.items()):
            source = SourceRow(path=path, blob_id=str(hash(text)), size=1, lines=1, content=text, **common)
            chunk = {"path": path, "header": "", "text": text, "symbols": [], "text_sha256": "", **common}
            passages = [ChunkRow(chunk_id=f"{path}:{text}", first_line=1, last_line=2, **chunk)]
            refs.append(self._put(ArtifactKind.SOURCES, [source], shard))
            refs.append(self._put(ArtifactKind.CHUNKS, passages, shard))
            refs.append(self._put(ArtifactKind.SYMBOLS, definitions(path, text), shard))
        return tuple(refs)

    def _put(self, kind: ArtifactKind, rows: list[Any], shard: int) -> ArtifactRef:
        content = write_rows(ROWS[kind], rows)
        name = f"{kind}/{hash(content)}"
        self.kept[name] = content
        return ArtifactRef(kind=kind, key=name, sha256=name, rows=len(rows), bytes=len(content), shard=shard)


def definitions(path: str, text: str) -> list[SymbolRow]:
    """Each `def` up to the blank line after it."""
    found, begin = [], 0
    for part in text.split("\n\n"):
        if part.startswith("def "):
            name, end = part[4], begin + len(part.rstrip("\n"))
            known: dict[str, Any] = {"language": "python", "kind": "function", "parent": None, "docstring": ""}
            place = {"first_line": 1, "last_line": 2, "first_byte": begin, "last_byte": end}
            found.append(
                SymbolRow(path=path, name=name, qualified_name=name, signature=f"def {name}()", **known, **place)
            )
        begin += len(part) + 2
    return found


async def test_a_body_that_is_edited_in_place_is_told_and_what_moved_is_not() -> None:
    store = Store()
    before = store.analysis(BEFORE)
    edited = {**BEFORE, "a.py": "# first\n\n" + BEFORE["a.py"].replace("return 2", "return 7")}
    after = store.analysis(edited)
    edits = Edits(store)  # type: ignore[arg-type]

    assert await edits.definitions(before, after) == {("a.py", "function", "g")}
    assert await edits.passages(before, after) == {("a.py",)}


async def test_a_body_that_is_as_long_as_before_is_told_though_all_that_is_known_of_it_is_the_same() -> None:
    store = Store()
    before = store.analysis(BEFORE)
    after = store.analysis({**BEFORE, "b.py": BEFORE["b.py"].replace("3", "4")})
    symbols = [{ref.sha256 for ref in refs if ref.kind is ArtifactKind.SYMBOLS} for refs in (before, after)]

    assert symbols[0] == symbols[1]
    assert await Edits(store).definitions(before, after) == {("b.py", "function", "h")}  # type: ignore[arg-type]


async def test_what_is_in_one_alone_is_no_edit_and_nothing_is_read_of_what_both_have() -> None:
    store = Store()
    before, after = (
        store.analysis(BEFORE),
        store.analysis({"a.py": BEFORE["a.py"], "new.py": "def n():\n    return 0\n"}),
    )
    edits = Edits(store)  # type: ignore[arg-type]

    assert await edits.definitions(before, after) == set()
    assert await edits.passages(before, after) == set()
    store.read = 0
    assert await edits.passages(before, before) == await edits.definitions(before, before) == set()
    assert store.read == 0


async def test_what_was_compared_is_read_once_for_all_pages_until_something_is_deleted() -> None:
    store = Store()
    before, after = store.analysis(BEFORE), store.analysis({**BEFORE, "b.py": "def h():\n    return 4\n"})
    edits = Edits(store)  # type: ignore[arg-type]
    asked = [edits.files, edits.passages, edits.definitions]
    first = [await ask(before, after) for ask in asked]
    reads, store.read = store.read, 0

    assert [await ask(before, after) for ask in asked] == first
    assert store.read == 0
    assert first[0][0][0].name == ["b.py"]
    await edits.files(after, before)  # the other way round is another question
    assert store.read == 2
    edits.forget()
    store.read = 0
    assert [await ask(before, after) for ask in asked] == first
    assert store.read == reads > 0


async def test_of_many_comparisons_those_of_last_are_kept() -> None:
    store = Store()
    edits = Edits(store)  # type: ignore[arg-type]
    pairs = [(store.analysis(BEFORE), store.analysis({"a.py": f"def f():\n    return {n}\n"})) for n in range(9)]
    for pair in pairs:
        await edits.passages(*pair)
    store.read = 0

    await edits.passages(*pairs[-1])
    assert store.read == 0
    await edits.passages(*pairs[0])
    assert store.read > 0
