"""Say of each revocation which transaction wrote it, so that the copy in Redis can be sent what is newer alone.

An ended session writes one by itself, whoever ends it. `written` orders as transactions begin, not as they end: a
reader goes by the oldest that was under way when it read last.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_KEPT = "16 minutes"  # the longest life of a token, and a minute

_STATEMENTS = (
    """
    ALTER TABLE auth.revocations
      ADD COLUMN written bigint NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS text) AS bigint)
    """,
    "CREATE INDEX revocations_written ON auth.revocations (written)",
    "CREATE INDEX revocations_until ON auth.revocations (until)",
    f"""
    CREATE FUNCTION auth.session_over() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
      INSERT INTO auth.revocations (id, until) VALUES (NEW.session_id, now() + interval '{_KEPT}')
      ON CONFLICT (id) DO UPDATE SET until = excluded.until, written = excluded.written;
      RETURN NULL;
    END $$
    """,  # noqa: S608  # a constant of ours
    "REVOKE ALL ON FUNCTION auth.session_over() FROM PUBLIC",
    """
    CREATE TRIGGER session_over AFTER UPDATE OF revoked_at ON auth.sessions FOR EACH ROW
    WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION auth.session_over()
    """,
    f"""
    INSERT INTO auth.revocations (id, until)
    SELECT session_id, now() + interval '{_KEPT}' FROM auth.sessions WHERE revoked_at > now() - interval '{_KEPT}'
    ON CONFLICT (id) DO NOTHING
    """,  # noqa: S608  # the same
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER session_over ON auth.sessions")
    op.execute("DROP FUNCTION auth.session_over()")
    op.execute("DROP INDEX auth.revocations_until")
    op.execute("ALTER TABLE auth.revocations DROP COLUMN written")
