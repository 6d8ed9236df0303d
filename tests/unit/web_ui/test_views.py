from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runtime.client.shapes import AnalysisView, Citation, Passage, PlanStep, QuestionView, StalenessView
from web_ui import summary, turns, views

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def an_analysis(**changes: Any) -> AnalysisView:
    base: dict[str, Any] = {
        "analysis_id": "a1",
        "repository_id": "r1",
        "url": "https://github.com/pallets/flask",
        "name": "pallets/flask",
        "state": "running",
        "version": 1,
        "stages": [],
        "requested_at": NOW - timedelta(minutes=5),
    }
    return AnalysisView.model_validate(base | changes)


def a_question(**changes: Any) -> QuestionView:
    base: dict[str, Any] = {"question_id": "q1", "conversation_id": "c1", "query": "Why?", "state": "answered"}
    return QuestionView.model_validate(base | {"asked_at": NOW, "repository_id": "r1"} | changes)


@pytest.mark.parametrize(
    ("state", "partial", "pill"),
    [
        ("requested", False, ("waiting", "calm")),
        ("answerable", False, ("answerable", "busy")),
        ("ready", False, ("ready", "good")),
        ("ready", True, ("ready in part", "warn")),
        ("refined", True, ("complete in part", "warn")),
        ("failed", False, ("failed", "bad")),
        ("something_new", False, ("something_new", "calm")),
    ],
)
def test_a_state_has_a_word_and_partial_success_is_never_shown_as_whole(
    state: str, partial: bool, pill: tuple[str, str]
) -> None:
    assert views.state_pill(an_analysis(state=state, partial=partial)) == pill


@pytest.mark.parametrize(
    ("changes", "over", "ask", "cancel", "retry"),
    [
        ({"state": "requested"}, False, False, True, False),
        ({"state": "answerable", "answerable_at": NOW}, False, True, True, False),
        ({"state": "ready", "stages": [{"stage": "refine", "state": "running"}]}, False, True, True, False),
        ({"state": "ready", "stages": [{"stage": "refine", "state": "failed"}]}, False, True, False, True),
        ({"state": "ready", "stages": [{"stage": "link", "state": "parked"}]}, False, True, False, True),
        ({"state": "ready", "stages": [{"stage": "parse", "state": "failed"}]}, False, True, False, True),
        ({"state": "ready", "outcomes": {"failed.parser_timeout": 1}}, False, True, False, True),
        ({"state": "ready", "ended_at": NOW, "outcomes": {"failed.parser_timeout": 1}}, True, True, False, True),
        ({"state": "refined", "stages": [{"stage": "history", "state": "failed"}]}, True, True, False, True),
        ({"state": "refined", "stages": [{"stage": "parse", "state": "failed"}]}, True, True, False, True),
        ({"state": "refined", "stages": [{"stage": "link", "state": "failed"}]}, True, True, False, True),
        ({"state": "refined", "outcomes": {"failed.parser_timeout": 1, "parsed": 9}}, True, True, False, True),
        ({"state": "ready", "ended_at": NOW}, True, True, False, True),
        ({"state": "refined"}, True, True, False, False),
        (
            {"state": "refined", "stages": [{"stage": "refine", "state": "completed", "counts": {"not_embedded": 2}}]},
            True,
            True,
            False,
            True,
        ),
        ({"state": "failed"}, True, False, False, True),
        ({"state": "failed", "answerable_at": NOW}, True, True, False, True),
        ({"state": "cancelled"}, True, False, False, False),
    ],
)
def test_what_can_be_done_follows_from_the_state(
    changes: dict[str, Any], over: bool, ask: bool, cancel: bool, retry: bool
) -> None:
    analysis = an_analysis(**changes)

    assert views.is_over(analysis) is over
    assert views.can_ask(analysis) is ask
    assert views.can_cancel(analysis) is cancel
    assert views.can_retry(analysis) is retry


