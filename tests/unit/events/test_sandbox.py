"""What a shadow keeps of what its stage made."""

from typing import Any
from uuid import uuid4

import pytest

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import LOCAL_TENANT
from events.delivery.work import Append, Result
from events.processing import Stage, StageCompleted
from events.replay.sandbox import MOST_BYTES, SandboxObjects, ShadowWorker
from runtime.faults import Permanent
from tests.support.kernel import a_draft


async def test_an_artifact_that_the_database_would_not_take_is_refused_by_a_code() -> None:
    large = ArtifactRef(kind=ArtifactKind.LEXICON, key="k", sha256="s", rows=1, bytes=MOST_BYTES + 1)
    completed = StageCompleted(
        run_id=uuid4(),
        stage=Stage.INDEX,
        shard=0,
        shards=1,
        attempt=1,
        duration=1,
        files_processed=1,
        artifacts=(large,),
    )
    nothing: Any = None  # neither is reached
    worker = ShadowWorker(nothing, None, {}, "w")

    with pytest.raises(Permanent, match="shadow_too_large"):
        await worker._keep(
            nothing, Result((Append("analysis/a", (a_draft(completed),)),)), SandboxObjects(None, LOCAL_TENANT)
        )
