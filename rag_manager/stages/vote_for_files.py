"""Let earlier changes vote for files: what they say is like the question, what they changed is where it may be again.

In:  the earlier commits whose words are nearest to a question's, and which files each changed.
Out: the files that most of this speaks for, and the passages of these that gain by it.

Reports and tasks say what was or will be changed. Who asks or describes means what is there, and loses by the past.
Measured in bench/results/localisation.md; why it is so in docs/decisions/0424-what-earlier-changes-tell.md.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.read_question import Question

VOTERS = 20  # commits, the nearest


@dataclass(frozen=True)
class Told:
    """One earlier commit: its id, its subject, and the files that it changed, by their present paths."""

    commit: str
    subject: str
    paths: Sequence[str]


@dataclass(frozen=True)
class Votes:
    """`of_files`: file → its share of the most votes, the most first. `about` names the commit that is nearest."""

    of_files: Mapping[int, float]
    about: str


def vote_for_files(nearest: Sequence[tuple[Told, float]], question: Question, catalogue: Catalogue) -> Votes | None:
    """Each commit's score is divided among its files; tests and the like have no vote if not asked for. Pure.

    None where nothing is voted for, and where the question asks or describes.
    """
    if not _is_task(question):
        return None
    votes: dict[int, float] = {}
    about = ""
    for told, score in nearest:
        files = [file for path in told.paths if (file := catalogue.numbers.get(path)) is not None]
        for file in files:
            if catalogue.noise[file] in {None, *question.asked}:
                votes[file] = votes.get(file, 0.0) + score / len(told.paths)
                about = about or f"{told.subject} ({told.commit[:10]})"
    if not votes:
        return None
    most = max(votes.values())
    ordered = sorted(votes, key=lambda file: (-votes[file], file))
    return Votes({file: votes[file] / most for file in ordered}, about)


def _is_task(question: Question) -> bool:
    """A report of several lines; or one line that ends neither as a question nor as a sentence that tells."""
    asks = question.text.rstrip().endswith("?")
    return question.report or not (asks or question.statement)


def passages_voted_for(
    votes: Votes, scores: Mapping[int, float], catalogue: Catalogue, scope: Container[int]
) -> dict[int, float]:
    """Return chunk → the share of its file, of the best chunk by `scores` of each file that has one in scope. Pure."""
    found: dict[int, float] = {}
    for file, share in votes.of_files.items():
        chunks = [chunk for chunk in catalogue.chunks_of[file] if chunk in scope and chunk in scores]
        if chunks:
            found[max(chunks, key=lambda chunk: (scores[chunk], -chunk))] = share
    return found
