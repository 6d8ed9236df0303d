"""Everything that one analysis left behind, counted and hashed, so that two runs can be compared.

Nothing in a census depends on ids that differ between two analyses of the same commit.
"""

import asyncio
import time
from collections import Counter
from typing import Any

import asyncpg
import chromadb
from chromadb.api import ClientAPI

from orchestrator.projections.contents import Contents
from orchestrator.projections.overview import Overview

# A hash over all rows of a table, in a fixed order, of the columns that say something about the repository.
_TABLES = {
    "files": ("app.files", "path, language, file_class, size, lines, shard, skipped"),
    "outcomes": ("app.outcomes", "path, outcome, reason, symbols, chunks"),
    "symbols": ("app.symbols", "shard, ordinal, path, kind, qualified_name, first_line, last_line, signature"),
    "edges": ("app.edges", "shard, ordinal, path, kind, source, target, line"),
    "imports": ("app.imports", "ordinal, path, line, module, name, resolution, target, confidence"),
    "links": (
        "app.links",
        "ordinal, kind, path, line, source, target_path, target, target_ordinal, level",
    ),
    "connections": ("app.connections", "path, imports, imported_by, calls, called_by, functions, complexity"),
    "churn": ("app.churn", "path, commits, authors"),
    "commits": ("app.commits", "number, commit, subject, message, paths"),
    "dependencies": ("app.dependencies", 'ordinal, ecosystem, name, "constraint", version, scope, path, line'),
    "chunks": ("rag.chunks", "ordinal, chunk_id, path, first_line, last_line, md5(text)"),
}

_BEHIND = """
SELECT EXISTS (SELECT FROM es.outbox WHERE position <= $2)
  OR (SELECT count(*) FROM es.projections WHERE name = ANY ($1) AND status = 'live') < cardinality($1)
  OR EXISTS (
    SELECT FROM es.projections p WHERE p.name = ANY ($1) AND p.status = 'live'
      AND p.cursor_seq < (SELECT max(seq) FROM es.feed WHERE position <= $2)
  )
"""


def census(database_url: str, chroma_url: str, analysis_id: str) -> dict[str, Any]:
    """Rows and hashes of each table, events by type, stage and shard, vectors by generation."""
    return asyncio.run(_census(database_url, chroma_url, analysis_id))


async def _census(database_url: str, chroma_url: str, analysis_id: str) -> dict[str, Any]:
    connection = await asyncpg.connect(database_url)
    try:
        found: dict[str, Any] = {name: await _table(connection, name, analysis_id) for name in _TABLES}
        found["events"] = await _events(connection, analysis_id)
        found["vectors"] = await _vectors(connection, chroma_url, analysis_id)
        return found
    finally:
        await connection.close()


async def _table(connection: asyncpg.Connection, name: str, analysis_id: str) -> tuple[int, str | None]:
    table, columns = _TABLES[name]
    query = f"""SELECT count(*), md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C"))
                FROM (SELECT concat_ws('|', {columns}) AS line FROM {table} WHERE analysis_id = $1::uuid) AS rows"""
    row = await connection.fetchrow(query, analysis_id)
    return row[0], row[1]


async def _events(connection: asyncpg.Connection, analysis_id: str) -> dict[str, int]:
    """Events that must happen once, by type, stage, shard and kind. Starts may repeat: a killed worker began too."""
    rows = await connection.fetch(
        "SELECT version, type, data->>'stage' AS stage, data->>'shard' AS shard,"
        " data->>'kind' AS kind FROM es.events"
        " WHERE stream_id = $1 ORDER BY version",
        f"analysis/{analysis_id}",
    )
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1)), "versions have a gap"
    once = (row for row in rows if row["type"] != "processing.stage.started")
    return dict(Counter(" ".join(filter(None, list(row.values())[1:])) for row in once))


async def _vectors(connection: asyncpg.Connection, chroma_url: str, analysis_id: str) -> dict[str, tuple[int, int]]:
    """Vectors that the index believes in and that Chroma holds, by kind of generation."""
    client, rows = _chroma(chroma_url), await _generations(connection, analysis_id)
    held = {row["kind"]: client.get_collection(row["collection"], embedding_function=None).count() for row in rows}
    return {row["kind"]: (row["vectors"], held[row["kind"]]) for row in rows}


def _chroma(url: str) -> ClientAPI:
    host, port = url.removeprefix("http://").split(":")
    return chromadb.HttpClient(host=host, port=int(port), settings=chromadb.Settings(anonymized_telemetry=False))


async def _generations(connection: asyncpg.Connection, analysis_id: str) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT kind, collection, vectors FROM rag.generations WHERE analysis_id = $1::uuid AND state <> 'retired'"
        " AND collection IS NOT NULL ORDER BY kind",
        analysis_id,
    )
    return rows


def lose_vectors(database_url: str, chroma_url: str, analysis_id: str) -> str:
    """Drop the collection of the full generation, as a server does that lost its folder; its name."""

    async def look() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url)
        try:
            return await _generations(connection, analysis_id)
        finally:
            await connection.close()

    [name] = [str(row["collection"]) for row in asyncio.run(look()) if row["kind"] == "full"]
    _chroma(chroma_url).delete_collection(name)
    return name


def read_models(database_url: str) -> dict[str, tuple[int, str]]:
    """How many rows each read model has, and the digest of all of them, to the last byte, once they are up to date.

    The API is further than they are: it reads what they do not have yet from the log.
    """

    async def look() -> dict[str, tuple[int, str]]:
        connection = await asyncpg.connect(database_url)
        try:
            await _up_to_date(connection)
            found = {}
            for table in (*Overview.tables, *Contents.tables):
                query = f"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM app.{table} t"
                found[table] = tuple(await connection.fetchrow(query))
            return found
        finally:
            await connection.close()

    return asyncio.run(look())


async def _up_to_date(connection: asyncpg.Connection, seconds: float = 60) -> None:
    """Return once each projection has taken all that was appended before."""
    end = time.monotonic() + seconds
    names, last = [Overview.name, Contents.name], await connection.fetchval("SELECT max(position) FROM es.events")
    while await connection.fetchval(_BEHIND, names, last):
        assert time.monotonic() < end, f"the read models are still behind after {seconds} s"
        await asyncio.sleep(0.05)


def spoil(database_url: str, *statements: str) -> None:
    """Do to the read models what nobody should."""

    async def execute() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())
