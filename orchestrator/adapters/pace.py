"""What the newest analyses took, from the end of their clone until they were ready: the installation's own measure."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.workflow import Pace

# Small ones say nothing of the pace: what they take is mostly the time that a stage takes to begin.
_PACE = text("""
SELECT count(*) AS analyses, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(seconds), 0) AS seconds FROM (
  SELECT CAST(record #>> '{view,totals,bytes}' AS bigint) AS bytes,
    extract(epoch FROM CAST(record #>> '{view,ready_at}' AS timestamptz) - greatest(
      CAST(record #>> '{stages,clone,runs,0,ended_at}' AS timestamptz),
      CAST(record #>> '{view,estimate,confirmed_at}' AS timestamptz))) AS seconds
  FROM app.analyses
  WHERE state IN ('ready', 'refined') AND CAST(record #>> '{view,totals,bytes}' AS bigint) >= :least
  ORDER BY requested_at DESC LIMIT :newest
) measured WHERE seconds > 0
""")
LEAST_BYTES = 1_000_000
NEWEST = 20


async def read_pace(connection: AsyncConnection) -> Pace:
    """The pace of the newest analyses of all tenants; of none where none was large enough to tell."""
    row = (await connection.execute(_PACE, {"least": LEAST_BYTES, "newest": NEWEST})).one()
    return Pace(int(row.analyses), float(row.seconds), int(row.bytes))
