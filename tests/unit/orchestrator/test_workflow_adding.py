"""What an index that serves does without is added when a person asks: shards, files and metadata that were lost.

The words come last: by then the vectors of what they add are there. What fails again leaves it as it was.
"""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import processing as facts
from events.artifacts import ArtifactKind
from events.base import Envelope, Event
from events.processing import FaultKind, Stage
from orchestrator.projections.analyses import fold
from orchestrator.workflow import Phase, Policy
from tests.support.analyses import Story, an_artifact, asked, cloned, completed, failed, fired, parked, requested

PARSED = (ArtifactKind.SYMBOLS, ArtifactKind.EDGES, ArtifactKind.CHUNKS, ArtifactKind.OUTCOMES)
SHARDS = 3


def parsed(shard: int, *, attempt: int = 1, lost: int = 0) -> Event:
    """A parsed shard of which `lost` files failed; its artifacts are others where they did."""
    artifacts = tuple(an_artifact(kind, shard, of=f"parse/{lost}/") for kind in PARSED)
    more = {"artifacts": artifacts, "facts": {"failed": {"parser_timeout": lost} if lost else {}}}
    return completed(Stage.PARSE, shard, attempt=attempt, shards=SHARDS, **more)


def made(stage: Stage, shard: int = 0, *, attempt: int = 1) -> Event:
    """A run of any stage, whose artifacts are its attempt's own."""
    kinds = {Stage.EMBED: ArtifactKind.VECTORS, Stage.REFINE: ArtifactKind.VECTORS, Stage.INDEX: ArtifactKind.LEXICON}
    kinds |= {Stage.METADATA: ArtifactKind.DEPENDENCIES}
    artifacts = (an_artifact(kinds[stage], shard, of=f"{stage}/{attempt}/"),) if stage in kinds else ()
    return completed(stage, shard, attempt=attempt, shards=SHARDS, artifacts=artifacts)


def a_story(*, lost_shard: bool = False, lost_files: bool = False, lost_metadata: bool = False) -> Story:
    """An analysis of three shards that is refined; of the last one, or of metadata, something was lost."""
    story = Story().given(requested(), cloned(SHARDS), completed(Stage.STRUCTURE))
    story.given(failed(Stage.METADATA, code="broke") if lost_metadata else made(Stage.METADATA))
    story.given(parsed(0), parsed(1))
    story.given(failed(Stage.PARSE, 2, code="parked") if lost_shard else parsed(2, lost=2 if lost_files else 0))
    shards = [0, 1] if lost_shard else [0, 1, 2]
    story.given(made(Stage.INDEX), *(made(Stage.EMBED, shard) for shard in shards), made(Stage.ACTIVATE))
    story.given(*(made(Stage.REFINE, shard) for shard in shards), made(Stage.PROMOTE), made(Stage.LINK))
    assert story.state.phase is Phase.REFINED
    return story


def requests(events: list[Event]) -> list[facts.StageRequested]:
    return [event for event in events if isinstance(event, facts.StageRequested)]


def shas(request: facts.StageRequested, kind: ArtifactKind) -> list[str]:
    return [ref.sha256 for ref in request.inputs if ref.kind is kind]


def test_a_lost_shard_is_read_embedded_and_then_put_among_the_words() -> None:
    story = a_story(lost_shard=True)
    [again] = requests(story.when(facts.RetryRequested()))
    assert (again.stage, again.shard, again.attempt, again.because, again.round) == (Stage.PARSE, 2, 2, "parked", 1)

    after_parse = requests(story.when(parsed(2, attempt=2)))
    assert asked(after_parse) == [("embed", 2, 1), ("refine", 2, 1), ("link", 0, 2)]
    assert asked(story.when(made(Stage.EMBED, 2))) == [("activate", 0, 2)]
    assert asked(story.when(made(Stage.ACTIVATE, attempt=2))) == []
    assert asked(story.when(made(Stage.REFINE, 2))) == [("promote", 0, 2)]
    [words] = requests(story.when(made(Stage.PROMOTE, attempt=2)))

    assert (words.stage, words.attempt, words.because, words.round) == (Stage.INDEX, 2, "parse", 1)
    assert len(shas(words, ArtifactKind.CHUNKS)) == SHARDS
    assert shas(words, ArtifactKind.LEXICON) == ["index/1/lexicon/0"]
    [ready] = story.when(made(Stage.INDEX, attempt=2))
    assert isinstance(ready, facts.ProcessingCompleted)
    assert (ready.partial, ready.failed) == (False, {})
    [refined] = story.when(made(Stage.LINK, attempt=2))
    assert isinstance(refined, facts.ProcessingRefined)
    record = fold(story.history)
    assert record is not None
    assert (record.view.partial, record.view.state) == (False, "refined")


