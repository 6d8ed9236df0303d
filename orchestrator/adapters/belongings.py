"""Whose each table is: what becomes of it when a tenant or an account is deleted, and what of it is handed out.

The one list of its kind: deletion and export read it, and a test compares it with the database, so that a table which
is added without a rule is found. `:tenant` and `:user` are ids; a condition is SQL about the table's own rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


class Fate(StrEnum):
    """What becomes of rows of somebody who is deleted."""

    DELETED = "deleted"
    EMPTIED = "emptied"  # the row stays as an anonymised fact, its `personal` columns are emptied
    SEALED = "sealed"  # it stays, and nobody can read what is private in it: the key is destroyed
    NOBODYS = "nobodys"  # there is nothing of anybody in it; `why` says what there is


@dataclass(frozen=True)
class Belonging:
    """One table. `file` is its name in an export; without one, `why` says why it is not in it."""

    table: str
    fate: Fate
    tenant: str = ""
    user: str = ""
    personal: tuple[str, ...] = ()
    why: str = ""
    file: str = ""
    key: tuple[str, ...] = ()  # what an export goes on by
    secret: tuple[str, ...] = ()  # columns that no export has
    by: str = "orchestrator"  # the service that deletes

    @property
    def is_walled(self) -> bool:
        """Whether a transaction of requests sees the rows of one tenant alone."""
        return not self.table.startswith(("auth.", "audit.")) or self.table == "auth.repository_credentials"


_MINE, _OWN = "tenant_id = :tenant", "user_id = :user"
_STREAMS = "stream_id IN (SELECT s.stream_id FROM es.streams s WHERE s.tenant_id = :tenant)"
_ASKED = """
question_id IN (SELECT CAST(e.data->>'question_id' AS uuid) FROM es.events e
  WHERE e.user_id = :user AND e.type = 'ai.query.requested')
