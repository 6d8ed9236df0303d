"""A parked run with other values: what may be changed, and how the analysis goes on."""

import pytest

from events import processing as facts
from events.artifacts import ArtifactKind
from events.processing import Stage
from orchestrator.workflow import Phase
from orchestrator.workflow.edited import edit, next_attempt
from tests.support.analyses import Story, an_artifact, asked, cloned, completed, parked, ready_story, requested

INPUTS = (an_artifact(ArtifactKind.SOURCES, 0), an_artifact(ArtifactKind.CHUNKS, 0))


def a_request(**more: object) -> facts.StageRequested:
    story = Story().given(requested())
    found = next(e for e in story.history if e.event_type == facts.StageRequested.event_type)
    return facts.StageRequested.model_validate({**found.data, "inputs": INPUTS, **more})


def test_what_is_changed_is_told_with_what_it_was() -> None:
    done = edit(a_request(history_depth=900), {"history_depth": 5, "inputs": [INPUTS[1].model_dump(mode="json")]})

    assert (done.request.history_depth, done.request.inputs) == (5, INPUTS[1:])
    assert (done.before["history_depth"], done.after["history_depth"]) == (900, 5)
    assert list(done.after) == ["history_depth", "inputs"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "https://elsewhere.example/x"}, "url cannot be changed"),
        ({"credential_ref": None, "attempt": 9}, "attempt, credential_ref cannot be changed"),
        ({"history_depth": "many"}, "history_depth: "),
        ({"inputs": [an_artifact(ArtifactKind.SOURCES, 7).model_dump(mode="json")]}, "get no others"),
        ({"history_depth": 0}, "Nothing would be different"),
        ({}, "Nothing would be different"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        edit(a_request(), changes)


def test_the_analysis_goes_on_with_the_edited_attempt_and_hears_no_late_reply_of_the_parked_one() -> None:
    story = Story().given(requested(), cloned(1), completed(Stage.METADATA), completed(Stage.STRUCTURE))
    story.given(parked(Stage.PARSE))
    assert story.state.phase is Phase.FAILED

    retry, again = next_attempt(a_request(stage=Stage.PARSE), story.state)
    story.happens(retry)
    assert asked(story.when(again)) == []  # it is not asked for a second time
    assert story.state.phase is Phase.RUNNING
    assert asked(story.when(completed(Stage.PARSE))) == []
    assert asked(story.when(completed(Stage.PARSE, attempt=2))) == [("index", 0, 1), ("embed", 0, 1)]
    assert (again.attempt, again.because) == (2, "edited")


def test_what_does_not_wait_is_not_begun_a_second_time() -> None:
    for story in (ready_story(1), Story().given(requested(), facts.CancelRequested(reason=""))):
        with pytest.raises(ValueError, match="does not wait any more"):
            next_attempt(a_request(stage=Stage.PARSE), story.state)