def test_files_that_failed_are_shown_what_their_shard_has_and_only_its_followers_go_again() -> None:
    story = a_story(lost_files=True)
    [again] = requests(story.when(facts.RetryRequested()))

    assert (again.stage, again.shard, again.attempt, again.because) == (Stage.PARSE, 2, 2, "files_failed")
    assert [ref.kind for ref in again.inputs] == [ArtifactKind.SOURCES, *PARSED]
    assert asked(story.when(parsed(2, attempt=2))) == [("embed", 2, 2), ("refine", 2, 2), ("link", 0, 2)]
    [activate] = requests(story.when(made(Stage.EMBED, 2, attempt=2)))
    assert shas(activate, ArtifactKind.VECTORS) == ["embed/1/vectors/0", "embed/1/vectors/1", "embed/2/vectors/2"]


def test_files_that_fail_again_change_nothing_and_are_told_again() -> None:
    story = a_story(lost_files=True).given(facts.RetryRequested())
    ready, refined = story.when(parsed(2, attempt=2, lost=2))

    assert isinstance(ready, facts.ProcessingCompleted)
    assert (ready.partial, ready.failed) == (True, {"parser_timeout": 2})
    assert isinstance(refined, facts.ProcessingRefined)
    assert asked(story.when(facts.RetryRequested())) == [("parse", 2, 3)]


def test_a_retry_that_is_lost_itself_leaves_what_the_shard_had() -> None:
    story = a_story(lost_files=True).given(facts.RetryRequested())
    ready, refined = story.when(failed(Stage.PARSE, 2, attempt=2, code="parked"))

    assert isinstance(ready, facts.ProcessingCompleted)
    assert (ready.partial, ready.failed) == (True, {"parser_timeout": 2})
    assert ready.totals == next(
        event.data["totals"] for event in story.history if event.event_type == facts.ProcessingCompleted.event_type
    )
    assert isinstance(refined, facts.ProcessingRefined)
    assert asked(story.when(facts.RetryRequested())) == [("parse", 2, 3)]


def test_lost_metadata_comes_back_and_the_links_are_made_with_it() -> None:
    story = a_story(lost_metadata=True)
    assert asked(story.when(facts.RetryRequested())) == [("metadata", 0, 2)]

    ready_and_link = story.when(made(Stage.METADATA, attempt=2))
    [link] = requests(ready_and_link)
    assert (link.stage, link.because, link.round) == (Stage.LINK, "metadata", 0)
    assert len(shas(link, ArtifactKind.DEPENDENCIES)) == 1
    assert [event.failed for event in ready_and_link if isinstance(event, facts.ProcessingCompleted)] == [{}]
    assert isinstance(story.when(made(Stage.LINK, attempt=2))[0], facts.ProcessingRefined)


def test_an_embedding_that_is_lost_leaves_the_words_and_says_so() -> None:
    story = a_story(lost_shard=True).given(facts.RetryRequested(), parsed(2, attempt=2), made(Stage.REFINE, 2))
    story.given(made(Stage.PROMOTE, attempt=2))
    [words] = requests(story.when(failed(Stage.EMBED, 2, code="model_missing")))
    assert words.stage is Stage.INDEX

    [ready] = story.when(made(Stage.INDEX, attempt=2))
    assert isinstance(ready, facts.ProcessingCompleted)
    assert (ready.partial, ready.failed) == (True, {"embed.model_missing": 1})
    assert asked(story.when(facts.RetryRequested())) == [("embed", 2, 2)]


