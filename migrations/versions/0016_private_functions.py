"""The functions that work with the owner's rights are for the services that need them, not for everybody.

PostgreSQL lets everybody call a new function. Whoever serves requests could have erased another tenant's events.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_REQUESTS, _BACKGROUND = "repostream_requests", "repostream_background"
_WORKERS = f"{_BACKGROUND}, repostream_processor, repostream_rag_manager, repostream_ai_engine"
_CALLERS = {
    "es.keys_of(text[], bytea[])": f"{_REQUESTS}, {_WORKERS}",
    "es.erase_subject(text, uuid, jsonb)": _BACKGROUND,
    "es.claim_artifact(text, uuid)": _WORKERS,
    "es.release_artifact(text, uuid)": _WORKERS,
}


def upgrade() -> None:
    for function, roles in _CALLERS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {roles}")


def downgrade() -> None:
    for function in _CALLERS:
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
