"""How often each file of an analysis was changed, of the commits that were read where its history was asked for.

The projection `contents` goes on where it was, under a new version: an older release would pass over these rows.
"""

from importlib import import_module

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_parts = import_module("migrations.versions.0041_loaded_parts")
_OLD, _NEW = 3, 4  # versions of the projection `contents`


def upgrade() -> None:
    op.execute("""
    CREATE TABLE app.churn (
      tenant_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      path text NOT NULL,
      commits int NOT NULL, -- that changed the file, merges aside
      authors int NOT NULL, -- of those commits
      PRIMARY KEY (analysis_id, path)
    )
    """)
    op.execute(f"GRANT TRUNCATE ON app.churn TO {_tenants.BACKGROUND}")  # a projection that begins again
    for statement in _tenants.protect("app.churn", _tenants.REQUESTS, _tenants.BACKGROUND):
        op.execute(statement)
    _parts.take_over(_OLD, _NEW)


def downgrade() -> None:
    _parts.take_over(_NEW, _OLD)
    op.execute("DELETE FROM app.loaded WHERE kind = 'churn'")
    op.execute("DROP TABLE app.churn")
