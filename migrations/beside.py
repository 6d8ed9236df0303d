"""Indexes that are built while others write."""

from alembic import op
from sqlalchemy import text

_PATIENCE = "10min"  # for transactions that began before: nobody stands behind who waits for these


def make_index(name: str, of: str) -> None:
    """Build an index on a large table, `of` being the table, the columns and the condition.

    Outside of the revision's transaction: one that was interrupted is there, and not valid, and is begun anew.
    """
    schema = of.partition(".")[0]
    with op.get_context().autocommit_block():
        before = op.get_bind().execute(text("SHOW lock_timeout")).scalar_one()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema}.{name}")
        op.execute(f"SET lock_timeout = '{_PATIENCE}'")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {of}")
        op.execute(f"SET lock_timeout = '{before}'")