OR conversation_id IN (SELECT c.conversation_id FROM app.conversations c WHERE c.user_id = :user)"""
_AGAIN = "worked out from what is handed out anyway"
_KERNEL = "numbers and names of the kernel's own"


def _of_tenant(table: str, file: str, *key: str, **more: tuple[str, ...]) -> Belonging:
    return Belonging(table, Fate.DELETED, _MINE, file=file, key=key, **more)  # type: ignore[arg-type]  # secret alone


def _index(table: str) -> Belonging:
    return Belonging(table, Fate.DELETED, _MINE, why=_AGAIN, by="rag_manager")


def _nobodys(table: str, why: str = _KERNEL) -> Belonging:
    return Belonging(table, Fate.NOBODYS, why=why)


# In the order of deletion: what names another's rows in its condition goes before them.
BELONGINGS: tuple[Belonging, ...] = (
    _of_tenant("app.repositories", "repositories", "repository_id"),
    _of_tenant("app.analyses", "analyses", "analysis_id"),
    Belonging("app.questions", Fate.DELETED, _MINE, _ASKED, file="questions", key=("question_id",)),
    Belonging("app.conversations", Fate.DELETED, _MINE, _OWN, file="conversations", key=("conversation_id",)),
    _of_tenant("app.files", "files", "analysis_id", "path"),
    _of_tenant("app.outcomes", "outcomes", "analysis_id", "path"),
    _of_tenant("app.part_symbols", "symbols", "part_id", "shard", "ordinal"),
    _of_tenant("app.part_edges", "edges", "part_id", "shard", "ordinal"),
    _of_tenant("app.dependencies", "dependencies", "analysis_id", "shard", "ordinal"),
    _of_tenant("app.imports", "imports", "analysis_id", "shard", "ordinal"),
    _of_tenant("app.links", "links", "analysis_id", "shard", "ordinal"),
    _of_tenant("app.connections", "connections", "analysis_id", "path"),
    _of_tenant("app.churn", "churn", "analysis_id", "path"),
    _of_tenant("app.commits", "commits", "analysis_id", "number"),
    _of_tenant("app.loaded", "artifacts", "analysis_id", "kind", "shard"),
    _of_tenant("app.uploads", "uploads", "upload_id"),
    Belonging("app.looks", Fate.DELETED, _MINE, why="when each repository was last looked at, for retention"),
    Belonging("app.intake", Fate.DELETED, _MINE, why=_AGAIN),
    Belonging("app.accepted_questions", Fate.DELETED, _MINE, why=_AGAIN),
    Belonging("app.embedding_costs", Fate.DELETED, _MINE, why=_AGAIN),
    Belonging(
        "app.idempotency", Fate.DELETED, _MINE, _OWN, why="the names of requests that were made, for a day's repeats"
    ),
    _of_tenant("app.webhook_attempts", "webhook_attempts", "delivery_id", "number"),
    _of_tenant("app.webhook_deliveries", "webhook_deliveries", "delivery_id"),
    _of_tenant("app.webhooks", "webhooks", "webhook_id", secret=("secret",)),
    _of_tenant("app.push_deliveries", "push_deliveries", "hook_id", "delivery", secret=("digest",)),
    Belonging(
        "app.push_hooks",
        Fate.DELETED,
        _MINE,
        "created_by = :user",
        file="push_hooks",
        key=("hook_id",),
        secret=("secret",),
    ),
    Belonging(
        "app.invitations",
        Fate.DELETED,
        _MINE,
        "created_by = :user OR used_by = :user",
        file="invitations",
        key=("invitation_id",),
        secret=("secret_hash",),
    ),
    Belonging(
        "app.shares",
        Fate.DELETED,
        _MINE,
        "created_by = :user",
        file="sharing_links",
        key=("share_id",),
        secret=("secret_hash",),
    ),
    *(Belonging(f"sandbox.{name}", Fate.DELETED, _MINE, why=_AGAIN) for name in ("artifacts", "runs", "shadows")),
    _nobodys("es.rebuilds", "counts, checksums and ids of read models"),
    _nobodys("rag.rebuilds", "counts, checksums and ids of a generation, which it goes with"),
    _nobodys("app.deleted_repositories", "ids of what is gone, and when it went"),
    Belonging(
        "auth.tenants",
        Fate.EMPTIED,
        _MINE,
        personal=("name",),
        file="tenants",
        key=("tenant_id",),
        why="the fact stays",
    ),
    Belonging(
        "auth.users",
        Fate.EMPTIED,
        user=_OWN,
        personal=("provider", "issuer", "subject", "login", "name"),
        file="account",
        key=("user_id",),
    ),
    Belonging("auth.members", Fate.DELETED, _MINE, _OWN, file="memberships", key=("tenant_id", "user_id")),
    Belonging(
        "auth.sessions", Fate.DELETED, _MINE, _OWN, file="sessions", key=("session_id",), secret=("secret_hash",)
    ),
    Belonging("auth.api_keys", Fate.DELETED, _MINE, _OWN, file="keys", key=("key_id",), secret=("secret_hash",)),
    Belonging(
        "auth.refresh_tokens", Fate.DELETED, _MINE, _OWN, file="grants", key=("token_hash",), secret=("token_hash",)
    ),
    Belonging(
        "auth.repository_credentials",
        Fate.DELETED,
        _MINE,
        _OWN,
        file="repository_credentials",
        key=("credential_id",),
        secret=("sealed",),
    ),
    Belonging("auth.sign_in_tokens", Fate.DELETED, user=_OWN, why="a secret, and when it was kept"),
    _nobodys("auth.signing_keys", "the installation's"),
    _nobodys("auth.revocations", "ids of tokens that are over, for some minutes"),
    Belonging(
        "audit.entries",
        Fate.EMPTIED,
        user=_OWN,
        personal=("address", "agent", "salt"),
        file="audit",
        key=("position",),
        why="what was done stays, for as long as the trail is kept; from where does not",
    ),
    _nobodys("audit.head", "where the trail begins and ends"),
    Belonging("es.events", Fate.SEALED, _MINE, _OWN, file="events", key=("position",)),
    _nobodys("es.streams", "ids, and how many events each has"),
    _nobodys("es.payload_keys", "keys; a destroyed one leaves the id of whose it was"),
    _nobodys("es.artifact_owners", "hashes of contents; the orchestrator lets go of each with its repository"),
    Belonging("es.timers", Fate.DELETED, _STREAMS, why=_KERNEL),
    Belonging("es.snapshots", Fate.DELETED, _MINE, why=_AGAIN),
    _nobodys("es.dead_letters", "sentences of ours; copies of events are emptied with whose they are"),
    *(_nobodys(f"es.{name}") for name in ("outbox", "feed", "feed_head", "consumers", "inbox", "leases")),
    *(_nobodys(f"es.{name}") for name in ("projections", "migrations")),
    *(_index(f"rag.{name}") for name in ("pointers", "embeddings", "part_chunks", "part_symbols", "part_files")),
    *(_index(f"rag.{name}") for name in ("layouts", "ahead", "generations", "analyses")),
    _nobodys("rag.installation", "one id and one key of the installation"),
)


async def delete_rows(connection: AsyncConnection, *, tenant: UUID | None = None, user: UUID | None = None) -> int:
    """Delete all rows of a tenant, or of a user, that the orchestrator has; how many there were."""
    gone = 0
    for each in BELONGINGS:
        where = each.tenant if tenant is not None else each.user
        if each.fate is Fate.DELETED and where and each.by == "orchestrator":
            statement = text(f"DELETE FROM {each.table} WHERE {where}")  # noqa: S608  # our own names
            gone += (await connection.execute(statement, {"tenant": tenant, "user": user})).rowcount
    return gone


def unknown(tables: Sequence[str]) -> list[str]:
    """Those of `tables` (`schema.name`) that the list does not have."""
    known = {each.table for each in BELONGINGS}
    return sorted(set(tables) - known)
