"""A shard that breaks off says what a provider took for what it had embedded by then."""

import asyncio
from typing import Any, cast

import numpy as np
import pytest
from obstore.store import MemoryStore

from events.base import LOCAL_TENANT, Draft, Envelope, derived_id
from events.delivery.work import Append
from events.log.drafts import record
from events.processing import Stage, StageFailed, StageRequested
from rag_manager.jobs.embed_shard import EmbedShard
from rag_manager.jobs.embedding import Embedded
from rag_manager.jobs.paying import Ends, Took
from rag_manager.ports import Spent
from runtime.faults import Cancelled, Transient
from runtime.objects import Objects
from tests.support.analyses import ANALYSIS, CONTEXT, NOON, STREAM
from tests.support.index import ARun


class Model:
    name, dimension = "model", 2


def a_request() -> Envelope:
    run_id = derived_id("run", "broken off")
    asked = StageRequested(analysis_id=ANALYSIS, run_id=run_id, stage=Stage.REFINE, shard=0, shards=1, url="u")
    return record(Draft(event_id=run_id, occurred_at=NOON, context=CONTEXT, event=asked), STREAM, 1)


def said(appends: tuple[Append, ...]) -> StageFailed:
    [event] = [draft.event for append in appends for draft in append.drafts]
    assert isinstance(event, StageFailed)
    return event


@pytest.mark.parametrize(("dollars", "told"), [(0.0000000123, 0.00000001), (None, None)])
async def test_what_was_paid_is_in_the_event(dollars: float | None, told: float | None) -> None:
    envelope = a_request()
    fault = Transient("embedder_busy", "Later.")
    made = Embedded(np.eye(2, dtype=np.float32), taken=[1], fault=fault)
    job = EmbedShard(cast("Any", None), cast("Any", Model()), background=True)

    result = await job._broken_off(
        envelope, Objects(MemoryStore(), tenant=LOCAL_TENANT), made, Took(30, dollars), [("c", "h")]
    )

    [event] = [draft.event for append in result.appends for draft in append.drafts]
    assert isinstance(event, StageFailed)
    assert (event.code, event.tokens, event.cost_usd) == ("embedder_busy", 30, told)
    assert [ref.rows for ref in event.artifacts] == [1]


def end(ends: Ends, run: ARun, by: BaseException, *spent: Spent) -> None:
    with ends.counted(run) as took:
        for each in spent:
            took.spend(each)
        raise by


@pytest.mark.parametrize("by", [Cancelled(), asyncio.CancelledError(), Transient("embedder_busy", "Later.")])
async def test_what_a_stopped_run_took_is_said_however_it_ends(by: BaseException) -> None:
    ends = Ends()

    with pytest.raises(Cancelled) as ended:
        end(ends, ARun(cancelled=True), by, Spent(30, 0.5), Spent(12))

    event = said(await ends.stopped(a_request(), ended.value))
    assert (event.code, event.tokens, event.cost_usd) == ("stage_stopped", 42, 0.5)


async def test_a_fault_says_what_its_run_took_and_no_other_run() -> None:
    ends = Ends()
    with pytest.raises(Transient) as fault:
        end(ends, ARun(), Transient("store_unavailable", "Later."), Spent(30))

    mine = said(ends.failed(a_request(), fault.value))
    other = said(ends.failed(a_request(), Transient("store_unavailable", "Later.")))
    assert (mine.code, mine.tokens, mine.cost_usd) == ("store_unavailable", 30, None)
    assert other.tokens == 0


async def test_nothing_is_said_of_a_stopped_run_that_took_nothing_nor_where_the_process_ends() -> None:
    ends = Ends()
    with pytest.raises(Cancelled) as ended:
        end(ends, ARun(cancelled=True), Cancelled())
    with pytest.raises(asyncio.CancelledError):
        end(ends, ARun(), asyncio.CancelledError(), Spent(30))

    assert await ends.stopped(a_request(), ended.value) == ()
    assert await ends.stopped(a_request(), None) == ()
