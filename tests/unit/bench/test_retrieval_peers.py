import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.retrieval import FILES, LINES, by_repository, grade_all, table
from bench.retrieval.cases import Stores
from bench.retrieval.cuts import LARGEST, SHARED, WINDOW, WINDOW_SHARED, File, definition_pieces, word_windows
from bench.retrieval.question_sets import Asked, QuestionSet
from bench.retrieval.repo_map import RepoMap
from bench.retrieval.repository_index import Indexer
from bench.retrieval.retrievers import PEERS, usable
from events.artifacts import SourceRow
from processor.stages.parse import parse_source
from rag_manager.ports import Spent, always, uncounted
from rag_manager.stages.rank import Weights


def a_file(path: str, content: str, language: str = "python") -> File:
    source = SourceRow(
        path=path, blob_id="0", language=language, file_class="code", size=len(content), lines=9, content=content
    )
    return source, parse_source(source)


def test_windows_have_so_many_words_and_share_the_end_of_the_one_before() -> None:
    text = " ".join(f"w{n}\n" if n % 10 == 9 else f"w{n}" for n in range(700))

    first, second, last = word_windows(a_file("a.txt", text, "text"))

    assert first.text.split()[-WINDOW_SHARED:] == second.text.split()[:WINDOW_SHARED]
    assert [len(cut.text.split()) for cut in (first, second, last)] == [WINDOW, WINDOW, 200]
    assert (first.place.first, first.place.last, second.place.first) == (1, 36, 26)
    assert first.place.size == len(first.text)


@given(st.text(alphabet="ab \n", max_size=3_000))
def test_windows_leave_no_word_out(text: str) -> None:
    cuts = word_windows(a_file("a.txt", text, "text"))

    fresh = [cut.text.split(" ")[WINDOW_SHARED if number else 0 :] for number, cut in enumerate(cuts)]
    assert [word for words in fresh for word in words if word.strip()] == [
        word for word in text.split(" ") if word.strip()
    ]


def test_definitions_are_pieces_also_inside_others_and_begin_with_the_end_of_the_one_before() -> None:
    file = a_file("door.py", "class Door:\n    def open(self):\n        return 1\n\n\ndef shut():\n    return 2\n")

    door, inside, shut = definition_pieces(file)

    assert door.text.startswith("class Door:")
    assert inside.text == door.text[-SHARED:] + "\n    def open(self):\n        return 1"
    assert (shut.place.path, shut.place.last) == ("door.py", 7)


def test_a_large_definition_is_cut_at_lines() -> None:
    body = "".join(f"    x{n} = {n}  # {'-' * 60}\n" for n in range(100))

    cuts = definition_pieces(a_file("door.py", f"def shut():\n{body}"))

    assert len(cuts) > 2
    assert all(cut.place.size <= LARGEST + SHARED + 1 for cut in cuts)
    assert cuts[-1].place.last == 101


def test_a_map_begins_at_what_the_question_names_and_goes_on_to_what_is_used_there() -> None:
    files = [
        a_file("app.py", "from lock import turn_the_key\n\n\ndef enter():\n    turn_the_key()\n"),
        a_file("lock.py", "def turn_the_key():\n    return 1\n"),
        a_file("paint.py", "def mix_colours():\n    return 2\n"),
        a_file("empty.py", ""),
    ]

    placed = RepoMap(files).ranked("Where does app go to?")

    assert placed[0].path == "lock.py"
    assert {place.path for place in placed} == {"app.py", "lock.py", "paint.py", "empty.py"}
    assert RepoMap(files).ranked("How does paint work?")[0].path == "paint.py"


def test_a_map_of_nothing_is_empty() -> None:
    assert RepoMap([]).ranked("anything") == []


class Letters:
    """A model that knows how often a text has each letter."""

    name = "letters"
    dimension = 26
    max_batch = 100
    max_characters = 1_000_000

    def embed(
        self,
        texts: Sequence[str],
        *,
        question: bool = False,
        spent: Callable[[Spent], None] = uncounted,
        go_on: Callable[[], bool] = always,
    ) -> NDArray[np.float32]:
        rows = [[1e-6 + text.lower().count(chr(97 + letter)) for letter in range(26)] for text in texts]
        counts = np.array(rows, dtype=np.float32)
        scaled: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return scaled

    def close(self) -> None:
        pass


def test_every_way_is_asked_the_same_questions_of_the_same_files(tmp_path: Path) -> None:
    git_dir = tmp_path / "owner+doors" / "repo"
    work = tmp_path / "work"
    work.mkdir()
    git_dir.parent.mkdir()
    (work / "door.py").write_text("def shut_the_door():\n    return 1\n")
    (work / "paint.py").write_text("def mix_colours():\n    return 2\n")
    for command in (
        ["init", "-q", f"--separate-git-dir={git_dir}"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "Doors"],
    ):
        subprocess.run(["git", "-C", str(work), *command], check=True)
    model = Letters()
    stores = Stores({"quick": model}, tmp_path / "cache", model)
    asked = tuple(Asked(text, frozenset({"door.py"}), (("door.py", 1, 2),)) for text in ("shut the door", "door.py"))
    questions = QuestionSet("owner/doors", "", "HEAD", "", asked)
    retrievers = usable({"quick": model}, peers=True)

    cases = stores.of_set("doors", questions, Indexer(git_dir).index("HEAD"))
    graded = grade_all(cases, retrievers, (FILES, LINES), Weights())

    assert {*PEERS, "grep", "BM25 alone", "ours, quick"} <= set(retrievers)
    assert "ours, full" not in retrievers
    for unit in (FILES, LINES):
        for name, results in graded[unit].items():
            assert [values["R@5"] for values in results["owner/doors"]] == [1.0, 1.0], (unit, name)
    assert "| grep | " in table("doors", graded[FILES])
    assert len(by_repository(graded[LINES], "MRR").splitlines()) == 3
