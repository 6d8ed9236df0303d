"""Say who holds what an upgrade waits for."""

import asyncpg

_REVISION = "SELECT version_num FROM es.migrations"
_THERE = "SELECT to_regclass('es.migrations') IS NOT NULL"
_HOLDERS = """
SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename) AS name, coalesce(a.state, a.backend_type) AS state,
  extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS seconds
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL AND EXISTS (
  SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE l.pid = a.pid AND l.granted AND n.nspname IN ('es', 'app', 'rag', 'auth', 'audit')
)
ORDER BY a.xact_start LIMIT 1
"""


async def who_holds(url: str) -> str:
    """A sentence or two: where the database at `url` stands, and whose transaction has been at its tables the longest.

    Raises what asyncpg raises.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        revision = await connection.fetchval(_REVISION) if await connection.fetchval(_THERE) else "nothing"
        holder = await connection.fetchrow(_HOLDERS)
    finally:
        await connection.close()
    stands = f"The database is at revision {revision}; the next one waits for a lock"
    if holder is None:
        return f"{stands} that somebody held a moment ago."
    who = f"session {holder['pid']} ({holder['name']}, {holder['state']}, for {holder['seconds']} s)"
    return f"{stands} that {who} may hold."
