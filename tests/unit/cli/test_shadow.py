"""What `repostream shadow` prints."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cli.shadow import lines_of
from runtime.client.shapes import (
    Citation,
    ShadowAnswer,
    ShadowAnswered,
    ShadowPassage,
    ShadowReport,
    ShadowSearch,
    ShadowTable,
    ShadowView,
)


def a_shadow(**more: Any) -> ShadowView:
    plain: dict[str, Any] = {
        "shadow_id": str(UUID(int=1)),
        "analysis_id": str(UUID(int=2)),
        "repository_id": str(UUID(int=3)),
        "stage": "parse",
        "state": "done",
        "asked_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "ended_at": None,
        "promoted_at": None,
        "code": None,
        "message": None,
        "report": ShadowReport(),
    }
    return ShadowView(**{**plain, **more})


def test_rows_counts_and_facts_that_differ_are_told() -> None:
    table = ShadowTable(
        live=3, shadow=4, same=2, added=1, removed=0, changed=1, examples=[{"before": None, "after": {"path": "a"}}]
    )
    report = ShadowReport(
        agrees=False,
        tables={"symbols": table},
        counts={"live": {"chunks": 1, "files": 2}, "shadow": {"chunks": 5, "files": 2}},
        facts=[{"shard": 0, "path": "/facts/x", "before": 1, "after": 2}],
    )

    lines = lines_of(a_shadow(report=report))

    assert lines[0].endswith("parse of 00000000-0000-0000-0000-000000000002  2026-01-02 03:04 UTC  different")
    assert lines[1] == "  symbols: 3 rows live, 4 in the shadow; 2 the same, 1 added, 0 removed, 1 changed"
    assert lines[2] == "    None → {'path': 'a'}"
    assert lines[3:] == ["  chunks: 1 live, 5 in the shadow", "  [0] /facts/x: 1 → 2"]


def test_of_an_index_and_of_answers_each_question_is_told() -> None:
    passage = {"path": "a.py", "first_line": 1, "last_line": 9}
    searched = ShadowSearch(
        question="Where?",
        passages=[
            ShadowPassage(**passage, live=2, shadow=1),
            ShadowPassage(**passage, live=None, shadow=2),
            ShadowPassage(**passage, live=3, shadow=3),
        ],
        same=1,
        moved=1,
        gained=1,
        lost=0,
    )
    made = {"vectors": 1200, "generation_kind": "quick", "not_recorded": 3}
    sides = (("So.", "quick"), ("Not so.", "full"))
    before, after = (ShadowAnswered(answer=text, mode="extractive", generation_kind=kind) for text, kind in sides)
    ids = {"question_id": str(UUID(int=4)), "conversation_id": str(UUID(int=5))}
    cited = Citation(path="b.py", first_line=2, last_line=3)
    answers = [
        ShadowAnswer(question="How?", before=before, after=after, changed=["answer", "citations"], lost=[cited], **ids),
        ShadowAnswer(question="Why?", before=before, after=before, **ids),
        ShadowAnswer(question="Who?", before=before, code="effect_not_recorded", **ids),
    ]

    assert lines_of(a_shadow(stage="index", report=ShadowReport(index=made, searches=[searched])))[1:] == [
        "  vectors: 1,200 (quick), 3 passages without a recorded one",
        "  Where?: 1 the same, 1 moved, 1 gained, 0 lost",
        "    2 → 1  a.py:1-9",
        "    none → 2  a.py:1-9",
    ]
    assert lines_of(a_shadow(stage="answer", report=ShadowReport(answers=answers)))[1:] == [
        "  How?: answer, citations",
        "    searched in the quick index then, in the full one now",
        "    - b.py:2-3",
        "    before  So.",
        "    after   Not so.",
        "  Why?: the same",
        "  Who?: not answered (effect_not_recorded)",
    ]


def test_why_one_failed_and_what_is_decided_otherwise_is_told() -> None:
    failed = lines_of(a_shadow(state="failed", code="effect_not_recorded", message="Not there."))
    decided = ShadowReport(agrees=False, decided=9, decisions=[{"real": "this", "fork": None}])

    assert failed[0].endswith("failed (effect_not_recorded)")
    assert failed[1] == "  Not there."
    assert lines_of(a_shadow(stage="workflow", report=decided))[1:] == [
        "  9 decisions, 1 otherwise",
        "    really  this",
        "    shadow  None",
    ]
