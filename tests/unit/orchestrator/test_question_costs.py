"""What a question took that is gone by now: what cannot be read of it is passed over."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from events.base import ERASED, LOCAL_TENANT, Envelope
from orchestrator.projections.question_costs import count_deleted
from tests.support.kernel import AT

GONE = UUID(int=3)


class Rows:
    """A connection that keeps what is put down."""

    def __init__(self) -> None:
        self.put: list[dict[str, object]] = []

    async def execute(self, _statement: object, row: dict[str, object]) -> None:
        self.put.append(row)


def ended(event_type: str, **data: object) -> Envelope:
    return Envelope(
        event_id=UUID(int=1),
        event_type=event_type,
        stream_id=f"conversation/{UUID(int=2)}",
        version=3,
        tenant_id=LOCAL_TENANT,
        correlation_id=UUID(int=4),
        timestamp=AT,
        data=data,
    )


@pytest.mark.parametrize(
    ("envelope", "put"),
    [
        (
            ended("ai.query.processed", question_id=str(GONE), answer=ERASED, citations=ERASED, input_tokens=7),
            [{"question_id": GONE, "tokens": 7, "cost": None}],
        ),
        (
            ended("ai.query.failed", question_id=str(GONE), input_tokens=7, output_tokens=3, cost_usd=0.5),
            [{"question_id": GONE, "tokens": 10, "cost": 0.5}],
        ),
        (ended("ai.query.failed", question_id="of nobody"), []),
        (ended("ai.query.stopped", question_id=str(GONE)), []),
    ],
)
async def test_numbers_are_put_down_whatever_else_is_left(envelope: Envelope, put: list[dict[str, object]]) -> None:
    rows = Rows()
    connection: AsyncConnection = rows  # type: ignore[assignment]  # all that is asked of it

    await count_deleted(connection, envelope)

    assert rows.put == put
