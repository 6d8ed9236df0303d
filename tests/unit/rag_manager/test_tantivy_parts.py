"""The lexical index in parts: what was taken over is found and scored as if it had been indexed now."""

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import tantivy

from rag_manager.adapters.tantivy_lexicon import TantivyLexicon
from rag_manager.ports import LexiconPart

WORDS = [f"word{number}" for number in range(300)]


def a_part(seed: int, size: int = 120) -> LexiconPart:
    chance = random.Random(seed)  # texts, no secret
    lines = [" ".join(chance.choices(WORDS, k=chance.randint(3, 60))) for _ in range(size)]
    return LexiconPart(hashlib.sha256(f"part {seed}".encode()).hexdigest(), size, lambda: lines)


def not_again() -> Iterable[str]:
    raise AssertionError("what was indexed before is indexed again")


def taken(part: LexiconPart) -> LexiconPart:
    return LexiconPart(part.name, part.size, not_again)


@pytest.fixture
def lexicon(tmp_path: Path) -> TantivyLexicon:
    return TantivyLexicon(tmp_path / "cache")


def found(lexicon: TantivyLexicon, packed: bytes) -> list[list[tuple[int, float]]]:
    opened = lexicon.open(hashlib.sha256(packed).hexdigest(), packed)
    return [opened.search([WORDS[number], WORDS[number + 1], WORDS[-number]], 400) for number in range(1, 100)]


def test_an_index_of_parts_that_were_taken_over_answers_as_a_fresh_one(lexicon: TantivyLexicon) -> None:
    one, two, three, four = (a_part(seed) for seed in range(4))
    earlier, _ = lexicon.build([one, two, three])

    second, reused = lexicon.build([four, taken(three), taken(one)], earlier)
    clean, nothing = lexicon.build([four, three, one])

    assert (reused, nothing) == (240, 0)
    assert found(lexicon, second) == found(lexicon, clean)


def test_an_index_in_parts_answers_as_one_of_a_single_part(lexicon: TantivyLexicon) -> None:
    parts = [a_part(seed) for seed in range(3)]
    lines = [line for part in parts for line in part.documents()]

    several, _ = lexicon.build(parts)
    single, _ = lexicon.build([LexiconPart("f" * 64, len(lines), lambda: lines)])

    assert [{number for number, _ in hits} for hits in found(lexicon, several)] == [
        {number for number, _ in hits} for hits in found(lexicon, single)
    ]
    scores = zip(found(lexicon, several)[0], found(lexicon, single)[0], strict=True)
    assert all(one == pytest.approx(other) for one, other in scores)


def test_a_part_without_a_document_and_one_of_another_size_are_not_taken_over(lexicon: TantivyLexicon) -> None:
    one, empty = a_part(1), LexiconPart("e" * 64, 0, not_again)
    earlier, _ = lexicon.build([one, empty])
    fewer = LexiconPart(one.name, 3, lambda: ["a b", "b", "c"])

    second, reused = lexicon.build([empty, fewer], earlier)

    assert reused == 0
    assert [number for number, _ in lexicon.open("second", second).search(["c"], 5)] == [2]


def test_an_index_from_before_there_were_parts_is_opened_and_not_taken_from(
    lexicon: TantivyLexicon, tmp_path: Path
) -> None:
    schema = tantivy.SchemaBuilder().add_text_field(
        "body", stored=False, tokenizer_name="whitespace", index_option="freq"
    )
    index = tantivy.Index(
        schema.add_unsigned_field("number", stored=False, indexed=False, fast=True).build(), path=str(_made(tmp_path))
    )
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for number, line in enumerate(("apple pear", "pear", "plum")):
        document = tantivy.Document()
        document.add_text("body", line)
        document.add_unsigned("number", number)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for file in _made(tmp_path).iterdir():
            if file.suffix != ".lock":
                archive.add(file, file.name)

    opened = lexicon.open("old", sink.getvalue())
    _, reused = lexicon.build([a_part(1)], sink.getvalue())

    assert [number for number, _ in opened.search(["plum"], 5)] == [2]
    assert reused == 0


def test_the_parts_stand_in_the_blob_with_their_sizes(lexicon: TantivyLexicon) -> None:
    packed, _ = lexicon.build([a_part(1, 5), a_part(2, 7)])

    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile("parts.json")
        assert member is not None
        sizes = [size for _, size in json.load(member)]

    assert sizes == [5, 7]


def _made(folder: Path) -> Path:
    (folder / "old").mkdir(exist_ok=True)
    return folder / "old"
