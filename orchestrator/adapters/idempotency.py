"""The first answers to requests that came with an idempotency key: `app.idempotency`, kept for a day."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.api.problems import ApiProblem
from orchestrator.auth.identity import Identity
from runtime.sealing import Sealer
from runtime.tenancy import TenantDatabase

KEPT = "24 hours"
_ANSWERED_WITHIN = "60 seconds"  # four times what a request may take; whoever has no answer by then came to no end
_SWEEP = 60.0  # seconds
_MINE = "tenant_id = :tenant AND user_id = :user AND route = :route AND key = :key"
_CLAIM = text(f"""
INSERT INTO app.idempotency AS i (tenant_id, user_id, route, key, fingerprint, claim)
VALUES (:tenant, :user, :route, :key, :fingerprint, :claim)
ON CONFLICT (tenant_id, user_id, route, key) DO UPDATE
SET fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_at = now(), status = NULL, answer = NULL,
  ids = '{{}}'
WHERE i.claimed_at < now() - interval '{KEPT}'
RETURNING claim
""")  # noqa: S608  # constants of ours
_KNOWN = text(f"""
SELECT fingerprint, status, answer, claimed_at > now() - interval '{_ANSWERED_WITHIN}' AS fresh
FROM app.idempotency WHERE {_MINE}
""")  # noqa: S608  # constants of ours
_KEEP = text("""
UPDATE app.idempotency SET status = :status, ids = :ids,
  answer = CASE WHEN EXISTS (SELECT FROM app.deleted_repositories WHERE repository_id = ANY (:ids))
    OR EXISTS (
      SELECT FROM unnest(CAST(:ids AS uuid[])) told JOIN es.streams s
        ON s.stream_id IN ('conversation/' || told, 'analysis/' || told) WHERE s.archived_at IS NOT NULL
    ) THEN NULL
    ELSE CAST(:answer AS bytea) END
WHERE claim = :claim AND tenant_id = :tenant
""")
_RELEASE = text("DELETE FROM app.idempotency WHERE claim = :claim AND tenant_id = :tenant")
_LOSE = text(f"""
UPDATE app.idempotency SET claimed_at = claimed_at - interval '{_ANSWERED_WITHIN}'
WHERE claim = :claim AND tenant_id = :tenant AND status IS NULL
""")  # noqa: S608  # constants of ours
_EXPIRE = text(f"DELETE FROM app.idempotency WHERE claimed_at < now() - interval '{KEPT}'")  # noqa: S608  # the same
FORGET = text("UPDATE app.idempotency SET answer = NULL WHERE ids && CAST(:repositories AS uuid[])")


@dataclass(frozen=True)
class Asked:
    """A request under a key: of which operation, and the SHA-256 of what it asks for."""

    route: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True)
class Claim:
    """The right to answer a request: nobody else does what it asks for meanwhile."""

    claim_id: UUID
    tenant_id: UUID


@dataclass(frozen=True)
class Answer:
    """What was answered. `headers` are those that belong to it."""

    status: int
    headers: Mapping[str, str]
    body: str


class Answers:
    """The table. Without a `sealer` no answer is kept, but that there was one is."""

    def __init__(self, database: TenantDatabase, sealer: Sealer | None) -> None:
        self._database = database
        self._sealer = sealer

    async def claim(self, who: Identity, asked: Asked) -> Claim | Answer:
        """The right to do it, or the answer of the request that did.

        Raises ApiProblem: `idempotency_key_reused` for another request, `idempotency_in_flight` while the first is at
        work, `idempotency_unknown` where it came to no known end, `idempotency_answer_gone`.
        """
        row = {"tenant": who.tenant_id, "user": who.user_id, "route": asked.route, "key": asked.key}
        while True:
            claim = Claim(uuid4(), who.tenant_id)
            async with self._database.of(who.tenant_id) as connection:
                values = row | {"fingerprint": asked.fingerprint, "claim": claim.claim_id}
                if (await connection.execute(_CLAIM, values)).first() is not None:
                    return claim
                known = (await connection.execute(_KNOWN, row)).first()
            if known is not None:  # else it was given up in between
                return self._answer(known, asked)

    def _answer(self, known: Row[Any], asked: Asked) -> Answer:
        if bytes(known.fingerprint) != asked.fingerprint:
            raise ApiProblem("idempotency_key_reused", "Use a new key for a new request.")
        if known.status is None and known.fresh:
            raise ApiProblem("idempotency_in_flight", "The first request is at work: ask again.", {"Retry-After": "1"})
        if known.status is None:
            raise ApiProblem("idempotency_unknown", "Look whether it was done, and use a new key if it was not.")
        try:
            if known.answer is not None and self._sealer is not None:
                return Answer(known.status, **json.loads(self._sealer.open(bytes(known.answer))))
        except ValueError:
            pass  # sealed with a key that is not used any more
        raise ApiProblem("idempotency_answer_gone", "It was done: look, and use a new key for something new.")

    async def keep(self, claim: Claim, answer: Answer, ids: Sequence[UUID]) -> None:
        """Keep the answer to a claim, which tells of `ids`."""
        told = json.dumps({"headers": dict(answer.headers), "body": answer.body}).encode()
        sealed = self._sealer.seal(told) if self._sealer is not None else None
        values = {"claim": claim.claim_id, "tenant": claim.tenant_id, "status": answer.status}
        async with self._database.of(claim.tenant_id) as connection:
            await connection.execute(_KEEP, values | {"answer": sealed, "ids": list(ids)})

    async def release(self, claim: Claim) -> None:
        """Give a claim up: it was not done."""
        async with self._database.of(claim.tenant_id) as connection:
            await connection.execute(_RELEASE, {"claim": claim.claim_id, "tenant": claim.tenant_id})

    async def lose(self, claim: Claim) -> None:
        """End a claim of which nobody knows whether it was done."""
        async with self._database.of(claim.tenant_id) as connection:
            await connection.execute(_LOSE, {"claim": claim.claim_id, "tenant": claim.tenant_id})


async def sweep(engine: AsyncEngine) -> None:
    """Forget what was kept for longer than a day; then wait a minute."""
    async with engine.begin() as connection:
        await connection.execute(_EXPIRE)
    await asyncio.sleep(_SWEEP)
