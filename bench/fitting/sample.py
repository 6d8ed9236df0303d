"""Choose, from all texts of the packages, what the table is fitted to and what it is judged by. Deterministic."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bench.fitting.texts import Text

# Whole packages, one a language, that the fit never sees.
HELD_OUT = (
    "celery", "koa", "tanstack-query-core", "golang-github-labstack-echo-dev", "librust-nom-dev", "commons-io",
    "jansson", "leveldb", "ruby-sequel", "php-twig",
)  # fmt: skip

CHUNKS = 3_200  # a language
QUERIES = 1_200
PER_PACKAGE = 900
LEAST_CHARS = 120  # getters and the like teach little
JUDGED_CHUNKS = 600  # a held-out package
JUDGED_QUERIES = 200


@dataclass(frozen=True, slots=True)
class Question:
    """A documented definition of a held-out package: what its comment says, and the place of its chunk in `chunks`."""

    package: str
    text: str
    chunk: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts to fit to (`queries` of them doc comments), and questions with the chunks, (package, text), to search."""

    texts: tuple[str, ...]
    queries: int
    questions: tuple[Question, ...]
    chunks: tuple[tuple[str, str], ...]


def sample(texts: Iterable[Text]) -> Sample:
    """Return the sample, the same for the same texts in any order."""
    ordered = sorted(
        texts, key=lambda text: hashlib.sha256(f"{text.kind} {text.package} {text.text}".encode()).digest()
    )
    held = [text for text in ordered if _held(text.package)]
    chosen = _for_fitting([text for text in ordered if not _held(text.package)])
    questions, chunks = _for_judging(held)
    queries = sum(text.kind == "query" for text in chosen)
    return Sample(tuple(text.text for text in chosen), queries, questions, chunks)


def _held(package: str) -> bool:
    return package.startswith(HELD_OUT)


def _for_fitting(texts: list[Text]) -> list[Text]:
    taken: Counter[tuple[str, ...]] = Counter()
    chosen = []
    for text in texts:
        limit = QUERIES if text.kind == "query" else CHUNKS
        if text.kind != "query" and len(text.text) < LEAST_CHARS:
            continue
        kind, package = (text.kind, text.language), (text.kind, text.package)
        if taken[kind] < limit and taken[package] < PER_PACKAGE:
            taken.update((kind, package))
            chosen.append(text)
    return chosen


def _for_judging(texts: list[Text]) -> tuple[tuple[Question, ...], tuple[tuple[str, str], ...]]:
    """Take documented definitions whose comment does not name them, then other chunks of the same packages."""
    questions: list[Question] = []
    chunks: list[tuple[str, str]] = []
    taken: Counter[str] = Counter()
    documented: set[tuple[str, str]] = set()
    for text in texts:
        if text.kind != "query" or text.symbol.lower() in text.text.lower() or taken[text.package] >= JUDGED_QUERIES:
            continue
        if (text.package, text.text) in documented:
            continue  # the same sentence on two functions has no one answer
        documented |= {(text.package, text.text), (text.package, text.bare.split("\n", 1)[0])}
        questions.append(Question(text.package, text.text, len(chunks)))
        chunks.append((text.package, text.bare))
        taken[text.package] += 1
    for text in texts:
        if text.kind != "chunk" or taken[text.package] >= JUDGED_CHUNKS:
            continue
        header = text.text.split("\n", 1)[0]
        if (text.package, header) not in documented:
            chunks.append((text.package, text.text))
            taken[text.package] += 1
    return tuple(questions), tuple(chunks)
