"""An analysis may have several generations of a kind: what is added to is built beside the one that serves."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_ONE_OF_A_KIND = """
DELETE FROM rag.generations g USING rag.generations n
WHERE n.analysis_id = g.analysis_id AND n.kind = g.kind AND n.generation_id <> g.generation_id
  AND NOT EXISTS (SELECT FROM rag.pointers p WHERE p.generation_id = g.generation_id)
  AND (EXISTS (SELECT FROM rag.pointers p WHERE p.generation_id = n.generation_id)
    OR (n.changed_at, n.generation_id) > (g.changed_at, g.generation_id))
"""


def upgrade() -> None:
    op.execute("ALTER TABLE rag.generations DROP CONSTRAINT generations_analysis_id_kind_key")
    op.execute("CREATE INDEX generations_analysis_id_kind ON rag.generations (analysis_id, kind)")


def downgrade() -> None:
    op.execute(_ONE_OF_A_KIND)
    op.execute("DROP INDEX rag.generations_analysis_id_kind")
    op.execute("ALTER TABLE rag.generations ADD UNIQUE (analysis_id, kind)")
