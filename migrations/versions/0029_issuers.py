"""An account is of one issuer: an equal number at another GitHub or OpenID Connect provider is somebody else.

Which provider the accounts of before are of stands in the settings alone: their issuer is null until the orchestrator
has started once where people sign in (`orchestrator/auth/issuers.py`). From then on none is null; empty is nobody's.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE auth.users ADD COLUMN issuer text",
    "UPDATE auth.users SET issuer = '' WHERE provider IN ('local', 'deleted')",
    "ALTER TABLE auth.users DROP CONSTRAINT users_provider_subject_key",
    "ALTER TABLE auth.users ADD CONSTRAINT users_identity UNIQUE (provider, issuer, subject)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("an older version takes equal numbers of two providers for one person: restore a backup")
