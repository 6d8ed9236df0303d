"""Bundles that releases wrote are read as they were: what is in them, and what it becomes here."""

import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from events.base import Draft
from events.log.drafts import record
from events.replay import bundle
from events.replay.bundled import artifacts_of
from orchestrator.projections.conversations import fold
from orchestrator.workflow import replay
from orchestrator.workflow.imported import imported
from orchestrator.workflow.imported_conversation import imported_conversation
from orchestrator.workflow.state import SlotStatus
from tests.support import golden_bundles
from tests.support.analyses import CONTEXT, NOON
from tests.support.secrets_said import FORMS

PATHS = golden_bundles.all_paths()
HERE = UUID(int=9)


def test_each_version_of_the_format_has_one() -> None:
    versions = {bundle.read(path).manifest.version for path in PATHS}

    assert versions == bundle.VERSIONS == {int(path.stem) for path in PATHS}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_its_analysis_is_the_one_that_was_exported(path: Path) -> None:
    found = bundle.read(path)
    refs = {ref.sha256: ref for ref in artifacts_of(found.events)}
    told = imported(found.events, HERE, refs)

    shown = golden_bundles.state(path)
    assert (shown["state"], shown["partial"], shown["failed"]) == ("refined", False, {})
    assert shown["name"] == "aviary"
    assert shown["languages"] == {"markdown": 64, "python": 493}  # bytes
    assert {ref.kind for ref in refs.values()} >= {"tree", "sources", "symbols", "chunks", "vectors"}
    assert all(found.content(ref)[:4] == b"PAR1" for ref in refs.values())
    drafts = [
        Draft(event_id=UUID(int=place), occurred_at=each.at, context=CONTEXT, event=each.event)
        for place, each in enumerate(told, 1)
    ]
    state = replay([record(draft, f"analysis/{HERE}", place) for place, draft in enumerate(drafts, 1)])
    assert {slot.status for slot in state.slots.values()} == {SlotStatus.DONE}
    assert {ref.sha256 for slot in state.slots.values() for ref in slot.artifacts} == set(refs)


def test_its_conversation_says_what_was_said() -> None:
    found = bundle.read(golden_bundles.FOLDER / "2.zip")
    drafts = imported_conversation(found.conversation, f"conversation/{HERE}", CONTEXT, NOON, {})
    here = fold([record(draft, f"conversation/{HERE}", place) for place, draft in enumerate(drafts, 1)])
    assert here is not None

    fed, sung = here.questions
    assert (fed.query, fed.rating, fed.mode) == (golden_bundles.QUESTIONS[0], 1, "extractive")
    assert (sung.query, sung.rating, sung.state) == (golden_bundles.QUESTIONS[1], None, "answered")
    assert "aviary/feeding.py" in {citation.path for citation in fed.citations}
    assert "def feed(bird: Bird, seeds: int) -> str:" in (fed.answer or "")
    assert "aviary/birds.py" in {citation.path for citation in sung.citations}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_it_is_small_and_about_nobody(path: Path) -> None:
    assert path.stat().st_size < 100_000
    with zipfile.ZipFile(path) as archive:
        said = b"".join(archive.read(name) for name in archive.namelist())

    assert not FORMS.search(said)
    for place in (b"127.0.0.1", b"/tmp/", b"/home/", b"/root/", b"/work/", b"localhost"):
        assert place not in said
