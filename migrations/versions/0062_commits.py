"""What earlier commits of an analysis say and which files they changed, where its history was asked for.

Searches read it. The projection `contents` goes on where it was, under a new version: an older release would pass over
these rows.
"""

from importlib import import_module

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_tenants = import_module("migrations.versions.0007_tenants")
_parts = import_module("migrations.versions.0041_loaded_parts")
_OLD, _NEW = 4, 5  # versions of the projection `contents`


def upgrade() -> None:
    op.execute("""
    CREATE TABLE app.commits (
      tenant_id uuid NOT NULL,
      analysis_id uuid NOT NULL,
      number int NOT NULL, -- from 0, the newest
      commit text NOT NULL,
      subject text NOT NULL,
      message text NOT NULL,
      paths text[] NOT NULL, -- as the files are called in the analysis
      PRIMARY KEY (analysis_id, number)
    )
    """)
    op.execute(f"GRANT TRUNCATE ON app.commits TO {_tenants.BACKGROUND}")  # a projection that begins again
    for statement in _tenants.protect("app.commits", _tenants.REQUESTS, _tenants.BACKGROUND):
        op.execute(statement)
    op.execute(f"GRANT SELECT ON app.commits TO {_tenants.SEARCH}")
    op.execute(f"CREATE POLICY searched_tenant ON app.commits FOR SELECT TO {_tenants.SEARCH} USING ({_tenants._MINE})")
    _parts.take_over(_OLD, _NEW)


def downgrade() -> None:
    _parts.take_over(_NEW, _OLD)
    op.execute("DELETE FROM app.loaded WHERE kind = 'commits'")
    op.execute("DROP TABLE app.commits")
