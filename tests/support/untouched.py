"""Everything live that a sandbox may not touch, as a value: the same before and after, or it says what changed."""

import hashlib
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import chromadb
from redis.asyncio import Redis

# What moves by itself while nothing is asked for: the kernel's floors and the trail of requests.
MOVING = frozenset({"es.consumers", "es.inbox", "audit.entries", "audit.head", "app.idempotency"})
SANDBOX = "sandbox."


async def live(database_url: str, redis_url: str, home: Path, chroma_url: str = "") -> dict[str, str]:
    """A checksum of each table but the sandbox's, each Redis stream, each stored object and each collection."""
    found = await _tables(database_url) | await _streams(redis_url) | _objects(home)
    return found | (_collections(chroma_url) if chroma_url else {})


async def _tables(database_url: str) -> dict[str, str]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("""
            SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        """)
        names = sorted({row["name"] for row in rows} - MOVING)
        return {
            name: await connection.fetchval(
                f"SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t"
            )
            for name in names
            if not name.startswith(SANDBOX)
        }
    finally:
        await connection.close()


async def _streams(redis_url: str) -> dict[str, str]:
    redis = Redis.from_url(redis_url)
    try:
        found = {}
        async for key in redis.scan_iter(_type="stream"):
            told = await redis.xinfo_stream(key)
            found[f"stream {key.decode()}"] = f"{told['length']} {told['last-generated-id']}"
        return found
    finally:
        await redis.aclose()


def _objects(home: Path) -> dict[str, str]:
    folder = home / "objects"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"object {path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _collections(chroma_url: str) -> dict[str, str]:
    where = urlsplit(chroma_url)
    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.HttpClient(host=where.hostname or "", port=where.port or 80, settings=settings)
    return {f"collection {each.name}": str(each.count()) for each in client.list_collections()}


_watching: list[tuple[frozenset[int], list[object]]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect" or not _watching:
        return
    address = arguments[1]
    ports, refused = _watching[-1]
    if isinstance(address, tuple) and (address[0] not in {"127.0.0.1", "::1"} or address[1] not in ports):
        refused.append(address)
        raise ConnectionRefusedError(f"a sandbox connects to nobody: {address}")


_hooked: list[bool] = []


@contextmanager
def only_connecting_to(urls: Collection[str]) -> Iterator[list[object]]:
    """Refuse, and list, every connection of this process to anything but the servers at these addresses."""
    if not _hooked:
        sys.addaudithook(_hook)  # for ever: there is no way to take one away
        _hooked.append(True)
    refused: list[object] = []
    _watching.append((frozenset(urlsplit(url).port or 0 for url in urls), refused))
    try:
        yield refused
    finally:
        _watching.pop()
