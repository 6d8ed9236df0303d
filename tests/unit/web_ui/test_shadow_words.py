"""Shadows as people read them."""

from datetime import timedelta
from uuid import UUID

from runtime.client.shapes import ShadowReport, ShadowTable
from tests.unit.cli.test_shadow import a_shadow
from web_ui import shadowed


def a_table(**more: object) -> ShadowTable:
    none = dict.fromkeys(("live", "shadow", "same", "added", "removed", "changed"), 0)
    return ShadowTable.model_validate(none | more)


def test_each_state_has_its_word_and_its_tone() -> None:
    at = a_shadow().asked_at

    assert shadowed.state(a_shadow(state="asked")) == ("at work", "busy")
    assert shadowed.state(a_shadow(state="failed")) == ("failed", "bad")
    assert shadowed.state(a_shadow(report=ShadowReport(agrees=True))) == ("the same", "good")
    assert shadowed.state(a_shadow(report=ShadowReport(agrees=False))) == ("different", "warn")
    assert shadowed.state(a_shadow(promoted_at=at)) == ("promoted", "good")
    facts = shadowed.facts(a_shadow(runs=3, promoted_at=at), at + timedelta(minutes=5))
    assert facts == ["asked for 5 min ago", "3 runs", "promoted 5 min ago"]


def test_progress_counts_runs_and_then_says_that_they_are_compared() -> None:
    assert shadowed.progress(a_shadow(runs=4, runs_ended=1))[0] == 0.25
    assert shadowed.progress(a_shadow(runs=4, runs_ended=1))[1].startswith("1 of 4 runs are over.")
    assert shadowed.progress(a_shadow(runs=4, runs_ended=4))[1].startswith("What it made is being compared")
    assert shadowed.progress(a_shadow(stage="workflow"))[0] == 1.0  # it has no runs


def test_the_sentence_counts_what_differs() -> None:
    facts: list[dict[str, object]] = [{"shard": 0}]
    tables = {"symbols": a_table(added=1_000, removed=2, changed=3)}
    decided = ShadowReport(agrees=False, decided=40, decisions=[{"real": "a", "fork": None}])

    assert shadowed.conclusion(a_shadow(report=ShadowReport(agrees=True))).endswith("to the last row.")
    assert "Different: 1,005 rows and 1 fact." in shadowed.conclusion(
        a_shadow(report=ShadowReport(agrees=False, tables=tables, facts=facts))
    )
    assert "1 of 40 decisions are different" in shadowed.conclusion(a_shadow(stage="workflow", report=decided))
    same = decided.model_copy(update={"agrees": True, "decisions": []})
    assert (
        shadowed.conclusion(a_shadow(stage="workflow", report=same))
        == "The present code decides the same: 40 decisions."
    )


def test_why_an_index_is_not_compared_is_said() -> None:
    outdated = a_shadow(stage="index", code="shadow_outdated", message="Something else serves by now.")

    assert shadowed.conclusion(outdated) == "Something else serves by now."
    assert "what they find by now" in shadowed.conclusion(a_shadow(stage="index", promoted_at=outdated.asked_at))


def test_an_example_is_named_by_what_both_sides_have_and_told_by_what_differs() -> None:
    before = {"path": "a.py", "kind": "function", "qualified_name": "f", "last_line": 3, "doc": ""}
    moved = {"before": before, "after": before | {"last_line": 5}}
    renamed = {"before": before, "after": before | {"kind": "method"}}
    table = a_table(changed=2, added=1, removed=1, examples=[moved, renamed, {"before": None, "after": before}])

    assert shadowed.examples(table) == [
        ("changed", "a.py · function · f", "last line 3 → 5"),
        ("changed", "a.py · f", "kind function → method"),
        ("added", "a.py · function · f", "last line 3"),
    ]
    assert shadowed.examples(a_table(examples=[{"before": before, "after": None}]))[0][0] == "removed"
    report = ShadowReport(tables={"symbols": table})
    assert shadowed.shown(report) == "Shown of what differs: 3 of 4 rows."
    assert shadowed.shown(ShadowReport(tables={"symbols": a_table(added=1, examples=[moved])})) == ""


