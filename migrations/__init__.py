"""The database's shape, as a chain of Alembic revisions.

0001 event kernel (`es`), 0002 read models (`app`), 0003 index (`rag`).
"""

from migrations.run import upgrade

__all__ = ["upgrade"]