def test_what_ended_of_a_ready_analysis_can_run_again_but_for_its_clone() -> None:
    stages = [{"stage": "clone", "state": "completed"}, {"stage": "parse", "state": "completed", "shards": 3}]
    stages += [{"stage": "refine", "state": "running"}, {"stage": "link", "state": "parked", "shards": 1}]

    assert views.repeatable(an_analysis(state="ready", stages=stages)) == {"parse": 3, "link": 1}
    assert views.repeatable(an_analysis(state="running", stages=stages)) == {}


def test_the_signature_changes_when_the_page_has_something_new_to_show_and_not_with_every_event() -> None:
    clone = {"stage": "clone", "state": "completed"}
    parse = {"stage": "parse", "state": "running", "shards_done": 3}

    assert views.signature(an_analysis(state="requested")) == views.signature(an_analysis(state="running"))
    assert views.signature(an_analysis(stages=[clone])) == "running||clone"
    assert views.signature(an_analysis(stages=[clone, parse])) == "running||clone"
    assert views.signature(an_analysis(state="ready", ended_at=NOW, stages=[clone])) == "ready|ended|clone"


def test_the_reference_is_what_was_asked_for_or_the_name_of_the_default_branch() -> None:
    assert views.reference(an_analysis()) == "default branch"
    assert views.reference(an_analysis(head={"ref": "main", "default_branch": "main"})) == "main"
    assert views.reference(an_analysis(ref="v2", head={"ref": "v2", "default_branch": "main"})) == "v2"


def test_a_list_that_is_too_long_says_how_many_are_missing_and_cuts_no_name() -> None:
    paths = [f"some/rather/long/folder/number-{n}/pyproject.toml" for n in range(9)]
    said = dict(summary.summary_rows(an_analysis(metadata={"manifests": paths})))["Manifests"]
    assert said == f"{', '.join(paths[:3])} and 6 more"
    short = dict(summary.summary_rows(an_analysis(metadata={"manifests": ["a", "b"]})))["Manifests"]
    assert short == "a, b"


def test_the_summary_says_what_commit_it_is_of() -> None:
    head = {"ref": "v2", "default_branch": "main", "authored_at": "2026-01-02T03:04:05Z", "subject": "Mend \u202eit"}

    assert dict(summary.summary_rows(an_analysis(head=head)))["Commit"] == (
        "2026-01-02 · Mend it (default branch: main)"
    )
    assert dict(summary.summary_rows(an_analysis(head=head | {"ref": "main"})))["Commit"] == "2026-01-02 · Mend it"
    assert "Commit" not in dict(summary.summary_rows(an_analysis()))


def test_about_is_the_first_paragraph_and_is_cut_between_words() -> None:
    def about(**metadata: object) -> str:
        return dict(summary.summary_rows(an_analysis(metadata=metadata)))["About"]

    assert about(readme_summary="Routes requests.\n\nUsed by many.") == "Routes requests."
    assert about(description="Said by its manifest", readme_summary="Routes requests.") == "Said by its manifest"
    long = about(description="word " * 100)
    assert len(long) <= 240
    assert long.endswith("word …")


def test_language_shares_are_ranked_add_up_and_gather_the_small_ones() -> None:
    shares = views.language_shares({f"L{n}": n for n in range(1, 10)} | {"Zero": 0})

    assert [name for name, _ in shares] == ["L9", "L8", "L7", "L6", "L5", "Other"]
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert views.language_shares({}) == []
    called_so = views.language_shares({"other": 2, "python": 1, **{f"l{n}": 1 for n in range(9)}})
    assert [name for name, _ in called_so].count("Other") == 1
    assert sum(share for _, share in called_so) == pytest.approx(1.0)
    assert views.language_shares({"Other": 1, "python": 3}) == [("Python", 0.75), ("Other", 0.25)]
    assert views.language_shares({"python": 3, "cpp": 1}) == [("Python", 0.75), ("C++", 0.25)]


def test_the_facts_under_the_name_say_reference_commit_size_and_age() -> None:
    analysis = an_analysis(ref="2.3.x", commit="36e4a824f340fdee", totals={"files": 262, "chunks": 1_240, "edges": 3})

    assert views.headline_facts(analysis, NOW) == [
        "2.3.x",
        "commit 36e4a824f3",
        "262 files",
        "1,240 chunks",
        "5 min ago",
    ]


