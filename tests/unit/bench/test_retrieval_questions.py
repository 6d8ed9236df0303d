from bench.retrieval.cuts import Place
from bench.retrieval.docstrings import docstring_questions, question_of
from bench.retrieval.histories import by_issue, changed_files
from bench.retrieval.histories import question_of as subject_of
from bench.retrieval.measures import mean_of, ndcg, of_files, of_lines
from bench.retrieval.question_sets import everyday_sets
from events.artifacts import SourceRow


def a_source(path: str, language: str, content: str) -> SourceRow:
    return SourceRow(
        path=path, blob_id="0", language=language, file_class="code", size=len(content), lines=9, content=content
    )


def test_a_docstring_becomes_a_question_and_leaves_the_text_line_for_line() -> None:
    text = 'def open_door(key):\n    """Turn the key and push gently.\n\n    More.\n    """\n    return key\n'

    blanked, asked = docstring_questions([a_source("src/door.py", "python", text)])

    assert [(one.text, one.files, one.spans) for one in asked] == [
        ("Turn the key and push gently.", frozenset({"src/door.py"}), (("src/door.py", 1, 6),))
    ]
    assert blanked[0].content == "def open_door(key):\n\n\n\n\n    return key\n"


def test_a_body_that_is_only_a_docstring_still_parses_without_it() -> None:
    text = 'def wait():\n    """Do nothing for a while."""\n'

    blanked, _ = docstring_questions([a_source("src/door.py", "python", text)])

    assert blanked[0].content == "def wait():\n    pass\n"


def test_a_comment_above_a_definition_is_blanked_and_others_stay() -> None:
    text = "package a\n\n// Shut closes the door for good.\nfunc Shut() {\n\t// inside\n}\n"

    blanked, asked = docstring_questions([a_source("door.go", "go", text)])

    assert blanked[0].content == "package a\n\n\nfunc Shut() {\n\t// inside\n}\n"
    assert asked == []  # the comment has the function's name


def test_only_a_first_paragraph_that_says_enough_and_not_the_name_is_asked() -> None:
    assert question_of("Short one.", "f") is None
    assert question_of("Calls f with every argument given.", "f") is None
    assert question_of("Gives {@link Door} its <b>name</b> back.\n\n@return it", "f") == "Gives Door its name back."


def test_a_subject_is_asked_without_its_kind_and_number_and_dull_ones_are_not() -> None:
    assert subject_of("fix(router): keep slashes in wildcard routes (#12)") == "keep slashes in wildcard routes"
    assert subject_of("Bump version to the next one") is None
    assert subject_of("Fix typos in several places") is None
    assert subject_of("Fix it") is None


def test_what_a_commit_says_of_an_issue_is_asked_without_numbers_addresses_and_people() -> None:
    said = (
        "Requests that are answered twice leave the second answer in the buffer of the connection, which the next "
        "request then reads as its own.\n\nFixes #12. https://host.example/owner/name/issues/12\n\n"
        "Signed-off-by: Ann <ann@host.example>\n"
    )

    asked = by_issue("Empty the buffer after an answer (#13)", said)

    assert asked is not None
    assert asked.startswith("Empty the buffer after an answer Requests that are answered twice")
    assert asked.endswith("reads as its own.")
    assert by_issue("Empty the buffer after an answer", said.replace("#12", "").replace("/issues/12", "")) is None
    assert by_issue("Empty the buffer after an answer", "Fixes #12") is None


def test_only_code_that_was_there_counts_and_a_sweeping_change_does_not() -> None:
    assert changed_files("M\tsrc/a.py\nA\tsrc/new.py\nM\ttests/test_a.py\nM\tREADME.md\n") == frozenset({"src/a.py"})
    assert changed_files("".join(f"M\tsrc/{n}.py\n" for n in range(6))) == frozenset()


def test_measures_of_files_and_lines() -> None:
    values = of_files(
        [Place("b.py", 1, 9, 100), Place("b.py", 9, 20, 100), Place("a.py", 1, 9, 100)], frozenset({"a.py"})
    )

    assert (values["R@1"], values["R@5"], values["MRR"], values["MAP"]) == (0.0, 1.0, 0.5, 0.5)
    assert values["NDCG@10"] == ndcg(["b.py", "a.py"], frozenset({"a.py"}))
    assert 0.63 < values["NDCG@10"] < 0.64
    lines = of_lines(
        [Place("b.py", 1, 9, 100), Place("a.py", 1, 9, 100), Place("a.py", 10, 20, 100)],
        [("a.py", 9, 9), ("a.py", 20, 25)],
    )
    assert lines["MRR"] == 1 / 2
    assert lines["MAP"] == (1 / 2 + 2 / 3) / 2
    assert of_lines([], [("a.py", 1, 1)])["NDCG@10"] == 0.0


def test_what_does_not_fit_into_what_is_read_counts_as_not_read() -> None:
    long, right = Place("b.py", 1, 900, 5_900), Place("a.py", 1, 9, 200)

    assert of_files([long, right], frozenset({"a.py"}))["read"] == 0.0
    assert of_files([right, long], frozenset({"a.py"}))["read"] == 1.0
    assert of_lines([long, right], [("a.py", 3, 3)])["read"] == 0.0


def test_the_interval_holds_the_mean_of_repositories_and_narrows_with_more_questions() -> None:
    few, many = mean_of([[0.0, 1.0] * 5, [1.0] * 10]), mean_of([[0.0, 1.0] * 500, [1.0] * 1_000])

    assert few.value == many.value == 0.75
    assert few.low < many.low < 0.75 < many.high < few.high


def test_everyday_questions_are_of_other_repositories_where_they_are_held_out() -> None:
    looked_at, held_out = everyday_sets(held_out=False), everyday_sets(held_out=True)

    assert not {one.mirror for one in looked_at} & {one.mirror for one in held_out}
    for questions in (*looked_at, *held_out):
        assert len({asked.text for asked in questions.questions}) == len(questions.questions)
        assert all(asked.files for asked in questions.questions)
