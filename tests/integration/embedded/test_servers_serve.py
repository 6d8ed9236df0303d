from uuid import uuid4

import asyncpg
import chromadb
from redis.asyncio import Redis

from tests.conftest import Servers


async def test_a_test_gets_a_migrated_database_of_its_own(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM es.migrations") >= 1
        assert await connection.fetchval("SHOW server_version_num") >= "180000"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        collation = "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'repostream'"
        assert await connection.fetchval(collation) == "b C.UTF-8"
    finally:
        await connection.close()


async def test_valkey_keeps_an_append_only_file_and_refuses_rather_than_evicts(redis_url: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        assert await redis.dbsize() == 0
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
        for name, value in wanted.items():
            assert (await redis.config_get(name))[name] == value


def test_chroma_stores_and_finds_vectors(chroma_url: str) -> None:
    host, port = chroma_url.removeprefix("http://").split(":")
    client = chromadb.HttpClient(host=host, port=int(port))
    collection = client.create_collection(f"c{uuid4().hex}", embedding_function=None)
    collection.upsert(ids=["near", "far"], embeddings=[[1.0, 0.0], [0.0, 1.0]])

    found = collection.query(query_embeddings=[[0.9, 0.1]], n_results=1)

    assert found["ids"] == [["near"]]


def test_passwords_are_readable_by_their_owner_alone(servers: Servers) -> None:
    for server in (servers.postgres, servers.valkey):
        assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