def test_of_very_many_dependencies_the_first_are_named_and_all_are_counted() -> None:
    listed = [{"name": f"d{n % 76}"} for n in range(100)]
    rows = summary.summary_rows(an_analysis(metadata={"dependencies_found": 137, "dependencies": listed}))

    assert dict(rows)["Dependencies"] == "137 dependencies: d0, d1, d2, d3, d4, d5, d6, d7 and 129 more"


def test_an_extractive_answer_is_plainly_marked() -> None:
    assert views.answer_mode(a_question(mode="extractive")) == {
        "text": "extractive: without a model",
        "tone": "warn",
    }
    assert views.answer_mode(a_question(mode="generated", provider="openai", model="gpt-x"))["text"] == (
        "generated by openai gpt-x"
    )


def test_an_answer_shows_its_time_tokens_commit_and_what_was_removed() -> None:
    question = a_question(
        response_time=1.94,
        input_tokens=4_120,
        output_tokens=210,
        commit="36e4a824f340fdee",
        generation_kind="full",
        confidence=0.816,
        removed_citations=2,
    )

    assert views.answer_facts(question) == [
        "1.9 s",
        "4,120 + 210 tokens",
        "commit 36e4a824f3",
        "full index",
        "confidence 82%",
        "2 unsupported citations removed",
    ]
    assert views.answer_facts(a_question()) == []


@pytest.mark.parametrize(
    ("degraded", "notice"),
    [
        (None, ""),
        ("vectors_unavailable", "Searched by words only: the vector server does not answer. "),
        ("vectors_missing", "Searched by words only: the vectors are being rebuilt. "),
        ("something_new", "Searched by words only: something_new. "),
    ],
)
def test_an_answer_that_searched_by_words_only_says_so(degraded: str | None, notice: str) -> None:
    told = str(views.answer_data(a_question(degraded=degraded), "https://example.org/x", UTC)["notice"])

    assert told == (f"{notice}Ask again for a better answer." if notice else "")


def test_the_evidence_has_scores_ranks_and_the_beginning_of_each_passage() -> None:
    passage = Passage(
        chunk_id="c0",
        path="a.py",
        first_line=1,
        last_line=40,
        text="\n".join(str(n) for n in range(40)),
        symbols=("f", "g"),
        score=0.12345,
        ranks={"vector": 7, "lexical": 2},
        scores={"lexical": 12.345},
    )
    cited = Citation(path="a.py", first_line=3, last_line=4)
    data = views.answer_data(
        a_question(answer="See [a.py:3-4].", citations=[cited], passages=[passage]), "https://github.com/o/r", UTC
    )

    assert data["citations"] == [{"path": "a.py", "first": 3, "last": 4}]
    (row,) = data["passages"]  # type: ignore[misc]  # a list of rows
    assert row["score"] == "0.123"
    assert row["ranks"] == [("lexical", 2, "12.3"), ("vector", 7, "")]
    assert (row["symbols"], row["why"]) == ("f, g", "")
    assert row["snippet"].split("\n")[-2:] == ["11", "…"]


def test_an_answer_that_came_before_the_graph_says_that_it_would_know_better() -> None:
    steps = [PlanStep(retriever="graph", found=0, absent=absent) for absent in (True, False)]

    notices = [views.answer_data(a_question(plan=[step]), "https://github.com/o/r", UTC)["notice"] for step in steps]

    assert notices == [
        "The graph is not made yet, which knows this better: ask again when the analysis is complete.",
        "",
    ]


def test_the_evidence_says_of_a_passage_that_grew_and_of_a_neighbour_why_it_is_there() -> None:
    place = Citation(path="b.py", first_line=3, last_line=4)
    base = {"chunk_id": "c0", "path": "a.py", "first_line": 1, "last_line": 9, "text": "x"}
    given = [{"grown_from": place, "folded": [place]}, {"neighbour_of": place, "relation": "imports"}]
    passages = [Passage.model_validate({**base, **more}) for more in given]

    data = views.answer_data(a_question(passages=passages), "https://github.com/o/r", UTC)

    assert [row["why"] for row in data["passages"]] == [  # type: ignore[attr-defined]  # a list of rows
        "grown from lines 3-4, 1 other place folded in",
        "the head of the file of b.py:3-4",
    ]