def test_words_that_are_lost_leave_the_index_that_serves() -> None:
    story = a_story(lost_files=True).given(facts.RetryRequested(), parsed(2, attempt=2))
    story.given(made(Stage.EMBED, 2, attempt=2), made(Stage.ACTIVATE, attempt=2), made(Stage.REFINE, 2, attempt=2))
    story.given(made(Stage.PROMOTE, attempt=2))
    [ready] = story.when(failed(Stage.INDEX, attempt=2, code="out_of_space"))

    assert isinstance(ready, facts.ProcessingCompleted)
    assert ready.failed == {"index.out_of_space": 1}
    assert story.state.phase is Phase.READY
    assert ("index", 0, 3) in asked(story.when(facts.RetryRequested()))


def test_while_it_is_still_refined_the_words_do_not_wait_for_that() -> None:
    story = Story().given(requested(), cloned(SHARDS), completed(Stage.STRUCTURE), made(Stage.METADATA))
    story.given(parsed(0), parsed(1), failed(Stage.PARSE, 2), made(Stage.INDEX), made(Stage.EMBED, 0))
    story.given(made(Stage.EMBED, 1), made(Stage.ACTIVATE), made(Stage.LINK), facts.RetryRequested())
    story.given(parsed(2, attempt=2), made(Stage.EMBED, 2))

    assert asked(story.when(made(Stage.ACTIVATE, attempt=2))) == [("index", 0, 2)]
    [ready] = story.when(made(Stage.INDEX, attempt=2))
    assert isinstance(ready, facts.ProcessingCompleted)
    assert not ready.partial
    story.given(made(Stage.REFINE, 0), made(Stage.REFINE, 1))
    [promote] = requests(story.when(made(Stage.REFINE, 2)))
    assert (promote.stage, len(shas(promote, ArtifactKind.VECTORS))) == (Stage.PROMOTE, SHARDS)


def test_what_is_being_made_of_the_old_result_is_made_once_more() -> None:
    """The full generation was being built when the shard came: it ends, and then it is built of all."""
    story = Story().given(requested(), cloned(SHARDS), completed(Stage.STRUCTURE), made(Stage.METADATA))
    story.given(parsed(0), parsed(1), parsed(2, lost=1), made(Stage.INDEX), *(made(Stage.EMBED, n) for n in range(3)))
    story.given(made(Stage.ACTIVATE), made(Stage.LINK), *(made(Stage.REFINE, n) for n in range(3)))
    story.given(facts.RetryRequested(), parsed(2, attempt=2), made(Stage.REFINE, 2, attempt=2))

    assert asked(story.when(made(Stage.PROMOTE))) == [("promote", 0, 2)]


@pytest.mark.parametrize("broken", [failed(Stage.PROMOTE), parked(Stage.PROMOTE)], ids=["failed", "parked"])
def test_what_fails_while_what_it_reads_is_made_anew_goes_again_by_itself(broken: Event) -> None:
    story = Story().given(requested(), cloned(SHARDS), completed(Stage.STRUCTURE), made(Stage.METADATA))
    story.given(parsed(0), parsed(1), parsed(2, lost=1), made(Stage.INDEX), *(made(Stage.EMBED, n) for n in range(3)))
    story.given(made(Stage.ACTIVATE), made(Stage.LINK), *(made(Stage.REFINE, n) for n in range(3)))
    story.given(facts.RetryRequested(), parsed(2, attempt=2), made(Stage.REFINE, 2, attempt=2))
    [retry] = story.when(broken)
    assert isinstance(retry, facts.RetryScheduled)
    record = fold(story.history)
    assert record is not None
    assert record.stages[Stage.PROMOTE].runs["0"].state == "retrying"

    [again] = requests(story.when(fired(Stage.PROMOTE)))
    assert (again.stage, again.attempt, again.because) == (Stage.PROMOTE, 2, "refine")
    assert shas(again, ArtifactKind.VECTORS)[2] == "refine/2/vectors/2"
    assert story.when(failed(Stage.PROMOTE, attempt=2)) == []  # of what it reads as it is now: it is lost


