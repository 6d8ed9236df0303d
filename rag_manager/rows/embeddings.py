"""Where the vector of a text under a model is stored: a row of a `vectors` artifact."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.artifacts import ArtifactRef


@dataclass(frozen=True)
class VectorPlace:
    """One row of one artifact."""

    key: str
    sha256: str
    row: int


async def known(engine: AsyncEngine, tenant_id: UUID, model: str, hashes: Sequence[str]) -> dict[str, VectorPlace]:
    """Of these text hashes, those that were embedded for this tenant before under this model."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT text_sha256, artifact_key, artifact_sha256, artifact_row FROM rag.embeddings"
                " WHERE tenant_id = :tenant AND model = :model AND text_sha256 = ANY(:hashes)"
            ),
            {"tenant": tenant_id, "model": model, "hashes": list(hashes)},
        )
        return {row[0]: VectorPlace(row[1], row[2], row[3]) for row in rows}


async def remember(
    connection: AsyncConnection, tenant_id: UUID, model: str, artifact: ArtifactRef, places: Sequence[tuple[str, int]]
) -> None:
    """Say where the vectors of some texts are: (hash, row). The first place known stays. Does not commit."""
    ordered = sorted(places)  # one order for all writers, so that they cannot wait for each other in a circle
    await connection.execute(
        text(
            "INSERT INTO rag.embeddings (tenant_id, model, text_sha256, artifact_key, artifact_sha256, artifact_row)"
            " SELECT :tenant, :model, hash, :key, :sha256, row"
            " FROM unnest(CAST(:hashes AS text[]), CAST(:rows AS int[])) AS t(hash, row) ON CONFLICT DO NOTHING"
        ),
        {
            "tenant": tenant_id,
            "model": model,
            "key": artifact.key,
            "sha256": artifact.sha256,
            "hashes": [hash_ for hash_, _ in ordered],
            "rows": [row for _, row in ordered],
        },
    )