def test_attempts_at_one_question_are_one_turn_whose_newest_answer_is_shown() -> None:
    first, other = a_question(question_id="q1", rating=-1), a_question(question_id="q2", query="Other?")
    second, third = a_question(question_id="q3", again="q1"), a_question(question_id="q4", again="q1", rating=1)
    asked = turns.attempts_of([first, other, second, third])

    assert [[each.question_id for each in turn] for turn in asked] == [["q1", "q3", "q4"], ["q2"]]
    assert turns.shown_attempt(asked[0], None) == 2
    assert turns.shown_attempt(asked[0], "q1") == 0
    assert turns.answer_actions(asked[0], 0, may_ask=True) == {"may_ask": True, "rating": -1, "number": 1, "count": 3}
    assert turns.answer_actions(asked[0], 2, may_ask=False) == {
        "may_ask": False,
        "rating": 1,
        "number": 3,
        "count": 3,
    }


def test_the_evidence_says_what_was_searched_for_and_how_much_of_the_conversation_was_told() -> None:
    rewritten = {"standalone": "Who calls it? (about run)", "standalone_by": "rules"}
    told = {"history_turns": 2, "history_tokens": 1_340, "history_left_out": 1}

    assert turns.told_before(a_question(), UTC) == []
    assert turns.told_before(a_question(prompt="answer-v5"), UTC) == ["Written by prompt answer-v5"]
    assert turns.told_before(a_question(**rewritten, **told), UTC) == [
        "Searched for: Who calls it? (about run) (rewritten by rules)",
        "Told 2 earlier turns, about 1,340 tokens, 1 more did not fit",
    ]


def test_an_answer_of_before_says_so() -> None:
    at = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    told = turns.told_before(a_question(earlier="q0", earlier_at=at), ZoneInfo("Asia/Tokyo"))

    assert told == [
        "Answered from an earlier answer of 2026-11-22 18:05 JST to the same question; Answer again asks anew"
    ]


def test_a_copied_answer_links_to_the_lines_at_the_host_and_loads_nothing() -> None:
    cited = Citation(path="a.py", first_line=3, last_line=4)
    question = a_question(answer="See [a.py:3-4] ![x](http://evil).", citations=[cited], commit="c0ffee")

    told = turns.answer_markdown(question, "https://github.com/o/r")
    assert told == "See [`a.py:3-4`](https://github.com/o/r/blob/c0ffee/a.py#L3-L4) \\!\\[x]\\(http://evil)."
    assert views.answer_data(question, "", UTC)["markdown"] == "See `a.py:3-4` \\!\\[x]\\(http://evil)."


def test_the_source_panel_shows_some_lines_around_the_cited_ones() -> None:
    assert views.source_range(110, 114, whole=False) == (102, 138)
    assert views.source_range(3, 4, whole=False) == (1, 28)
    assert views.source_range(5_000, 5_010, whole=True) == (4_000, 6_010)


def test_the_summary_says_what_is_known_and_leaves_out_the_rest() -> None:
    analysis = an_analysis(
        metadata={
            "readme_title": "Flask",
            "licence": {"spdx": "BSD-3-Clause", "path": "LICENSE.txt", "confidence": 1.0},
            "dependencies_found": 2,
            "dependencies": [{"name": "werkzeug", "line": 3}, {"name": "jinja2"}, {"name": "werkzeug"}],
            "ci": [],
            "name": "",
        },
        structure={"classes": {"source": {"files": 83, "bytes": 1}, "test": {"files": 1_060, "bytes": 1}}},
        totals={"files": 262},
        answerable_at=NOW - timedelta(minutes=5) + timedelta(seconds=25),
    )

    assert summary.summary_rows(analysis) == [
        ("README", "Flask"),
        ("Licence", "BSD-3-Clause"),
        ("Dependencies", "2 dependencies: werkzeug, jinja2"),
        ("Files by kind", "83 source, 1,060 test"),
        ("Totals", "262 files"),
        ("First answer possible", "after 25 s"),
    ]
    assert summary.summary_rows(an_analysis()) == []