def test_what_was_lost_goes_again_with_all_its_attempts_once_what_it_reads_is_made_anew() -> None:
    story = Story(Policy(attempts=2)).given(requested(), cloned(SHARDS), completed(Stage.STRUCTURE))
    story.given(made(Stage.METADATA), parsed(0), parsed(1), parsed(2, lost=1), made(Stage.INDEX))
    story.given(*(made(Stage.EMBED, n) for n in range(3)), made(Stage.ACTIVATE))
    story.given(failed(Stage.LINK, kind=FaultKind.TRANSIENT), fired(Stage.LINK))
    assert story.when(failed(Stage.LINK, attempt=2, kind=FaultKind.TRANSIENT)) == []
    story.given(facts.RetryRequested(files=True))
    due = story.when(parsed(2, attempt=2))
    assert [event.stage for event in due if isinstance(event, facts.RetryScheduled)] == [Stage.LINK]
    assert asked(story.when(fired(Stage.LINK, attempt=2))) == [("link", 0, 3)]

    [retry] = story.when(failed(Stage.LINK, attempt=3, kind=FaultKind.TRANSIENT))
    assert isinstance(retry, facts.RetryScheduled)


def fair_or_not(story: Story, run: facts.StageRequested, *, breaks: bool) -> None:
    """A run ends, one way or the other."""
    if breaks:
        story.when(failed(run.stage, run.shard, attempt=run.attempt, kind=FaultKind.PERMANENT))
    elif run.stage is Stage.PARSE:
        story.when(parsed(run.shard, attempt=run.attempt))
    else:
        story.when(made(run.stage, run.shard, attempt=run.attempt))


def requested_in(history: Sequence[Envelope]) -> list[facts.StageRequested]:
    """The requests of runs."""
    return [
        facts.StageRequested.model_validate(e.data) for e in history if e.event_type == "processing.stage.requested"
    ]


def newest(story: Story) -> dict[tuple[str, int], facts.StageRequested]:
    """The newest request of each run."""
    return {(request.stage.value, request.shard): request for request in requested_in(story.history)}


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_in_any_order_and_through_any_faults_the_end_is_made_of_all_there_is(data: st.DataObject) -> None:
    story = a_story(**{data.draw(st.sampled_from(["lost_shard", "lost_files", "lost_metadata"])): True})
    running = requests(story.when(facts.RetryRequested()))
    while running:
        seen = len(story.history)
        run = running.pop(data.draw(st.integers(0, len(running) - 1)))
        fair_or_not(story, run, breaks=data.draw(st.integers(0, 5)) == 0)
        running += requested_in(story.history[seen:])

    state, record = story.state, fold(story.history)
    assert record is not None
    if any(slot.failure for slot in state.slots.values()):
        assert state.phase in {Phase.READY, Phase.REFINED}  # what served before still does
        return
    chunks = [ref.sha256 for slot in state.of(Stage.PARSE) for ref in slot.outputs(ArtifactKind.CHUNKS)]
    last = newest(story)
    assert (state.phase, record.view.partial, record.view.state) == (Phase.REFINED, False, "refined")
    assert shas(last["index", 0], ArtifactKind.CHUNKS) == chunks
    for follower, of in ((Stage.ACTIVATE, Stage.EMBED), (Stage.PROMOTE, Stage.REFINE)):
        vectors = [ref.sha256 for slot in state.of(of) for ref in slot.outputs(ArtifactKind.VECTORS)]
        assert shas(last[follower, 0], ArtifactKind.VECTORS) == vectors
    for stage, shard in product(("embed", "refine"), range(SHARDS)):
        assert shas(last[stage, shard], ArtifactKind.CHUNKS) == chunks[shard : shard + 1]
