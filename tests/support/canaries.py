"""Look for marked secrets wherever this product leaves anything: tables, streams and keys, files, and text."""

import base64
import os
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
from redis.asyncio import Redis


@dataclass(frozen=True)
class Canary:
    """A marked secret, in every form that one is found in."""

    secret: str

    @property
    def forms(self) -> tuple[bytes, ...]:
        """As it is, in hexadecimal (how PostgreSQL writes bytes), escaped, and in base64 at each of three offsets."""
        raw = self.secret.encode()
        inside = tuple(base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3))
        return (raw, raw.hex().encode(), quote(self.secret, safe="").encode(), *inside)


def found_in(canaries: Iterable[Canary], where: str, content: bytes) -> Iterator[str]:
    """One line for each canary that `content` holds."""
    for number, canary in enumerate(canaries):
        if any(form in content for form in canary.forms):
            yield f"canary {number} in {where}"


async def tables(database_url: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(database_url)
    try:
        # Most have never held a row, and to plan a look at each takes its time.
        names = await connection.fetch("""
            SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind = 'r' AND relpersistence <> 't' AND nspname NOT IN ('pg_catalog', 'information_schema')
              AND pg_relation_size(c.oid) > 0
        """)
        each = (f"SELECT '{name}' AS name, t::text AS row FROM {name} t" for (name,) in names)
        found: dict[str, list[str]] = {name: [] for (name,) in names}
        for name, row in await connection.fetch(" UNION ALL ".join(each)):  # one question: it follows every test
            found[name].append(row or "")
        for name, rows in found.items():
            yield name, "\n".join(rows).encode()
    finally:
        await connection.close()


async def dump(database_url: str) -> str:
    """All rows of all tables, as one text."""
    return "\n".join([content.decode() async for _, content in tables(database_url)])


async def keys(redis_url: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every key of Redis with all that it holds."""
    async with Redis.from_url(redis_url) as client:
        async for key in client.scan_iter(count=1_000):
            kind = (await client.type(key)).decode()
            if kind == "none":  # gone meanwhile
                continue
            read = {
                "string": lambda key=key: client.get(key),
                "stream": lambda key=key: client.xrange(key),
                "hash": lambda key=key: client.hgetall(key),
                "set": lambda key=key: client.smembers(key),
                "zset": lambda key=key: client.zrange(key, 0, -1),
                "list": lambda key=key: client.lrange(key, 0, -1),
            }[kind]
            yield f"{kind} {key!r}", key + b" " + repr(await read()).encode()


def files(folder: Path, name: str = "*") -> Iterator[tuple[str, bytes]]:
    """Every file named like this, unpacked where it is packed."""
    found = (Path(at) / each for at, _, names in os.walk(folder) for each in names)  # what goes meanwhile is no error
    for path in sorted(path for path in found if path.match(name) and path.is_file()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # deleted meanwhile
            continue
        if path.suffix == ".parquet":
            with suppress(pa.ArrowInvalid):  # damaged, as some tests have it: read as it is
                content = repr(pq.read_table(BytesIO(content)).to_pylist()).encode()
        elif content[:2] == b"\x1f\x8b":
            content = zlib.decompress(content, 31)
        yield str(path), content


async def hiding_places(canaries: Iterable[Canary], database_url: str, redis_url: str, folder: Path) -> list[str]:
    """Where any of the canaries is found."""
    marked = list(canaries)
    found = [line async for where, content in tables(database_url) for line in found_in(marked, where, content)]
    found += [line async for where, content in keys(redis_url) for line in found_in(marked, where, content)]
    return found + [line for where, content in files(folder) for line in found_in(marked, where, content)]
