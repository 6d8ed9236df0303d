"""Find whom an answer was given to again: where one of them was not content with it, it is offered to nobody."""

from alembic import op

from migrations.beside import make_index

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_index("events_retold", "es.events ((data->>'earlier')) WHERE data->>'earlier' IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX es.events_retold")
