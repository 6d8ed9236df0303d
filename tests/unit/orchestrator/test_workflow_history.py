"""The history stage in the graph: only where it was asked for, beside the others, and no reason to fail."""

from events import processing as facts
from events.base import Event
from events.processing import Stage
from tests.support.analyses import Story, asked, cloned, completed, failed, requested


def with_history(depth: int = 100) -> facts.ProcessingRequested:
    return requested().model_copy(update={"history_depth": depth})


def all_but_history(story: Story) -> list[Event]:
    story.given(completed(Stage.METADATA), completed(Stage.STRUCTURE), completed(Stage.PARSE))
    story.given(completed(Stage.INDEX), completed(Stage.EMBED))
    return story.when(completed(Stage.ACTIVATE))


def test_nobody_reads_a_history_that_was_not_asked_for() -> None:
    story = Story().given(requested())

    assert "history" not in {stage for stage, _, _ in asked(story.when(cloned(1)))}
    assert isinstance(all_but_history(story)[0], facts.ProcessingCompleted)


def test_the_history_is_read_beside_the_others_with_its_depth_and_the_login_of_the_clone() -> None:
    credential = with_history().analysis_id
    story = Story().given(with_history().model_copy(update={"credential_ref": credential}))
    [history] = [
        event for event in story.when(cloned(1)) if isinstance(event, facts.StageRequested) and event.history_depth
    ]

    assert (history.stage, history.history_depth, history.commit) == (Stage.HISTORY, 100, "c0ffee")
    assert history.credential_ref == credential
    assert [ref.kind for ref in history.inputs] == ["tree"]


def test_ready_waits_for_the_history() -> None:
    story = Story().given(with_history(), cloned(1))
    assert all_but_history(story) == []

    done = story.when(completed(Stage.HISTORY))[0]
    assert isinstance(done, facts.ProcessingCompleted)
    assert not done.partial


def test_a_lost_history_is_said_and_fails_nothing() -> None:
    story = Story().given(with_history(), cloned(1), failed(Stage.HISTORY, code="clone_timeout"))
    done = all_but_history(story)[0]

    assert isinstance(done, facts.ProcessingCompleted)
    assert (done.partial, done.failed) == (True, {"history.clone_timeout": 1})


def test_an_old_request_without_the_field_asks_for_none() -> None:
    told = {name: value for name, value in requested().model_dump(mode="json").items() if name != "history_depth"}

    assert facts.ProcessingRequested.model_validate(told).history_depth == 0
    assert Story().given(requested()).state.history == 0