def test_tables_counts_facts_and_decisions_are_rows_of_plain_text() -> None:
    report = ShadowReport(
        tables={"symbols": a_table(live=1_200, shadow=1_201, same=1_199, added=2, removed=1, columns=["doc"])},
        counts={"live": {"chunks": 1, "no_grammar": 2}, "shadow": {"chunks": 1, "no_grammar": 5}},
        facts=[{"shard": 2, "path": "/facts/a~1b/c~0d", "before": None, "after": [1, "\u202ex"]}],
        decisions=[{"real": "this", "fork": None}],
        not_recorded=[{"what": "run", "stage": "parse", "shard": 0, "attempt": 2}],
    )

    assert shadowed.tables(report)[0][:5] == ("Definitions", "1,200", "1,201", "1,199", "+2")
    assert shadowed.columns(report) == ["Definitions: one side alone has doc."]
    assert shadowed.counts(report) == [("no grammar", "2", "5")]
    assert shadowed.changes(report) == [("3", "facts / a/b / c~d", "nothing", "1; x")]
    assert shadowed.decisions(report) == [("this", "nothing")]
    assert shadowed.missing(report) == [("parse, shard 1, attempt 2",)]
    assert (shadowed.title("parse"), shadowed.title("other"), shadowed.kind("new_rows")) == (
        "Parse",
        "other",
        "New rows",
    )


def test_those_of_an_analysis_are_told_apart_from_those_of_others() -> None:
    own, other = a_shadow(), a_shadow(analysis_id=str(UUID(int=9)))

    assert shadowed.apart([other, own], own.analysis_id) == ([own], [other])


def test_what_questions_find_in_an_index_is_told_by_question_and_by_passage() -> None:
    def found(question: str, *places: tuple[int | None, int | None]) -> dict[str, object]:
        passages = [
            {"path": "a.py", "first_line": n, "last_line": n + 1, "live": p[0], "shadow": p[1]}
            for n, p in enumerate(places)
        ]
        same = sum(live == shadow for live, shadow in places)
        return {"question": question, "passages": passages, "same": same, "moved": 1, "gained": 0, "lost": 0} | (
            {"moved": 0} if same == len(places) else {"lost": 1}
        )

    searches = [found("Where is it?", (1, 1)), found("\u202ewhy", (1, 2), (2, None), (3, 3))]
    report = ShadowReport.model_validate({"agrees": False, "searches": searches})
    shadow = a_shadow(stage="index", report=report)

    assert shadowed.conclusion(shadow) == "Of 2 questions 1 finds otherwise by the present code."
    assert shadowed.searches(report)[0] == ("Where is it?", "1", "0", "+0", "−0")  # noqa: RUF001  # a minus
    assert [row[1:] for row in shadowed.passages(report)] == [
        ("a.py:0-1", "1", "2"),
        ("a.py:1-2", "2", "not found"),
    ]
    assert "\u202e" not in shadowed.passages(report)[0][0]
    away = a_shadow(stage="index", message="The index does not answer: look again.", report=ShadowReport())
    assert shadowed.conclusion(away) == "The index does not answer: look again."
    assert shadowed.state(away) == ("done", "good")


def test_answers_are_told_where_they_differ() -> None:
    def told(question: str, **more: object) -> dict[str, object]:
        ids = {"conversation_id": "c", "question_id": "q"}
        before = {"answer": "As it was.", "mode": "generated", "generation_kind": "quick"}
        return {"question": question, **ids, "before": before, **more}

    place = {"path": "a.py", "first_line": 3, "last_line": 4}
    answers = [
        told("One?", after={"answer": "As it was.", "mode": "generated"}),
        told("Two?", after={"answer": "As it is.", "mode": "generated", "generation_kind": "full"}, changed=["answer"]),
        told("Three?", code="effect_not_recorded", message="Nothing is recorded of it."),
    ]
    answers[1]["gained"] = [place]
    report = ShadowReport.model_validate({"agrees": False, "answers": answers})

    assert shadowed.conclusion(a_shadow(stage="answer", report=report)) == (
        "Of 3 questions 2 are answered otherwise by the present code."
    )
    gone = a_shadow(stage="answer", report=ShadowReport(gone=2))
    assert shadowed.conclusion(gone) == (
        "No question is there to be compared. Of 2 questions more nothing is there any longer."
    )
    assert shadowed.state(gone) == ("done", "good")
    assert shadowed.answers(report) == [
        ("Two?", "answer, quick index then, full now", "As it was.", "As it is."),
        ("Three?", "", "As it was.", "Nothing is recorded of it."),
    ]
    assert shadowed.cited(report) == [("Two?", "added", "a.py:3-4")]
    same = ShadowReport.model_validate({"agrees": True, "answers": answers[:1]})
    assert shadowed.conclusion(a_shadow(stage="answer", report=same)) == (
        "Of 1 question each is answered the same by the present code."
    )