def test_what_was_made_elsewhere_took_as_long_as_it_took_here() -> None:
    long_ago, taken_over = NOW - timedelta(days=90), NOW - timedelta(minutes=5)
    times = {"requested_at": long_ago, "imported_at": taken_over, "ready_at": taken_over + timedelta(seconds=9)}
    analysis = an_analysis(**times)

    assert views.milestones(analysis) == [("Ready", "after 9.0 s")]
    assert views.timeline_data(analysis, NOW)["began_at"] == taken_over.isoformat()
    assert views.headline_facts(analysis, NOW)[-2:] == ["2025-12-01", "imported 5 min ago"]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (("a.py", 12, 14), "second"),  # all of it
        (("a.py", 9, 11), "first"),  # most of it
        (("a.py", 40, 41), None),
        (("b.py", 1, 2), None),
    ],
)
def test_a_place_is_shown_from_the_passage_that_has_the_most_of_it(
    place: tuple[str, int, int], found: str | None
) -> None:
    lines = {"first": (1, 10), "second": (11, 20)}
    passages = [
        Passage(chunk_id=name, path="a.py", first_line=begin, last_line=end, text="")
        for name, (begin, end) in lines.items()
    ]
    shown = views.passage_at(passages, place)

    assert (shown.chunk_id if shown else None) == found


@pytest.mark.parametrize(
    ("standing", "newer", "said"),
    [
        ("behind", False, ("behind: main is at c0ffeec0ff", "warn")),
        ("current", False, ("up to date", "calm")),
        ("fixed", False, ("a fixed state", "calm")),
        ("behind", True, ("another analysis of this repository is in use", "warn")),
    ],
)
def test_the_badge_says_where_the_commit_stands(standing: str, newer: bool, said: tuple[str, str]) -> None:
    analysis = an_analysis()
    found = StalenessView.model_validate(
        {
            "analysis_id": "another" if newer else analysis.analysis_id,
            "standing": standing,
            "ref": "main",
            "commit": "1" * 40,
            "newest": "c0ffee" * 6 + "c0ff",
            "checked_at": NOW,
        }
    )

    assert views.staleness_pill(analysis.analysis_id, found) == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "behind"),
        ({"behind_by": 1}, "1 commit behind"),
        ({"behind_by": 1_234}, "1,234 commits behind"),
        ({"behind_by": 100, "behind_or_more": True}, "100 commits or more behind"),
    ],
)
def test_the_badge_says_how_many_commits_where_the_host_does(more: dict[str, Any], said: str) -> None:
    analysis = an_analysis()
    known = {"analysis_id": analysis.analysis_id, "standing": "behind", "ref": "main", "commit": "1" * 40}
    found = StalenessView.model_validate({**known, "newest": "2" * 40, "checked_at": NOW, **more})

    assert views.staleness_pill(analysis.analysis_id, found) == (f"{said}: main is at 2222222222", "warn")


def test_the_evidence_says_what_the_question_was_limited_to() -> None:
    scope = {"folder": "/src/", "language": "python", "symbol": "Ses\u202esion"}

    data = views.answer_data(a_question(answer="x", scope=scope), "https://github.com/o/r", UTC)

    assert data["told"] == ["Only in src/, python, Session"]


def test_the_evidence_says_which_retrievers_were_asked_and_what_for() -> None:
    plan = [
        {"retriever": "lexical", "found": 1_200, "weight": 1.0},
        {"retriever": "names", "found": 2, "weight": 0.5, "about": "Rou\u202eter"},
    ]

    data = views.answer_data(a_question(answer="x", plan=plan), "https://github.com/o/r", UTC)

    assert data["told"] == ["Found by: lexical 1,200, weight 1; names 2 (for Router), weight 0.5"]
    assert views.answer_data(a_question(answer="x"), "https://github.com/o/r", UTC)["told"] == []
