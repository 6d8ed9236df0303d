"""Order files by how likely they hold the answer: the first of the two steps of ranking.

In:  fused scores of chunks, a question that was read, the catalogue.
Out: files with their scores, best first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.met_words import MetWords
from rag_manager.stages.read_question import Question

PREFIX = 5  # letters: from here on a word that begins with another is of its family


@dataclass(frozen=True)
class FileWeights:
    """How much each sign counts; measured in bench/results/retrieval.md."""

    coherence: float = 0.3  # of the sum of a file's three best chunks, added to its best
    stem: float = 0.5  # times the share of the file name's words that the question has
    folder: float = 0.1  # times the share of the folders' words that the question has
    defines: float = 1.6  # factor for a file that defines a name written in the question
    joined: float = 1.3  # factor for a file that defines two or three neighbouring words written as one
    noise: float = 0.35  # factor for tests, examples, documents and compatibility code that were not asked for
    reported: float = 0.1  # the same, where the question is a report
    aside: float = 0.5  # factor for declarations and configuration that were not asked for, and tests that may be


def rank_files(
    scores: Mapping[int, float], question: Question, catalogue: Catalogue, weights: FileWeights | None = None
) -> list[tuple[int, float]]:
    """Return (file, score), best first, of all files that have a scored chunk. Pure."""
    weights = weights or FileWeights()
    by_file: dict[int, list[float]] = {}
    for chunk, score in scores.items():
        by_file.setdefault(catalogue.files[chunk], []).append(score)
    met = MetWords(question.tokens, PREFIX)
    named = _defining(frozenset(question.names) | {question.lone_name or ""}, catalogue)
    joined = _defining(question.joined, catalogue) - named
    noise = weights.reported if question.report else weights.noise
    ranked = []
    for file, found in by_file.items():
        best = sorted(found, reverse=True)[:3]
        score = best[0] + weights.coherence * sum(best)
        score *= 1 + weights.stem * _share(catalogue.stems[file], met)
        score *= 1 + weights.folder * _share(catalogue.folders[file], met)
        score *= weights.defines if file in named else weights.joined if file in joined else 1.0
        if catalogue.noise[file] not in {None, *question.asked}:
            score *= noise
        elif catalogue.noise[file] in question.mentioned or catalogue.asides[file] not in {None, *question.asked}:
            score *= weights.aside
        ranked.append((file, score))
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def _defining(names: frozenset[str], catalogue: Catalogue) -> frozenset[int]:
    return frozenset(place.file for name in names for place in catalogue.definitions.get(name, ()))


def _share(words: frozenset[str], met: MetWords) -> float:
    # "autodetected" is asked for, `autodetector.py` is meant: stems differ, one begins with the other.
    return sum(word in met for word in words) / len(words) if words else 0.0
