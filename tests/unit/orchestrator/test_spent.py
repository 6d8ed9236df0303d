"""What embedding really took is added up over shards and attempts, from what the runs said."""

from events import processing as facts
from events.processing import FaultKind, Stage
from orchestrator.projections.analyses import fold
from orchestrator.projections.spent import spent_after
from tests.support.analyses import completed, failed, fired, parsed_story, ready_story


def embedded(shard: int = 0, *, tokens: int = 0, attempt: int = 1, **said: object) -> facts.StageCompleted:
    event = completed(
        Stage.REFINE, shard, attempt=attempt, shards=2, counts={"tokens": tokens} if tokens else {}, facts=said
    )
    assert isinstance(event, facts.StageCompleted)
    return event


def test_tokens_and_dollars_are_added_over_shards_and_attempts() -> None:
    story = ready_story(2).given(embedded(0, tokens=900, cost_usd=0.018), embedded(1, tokens=100, cost_usd=0.002))
    story.given(facts.RetryRequested(stage=Stage.REFINE, shard=1), embedded(1, tokens=100, attempt=2, cost_usd=0.002))
    record = fold(story.history)

    assert record is not None
    assert record.view.spent is not None
    assert (record.view.spent.tokens, record.view.spent.cost_usd) == (1_100, 0.022)


def test_what_a_run_took_that_broke_off_is_added_too() -> None:
    broken = failed(Stage.REFINE, 0, kind=FaultKind.TRANSIENT).model_copy(update={"tokens": 50, "cost_usd": 0.001})
    story = ready_story(1).given(broken, fired(Stage.REFINE), embedded(0, tokens=40, attempt=2, cost_usd=0.002))
    record = fold(story.history)

    assert record is not None
    assert record.view.spent is not None
    assert (record.view.spent.tokens, record.view.spent.cost_usd) == (90, 0.003)


def test_without_a_price_there_are_tokens_and_without_tokens_nothing() -> None:
    spent = spent_after(None, embedded(tokens=7))

    assert spent is not None
    assert (spent.tokens, spent.cost_usd) == (7, None)
    assert spent_after(None, embedded()) is None
    record = fold(parsed_story(1).history)
    assert record is not None
    assert record.view.spent is None
