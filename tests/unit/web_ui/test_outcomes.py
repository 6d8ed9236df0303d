from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.client.shapes import AnalysisView
from tests.support.replies import a_file
from web_ui import outcomes

OUTCOMES = {"parsed": 83, "parsed.syntax_errors": 2}
OUTCOMES |= {"lines.no_grammar": 146, "lines.syntax_errors": 1, "lines.empty": 1}


def an_analysis(**changes: Any) -> AnalysisView:
    base: dict[str, Any] = {"analysis_id": "a1", "repository_id": "r1", "url": "u", "name": "n", "state": "ready"}
    base |= {"version": 1, "stages": []}
    return AnalysisView.model_validate(base | {"requested_at": datetime(2026, 3, 1, tzinfo=UTC)} | changes)


def test_every_file_that_was_not_simply_parsed_is_in_a_group_with_its_reason_and_what_it_means() -> None:
    analysis = an_analysis(
        outcomes=OUTCOMES | {"failed.parser_timeout": 3},
        failed={"parser_timeout": 3, "metadata.internal_error": 1},
        skipped={"lock_file": 1, "binary": 5},
        reused={"files": 1180, "of": 1204, "percent": 98},
    )

    assert [(group.label, group.files, group.kind) for group in outcomes.groups(analysis)] == [
        ("Parsing took too long", 3, "failed"),
        ("Binary content", 5, "left out on purpose"),
        ("Lock file (read for its dependencies alone)", 1, "left out on purpose"),
        ("No grammar for this kind of text", 146, "searched as plain text"),
        ("Syntax errors", 2, "parsed as far as possible"),
        ("Empty", 1, "nothing to search"),
        ("Syntax errors", 1, "searched as plain text"),
    ]
    assert outcomes.facts(analysis) == [
        "83 parsed",
        "148 read as plain text",
        "6 left out",
        "3 failed",
        "reused 98 % (1,180 of 1,204 files)",
    ]


def test_what_failed_is_seen_while_parsing_still_runs() -> None:
    running = an_analysis(state="running", outcomes={"parsed": 4, "failed.parser_crashed": 1})

    assert [(group.code, group.kind) for group in outcomes.groups(running)] == [("parser_crashed", "failed")]
    assert outcomes.groups(an_analysis()) == []


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ({}, ""),
        (
            {"parser_timeout": 2, "parser_crashed": 1},
            "3 of 1,204 files are not in the index, because processing failed. The reasons are listed below.",
        ),
        ({"metadata.disk_full": 1}, "The stage metadata failed: disk full."),
    ],
)
def test_what_is_missing_of_a_partial_success_is_said_with_numbers_or_by_its_stage(
    failed: dict[str, int], said: str
) -> None:
    assert outcomes.partial_sentence(an_analysis(failed=failed, totals={"files": 1_204})) == said


def test_a_file_says_why_it_is_in_the_list() -> None:
    broken = a_file("a.py", outcome="parsed", errors=12)

    assert outcomes.file_reason(broken, "syntax_errors") == "Syntax errors (12)"
    placed = broken.model_copy(update={"error_lines": ["3", "7-9"]})
    assert outcomes.file_reason(placed, "syntax_errors") == "Syntax errors (12: line 3, 7-9)"
    many = broken.model_copy(update={"error_lines": [str(n) for n in range(1, 21)]})
    assert outcomes.file_reason(many, "syntax_errors") == "Syntax errors (12: line 1, 2, 3, 4, 5 …)"
    assert outcomes.file_reason(a_file("b.c", outcome="failed", failed="parser_timeout")) == "Parsing took too long"
    assert outcomes.file_reason(a_file("c.png", skipped="binary")) == "Binary content"


def test_what_could_not_be_loaded_and_a_tree_that_was_cut_are_told() -> None:
    assert outcomes.damage(an_analysis()) == []
    told = outcomes.damage(an_analysis(head={"tree_cut": True}, damaged=["edges 2: The artifact is gone."]))
    assert told == [
        "The tree has more entries than are read of one repository.",
        "edges 2: The artifact is gone.",
    ]


def test_patterns_name_exactly_the_files_that_may_be_read_all_the_same() -> None:
    files = [
        a_file("vendor/a[1]*.py", skipped="vendored"),
        a_file("link", skipped="symlink"),
        a_file("lib/x ", skipped="generated"),
        a_file("d/" * 120 + "x", skipped="vendored"),
        a_file("failed.py", failed="parser_timeout"),
    ]

    assert outcomes.patterns_for(files) == ["/vendor/a\\[1\\]\\*.py", "/lib/x\\ "]
    assert len(outcomes.patterns_for([a_file(f"v{n}", skipped="vendored") for n in range(99)])) == 50


def test_the_same_commit_is_asked_for_with_what_is_read_all_the_same() -> None:
    analysis = an_analysis(url="https://github.com/o/r", ref="main", folder="src", commit="c" * 40, include=["/a"])
    request = outcomes.again_with(analysis, ["/a", "/b"])

    assert (request.ref, request.folder, request.commit, request.include) == ("main", "src", "c" * 40, ["/a", "/b"])
    assert outcomes.facts(analysis) == ["1 pattern read all the same"]


def test_a_file_that_was_left_out_names_the_rule() -> None:
    told = a_file("a.csv", skipped="ignored", rule=".repostreamignore:1")

    assert outcomes.file_reason(told) == "Ignored: .repostreamignore:1"
    assert outcomes.file_reason(a_file("a", skipped="ignored")) == "Ignored"


def test_passages_without_a_vector_are_counted_with_their_reasons() -> None:
    refused = {"not_embedded": 3, "not_embedded.embedder_input_refused": 2, "not_embedded.embedder_bad_vector": 1}
    stages = [{"stage": "embed", "state": "completed"}, {"stage": "refine", "state": "completed", "counts": refused}]
    before = [{"stage": "refine", "state": "completed", "counts": {"not_embedded": 1}}]  # as it was counted once

    assert outcomes.unembedded_sentence(an_analysis(stages=stages)) == (
        "3 passages have no vector and are found by words alone (the embedding provider refused it: 2; the embedding"
        " provider gave no direction for it: 1). To ask again, retry what failed."
    )
    assert outcomes.unembedded_sentence(an_analysis(stages=before)) == (
        "1 passage has no vector and is found by words alone. To ask again, retry what failed."
    )
    assert outcomes.unembedded_sentence(an_analysis(stages=stages[:1])) == ""


@pytest.mark.parametrize(
    ("refined", "told"),
    [
        ({"state": "completed", "counts": {"not_embedded": 3}}, "3 passages have no vector"),
        ({"state": "completed", "counts": {"embedded": 9}}, ""),
        ({"state": "running", "counts": {"not_embedded": 1}}, "2 passages have no vector"),
    ],
)
def test_a_passage_that_both_stages_could_not_embed_is_counted_once(refined: dict[str, object], told: str) -> None:
    quick = {"stage": "embed", "state": "completed", "counts": {"not_embedded": 2}}
    said = outcomes.unembedded_sentence(an_analysis(stages=[quick, {"stage": "refine", **refined}]))

    assert said.startswith(told)
    assert bool(said) == bool(told)


def test_a_token_that_its_host_refused_is_told() -> None:
    assert outcomes.login_sentence(an_analysis(head={"login_refused": True})).startswith("The host refused the access")
    assert outcomes.login_sentence(an_analysis(head={"ref": "main"})) == ""
    assert outcomes.login_sentence(an_analysis()) == ""
