"""A database that cannot be connected to in time is told as that, and not as the work's own deadline."""

from typing import Any, cast
from uuid import uuid4

import pytest

from ai_engine.recording import fault_of
from events.base import Envelope
from events.delivery.long import LeasedRun
from runtime.faults import Transient


class Slow:
    """An engine whose server does not answer."""

    engine: "Slow"

    def __init__(self) -> None:
        self.engine = self

    def connect(self) -> "Slow":
        return self

    async def __aenter__(self) -> None:
        raise TimeoutError

    async def __aexit__(self, *_: object) -> None:
        pass


async def test_a_connection_that_is_not_there_in_time_is_the_databases() -> None:
    run = LeasedRun("worker", uuid4(), desk=cast("Any", Slow()))

    with pytest.raises(Transient) as raised:
        await run.recorded(cast("Envelope", None))

    assert fault_of(raised.value, 120.0).code == "database_unavailable"
