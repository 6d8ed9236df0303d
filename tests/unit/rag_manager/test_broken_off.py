"""A shard that breaks off says what a provider took for what it had embedded by then."""

from typing import Any, cast

import numpy as np
import pytest
from obstore.store import MemoryStore

from events.base import LOCAL_TENANT, Draft, derived_id
from events.log.drafts import record
from events.processing import Stage, StageFailed, StageRequested
from rag_manager.jobs.embed_shard import EmbedShard
from rag_manager.jobs.embedding import Embedded
from runtime.faults import Transient
from runtime.objects import Objects
from tests.support.analyses import ANALYSIS, CONTEXT, NOON, STREAM


class Model:
    name, dimension = "model", 2


@pytest.mark.parametrize(("dollars", "told"), [(0.0000000123, 0.00000001), (None, None)])
async def test_what_was_paid_is_in_the_event(dollars: float | None, told: float | None) -> None:
    run_id = derived_id("run", "broken off")
    asked = StageRequested(analysis_id=ANALYSIS, run_id=run_id, stage=Stage.REFINE, shard=0, shards=1, url="u")
    envelope = record(Draft(event_id=run_id, occurred_at=NOON, context=CONTEXT, event=asked), STREAM, 1)
    fault = Transient("embedder_busy", "Later.")
    made = Embedded(np.eye(2, dtype=np.float32), taken=[1], fault=fault, tokens=30, dollars=dollars)
    job = EmbedShard(cast("Any", None), cast("Any", Model()), background=True)

    result = await job._broken_off(envelope, Objects(MemoryStore(), tenant=LOCAL_TENANT), made, fault, [("c", "h")])

    [event] = [draft.event for append in result.appends for draft in append.drafts]
    assert isinstance(event, StageFailed)
    assert (event.code, event.tokens, event.cost_usd) == ("embedder_busy", 30, told)
    assert [ref.rows for ref in event.artifacts] == [1]
